from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.core import envelope, payload
from receiver.core.errors import SenderError, TooLarge
from receiver.core.identity import IdentitySettings
from receiver.core.model import Status
from tests.builders import alert, at, body, entry

IDENTITY = IdentitySettings()
CAPTURES = sorted((Path(__file__).parent.parent / "captures").glob("[0-9]*.json"))


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_every_capture_is_read_whole(path: Path) -> None:
    document = json.loads(path.read_text())

    found = payload.parse(path.read_bytes(), IDENTITY)

    assert not found.dead_letters
    assert [a.sender_fingerprint for _, a in found.alerts] == [
        a["fingerprint"] for a in document["alerts"]
    ]
    assert found.truncated == document["truncatedAlerts"]
    assert (found.receiver, found.group_key) == (document["receiver"], document["groupKey"])


def test_a_grafana_body_keeps_its_links() -> None:
    told = entry(
        silenceURL="http://g/silence", panelURL="http://g/panel", dashboardURL="", values={}
    )

    (_, found), *_ = payload.parse(body(told, version="1"), IDENTITY).alerts

    assert found.links == {"silenceURL": "http://g/silence", "panelURL": "http://g/panel"}


@pytest.mark.parametrize("version", ["2", 4, None, ["4"]])
def test_another_version_is_refused(version: Any) -> None:
    with pytest.raises(SenderError, match=r'version: got .*, expected "4"') as error:
        payload.parse(body(version=version), IDENTITY)

    assert error.value.field == "version"


def test_alerts_must_be_a_list() -> None:
    with pytest.raises(SenderError, match=r'alerts: got "x+…, expected a list'):
        payload.parse(body(alerts="x" * 1000), IDENTITY)


def test_no_alerts_is_nothing_wrong() -> None:
    assert payload.parse(body(), IDENTITY).alerts == ()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"status": "on"}, "status"),
        ({"labels": {}}, "labels"),
        ({"labels": {"a": ""}}, "labels"),
        ({"labels": None}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {"a": float("nan")}}, "labels.a"),
        ({"annotations": {"s": None}}, "annotations.s"),
        ({"annotations": "x"}, "annotations"),
        ({"startsAt": "soon"}, "startsAt"),
        ({"startsAt": 5}, "startsAt"),
        ({"startsAt": "0001-01-01T00:00:00Z"}, "startsAt"),
        ({"status": "resolved", "endsAt": "x"}, "endsAt"),
    ],
)
def test_a_bad_alert_does_not_keep_back_its_neighbours(changed: dict[str, Any], field: str) -> None:
    found = payload.parse(body(entry("A"), entry("B") | changed, entry("C")), IDENTITY)

    assert [(i, a.labels["alertname"]) for i, a in found.alerts] == [(0, "A"), (2, "C")]
    assert [(d.index, d.field) for d in found.dead_letters] == [(1, field)]
    assert "expected" in found.dead_letters[0].reason
    assert "alert" in found.dead_letters[0].raw or "labels" in found.dead_letters[0].raw


def test_an_alert_that_is_no_object_is_a_dead_letter() -> None:
    (letter,) = payload.parse(body(7), IDENTITY).dead_letters

    assert (letter.field, letter.raw) == ("alert", "7")


def test_what_is_optional_may_be_missing() -> None:
    told = {"status": "resolved", "labels": {"a": "b", "": "x"}, "startsAt": "2026-01-01T00:00:00Z"}

    ((_, found),) = payload.parse(body(told, truncatedAlerts=True, receiver=1), IDENTITY).alerts

    assert found.annotations == {}
    assert found.ends_at is None
    assert found.status is Status.RESOLVED


def test_surrogates_are_replaced_in_names_and_values() -> None:
    told = entry(labels={"a\ud800": "b\udfff", "alertname": "X"})

    ((_, found),) = payload.parse(body(told), IDENTITY).alerts

    assert found.labels == {"a\ufffd": "b\ufffd", "alertname": "X"}


def test_replicas_are_one_alert_with_two_senders() -> None:
    replicas = [entry(labels={"alertname": "A", "prometheus_replica": r}) for r in "ab"]

    one, other = (a for _, a in payload.parse(body(*replicas), IDENTITY).alerts)

    assert one.fingerprint == other.fingerprint
    assert one.sender_fingerprint != other.sender_fingerprint
    assert "prometheus_replica" not in one.labels


def test_a_dead_letter_too_deep_to_keep_is_named_so() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert payload._raw(deep) == '"nested too deeply to be kept"'


def test_one_alert_alone_is_read_or_refused() -> None:
    assert payload.read_one(entry(), IDENTITY).starts_at == at(0)
    with pytest.raises(SenderError, match=r"labels") as error:
        payload.read_one({"status": "firing", "labels": {}}, IDENTITY)
    assert error.value.field == "labels"
    with pytest.raises(SenderError, match=r'endsAt: got "x"'):
        payload.read_time("endsAt", "x")
    assert payload.read_time("endsAt", "1970-01-01T00:00:00Z") == 0


def test_an_alert_is_written_back_in_the_senders_form() -> None:
    written = json.loads(payload.as_json(alert("A", starts=1, ends=5)))

    assert payload.read_one(written, IDENTITY) == alert("A", starts=1, ends=5)


def test_of_a_body_full_of_bad_alerts_some_are_kept_and_the_rest_is_told() -> None:
    found = payload.parse(body(*range(500), entry()), IDENTITY)

    assert len(found.alerts) == 1
    assert len(found.dead_letters) == payload.MAX_DEAD_LETTERS + 1
    assert found.dead_letters[-1].reason.startswith("400 further alerts")


def test_more_elements_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAX_ALERTS", 3)

    with pytest.raises(TooLarge, match="more than 3"):
        payload.parse(body(1, 2, 3, 4), IDENTITY)


@pytest.mark.parametrize(
    ("told", "count"), [(10**400, 10**9), (-5, 0), (True, 0), ("7", 0), (7, 7)]
)
def test_a_senders_count_is_taken_with_care(told: Any, count: int) -> None:
    assert payload.parse(body(truncatedAlerts=told), IDENTITY).truncated == count


def test_labels_of_megabytes_are_a_dead_letter() -> None:
    most = payload.MAX_LABEL_CHARACTERS
    good, bad = ({"labels": {"a": "x" * (length - 1)}} for length in (most, most + 1))
    told = entry(annotations={"summary": "x" * 10**7})

    found = payload.parse(body(told | good, told | bad, told), IDENTITY)

    assert [index for index, _ in found.alerts] == [0, 2]
    assert [letter.field for letter in found.dead_letters] == ["labels"]
    assert "expected at most 262144 characters" in found.dead_letters[0].reason


def test_an_error_never_repeats_a_name_of_any_length() -> None:
    (letter,) = payload.parse(body(entry(labels={"x" * 100_000: 1})), IDENTITY).dead_letters

    assert len(letter.reason) < 600
    assert len(letter.field) < 300
