"""What a replay takes from the rules of a Prometheus."""

from __future__ import annotations

from typing import Any

from receiver.replay.rules import Rules


def group(*rules: Any, interval: Any = 15) -> dict[str, Any]:
    return {"interval": interval, "rules": list(rules)}


def rule(name: str = "DiskFull", **changed: Any) -> dict[str, Any]:
    return {"name": name, "duration": 60, "labels": {}, "annotations": {}} | changed


def texts(template: str, **labels: str) -> str:
    rules = Rules([group(rule(annotations={"summary": template}))])
    told = {"alertname": "DiskFull", **labels}
    found = rules.of(told)
    assert found is not None
    return found.texts(told)["summary"]


def test_labels_are_filled_into_texts_and_what_is_computed_is_left_out() -> None:
    template = (
        "{{ $labels.pod }} on {{- .Labels.node | toUpper }} has {{ printf `%.1f` $value }} GB"
    )

    assert texts(template, pod="a", node="n1") == "a on n1 has  GB"
    assert texts("{{ $labels.gone }} is gone") == " is gone"


def test_of_rules_with_one_name_the_one_that_fits_and_fixes_most_is_taken() -> None:
    rules = Rules(
        [
            group(rule(labels={"severity": "warning"}), interval=30),
            group(rule(labels={"severity": "critical", "team": "{{ $labels.team }}"})),
            group(rule()),
        ]
    )

    def interval(**labels: str) -> int:
        found = rules.of({"alertname": "DiskFull", **labels})
        assert found is not None
        return found.interval

    assert interval(severity="warning") == 30_000
    assert interval(severity="critical", team="x") == 15_000
    assert rules.of({"alertname": "Another"}) is None
    assert rules.shortest_interval() == 15_000


def test_what_cannot_be_read_is_left_out() -> None:
    broken = [None, {"name": 3}, rule(labels=None, annotations=[1], duration="1m")]
    rules = Rules([group(*broken, interval=True), {"rules": None}])

    found = rules.of({"alertname": "DiskFull"})
    assert found is not None
    assert (found.hold, found.interval, found.texts({})) == (0, 0, {})
    assert rules.shortest_interval() is None
