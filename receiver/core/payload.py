"""Bytes of a body in, alerts out. Knows the bodies' forms and nothing else.

They are a webhook's (versions "4" and "1"), and the list that Prometheus posts to Alertmanagers. The
envelope decides between 200 and 400; a bad alert in a good envelope becomes a dead letter, so that it
cannot block its group at the sender for ever. Unknown fields are ignored: newer senders add some.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from receiver.core import envelope, identity, timestamps
from receiver.core.errors import SenderError
from receiver.core.identity import IdentitySettings
from receiver.core.model import Alert, Status

VERSIONS = ("4", "1")
MAX_DEAD_LETTERS = 100
"""Kept of one body; that there were more is told by one further letter."""

MAX_LABEL_CHARACTERS = 256 * 1024
"""Of one alert's names and values together, some hundred times what is usual. Each is hashed, split into
words and compared: an alert of megabytes would hold up all others for seconds."""

_MOST_MISSING = 10**9
_LINKS = ("silenceURL", "dashboardURL", "panelURL")
_SHOWN = 200
"""Characters of a bad value that an error repeats: the sender logs the answer as one line."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An alert that cannot be taken, kept for people to look at.

    Attributes:
        index: Its place in the notification's `alerts`, from 0.
        field: What is at fault in it.
        reason: What was found and what was expected.
        raw: The alert as JSON.
    """

    index: int
    field: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Notification:
    """One webhook body.

    Attributes:
        receiver: Name of the sender's receiver, as it gives it (Alertmanager quotes it as a regexp).
        group_key: Opaque name of the group at the sender.
        external_url: Address of the sender.
        truncated: How many alerts the sender left out because of max_alerts.
        alerts: The valid ones, with their place in the body.
        dead_letters: The others.
    """

    receiver: str
    group_key: str
    external_url: str
    truncated: int
    alerts: tuple[tuple[int, Alert], ...]
    dead_letters: tuple[DeadLetter, ...]


class _BadAlert(Exception):
    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field if len(field) <= _SHOWN else field[:_SHOWN] + "…"
        super().__init__(f"{self.field}: got {_shown(value)}, expected {expected}")


def _shown(value: object) -> str:
    return envelope.shown(value, _SHOWN)


def parse(body: bytes, settings: IdentitySettings) -> Notification:
    """Read one webhook *body*.

    Raises:
        SenderError: The body is not JSON, not of a known version, or `alerts` is not a list.
    """
    document = envelope.read(body)
    version = document.get("version")
    if version not in VERSIONS:
        raise SenderError(
            f'version: got {_shown(version)}, expected "4" (Alertmanager) or "1" (Grafana)',
            field="version",
        )
    entries = document.get("alerts")
    if not isinstance(entries, list):
        raise SenderError(f"alerts: got {_shown(entries)}, expected a list", field="alerts")
    alerts, dead_letters = _sorted_out(entries, settings)
    return Notification(
        receiver=_text(document.get("receiver")),
        group_key=_text(document.get("groupKey")),
        external_url=_text(document.get("externalURL")),
        truncated=_count(document.get("truncatedAlerts")),
        alerts=alerts,
        dead_letters=dead_letters,
    )


def parse_posted(body: bytes, settings: IdentitySettings, received_at: int) -> Notification:
    """Read one *body* of `POST /api/v2/alerts`: a list of alerts without status.

    Args:
        body: As received.
        settings: What identifies an alert.
        received_at: Nanoseconds. An endsAt until then is the alert's end; a later one says how long
            the sender vouches for an alert that fires. Without startsAt it begins then, if it does not
            fire already, or at its end.

    Raises:
        SenderError: The body is not JSON, or not a list.
    """
    entries: list[Any] = list(envelope.read_list(body))
    alerts, dead_letters = _sorted_out([_with_status(e, received_at) for e in entries], settings)
    posted = tuple((index, _as_posted(alert, entries[index])) for index, alert in alerts)
    return Notification("", "", "", 0, posted, dead_letters)


def parse_any(body: bytes, settings: IdentitySettings, received_at: int) -> Notification:
    """Read one *body* of either form, which its first character tells.

    Raises:
        SenderError: As `parse` and `parse_posted` do.
    """
    if envelope.is_list(body):
        return parse_posted(body, settings, received_at)
    return parse(body, settings)


def _as_posted(alert: Alert, entry: Mapping[str, Any]) -> Alert:
    """Return *alert* of the *entry* posted, with what only a post says of one that fires.

    That is the time until which its sender vouches for it, and whether he knows when it began.
    """
    if alert.status is Status.RESOLVED:
        return alert
    ends_at, told = _given_time(entry, "endsAt"), _given_time(entry, "startsAt") is not None
    if ends_at is None and told:
        return alert
    return replace(alert, ends_at=ends_at, start_told=told)


def _given_time(entry: Mapping[str, Any], field: str) -> int | None:
    """Return the nanoseconds of the *field* of *entry*; None if it is not there, or the zero time."""
    return None if entry.get(field) is None else _time(field, entry[field])


def _with_status(entry: object, received_at: int) -> object:
    """Return *entry*, posted without status, as a webhook would tell it."""
    if not isinstance(entry, dict):
        return entry
    told = {**entry, "status": "firing"}
    try:
        ends_at = _given_time(entry, "endsAt")
    except _BadAlert:
        # It must be seen: of one that is resolved it is read again.
        told["status"] = "resolved"
        return told
    if ends_at is not None and ends_at <= received_at:
        told["status"] = "resolved"
    # Where the start cannot be read, that is seen when it is read again.
    with contextlib.suppress(_BadAlert):
        if _given_time(entry, "startsAt") is None:
            resolved = told["status"] == "resolved"
            told["startsAt"] = entry["endsAt"] if resolved else timestamps.render(received_at)
    return told


def _sorted_out(
    entries: list[Any], settings: IdentitySettings
) -> tuple[tuple[tuple[int, Alert], ...], tuple[DeadLetter, ...]]:
    """Return the alerts among *entries*, with their places, and the dead letters."""
    alerts: list[tuple[int, Alert]] = []
    dead_letters: list[DeadLetter] = []
    refused = 0
    for index, entry in enumerate(entries):
        try:
            alerts.append((index, read_alert(entry, settings)))
        except _BadAlert as error:
            refused += 1
            if refused <= MAX_DEAD_LETTERS:
                dead_letters.append(DeadLetter(index, error.field, str(error), _raw(entry)))
    if refused > MAX_DEAD_LETTERS:
        reason = f"{refused - MAX_DEAD_LETTERS} further alerts of this body cannot be taken"
        dead_letters.append(DeadLetter(len(entries) - 1, "alerts", reason, "[]"))
    return tuple(alerts), tuple(dead_letters)


def read_one(entry: object, settings: IdentitySettings) -> Alert:
    """Read one alert, as `read_alert` does, for callers that have just one.

    Raises:
        SenderError: A field is missing or of the wrong form; the error names it.
    """
    try:
        return read_alert(entry, settings)
    except _BadAlert as error:
        raise SenderError(str(error), field=error.field) from error


def read_time(field: str, value: object) -> int | None:
    """Return the nanoseconds of *value*; None for the zero time.

    Raises:
        SenderError: It is not a time; the error names *field*.
    """
    try:
        return _time(field, value)
    except _BadAlert as error:
        raise SenderError(str(error), field=error.field) from error


def read_alert(entry: object, settings: IdentitySettings) -> Alert:
    """Read one element of `alerts`; only status, labels and startsAt are required."""
    if not isinstance(entry, dict):
        raise _BadAlert("alert", entry, "an object")
    status = entry.get("status")
    if status not in ("firing", "resolved"):
        raise _BadAlert("status", status, '"firing" or "resolved"')
    sent = _pairs("labels", entry.get("labels"))
    if not sent:
        raise _BadAlert("labels", entry.get("labels"), "at least one label")
    if sum(map(len, sent)) + sum(map(len, sent.values())) > MAX_LABEL_CHARACTERS:
        raise _BadAlert("labels", sent, f"at most {MAX_LABEL_CHARACTERS} characters in all")
    labels = identity.without(sent, settings.drop_labels)
    sender_fingerprint = identity.fingerprint(sent)
    same = len(labels) == len(sent)
    starts_at = _time("startsAt", entry.get("startsAt"))
    if starts_at is None:
        raise _BadAlert("startsAt", entry.get("startsAt"), "the time it began to fire")
    ends_at = None
    if status == "resolved" and entry.get("endsAt") is not None:
        ends_at = _time("endsAt", entry["endsAt"])
    return Alert(
        fingerprint=sender_fingerprint if same else identity.fingerprint(labels),
        sender_fingerprint=sender_fingerprint,
        status=Status(status),
        labels=labels,
        annotations=_pairs("annotations", entry.get("annotations") or {}),
        starts_at=starts_at,
        ends_at=ends_at,
        generator_url=_text(entry.get("generatorURL")),
        links={name: _text(entry[name]) for name in _LINKS if _text(entry.get(name))},
    )


def _pairs(field: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _BadAlert(field, value, "an object of texts")
    pairs = {}
    for name, text in value.items():
        if not isinstance(text, str):
            raise _BadAlert(f"{field}.{envelope.clean(name)}", text, "a text")
        # An empty label is the same as none (Prometheus data model); an empty annotation is kept.
        if text or field != "labels":
            pairs[envelope.clean(name)] = envelope.clean(text)
    return pairs


def _time(field: str, value: object) -> int | None:
    if not isinstance(value, str):
        raise _BadAlert(field, value, "a time in RFC 3339")
    try:
        return timestamps.parse(value)
    except ValueError as error:
        raise _BadAlert(field, value, f"a time in RFC 3339 ({error})") from error


def _text(value: object) -> str:
    return envelope.clean(value) if isinstance(value, str) else ""


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(0, value), _MOST_MISSING)


def as_json(alert: Alert) -> str:
    """Return *alert* as JSON in the sender's form, for people to look at."""
    return json.dumps(
        {
            "status": alert.status.value,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": timestamps.render(alert.starts_at),
            "endsAt": timestamps.render_optional(alert.ends_at),
            "generatorURL": alert.generator_url,
        }
    )


def _raw(entry: Any) -> str:
    try:
        return json.dumps(entry)
    except RecursionError:
        return json.dumps("nested too deeply to be kept")
