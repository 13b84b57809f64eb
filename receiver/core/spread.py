"""How a cluster spread: where its alerts fired first, and where then, by startsAt and never by receipt.

An order of firing, not of cause: rules wait differently long (`for`) before they fire, so what fired
within a minute counts as simultaneous, a wave; and what was probably first is told with its evidence, or
not at all. What is held is bounded, and depends on the members alone, not on the order in which they
came: merged clusters know what one would have known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from receiver.core.labels import label_of
from receiver.core.timestamps import SECOND, render, seconds
from receiver.core.words import spell

MAX_LABELS = 8
"""Labels followed, those first that people think in."""

MAX_VALUES = 32
"""Values held of a label, those that fired first. More waves than these are of no use to people."""

_WAVES_SHOWN, _VALUES_SHOWN = 6, 5
"""In a cluster's own JSON, which is sent with each of its changes: what is seen at a glance."""

_MOST_MEMBERS = 0.5
"""Of the members, that must have a label for it to tell how the cluster spread."""

_LABELS = (
    "service", "app", "namespace", "node", "host", "cluster", "region", "zone", "instance", "pod"
)  # fmt: skip
"""In which people say where, best first; then any other, by name. Where a thing runs comes after what
it is, and what each member has another value of (instance, pod) comes last of these."""

_LONGEST_NAME = 120
"""Characters of an alert's name that are held."""

SIMULTANEOUS = 60 * SECOND
"""Nanoseconds, by default."""


class First(NamedTuple):
    """The alert that was the first to fire; compares by when, then by which.

    Attributes:
        onset: Its startsAt, nanoseconds.
        fingerprint: Which.
        name: Its alertname, perhaps cut.
    """

    onset: int
    fingerprint: str
    name: str


Wave = Sequence[tuple[str, First]]
"""Values with what fired first there, of the same time, the first one first; not empty."""


@dataclass(slots=True)
class Along:
    """What is known of one label.

    Attributes:
        having: Members that have it.
        firsts: By value, the alert that fired first there.
        more: There are more values than are held.
    """

    having: int = 0
    firsts: dict[str, First] = field(default_factory=dict)
    more: bool = False

    def note(self, value: str, first: First, most: int = MAX_VALUES) -> None:
        """Take in that *first* fired where the label is *value*; hold at most so many values."""
        known = self.firsts.get(value)
        self.firsts[value] = first if known is None else min(known, first)
        if len(self.firsts) > most:
            del self.firsts[max(self.firsts, key=lambda v: (self.firsts[v].onset, v))]
            self.more = True

    def waves(self, within: int) -> Sequence[Wave]:
        """Return values with their firsts, by when, in waves of less than *within* nanoseconds."""
        found: list[list[tuple[str, First]]] = []
        for value, first in sorted(self.firsts.items(), key=lambda item: (item[1].onset, item[0])):
            if not found or first.onset - found[-1][0][1].onset >= within:
                found.append([])
            found[-1].append((value, first))
        return found


