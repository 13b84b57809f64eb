"""Storms: new episodes come far above the usual. Onset, peak, easing and end, with hysteresis.

What is counted is news: a first connection, a Prometheus that comes back, an alert that flaps tell of
nothing new, however many messages they make. Pure, as all of the core: every moment is handed in, and
between two inputs a storm is looked at at fixed moments only, so that it does not matter who asks when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from receiver.core import storm_members
from receiver.core.baseline import Baseline
from receiver.core.clusters import Cluster
from receiver.core.model import Episode
from receiver.core.settings import Seconds, setting
from receiver.core.severity import SeveritySettings
from receiver.core.storm_window import Window
from receiver.core.timestamps import nanoseconds, render, render_optional
from receiver.core.words import short, spell

_STAY = 0.5
"""Of both thresholds of onset, at which a storm still goes on. Between the two it neither starts nor
ends, so that a rate that hovers at a threshold does not make storm after storm."""

_EASES_BELOW, _PEAKS_ABOVE = 0.5, 0.75
"""Of the peak intensity: below the one a storm eases, above the other it is at its peak again."""

_RISING = 4
"""A storm is in its onset as long as its peak is younger than the window over this."""

_UNPROVEN = 8
"""While the usual is not known, a storm becomes the usual so many times sooner: a site that is new to
us and noisy looks like a storm at first, and half an hour shows three spans of it."""

_MOST_CLUSTERS = 2048
"""Clusters whose part of a storm is known; beyond, the half with the smaller part is forgotten."""

_MINUTE = 60.0


@dataclass(frozen=True)
class StormSettings:
    """When many new alerts are a storm."""

    window: Seconds = setting(
        # Alertmanager's group_wait is 30 s: the window sees several groups' first notifications.
        Seconds(120.0),
        "New alerts are counted over so long.",
        low=0.1,
        high=3600,
    )
    ratio: float = setting(
        # Three times the usual does not happen by chance at the counts asked for: with 10 usual in
        # the window, 30 are six standard deviations off.
        3.0,
        "A storm starts at so many times the usual rate, and goes on above half of that.",
        unit="times the usual",
        low=1,
    )
    min_episodes: int = setting(
        # What one person can still read one by one in the time in which they come: one in 4 s.
        30,
        "A storm starts with no fewer new alerts in the window, and goes on above half of that.",
        unit="new alerts",
        low=1,
    )
    floor_episodes: float = setting(
        # One a minute is quiet for people. Without it, a site where nothing ever happens would have
        # intensities of thousands, and each new alert a ratio that says nothing.
        2.0,
        "The usual in the window is taken to be at least this.",
        unit="new alerts",
        low=0.01,
    )
    fresh_within: Seconds = setting(
        # Alertmanager's group_interval, by which an alert of a known group may be late. What is older
        # when it is first heard of has waited for a connection.
        Seconds(300.0),
        "An alert counts as new if it is received so soon after its startsAt.",
        low=0.1,
    )
    quiet_for: Seconds = setting(
        # Six group_intervals: what fires again sooner flaps, or its Prometheus was away.
        Seconds(1800.0),
        "An alert counts as new if it was not open for so long.",
        low=0,
    )
    min_duration: Seconds = setting(
        # Alertmanager's group_interval: what else belongs to it may be told that late.
        Seconds(300.0),
        "A storm lasts at least so long.",
        low=0,
    )
    calm_for: Seconds = setting(
        # With the window more than a group_interval, in which rhythm the sender tells what came to
        # known groups: the second burst of one storm is not a second storm.
        Seconds(300.0),
        "A storm ends when it was calm for so long; a new burst before goes on with it.",
        low=0,
    )
    longest: Seconds = setting(
        # An alert counts once in half an hour, so that a rate kept up for hours is ever new trouble:
        # rather the site has changed. Otherwise a storm that never ends would never be learned from.
        Seconds(4 * 3600.0),
        "A storm that goes on for so long ends, and is the usual from then on.",
        low=1,
    )


class StormState(StrEnum):
    """Where a storm stands."""

    ONSET = "onset"
    PEAK = "peak"
    EASING = "easing"
    ENDED = "ended"


@dataclass(slots=True)
class Storm:
    """One storm; times in nanoseconds.

    Attributes:
        id: Never reused.
        started_at: When it was seen to be one.
        looked_at: When it was last looked at because time passed.
        peak_at: When it was at its greatest intensity.
        ended_at: None while it goes on.
        state: Where it stands.
        rate: New episodes in the window.
        usual: What is usual in a window, at this time.
        peak_intensity: Greatest of rate over usual.
        episodes: New ones of it, those that made the onset included.
        tally: These by cluster id.
        calm_since: Since when it is calm; None while it is not.
        representatives: Alerts that stand for it, as the public sees them.
    """

    id: int
    started_at: int
    looked_at: int
    peak_at: int
    rate: int
    usual: float
    peak_intensity: float
    episodes: int
    ended_at: int | None = None
    state: StormState = StormState.ONSET
    tally: dict[int, int] = field(default_factory=dict)
    calm_since: int | None = None
    representatives: list[dict[str, Any]] = field(default_factory=list)

    @property
    def intensity(self) -> float:
        """Rate over usual."""
        return self.rate / self.usual

    @property
    def clusters(self) -> list[int]:
        """Ids of the clusters it is about, the largest part of it first."""
        return storm_members.members(self.tally, self.episodes)

    def count(self, cluster_id: int) -> None:
        """Count one new episode of *cluster_id*."""
        self.episodes += 1
        self.tally[cluster_id] = self.tally.get(cluster_id, 0) + 1
        if len(self.tally) > _MOST_CLUSTERS:
            ranked = sorted(self.tally.items(), key=lambda item: (-item[1], item[0]))
            self.tally = dict(ranked[: _MOST_CLUSTERS // 2])

    def move(self, now: int, window: int, *, calm: bool) -> None:
        """Bring the state to what the rate is at *now*, *window* being its length."""
        if self.intensity > self.peak_intensity:
            self.peak_intensity, self.peak_at = self.intensity, now
        if not calm:
            self.calm_since = None
        elif self.calm_since is None:
            self.calm_since = now
        if self.intensity < _EASES_BELOW * self.peak_intensity:
            self.state = StormState.EASING
        elif self.state is StormState.ONSET:
            if now >= self.peak_at + window // _RISING:
                self.state = StormState.PEAK
        elif self.intensity >= _PEAKS_ABOVE * self.peak_intensity:
            self.state = StormState.PEAK

    def to_json(self, live: Mapping[int, Cluster], window_seconds: float) -> dict[str, Any]:
        """Return the storm as the public sees it; *live* are the live clusters by id."""
        clusters = self.clusters
        per_minute = _MINUTE / window_seconds
        return {
            "id": self.id,
            "state": self.state.value,
            "started_at": render(self.started_at),
            "peak_at": render(self.peak_at),
            "ended_at": render_optional(self.ended_at),
            "intensity": round(self.intensity, 2),
            "peak_intensity": round(self.peak_intensity, 2),
            "rate_per_minute": round(self.rate * per_minute, 2),
            "baseline_per_minute": round(self.usual * per_minute, 2),
            "episodes": self.episodes,
            "firing": sum(live[c].firing for c in clusters if c in live),
            "cluster_ids": clusters,
            "representatives": self.representatives,
        }

    def dump(self) -> dict[str, Any]:
        """Return all of it, as JSON has it."""
        told: dict[str, Any] = {name: getattr(self, name) for name in Storm.__slots__}
        # Keys of objects are texts in JSON, and numbers must stay numbers.
        return told | {"state": self.state.value, "tally": list(self.tally.items())}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Storm:
        """Return what gave *told*."""
        changed = {"state": StormState(told["state"]), "tally": dict(told["tally"])}
        return cls(**{**told, **changed})


class Storms:
    """Watches for a storm, and over the one that goes on."""

    def __init__(self, settings: StormSettings) -> None:
        """Start in calm, knowing nothing of what is usual."""
        self.settings = settings
        self.current: Storm | None = None
        self._length = nanoseconds(settings.window)
        self._window = Window(self._length)
        self._baseline = Baseline(self._length)
        self._heard = False
        self._ended: list[dict[str, Any]] = []
        self._changed = False

    # -- what comes ------------------------------------------------------------------------------

    def hear(self, now: int) -> None:
        """Note that something was received at *now*."""
        self._heard = True
        self._baseline.hear(now)

    def is_news(self, episode: Episode, before: Episode | None) -> bool:
        """Whether *episode*, just opened, tells of something new.

        Args:
            episode: Which.
            before: The alert's episode before, if it is known; `last_seen` is when it was last open.
        """
        now = episode.received_at
        if now - episode.starts_at > nanoseconds(self.settings.fresh_within):
            return False
        return before is None or now - before.last_seen > nanoseconds(self.settings.quiet_for)

    def count(self, cluster_id: int, now: int) -> bool:
        """Count a new episode of *cluster_id*; return whether a storm has to start with it."""
        self._window.add(cluster_id, now)
        self._baseline.count(now, self._window.total)
        storm = self.current
        if storm is None:
            return self._is_above(1.0, now)
        self._changed = True
        storm.count(cluster_id)
        self._move(storm, now)
        return False

    def start(self, storm_id: int, now: int) -> str:
        """Start a storm at *now*; return why, for people."""
        rate, usual = self._window.total, self._usual(now)
        tally = self._window.by_cluster()
        self.current = Storm(
            id=storm_id,
            started_at=now,
            looked_at=now,
            peak_at=now,
            rate=rate,
            usual=usual,
            peak_intensity=rate / usual,
            episodes=rate,
            tally=dict(sorted(tally.items())),
        )
        self._changed = True
        self._baseline.pause()
        length = self.settings.window
        floored = " or less" if usual <= self.settings.floor_episodes else ""
        return (
            f"{rate} new alerts in {spell(length)}, {short(rate / usual)} times the usual"
            f" {short(usual * _MINUTE / length)} a minute{floored}"
        )

    def represent(self, episodes: Iterable[Episode], settings: SeveritySettings) -> None:
        """Choose from *episodes*, all that are held, those that stand for the storm, if there is one."""
        storm = self.current
        if storm is None:
            return
        since = storm.started_at - self._length
        came = (e for e in episodes if e.received_at > since and e.fires)
        storm.representatives = storm_members.representatives(
            storm.clusters, came, storm.representatives, settings
        )

    def merge(self, gone: int, into: int) -> None:
        """Let what the cluster *gone* has of the storm be the part of *into*, its survivor."""
        self._changed |= self._window.merge(gone, into)
        if self.current is not None and gone in self.current.tally:
            tally = self.current.tally
            tally[into] = tally.get(into, 0) + tally.pop(gone)
            self._changed = True

    # -- time ------------------------------------------------------------------------------------

    def next_due(self) -> int | None:
        """Return when the storm is to be looked at again, nanoseconds; None if there is none."""
        if self.current is None:
            return None
        return self._window.boundary_after(self.current.looked_at)

    def look(self, now: int, live: Mapping[int, Cluster]) -> str:
        """Let time come to *now*; return why the storm ended, for people, or nothing.

        Args:
            now: Nanoseconds.
            live: The live clusters by id.
        """
        storm = self.current
        if storm is None:
            return ""
        self._changed = True
        storm.looked_at = now
        self._window.move(now)
        self._move(storm, now)
        lasted = now - storm.started_at
        adopt = lasted >= self._longest(now)
        if not adopt and not self._is_calm(storm, now):
            return ""
        storm.state, storm.ended_at = StormState.ENDED, now
        self._ended.append(storm.to_json(live, self.settings.window))
        self.current = None
        self._baseline.resume(adopt=adopt)
        told = f"{storm.episodes} new alerts in {spell(lasted / 1e9)}"
        if adopt:
            return f"{told}: so many for so long are the usual from now on"
        return f"{told}, at most {short(storm.peak_intensity)} times the usual"

    def _longest(self, now: int) -> int:
        known = self._baseline.per_second(now) is not None
        return nanoseconds(self.settings.longest) // (1 if known else _UNPROVEN)

    def _is_calm(self, storm: Storm, now: int) -> bool:
        """Whether *storm*, at *now*, was calm for long enough to have ended."""
        return (
            storm.calm_since is not None
            and now >= storm.calm_since + nanoseconds(self.settings.calm_for)
            and now >= storm.started_at + nanoseconds(self.settings.min_duration)
        )

    def _move(self, storm: Storm, now: int) -> None:
        storm.rate, storm.usual = self._window.total, self._usual(now)
        storm.move(now, self._length, calm=not self._is_above(_STAY, now))

    def _usual(self, now: int) -> float:
        """Return what is usual in a window at *now*."""
        learned = self._baseline.per_second(now) or 0.0
        return max(self.settings.floor_episodes, learned * self.settings.window)

    def _is_above(self, part: float, now: int) -> bool:
        """Whether the rate is at *part* of both thresholds of onset, or above."""
        total = self._window.total
        if total < part * self.settings.min_episodes:
            return False
        return total >= part * self.settings.ratio * self._usual(now)

    # -- to and from a store, and to the public --------------------------------------------------

    def public(self, live: Mapping[int, Cluster]) -> dict[str, Any] | None:
        """Return the storm that goes on, as the public sees it; None in calm."""
        if self.current is None:
            return None
        return self.current.to_json(live, self.settings.window)

    def changes(
        self, live: Mapping[int, Cluster]
    ) -> tuple[list[dict[str, Any]], dict[str, Mapping[str, Any]]]:
        """Return what changed since the last call.

        Returns:
            New and changed storms, as the public sees them; and what `restore` wants, as JSON by
            key, of which only the keys that changed.
        """
        storms, self._ended = self._ended, []
        if self.current is not None and self._changed:
            storms.append(self.current.to_json(live, self.settings.window))
        memory: dict[str, Mapping[str, Any]] = {}
        if self._heard or self._changed:
            memory["storm_watch"] = self.dump()
        if self._baseline.changed:
            memory["storm_baseline"] = self._baseline.dump()
        self._heard = self._changed = self._baseline.changed = False
        return storms, memory

    def dump(self) -> dict[str, Any]:
        """Return what changes with the inputs, as JSON has it."""
        return {
            "window": self._window.dump(),
            "span": self._baseline.dump_span(),
            "storm": None if self.current is None else self.current.dump(),
        }

    def restore(self, memory: Mapping[str, Mapping[str, Any]]) -> None:
        """Become what gave *memory*, the latest of each key; only for an empty one."""
        watch = memory.get("storm_watch")
        if watch is None:
            return
        learned = memory.get("storm_baseline") or Baseline(self._length).dump()
        self._baseline.restore(learned, watch["span"])
        self._window.restore(watch["window"])
        if watch["storm"] is not None:
            self.current = Storm.of(watch["storm"])
