"""Alerts as Prometheus posts them to an Alertmanager: without status, with an end that lies ahead."""

from __future__ import annotations

import json
from typing import Any

import pytest

from receiver.core import envelope, payload
from receiver.core.errors import SenderError, TooLarge
from receiver.core.identity import IdentitySettings
from receiver.core.model import Alert, Status
from receiver.core.timestamps import render
from tests.builders import at, body, entry

IDENTITY = IdentitySettings()
LABELS = {"alertname": "DiskFull", "instance": "db-1"}


def posted(**fields: Any) -> dict[str, Any]:
    return {"labels": LABELS, **fields}


def read(*entries: Any, now: float = 100) -> payload.Notification:
    return payload.parse_posted(json.dumps(entries).encode(), IDENTITY, at(now))


def only(*entries: Any, now: float = 100) -> Alert:
    ((_, alert),) = read(*entries, now=now).alerts
    return alert


@pytest.mark.parametrize("ends", [{}, {"endsAt": None}, {"endsAt": "0001-01-01T00:00:00Z"}])
def test_an_alert_without_an_end_fires(ends: dict[str, Any]) -> None:
    alert = only(posted(startsAt=render(at(3)), **ends))

    assert (alert.status, alert.starts_at, alert.ends_at) == (Status.FIRING, at(3), None)


def test_an_alert_with_an_end_ahead_fires_and_is_vouched_for_until_then() -> None:
    alert = only(posted(startsAt=render(at(3)), endsAt=render(at(101))))

    assert (alert.status, alert.starts_at, alert.ends_at) == (Status.FIRING, at(3), at(101))


@pytest.mark.parametrize("end", [50, 100])
def test_an_end_that_has_passed_resolves(end: float) -> None:
    alert = only(posted(startsAt=render(at(3)), endsAt=render(at(end))))

    assert (alert.status, alert.starts_at, alert.ends_at) == (Status.RESOLVED, at(3), at(end))


def test_when_it_was_received_decides_and_not_when_it_is_read() -> None:
    told = posted(startsAt=render(at(3)), endsAt=render(at(240)))

    assert only(told, now=100).status is Status.FIRING
    assert only(told, now=300).status is Status.RESOLVED


def test_without_a_start_it_begins_when_received_or_at_its_end() -> None:
    assert only(posted()).starts_at == at(100)
    assert only(posted(startsAt="0001-01-01T00:00:00Z")).starts_at == at(100)
    over = only(posted(endsAt=render(at(50))))
    assert (over.starts_at, over.ends_at) == (at(50), at(50))


@pytest.mark.parametrize("starts", [{}, {"startsAt": None}, {"startsAt": "0001-01-01T00:00:00Z"}])
def test_that_no_start_was_given_is_known_of_what_fires(starts: dict[str, Any]) -> None:
    assert not only(posted(**starts)).start_told
    ahead = only(posted(**starts, endsAt=render(at(101))))
    assert (ahead.start_told, ahead.ends_at) == (False, at(101))
    assert only(posted(startsAt=render(at(3)))).start_told
    assert only(posted(startsAt=render(at(3)), endsAt=render(at(101)))).start_told


def test_it_is_the_alert_that_a_webhook_would_tell() -> None:
    told = entry()
    ((_, by_webhook),) = payload.parse(body(told), IDENTITY).alerts

    assert only({name: told[name] for name in told if name != "status"}) == by_webhook


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (posted(startsAt="soon"), "startsAt"),
        (posted(startsAt=render(at(3)), endsAt="late"), "endsAt"),
        (posted(startsAt=render(at(3)), endsAt=7), "endsAt"),
        ({"labels": {}}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ([], "alert"),
        (posted(annotations=[1]), "annotations"),
    ],
)
def test_a_bad_alert_is_a_dead_letter_and_its_neighbours_are_taken(bad: Any, field: str) -> None:
    for now in (100, 10**6):
        found = read(posted(), bad, posted(), now=now)

        assert [index for index, _ in found.alerts] == [0, 2]
        assert [(d.index, d.field) for d in found.dead_letters] == [(1, field)]


@pytest.mark.parametrize(
    ("ends", "status"), [({}, "firing"), ({"endsAt": render(at(3))}, "resolved")]
)
def test_a_dead_letter_says_what_the_alert_is(ends: dict[str, Any], status: str) -> None:
    (letter,) = read(posted(startsAt="soon", **ends)).dead_letters

    assert json.loads(letter.raw)["status"] == status


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("{}", "an object"),
        ('"x"', "a text"),
        ("7", "a number"),
        ("null", "null"),
        ("true", "true"),
    ],
)
def test_another_value_is_named_as_json_has_it(text: str, kind: str) -> None:
    with pytest.raises(SenderError, match=f"body is {kind}, expected a list"):
        payload.parse_posted(text.encode(), IDENTITY, at(0))


@pytest.mark.parametrize("text", [b"", b"{}", b"[", b"[1", b"[1]x", b"[1,]", b"7", b"nul", b"7 8",
                                  b"\xff"])  # fmt: skip
def test_what_is_no_list_is_refused(text: bytes) -> None:
    with pytest.raises(SenderError, match="body is"):
        payload.parse_posted(text, IDENTITY, at(0))


def test_a_list_of_too_many_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MAX_ALERTS", 2)

    with pytest.raises(TooLarge):
        read(posted(), posted(), posted())


def test_its_first_character_tells_a_list_from_a_notification() -> None:
    listed = b" \n" + json.dumps([posted(endsAt=render(at(50)))]).encode()
    ((_, alert),) = payload.parse_any(listed, IDENTITY, at(100)).alerts
    assert alert.status is Status.RESOLVED
    ((_, told),) = payload.parse_any(body(entry()), IDENTITY, at(100)).alerts
    assert told.status is Status.FIRING
    with pytest.raises(SenderError, match="expected an object"):
        payload.parse(listed, IDENTITY)