@dataclass(slots=True)
class Spread:
    """Where the alerts of one cluster fired, and when first.

    Attributes:
        within: Onsets less than so many nanoseconds apart are simultaneous.
        labels: What is known along each label.
    """

    within: int = SIMULTANEOUS
    labels: dict[str, Along] = field(default_factory=dict)

    def learn(self, tokens: Iterable[str], first: First) -> None:
        """Take in a new member: *first* tells of it, *tokens* are its label values."""
        first = _cut(first)
        for token in tokens:
            name, value = label_of(token)
            along = self.labels.get(name)
            if along is None:
                along = self.labels[name] = Along()
            along.having += 1
            along.note(value, first)
        self._bound()

    def move(self, tokens: Iterable[str], first: First) -> None:
        """Take in that a member fired sooner than was known, as *first* now tells."""
        for token in tokens:
            name, value = label_of(token)
            if name in self.labels:
                self.labels[name].note(value, _cut(first))

    def absorb(self, other: Spread) -> None:
        """Take in all members of *other*."""
        for name, theirs in other.labels.items():
            along = self.labels.setdefault(name, Along())
            along.having += theirs.having
            along.more |= theirs.more
            for value, first in theirs.firsts.items():
                along.note(value, first)
        self._bound()

    def _bound(self) -> None:
        if len(self.labels) > MAX_LABELS:
            for name in sorted(self.labels, key=_rank)[MAX_LABELS:]:
                del self.labels[name]

    # -- for people ------------------------------------------------------------------------------

    def label(self, size: int) -> str | None:
        """Return the label along which a cluster of *size* members spread; None if along none.

        Of those that have two values or more, on half of the members or more: the one people think
        in first, of which all values are held if there is such a one.
        """
        found = [
            (along.more, _rank(name), name)
            for name, along in self.labels.items()
            if len(along.firsts) > 1 and along.having >= _MOST_MEMBERS * size
        ]
        return min(found)[-1] if found else None

    def to_json(self, size: int, first_onset: int) -> dict[str, Any] | None:
        """Return how the cluster spread, as the public sees it; None if it did not.

        Args:
            size: Its members.
            first_onset: Earliest startsAt of them all, nanoseconds.
        """
        label = self.label(size)
        if label is None:
            return None
        along = self.labels[label]
        waves = along.waves(self.within)
        start = waves[0][0][1].onset
        doubt = self._doubt(label, waves[0], start - first_onset)
        return {
            "label": label,
            "values": len(along.firsts),
            "more_values": along.more,
            "waves": [_wave_json(wave, start) for wave in waves[:_WAVES_SHOWN]],
            "waves_total": len(waves),
            "probable_first": None if doubt else waves[0][0][0],
            "evidence": _evidence_json(label, waves, doubt),
        }

    def _doubt(self, label: str, first: Wave, before: int) -> str:
        """Return why the *first* wave does not tell what was first; nothing if it does.

        Args:
            label: Along which.
            first: The wave.
            before: How long before it an alert without the label fired, nanoseconds.
        """
        if before >= self.within:
            return f"an alert without {label} fired {spell(seconds(before))} earlier"
        if len(first) > 1:
            held = "at least " if self.labels[label].more else ""
            return (
                f"{held}{len(first)} values of {label} fired within {spell(seconds(self.within))},"
                " which counts as the same time"
            )
        return ""

    # -- to and from a store ---------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return all of it, as JSON has it."""
        return {
            "within": self.within,
            "labels": [
                [name, a.having, a.more, [[value, *first] for value, first in a.firsts.items()]]
                for name, a in self.labels.items()
            ],
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Spread:
        """Return what gave *told*."""
        return cls(
            told["within"],
            {
                name: Along(having, {value: First(*first) for value, *first in firsts}, more)
                for name, having, more, firsts in told["labels"]
            },
        )


def _cut(first: First) -> First:
    held = len(first.name) <= _LONGEST_NAME
    return first if held else first._replace(name=first.name[:_LONGEST_NAME])


def _rank(label: str) -> tuple[int, str]:
    return (_LABELS.index(label) if label in _LABELS else len(_LABELS), label)


def _wave_json(wave: Wave, start: int) -> dict[str, Any]:
    onset = wave[0][1].onset
    return {
        "at": render(onset),
        "offset_seconds": seconds(onset - start),
        "values": [value for value, _ in wave[:_VALUES_SHOWN]],
        "values_total": len(wave),
    }


def _evidence_json(label: str, waves: Sequence[Wave], doubt: str) -> dict[str, Any]:
    """Return what speaks for the first of *waves*, or, in words, *doubt*."""
    first, second = waves[0], waves[1] if len(waves) > 1 else []
    lead = seconds(second[0][1].onset - first[0][1].onset) if second else None
    value, alert = first[0]
    # Without a second wave all are in the first, and that is the doubt.
    told = (
        f"{alert.name or 'an alert'} in {label} {value} fired {spell(lead or 0)} before any other"
    )
    names = {alert.name for _, alert in first}
    return {
        "reason": doubt or told,
        "alerts": [
            {
                "fingerprint": alert.fingerprint,
                "alertname": alert.name,
                "value": value,
                "startsAt": render(alert.onset),
            }
            for value, alert in first[:_VALUES_SHOWN]
        ],
        "values_in_first_wave": len(first),
        "lead_seconds": lead,
        # One rule waits equally long everywhere: then `for` does not explain the order.
        "same_rule_next": any(alert.name in names for _, alert in second) if second else None,
    }
