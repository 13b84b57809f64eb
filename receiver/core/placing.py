"""Where an alert goes: what it is compared by and with, and the decision. Nothing changes in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from receiver.core.clusters import ClusteringSettings
from receiver.core.companions import Companions
from receiver.core.constraints import Constraints
from receiver.core.evidence import Probe, lift
from receiver.core.explain import Placement
from receiver.core.habit import Habit
from receiver.core.labels import LabelFrequencies, label_of, tokens
from receiver.core.live import LiveClusters
from receiver.core.model import Vector
from receiver.core.ranking import SHOWN, rank, rank_best

_USUAL_NEW = 60
"""Time scales from one new cluster to the next, before the stream tells: an hour, by default."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An alert that is to be placed.

    Attributes:
        labels: At least one pair.
        vector: Of its text, shape (dims,), unit length; None if it has none.
        starts_at: Nanoseconds.
        fingerprint: By which operators' constraints name it, and the clusters that wait for it alone.
        text_id: Of its text, if that was seen before; else 0.
        habit: How it came back so far.
    """

    labels: Mapping[str, str]
    vector: Vector | None
    starts_at: int
    fingerprint: str = ""
    text_id: int = 0
    habit: Habit = Habit()


class Placing:
    """Finds the place of an alert among the clusters that are going on."""

    def __init__(
        self,
        settings: ClusteringSettings,
        *,
        neighbors: int,
        severity_label: str,
        live: LiveClusters,
        frequencies: LabelFrequencies,
        companions: Companions,
        constraints: Constraints,
    ) -> None:
        """Decide by *settings* from what the other parts know, which may change in between.

        Args:
            settings: How evidence is weighed.
            neighbors: How many nearest texts are looked at.
            severity_label: The label that tells how bad an alert is, and nothing of where it is.
            live: Clusters.
            frequencies: What is usual.
            companions: Which texts begin together.
            constraints: What operators said.
        """
        self._settings = settings
        self._neighbors = neighbors
        self._severity_label = severity_label
        self._live = live
        self._frequencies = frequencies
        self._companions = companions
        self._constraints = constraints

    def place(self, alert: Newcomer, now: int) -> Placement:
        """Return where *alert* would go at *now*, nanoseconds."""
        settings, by_id = self._settings, self._live.by_id
        told = tokens(alert.labels, self._severity_label)
        probe = self._probe(alert, told, now)
        found, reach = self._live.candidates(probe, self._neighbors)
        word = self._constraints.word_on(alert.fingerprint, by_id.values())
        found, said = word.candidates(found, by_id)
        background = self._live.background(told, self.new_rate(now))
        if word.wanted:
            # The best of those an operator wants may be anywhere.
            scores = word.wanted_first(rank(probe, found, background, settings))
        else:
            scores = rank_best(probe, found, background, settings, reach, SHOWN)
        left_out = len(found) - len(scores)
        best = scores[0] if scores else None
        wanted = best is not None and best.cluster_id in word.wanted
        if best is None or (best.confidence < settings.threshold and not wanted):
            confidence = 1.0 - (best.confidence if best else 0.0)
            return Placement(None, round(confidence, 6), scores, (), said, left_out)
        chosen = by_id[best.cluster_id]
        shared = [(t, lift(t, probe, background)) for t in told if t in chosen.tokens]
        shared.sort(key=lambda pair: (-pair[1], pair[0]))
        # An operator is sure.
        confidence = 1.0 if wanted else round(best.confidence, 6)
        return Placement(best.cluster_id, confidence, scores, shared, said, left_out)

    def new_rate(self, now: int) -> float:
        """Return clusters opened per second, lately."""
        return self._frequencies.opening_rate(_USUAL_NEW * self._settings.time_scale, now)

    def _probe(self, alert: Newcomer, told: tuple[str, ...], now: int) -> Probe:
        usual, name = self._frequencies, alert.labels.get("alertname", "")
        weights, shares = usual.rarities(told, now)
        return Probe(
            vector=alert.vector,
            fingerprint=alert.fingerprint,
            weights=weights,
            onset=min(alert.starts_at, now),
            shares=shares,
            constancy={n: usual.constancy(n, now) for n, _ in map(label_of, told)},
            name=name,
            seen=usual.met(name, now),
            opened=usual.opened(now),
            habit=alert.habit,
            companions=self._companions.of(alert.text_id),
            company=partial(self._companions.lift, alert.text_id, now=now),
        )
