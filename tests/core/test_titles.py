"""What clusters of real alerts are called; names and labels as public rules and streams have them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core.labels import LabelFrequencies, token
from receiver.core.titles import MAX_BYTES, cut, title

EMPTY = LabelFrequencies(1000)


def site(everyday: Mapping[str, int] | None = None, clusters: int = 30) -> LabelFrequencies:
    """Return a site that had so many clusters lately, *everyday* of them with these alert names."""
    found = LabelFrequencies(1000)
    for n in range(clusters):
        found.open(0)
        found.observe([token("service", f"s{n}"), token("node", f"n{n}")], 0)
    for name, count in (everyday or {}).items():
        for _ in range(count):
            found.meet(name, 0)
    return found


def labelled(size: int, **labels: str | Mapping[str, int]) -> dict[str, int]:
    """Return the members by label value; a bare value is one that all have."""
    found: dict[str, int] = {}
    for label, values in labels.items():
        counts = {values: size} if isinstance(values, str) else values
        found |= {token(label, value): count for value, count in counts.items()}
    return found


@pytest.mark.parametrize(
    ("names", "tokens", "expected"),
    [
        (
            {"KubePodCrashLooping": 3},
            labelled(3, namespace="shop", service="cart", pod={"cart-0": 1, "cart-1": 1, "cart-2": 1}),
            "Kube pod crash looping in service cart, 3 pods",
        ),
        (
            {"NodeClockSkew": 1},
            labelled(1, node="worker-b2", instance="worker-b2:9100"),
            "Node clock skew on node worker-b2",
        ),
        (
            {"CertificateExpiringSoon": 6, "CertificateRenewalFailed": 3},
            labelled(9, namespace="ingress"),
            "Certificate expiring soon, renewal failed in namespace ingress",
        ),
        (
            {"D8NodeGroupIsNotUpdating": 1, "D8NodeIsNotUpdating": 1},
            labelled(2, node="node-16"),
            "D8 node group is not updating, D8 node is not updating on node node-16",
        ),
        (
            {"NoRequestsReceived": 2, "NoDatabaseOperations": 2},
            labelled(4, namespace="shop", service={"ad": 1, "cart": 1, "web": 2}),
            "No requests received, no database operations in namespace shop, 3 services",
        ),
        (
            {"OpenSearchShardsWarning": 1, "OpenSearchShardsCritical": 1},
            {},
            "Open search shards",
        ),
        (
            {"NSXTDistributedFirewallRulesUsageLimitExceeded": 1, "NSXTSecurityTagsUsageHigh": 1},
            {},
            "NSXT distributed firewall rules usage limit exceeded and 1 more",
        ),
        ({"": 1}, {}, "Alert"),
        ({"": 1, "DiskFull": 1}, {}, "Disk full and 1 more"),
        ({}, {}, "Alert"),
    ],
)  # fmt: skip
def test_a_title_tells_what_and_where(
    names: dict[str, int], tokens: dict[str, int], expected: str
) -> None:
    assert title(names, tokens, EMPTY, 0) == expected


def test_a_cascade_is_told_by_what_opened_it_and_what_most_of_it_is() -> None:
    names = {
        "PostgresDown": 1, "PostgresReplicationBroken": 2, "DatabaseConnectionErrors": 12,
        "HighErrorRate": 5, "UpstreamErrors": 48, "CircuitBreakerOpen": 30,
    }  # fmt: skip
    tokens = labelled(98, service={"payments": 40, "checkout": 30, "web": 28})

    assert (
        title(names, tokens, site(), 0) == "Postgres down, upstream errors and 4 more in 3 services"
    )


def test_an_everyday_alert_that_happened_to_be_first_is_not_told() -> None:
    names = {"HighLatency": 2, "KubeNodeNotReady": 2, "KubeletDown": 1, "NodeDiskFull": 1}

    found = title(names, {}, site({"HighLatency": 28, "KubeNodeNotReady": 1}), 0)

    assert found == "Kube node not ready, node disk full and 2 more"


def test_the_words_that_most_names_share_choose_which_are_told() -> None:
    names = {
        "IngressErrorRate": 1, "LinstorNodeIsNotOnline": 1, "LinstorControllerPodIsNotReady": 1,
        "LinstorNodePodIsNotReady": 1,
    }  # fmt: skip
    everyday = {"IngressErrorRate": 28, **{f"Some{n}PodAlert": 1 for n in range(20)}}

    found = title(names, {}, site(everyday), 0)

    assert found == "Linstor node is not online, pod is not ready and 2 more"


@given(
    st.dictionaries(st.text(max_size=300), st.integers(1, 9), max_size=20),
    st.dictionaries(st.text(max_size=60), st.text(max_size=300), max_size=5),
)
def test_no_title_is_too_long_or_unsafe(names: dict[str, int], labels: dict[str, str]) -> None:
    found = title(names, labelled(sum(names.values()), **labels), EMPTY, 0)

    assert 0 < len(found.encode()) <= MAX_BYTES
    assert found.isprintable()
    assert found == " ".join(found.split())


def test_what_is_cut_ends_between_words() -> None:
    assert cut("one two three", 12) == "one two…"
    assert cut("é" * 100, 13) == "é" * 5 + "…"
    assert cut("short", 5) == "short"
