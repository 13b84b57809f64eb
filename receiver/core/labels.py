"""What is usual: how often label values and alert names were seen lately, and how often clusters open.

The rarer a value was, the more two alerts that share it have in common. Learned from the stream; no
site's labels are known beforehand.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice

from receiver.core.names import Vocabulary
from receiver.core.timestamps import SECOND

# Labels that say how bad an alert is or who watched it, not what it is about. The name is told by the
# text already.
NOT_TOPOLOGY = frozenset(
    {"alertname", "severity", "priority", "level", "prometheus", "prometheus_replica", "replica"}
    | {"job", "monitor", "endpoint", "metrics_path", "tier", "support_group", "team", "owner"}
)
_HALF_LIFE_SECONDS = 86_400.0
"""A day: long enough to know a daily rhythm's labels, short enough to follow a moved service."""

_LONGEST = 120
"""Characters of a name or value in a token: no value of megabytes is held as a key."""

MOST_LABELS = 100
"""Labels of one alert that are looked at, the first by name: no sender in its right mind gives more, and
each is compared with each cluster that may be meant."""

_MANY, _NEARLY_ALL = 20.0, 0.7
"""Alerts from which on can be told what all have, and which share is nearly all."""

_CONSTANT, _CONSTANT_TRUST = 0.7, 2.0
"""How constant a label is taken to be within a cluster before that is known, and in how many joins that
is outweighed: most labels that are not topology are told apart above, and the rest is learned fast."""

_BETWEEN = "\x1f"
"""Between name and value of a token: unlike "=", no label in its right mind has it."""


_TAKEN_APART = 20_000
"""Tokens that are not taken apart anew: those of the clusters going on, asked for with every alert."""

_OPENED, _SINCE = "opened", "since"
"""Keys beside the tokens, which all have a separator: clusters opened, and when the first was."""


@lru_cache(maxsize=_TAKEN_APART)
def _same(name: str) -> str:
    return f"same {name}"


@lru_cache(maxsize=_TAKEN_APART)
def _differed(name: str) -> str:
    return f"differed {name}"


def kind(alert_name: str) -> str:
    """Return what stands for the alert name: the token of a label without a name, as none is."""
    return token("", alert_name)


def token(name: str, value: str) -> str:
    """Return what stands for the label *name* with *value*."""
    return f"{name[:_LONGEST].replace(_BETWEEN, ' ')}{_BETWEEN}{value[:_LONGEST]}"


@lru_cache(maxsize=_TAKEN_APART)
def label_of(token: str) -> tuple[str, str]:
    """Return name and value of a *token*, each perhaps cut."""
    name, _, value = token.partition(_BETWEEN)
    return name, value


def tokens(labels: Mapping[str, str], severity_label: str) -> tuple[str, ...]:
    """Return tokens of those *labels*, at most MOST_LABELS, that may tell where an alert is."""
    telling = (
        token(name, value)
        for name, value in labels.items()
        # One without a name would be taken for an alert's name, and tells nothing.
        if name and name not in NOT_TOPOLOGY and name != severity_label
    )
    return tuple(islice(telling, MOST_LABELS))


