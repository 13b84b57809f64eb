"""An alert cluster: what it knows of its members, and its life from forming to resolved.

Only bounded knowledge is held: some distinct texts, counts of label values, sums. Members themselves
are in the store.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.kinds import Novelty
from receiver.core.labels import label_of
from receiver.core.model import EpisodeState, Vector
from receiver.core.settings import Seconds, setting
from receiver.core.spread import First, Spread
from receiver.core.timestamps import SECOND, nanoseconds, seconds

MAX_EXEMPLARS = 16
"""Distinct texts held of a cluster: a new member is near to one of the latest or to none."""

TITLE_FORMS_AFTER = 10 * SECOND
"""Nanoseconds; of a batch of hundreds the first three alerts name the problem badly."""

TITLE_SETTLES_AFTER = 120 * SECOND
"""Nanoseconds; by then most of a problem's alerts have fired (of a fault, half within 30 to 120 s)."""

MAX_AFFECTED = 64
"""Values counted of one label that tells who is affected."""

MAX_TOKENS = 256
"""Label values held of a cluster; beyond, the rarest among its members go first."""


@dataclass(frozen=True)
class ClusteringSettings:
    """When alerts belong together, and how a cluster ages."""

    threshold: float = setting(
        # A wrong join may hide an incident, a wrong cluster more is only one more. Up to 0.70 the mean
        # score over the labelled streams is within .01 of the best, and the higher, the fewer are hidden;
        # from 0.69 on eight chronic alerts each open a cluster again and again (tests/core/test_habit.py).
        0.68,
        "Least confidence with which an alert joins a cluster.",
        unit="0 to 1",
        low=0,
        high=1,
    )
    text_weight: float = setting(
        0.5,
        "How much text counts beside labels: 0 is labels alone, 1 text alone.",
        unit="0 to 1",
        low=0,
        high=1,
    )
    time_scale: Seconds = setting(
        # Between alerts of one fault the largest inner gap has a 90th percentile of 65 s and 221 s
        # in two real streams; a cluster learns its own pace from its third member on.
        Seconds(60.0),
        "Gap to expect between onsets of one problem, before a cluster's own gaps tell.",
        low=1,
    )
    learning_rate: float = setting(
        0.1,
        "How far a cluster's centre moves towards a new member's text.",
        unit="0 to 1",
        low=0,
        high=1,
    )
    stability_window: int = setting(
        100,
        "Assignments that the stability figures look back on; insufficient_data below.",
        unit="assignments",
        low=2,
        high=10000,
    )
    close_after: Seconds = setting(
        # Members may be delivered a group_interval (5 min) and a group_wait late, and evidence
        # reaches some 8 minutes back.
        Seconds(900.0),
        "A cluster takes no more members when none came for so long.",
        low=1,
    )
    resolve_after: Seconds = setting(
        Seconds(300.0),
        "A cluster with nothing firing is resolved when nothing fires again for so long.",
        low=0,
    )
    growing_for: Seconds = setting(
        Seconds(120.0), "A cluster is growing for so long after its latest member.", low=1
    )
    resolving_for: Seconds = setting(
        # Two group_intervals: one may bring no resolve though members do recover.
        Seconds(600.0),
        "A cluster is resolving for so long after a member resolved, if none is new.",
        low=1,
    )
    recurs_from: float = setting(
        # Nine of ten links were right, and half of what there was was found; at .7 five of six and
        # two thirds (benchmarks/recurrence.py). A wrong one sends people down a wrong road; what is
        # missed is among the similar ones still.
        0.8,
        "Least similarity with which a cluster recurs one that is over.",
        unit="0 to 1",
        low=0,
        high=1,
    )
    novel_after: Seconds = setting(
        # Longer than a month: what a monthly job raises is not new each time.
        Seconds(35 * 86_400.0),
        "An alert name not seen for so long is novel; before so much is remembered, none is.",
        low=1,
    )
    affected_labels: tuple[str, ...] = setting(
        ("team", "service", "namespace"),
        "Labels whose values tell a person who and what is affected.",
    )
    simultaneous: Seconds = setting(
        # Rules evaluate every minute by default, and wait (`for`) differently long.
        Seconds(60.0),
        "Alerts whose onsets lie less apart count as simultaneous; for clusters opened from now on.",
        low=0.001,
    )
    rename_every: Seconds = setting(
        # A title that changes while it is read is worse than one that lags.
        Seconds(60.0),
        "A cluster's title changes at most once in so long.",
        low=0,
    )
    proven_size: int = setting(
        3, "A cluster of so many episodes is no longer forming.", unit="episodes", low=1
    )
    proven_age: Seconds = setting(Seconds(120.0), "A cluster so old is no longer forming.", low=0)
    max_split_members: int = setting(
        # All of them are read, journalled and learned again while alerts wait: some 0.2 s.
        5000,
        "A cluster with more members is not split, and a merge into one is not undone.",
        unit="episodes",
        low=2,
    )
    max_linked_alerts: int = setting(
        # Twenty merges or splits of a thousand alerts, or thousands of the usual size.
        20_000,
        "Most alerts named by operators' merges and splits; past it the oldest are forgotten.",
        unit="alerts",
        low=2,
    )
    stale_after: Seconds = setting(
        # repeat_interval 4 h + group_interval 5 m + 10 %: the sender repeats what still fires.
        Seconds(4 * 3600.0 + 300.0 + 1470.0),
        "An open alert not heard of for so long is stale: its resolve never came.",
        low=1,
    )


