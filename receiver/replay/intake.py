"""From an entry of the input, as JSON has it, to an alert that arrives; notes all that was read.

Of an entry only status, labels, annotations, startsAt, endsAt and generatorURL reach the core; `t` is
the clock's, `truth` is for scoring, and everything else is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.core import identity, payload
from receiver.core.errors import SenderError
from receiver.core.identity import IdentitySettings
from receiver.core.model import Alert, Status
from receiver.core.timestamps import nanoseconds, render
from receiver.replay.arrivals import Arrival, Line, moment
from receiver.replay.demands import Demand

_ALERT_KEYS = ("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL")


class Intake:
    """Takes what sources read, for one run.

    Attributes:
        lines: One for each firing alert and for what was refused, in input order.
        notifications: How many notifications the input holds.
        refused: How many lines were refused.
        demands: What operators demanded of the alerts.
        remarks: What a person should know of the reading, one sentence each.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        """Recognise alerts by *settings*."""
        self.settings = settings
        self.lines: list[Line] = []
        self.notifications = 0
        self.refused = 0
        self.demands: list[Demand] = []
        self.remarks: list[str] = []

    def refuse(self, place: dict[str, Any], error: str) -> None:
        """Note that what stands at *place* cannot be taken, and why."""
        self.refused += 1
        self.lines.append(Line(place, error=error))

    def entry(
        self, entry: Mapping[str, Any], place: dict[str, Any], repeated_until: int | None = None
    ) -> Arrival | None:
        """Return the alert that *entry* is, as arriving at its `t`, else when it began or ended.

        Args:
            entry: An alert in the sender's form.
            place: Where it stands.
            repeated_until: As of `Arrival`.

        Returns:
            None if it was refused.
        """
        try:
            told = {key: entry[key] for key in _ALERT_KEYS if key in entry}
            alert = payload.read_one(told, self.settings)
            ends_at = None
            if alert.status is Status.FIRING and told.get("endsAt") is not None:
                ends_at = payload.read_time("endsAt", told["endsAt"])
        except SenderError as error:
            self.refuse(place, error.message)
            return None
        at = time_of(entry)
        truth = entry.get("truth")
        return self.told(
            alert,
            place,
            at=moment(alert) if at is None else at,
            starts_at=entry["startsAt"],
            truth=truth if isinstance(truth, str) else None,
            ends_at=ends_at,
            repeated_until=repeated_until,
        )

    def told(
        self,
        alert: Alert,
        place: dict[str, Any],
        *,
        at: int,
        starts_at: str | None = None,
        truth: str | None = None,
        was: int | None = None,
        ends_at: int | None = None,
        repeated_until: int | None = None,
    ) -> Arrival:
        """Return *alert* as arriving; if it fires it has a line. Arguments as of Arrival and Line."""
        line = None
        if alert.status is Status.FIRING:
            line = Line(
                place,
                fingerprint=alert.fingerprint,
                starts_at=render(alert.starts_at) if starts_at is None else starts_at,
                truth=truth,
                was=was,
            )
            self.lines.append(line)
        return Arrival(at, alert, line, ends_at, repeated_until)

    def alert(
        self,
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        starts_at: int,
        ends_at: int | None = None,
        *,
        resolved: bool = False,
    ) -> Alert:
        """Return an alert of which the parts are known, as a sender would have told it."""
        kept = identity.without(labels, self.settings.drop_labels)
        return Alert(
            fingerprint=identity.fingerprint(kept),
            sender_fingerprint=identity.fingerprint(labels),
            status=Status.RESOLVED if resolved else Status.FIRING,
            labels=kept,
            annotations=annotations,
            starts_at=starts_at,
            ends_at=ends_at,
        )


def time_of(document: Mapping[str, Any]) -> int | None:
    """Return the `t` of *document* as nanoseconds; None if it tells none that can be used."""
    t = document.get("t")
    if isinstance(t, int | float) and not isinstance(t, bool) and abs(t) < 9e9:
        return nanoseconds(t)
    return None