class LabelFrequencies:
    """How often each label value was seen lately, each sight fading with a half-life of a day."""

    def __init__(self, limit: int) -> None:
        """Remember at most *limit* label values."""
        self._limit = limit
        self._counts: dict[str, tuple[float, int]] = {}
        self.vocabulary = Vocabulary()
        self._total = (0.0, 0)
        self._counted = False
        self._touched: set[str] = set()
        self._dropped: set[str] = set()

    def __len__(self) -> int:
        return len(self._counts)

    @staticmethod
    def _faded(entry: tuple[float, int], now: int) -> float:
        count, at = entry
        if now <= at:
            return count
        return count * math.pow(0.5, (now - at) / SECOND / _HALF_LIFE_SECONDS)

    def observe(self, seen: Iterable[str], now: int) -> None:
        """Count one alert with the tokens *seen* at *now*, nanoseconds."""
        for token in seen:
            self._add(token, now)
        self._total = (self._faded(self._total, now) + 1.0, now)
        self._counted = True
        if len(self._counts) > self._limit:
            self._shrink(now)

    def open(self, now: int) -> None:
        """Count one cluster opened at *now*, nanoseconds."""
        if _SINCE not in self._counts:
            self._add(_SINCE, now)
        self._add(_OPENED, now)

    def meet(self, alert_name: str, now: int) -> None:
        """Count one cluster that has its first alert of *alert_name* at *now*, nanoseconds."""
        if kind(alert_name) not in self._counts:
            self.vocabulary.add(alert_name[:_LONGEST])
        self._add(kind(alert_name), now)
        if len(self._counts) > self._limit:
            self._shrink(now)

    def compare(self, seen: Iterable[str], cluster: Mapping[str, int], now: int) -> None:
        """Count, of each label of an alert that joins a cluster, how many members have its value.

        Args:
            seen: Tokens of the alert.
            cluster: Members by token, before it joined.
            now: Nanoseconds.
        """
        members: dict[str, int] = {}
        for each, count in cluster.items():
            name = label_of(each)[0]
            members[name] = members.get(name, 0) + count
        for each in seen:
            name = label_of(each)[0]
            if name in members:
                share = cluster.get(each, 0) / members[name]
                self._add(_same(name), now, share)
                self._add(_differed(name), now, 1.0 - share)
        if len(self._counts) > self._limit:
            self._shrink(now)

    def _add(self, key: str, now: int, amount: float = 1.0) -> None:
        self._counts[key] = (self._count(key, now) + amount, now)
        self._touched.add(key)

    def _count(self, key: str, now: int) -> float:
        entry = self._counts.get(key)
        return 0.0 if entry is None else self._faded(entry, now)

    def met(self, alert_name: str, now: int) -> float:
        """Return how many clusters had an alert of *alert_name* lately."""
        return self._count(kind(alert_name), now)

    def opened(self, now: int) -> float:
        """Return how many clusters opened lately."""
        return self._count(_OPENED, now)

    def constancy(self, name: str, now: int) -> float:
        """Return the share of two alerts of one cluster that have the same value of the label *name*.

        Above 0 and below 1, also where one of the two counts was forgotten; the m-probability of record
        linkage (Fellegi and Sunter 1969), learned from the clusters that there were.
        """
        same, differed = self._count(_same(name), now), self._count(_differed(name), now)
        return (same + _CONSTANT * _CONSTANT_TRUST) / (same + differed + _CONSTANT_TRUST)

    def name_rarity(self, alert_name: str, now: int) -> float:
        """Return how telling it is that a cluster has *alert_name*: as `weight`, over clusters."""
        return math.log(1.0 + (self.opened(now) + 1.0) / (self.met(alert_name, now) + 1.0))

    def share(self, token: str, now: int) -> float:
        """Return the share of alerts that had *token* lately, above 0 and below 1.

        (n + 1) / (N + 2), the rule of succession: what was never seen may come.
        """
        return (self._count(token, now) + 1.0) / (self._faded(self._total, now) + 2.0)

    def is_everywhere(self, token: str, now: int) -> bool:
        """Whether nearly all alerts had *token* lately: the one Kubernetes cluster of a site, say."""
        return self.standing(token, now)[1]

    def standing(self, token: str, now: int) -> tuple[float, bool]:
        """Return `weight` of *token*, and whether it `is_everywhere`."""
        total, count = self._faded(self._total, now), self._count(token, now)
        weight = math.log(1.0 + (total + 1.0) / (count + 1.0))
        return weight, total >= _MANY and count >= _NEARLY_ALL * total

    def opening_rate(self, usual_seconds: float, now: int) -> float:
        """Return clusters opened per second lately; one in *usual_seconds* before any is known.

        The span looked back on fades as the count does: it is the integral of what is left of each
        second since the first.
        """
        # What is left of the first fades to 0 within three years, and is known still.
        known = _SINCE in self._counts
        left = self._count(_SINCE, now)
        span = (1.0 - left) * _HALF_LIFE_SECONDS / math.log(2.0) if known else 0.0
        return (1.0 + self._count(_OPENED, now)) / (usual_seconds + span)

    def _shrink(self, now: int) -> None:
        """Forget the rarest tenth, or all beyond: what was seen once long ago tells the least."""
        by_count = sorted(
            self._counts.keys() - {_OPENED, _SINCE},
            key=lambda token: (self._count(token, now), token),
        )
        beyond = len(self._counts) - self._limit
        for token in by_count[: max(1, self._limit // 10, beyond)]:
            del self._counts[token]
            name, value = label_of(token)
            if not name:
                self.vocabulary.discard(value)
            self._touched.discard(token)
            self._dropped.add(token)

    def weight(self, token: str, now: int) -> float:
        """Return how telling *token* is, above 0: its inverse document frequency.

        log(1 + (N + 1) / (n + 1)) with N alerts seen lately, n of them with the token; smoothed so that
        a value on every alert still weighs a little (Spärck Jones 1972, as in common use).
        """
        return self.standing(token, now)[0]

    def rarities(
        self, tokens: Collection[str], now: int
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Return `weight` and `share` by each of *tokens*, which are looked up once for both."""
        total = self._faded(self._total, now)
        counts = {token: self._count(token, now) for token in tokens}
        weights = {t: math.log(1.0 + (total + 1.0) / (n + 1.0)) for t, n in counts.items()}
        return weights, {t: (n + 1.0) / (total + 2.0) for t, n in counts.items()}

    # What a store needs to keep this and to build it again.

    def changes(self) -> tuple[list[tuple[str, float, int]], list[str]]:
        """Return the (token, count, time) changed and the tokens dropped since the last call."""
        changed = [(token, *self._counts[token]) for token in sorted(self._touched)]
        # Not a difference of sets, which walks through all that is held.
        dropped = sorted(token for token in self._dropped if token not in self._counts)
        if self._counted:
            changed.append(("", *self._total))
        self._counted = False
        self._touched.clear()
        self._dropped.clear()
        return changed, dropped

    def restore(self, rows: Iterable[tuple[str, float, int]]) -> None:
        """Take back the rows that `changes` gave; the token "" holds the total."""
        for token, count, at in rows:
            if token:
                self._counts[token] = (count, at)
                if token.startswith(_BETWEEN):
                    self.vocabulary.add(label_of(token)[1])
            else:
                self._total = (count, at)

    def rows(self) -> Iterator[tuple[str, float, int]]:
        """Yield all there is, as `restore` takes it."""
        yield ("", *self._total)
        for token in sorted(self._counts):
            yield (token, *self._counts[token])