class ClusterState(StrEnum):
    """Where a cluster stands."""

    FORMING = "forming"
    GROWING = "growing"
    STEADY = "steady"
    RESOLVING = "resolving"
    RESOLVED = "resolved"
    MERGED = "merged"


LIVE_STATES = (
    ClusterState.FORMING,
    ClusterState.GROWING,
    ClusterState.STEADY,
    ClusterState.RESOLVING,
)


@dataclass(slots=True)
class Exemplar:
    """One distinct text of a cluster's members.

    Attributes:
        text_id: Which.
        fingerprint: The latest member that had it.
        count: Members that had it.
        onset: startsAt of the latest such member, nanoseconds.
        used_no: Number of the assignment that brought the latest such member.
        telling, rarity: How much unlikeness and likeness of the latest such member tell, 0 to 1.
        vector: Of the text, shape (dims,), unit length.
    """

    text_id: int
    fingerprint: str
    count: int
    onset: int
    used_no: int
    telling: float
    rarity: float
    vector: Vector


@dataclass(slots=True)
class Cluster:
    """A live cluster.

    Attributes:
        id: Never reused.
        opened_at: When its first member came, by the core's clock, nanoseconds.
        moved_no: Number of the assignment, merge or split, among all, that last changed it; orders
            clusters by recency without a clock.
        joined_at: When its latest member came.
        updated_at: When anything about it last changed.
        first_onset, last_onset: Earliest and latest startsAt of its members.
        gap_count, gap_sum: How many gaps there were between its onsets as they came, and their
            seconds together, older ones fading.
        member_resolved_at: When a member last resolved or went stale.
        idle_since: Since when nothing of it goes on; None while something fires or is suppressed.
        last_end: When the member ended that ended last, by its sender's clock, nanoseconds.
        quiet_at: By when a source had gone quiet, by whose silence members ended or may have, if none
            fired since; None if nothing says so.
        size: Episodes ever.
        firing, stale, suppressed: Members in these states.
        firing_by_severity: Firing members by severity; the cluster's is the worst.
        titled_at, titled_size: When the title last changed, and of how many members it tells.
        title_seen_at: When it was last seen to whether the title should change, if not regrouped since.
        retitled: The one change that a settled title may have was made.
        labels: Pairs common to all members.
        tokens: Members by label value.
        names: Members by alert name.
        exemplars: Distinct texts used lately, by text id.
        matrix_cache, names_cache: See `matrix`, `label_names`.
        center: Moving average of the members' vectors, unit length; None until one has a vector.
        confidence_sum: Over the members that joined (all but the founder).
        recurs: Which earlier cluster it looks like, as shown to people.
        next_look: From which size on it looks for an earlier one like it again, once it is proven; None
            where it is known which one it recurs.
        novelty: How new its kinds of alert were.
        ended: How it would have ended with the member that last ceased to fire; empty before.
        affected: Members by value, of each label that tells who and what is affected.
        own_title: The title is an operator's and is left alone.
        spread: Where its members fired, and when first.
        only: Fingerprint of the alert that all its members are firings of; empty if there are others.
        patience: For how long it waits for that alert, nanoseconds; 0 for most. One that waits is nobody
            else's.
        links: Side by constraint of which it has had a member, as `Constraints.marks` gives it.
    """

    id: int
    opened_at: int
    moved_no: int = 0
    joined_at: int = 0
    updated_at: int = 0
    first_onset: int = 0
    last_onset: int = 0
    gap_count: float = 0.0
    gap_sum: float = 0.0
    member_resolved_at: int | None = None
    idle_since: int | None = None
    size: int = 0
    firing: int = 0
    stale: int = 0
    suppressed: int = 0
    last_end: int = 0
    quiet_at: int | None = None
    state: ClusterState = ClusterState.FORMING
    accepting: bool = True
    closed_at: int | None = None
    resolved_at: int | None = None
    severity: str = ""
    firing_by_severity: dict[str, int] = field(default_factory=dict)
    title: str = ""
    titled_at: int = 0
    titled_size: int = 0
    title_seen_at: int | None = None
    retitled: bool = False
    labels: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    exemplars: dict[int, Exemplar] = field(default_factory=dict)
    matrix_cache: NDArray[np.float32] | None = None
    names_cache: frozenset[str] | None = None
    center: Vector | None = None
    confidence_sum: float = 0.0
    recurs: Mapping[str, Any] | None = None
    next_look: int | None = 0
    novelty: Novelty = Novelty()
    ended: str = ""
    affected: dict[str, dict[str, int]] = field(default_factory=dict)
    own_title: bool = False
    merged_into: int | None = None
    split_from: int | None = None
    pinned: bool = False
    acked_by: str = ""
    note: str = ""
    spread: Spread = field(default_factory=Spread)
    only: str = ""
    patience: int = 0
    links: dict[int, int] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether it belongs in a list of what is going on."""
        return self.state in LIVE_STATES

    @property
    def confidence(self) -> float | None:
        """Mean confidence of its joins, 0 to 1; None while the founder is alone."""
        joined = self.size - 1
        return self.confidence_sum / joined if joined > 0 else None

    def learn(
        self,
        *,
        text_id: int,
        vector: Vector | None,
        fingerprint: str,
        onset: int,
        labels: Mapping[str, str],
        tokens: Collection[str],
        affected_labels: Iterable[str] = (),
        learning_rate: float,
        telling: float = 1.0,
        rarity: float = 1.0,
        gaps_kept: float = math.inf,
    ) -> tuple[list[int], list[str]]:
        """Take in what a new member tells; counts and clock are the caller's.

        Returns:
            The text ids and label values that gave way.
        """
        if self.size:
            self._learn_gap(self.gap_to(onset), gaps_kept)
        self.first_onset = min(self.first_onset, onset) if self.size else onset
        self.last_onset = max(self.last_onset, onset) if self.size else onset
        if self.size:
            self.labels = {k: v for k, v in self.labels.items() if labels.get(k) == v}
        else:
            self.labels = dict(labels)
        self.only = fingerprint if not self.size or self.only == fingerprint else ""
        name = labels.get("alertname", "")
        self.spread.learn(tokens, First(onset, fingerprint, name))
        fresh = [token for token in tokens if token not in self.tokens]
        tokens_gone = _count(self.tokens, tokens, MAX_TOKENS)
        if tokens_gone:
            self.names_cache = None
        elif fresh and self.names_cache is not None:
            self.names_cache = self.names_cache.union([label_of(token)[0] for token in fresh])
        _count(self.names, [name], MAX_TOKENS)
        for label in affected_labels:
            if labels.get(label):
                _count(self.affected.setdefault(label, {}), [labels[label]], MAX_AFFECTED)
        if vector is None:
            return [], tokens_gone
        self._move_center(vector, learning_rate)
        exemplar = Exemplar(text_id, fingerprint, 1, onset, self.moved_no, telling, rarity, vector)
        return self._learn_text(exemplar), tokens_gone

    def start_earlier(
        self, onset: int, tokens: Iterable[str], fingerprint: str, labels: Mapping[str, str]
    ) -> None:
        """Take in that a member began sooner than was known."""
        self.first_onset = min(self.first_onset, onset)
        self.spread.move(tokens, First(onset, fingerprint, labels.get("alertname", "")))

    def gap_to(self, onset: int) -> float:
        """Return the seconds between *onset* and the cluster's; 0 if it lies among them."""
        return seconds(max(0, self.first_onset - onset, onset - self.last_onset))

    def _learn_gap(self, gap: float, kept: float) -> None:
        self.gap_count += 1.0
        self.gap_sum += gap
        if self.gap_count > kept:
            self.gap_sum *= kept / self.gap_count
            self.gap_count = kept

    def _learn_text(self, latest: Exemplar) -> list[int]:
        known = self.exemplars.get(latest.text_id)
        if known is not None:
            latest.count += known.count
            self.exemplars[latest.text_id] = latest
            return []
        self.exemplars[latest.text_id] = latest
        self.matrix_cache = None
        if len(self.exemplars) <= MAX_EXEMPLARS:
            return []
        oldest = min(self.exemplars.values(), key=lambda exemplar: exemplar.used_no)
        del self.exemplars[oldest.text_id]
        return [oldest.text_id]

    def _move_center(self, vector: Vector, learning_rate: float) -> None:
        """Exponential moving average, brought back to unit length: c ← (1 - a)·c + a·v."""
        if self.center is None:
            self.center = vector
            return
        moved = (1.0 - learning_rate) * self.center + learning_rate * vector
        length = float(np.sqrt((moved * moved).sum()))
        if length > 0.0:
            self.center = (moved / length).astype(np.float32)

    @property
    def label_names(self) -> frozenset[str]:
        """Names of the labels of which it has a value."""
        if self.names_cache is None:
            self.names_cache = frozenset([label_of(token)[0] for token in self.tokens])
        return self.names_cache

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The exemplars' vectors in their order, shape (len(exemplars), dims)."""
        if self.matrix_cache is None:
            rows = [exemplar.vector for exemplar in self.exemplars.values()]
            # Of one, as most have, the vector itself.
            whole = rows[0] if len(rows) == 1 else np.concatenate(rows)
            self.matrix_cache = whole.reshape(len(rows), -1)
        return self.matrix_cache

    @property
    def goes_on(self) -> bool:
        """Whether a member fires or is suppressed."""
        return self.firing + self.suppressed > 0

    def count(self, state: EpisodeState, severity: str, change: int) -> None:
        """Add *change* to the members in *state*, of *severity*."""
        if state is EpisodeState.OPEN:
            self.count_firing(severity, change)
        elif state is EpisodeState.STALE:
            self.stale += change
        elif state is EpisodeState.SUPPRESSED:
            self.suppressed += change

    def count_firing(self, severity: str, change: int) -> None:
        """Add *change* to the firing members of *severity*."""
        self.firing += change
        left = self.firing_by_severity.get(severity, 0) + change
        if left > 0:
            self.firing_by_severity[severity] = left
        else:
            self.firing_by_severity.pop(severity, None)

    def state_at(self, now: int, settings: ClusteringSettings) -> ClusterState:
        """Return the live state that members and clock give at *now*; a final one is not left."""
        if not self.live:
            return self.state
        if not self.goes_on:
            return ClusterState.RESOLVING
        age = now - self.opened_at
        if self.size < settings.proven_size and age < nanoseconds(settings.proven_age):
            return ClusterState.FORMING
        if now < self.joined_at + nanoseconds(settings.growing_for):
            return ClusterState.GROWING
        recovered = self.member_resolved_at
        if recovered is not None and now < recovered + nanoseconds(settings.resolving_for):
            return ClusterState.RESOLVING
        return ClusterState.STEADY

    def is_over(self, now: int, settings: ClusteringSettings) -> bool:
        """Return whether nothing of it goes on and nothing is waited for any more at *now*."""
        return self.idle_since is not None and (
            not self.accepting
            or self.is_quiet(now, settings)
            or now >= self.idle_since + self._waits(settings.resolve_after)
        )

    def is_quiet(self, now: int, settings: ClusteringSettings) -> bool:
        """Return whether no member came for so long, at *now*, that none is taken any more."""
        return now >= self.joined_at + self._waits(settings.close_after)

    def _waits(self, usual: Seconds) -> int:
        """Return for how long it waits where others wait the *usual* seconds, nanoseconds."""
        return max(self.patience, nanoseconds(usual))

    def is_overdue(self, now: int, settings: ClusteringSettings) -> bool:
        """Return whether it is not, at *now*, in the state in which it should be."""
        return (
            self.state_at(now, settings) is not self.state
            or self.is_over(now, settings)
            or (self.accepting and self.is_quiet(now, settings))
        )

    def next_due(self, now: int, settings: ClusteringSettings) -> int | None:
        """Return when time alone will next change it after *now*; None for never."""
        if not self.live:
            return None
        due = [self.joined_at + nanoseconds(settings.growing_for)]
        if self.state is ClusterState.FORMING:
            due.append(self.opened_at + nanoseconds(settings.proven_age))
        elif self.title_seen_at is None:
            # Regrouped too soon after a change of its title for another.
            due.append(self.titled_at + nanoseconds(settings.rename_every))
        if self.size != self.titled_size:
            due += (self.opened_at + TITLE_FORMS_AFTER, self.opened_at + TITLE_SETTLES_AFTER)
        if self.member_resolved_at is not None:
            due.append(self.member_resolved_at + nanoseconds(settings.resolving_for))
        if self.accepting:
            due.append(self.joined_at + self._waits(settings.close_after))
        if self.idle_since is not None:
            due.append(self.idle_since + self._waits(settings.resolve_after))
        return min([at for at in due if at > now], default=None)


def _count(counts: dict[str, int], keys: Iterable[str], limit: int) -> list[str]:
    """Count *keys*, holding at most *limit*; return those that gave way, the rarest first."""
    gone = []
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
        if len(counts) > limit:
            # Not the newest: it would never get to count beyond one.
            rarest = min((k for k in counts if k != key), key=lambda k: counts[k])
            del counts[rarest]
            gone.append(rarest)
    return gone
