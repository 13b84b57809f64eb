from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from receiver.core.labels import label_of, token
from receiver.core.places import kind_of, where

USUAL = ("cluster", "prod")
"""What all alerts have in these tests; all else is rare."""


def told(
    size: int,
    labels: Mapping[str, str | Mapping[str, int]],
    *,
    said: frozenset[str] = frozenset(),
    most: int = 200,
    weights: Mapping[str, float] | None = None,
) -> str:
    """Return where *size* members are; a bare value is one that all of them have."""
    tokens: dict[str, int] = {}
    for label, values in labels.items():
        counts = {values: size} if isinstance(values, str) else values
        tokens |= {token(label, value): count for value, count in counts.items()}

    def standing(each: str) -> tuple[float, bool]:
        return (weights or {}).get(label_of(each)[0], 3.0), label_of(each) == USUAL

    return where(tokens, size, said, standing, most)


@pytest.mark.parametrize(
    ("size", "labels", "expected"),
    [
        (3, {"service": "payments", "cluster": "prod"}, "in service payments"),
        (3, {"service_name": "cart"}, "in service cart"),
        (1, {"node": "w3", "instance": "w3:9100"}, "on node w3"),
        (1, {"node": "w3", "instance": "w3:9100", "device": "w3:9100:1"}, "on node w3"),
        (1, {"namespace": "shop", "pod": "cart-7f9c8d6b5-x2x4q"}, "in namespace shop, pod cart-7f9c8d"),
        (1, {"service": "db", "pod": "db-0"}, "in service db"),
        (1, {"service": "db", "namespace": "data"}, "in service db, namespace data"),
        (1, {"cluster": "prod"}, "in cluster prod"),
        (9, {"cluster": "prod", "service": {"a": 3, "b": 3, "c": 3}}, "in 3 services"),
        (9, {"namespace": "shop", "pod": {"a": 3, "b": 3, "c": 3}}, "in namespace shop, 3 pods"),
        (2, {"service": {"cart": 1, "web": 1}}, "in services cart and web"),
        (2, {"pod": {"a-7f9c8d6b5-x2x4q": 1, "a-7f9c8d6b5-abcde": 1}}, "in 2 pods"),
        (9, {"service": {"cart": 1, "web": 1}}, ""),
        (10, {"node": {"w3": 9}, "service": {"a": 5, "b": 5}}, "mostly on node w3, services a and b"),
        (4, {"node": {"w3": 3}}, ""),
        (10, {"node": {"w3": 7}}, ""),
        (1, {"service": "service", "host": "", "\u202e": "x"}, ""),
        (2, {"app": "x", "service": "x"}, "in app x"),
        (0, {}, ""),
    ],
)  # fmt: skip
def test_a_place_is_told_as_people_do(size: int, labels: Mapping[str, Any], expected: str) -> None:
    found = told(size, labels)

    assert found == expected if "7f9c8d6b5" not in str(labels) else found.startswith(expected)


def test_the_rarer_of_equal_places_is_told_first() -> None:
    labels = {"node": "w3", "service": "exporter"}

    assert told(2, labels, weights={"service": 1.0}) == "on node w3, service exporter"
    assert told(2, labels, weights={"node": 1.0}) == "in service exporter, node w3"


def test_a_place_that_the_name_tells_already_comes_after_others() -> None:
    labels = {"service": "calico", "namespace": "net"}

    assert told(2, labels, said=frozenset({"calico"})) == "in namespace net, service calico"
    assert told(2, {"service": "calico"}, said=frozenset({"calico"})) == "in service calico"


def test_an_address_that_must_be_cut_comes_after_others() -> None:
    labels = {"instance": "https://example.org/" + "x" * 40, "device": "sda"}

    assert told(1, labels).startswith("on device sda, instance https://example.org/x")
    assert told(1, labels).endswith("…")


def test_what_does_not_fit_is_not_begun() -> None:
    two: dict[str, Any] = {"namespace": "shop", "service": {"checkout": 1, "recommend": 1}}

    assert told(2, two, most=60) == "in namespace shop, services checkout and recommend"
    assert told(2, two, most=40) == "in namespace shop, 2 services"
    assert told(2, two, most=20) == "in namespace shop"
    assert told(2, {"service": {"a": 1, "b": 1}}, most=5) == ""


def test_labels_are_called_by_what_they_are() -> None:
    assert kind_of("exported_namespace") == "namespace"
    assert kind_of("kubernetes_pod_name") == "pod"
    assert kind_of("hostname") == "host"
    assert kind_of("topology_key") == "topology key"
    assert kind_of("_name") == "name"
