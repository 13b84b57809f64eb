"""What happens to the stack: a storm, lone criticals before and in it, Stormcell hung and killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from receiver.core import identity
from scripts.stack import shop
from tests.support.loop import ClosedLoop
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ALIVE, HUNG, KILLED = "alive", "hung", "killed"
CALM, ELSEWHERE, INSIDE = "in calm", "in mid-storm, elsewhere", "in the storm's own namespace"

_ONSET_SECONDS = 180.0
"""For so long after a storm's onset what comes is the storm's own (`offset 3m` in rules/stormcell.yml)."""

_BETWEEN_WAVES_SECONDS = 15.0
_QUIET_SECONDS = 270.0
"""Longer than what rings late takes: for four minutes after a death the rules go by it."""

_CALM_SECONDS = 90.0
"""From a death in calm to the storm, whose first three minutes are the rest of those four."""

_LEAST_SECONDS = 2.0
"""What is on its way between processes of a busy machine arrives in it, however fast the rest is."""

_PATIENCE_SECONDS = 150.0
"""Beyond what any page takes as shipped; added to what a test waits for anything."""


@dataclass(frozen=True)
class Lone:
    """A critical alert that is a trouble of its own.

    Attributes:
        name: Of the alert; no two have the same.
        where: CALM, ELSEWHERE or INSIDE.
        stormcell: ALIVE, HUNG or KILLED.
    """

    name: str
    where: str
    stormcell: str

    @property
    def namespace(self) -> str:
        """Where it breaks: a namespace of its own, or the storm's."""
        return shop.NAMESPACE if self.where == INSIDE else self.name.lower()

    @property
    def placed(self) -> shop.Placed:
        """What breaks."""
        return shop.lone(self.name, self.namespace)

    def __str__(self) -> str:
        return f"{self.where}, Stormcell {self.stormcell}"


LONE = tuple(
    Lone(name, where, stormcell)
    for name, (where, stormcell) in zip(
        shop.LONE,
        [(w, s) for w in (CALM, ELSEWHERE, INSIDE) for s in (ALIVE, HUNG, KILLED)],
        strict=True,
    )
)


@dataclass(frozen=True)
class Page:
    """What rang.

    Attributes:
        key: Of its group.
        after: Seconds from what it rang for to the pager.
        summary: Its text, if all its alerts say the same.
        alerts: Fingerprints ever seen to fire on it.
    """

    key: str
    after: float
    summary: str
    alerts: frozenset[str]


@dataclass
class Outcome:
    """What came of it all.

    Attributes:
        fired: Alerts that Prometheus fired, ours not counted; the heartbeat is.
        criticals: Those of them that are critical.
        unseen_criticals: Criticals that are on no page.
        lone: Pages by lone critical.
        storm: Pages that the storm rang.
        down: Pages of Stormcell's death.
        received: Alerts that Stormcell has.
        webhooks: Notifications that Alertmanager sent to Stormcell; those that failed count.
        clusters: Alert clusters that Stormcell made.
        storms: As its API gives them.
        seconds: That all took.
    """

    fired: int = 0
    criticals: int = 0
    unseen_criticals: int = 0
    lone: dict[Lone, list[Page]] = field(default_factory=dict)
    storm: list[Page] = field(default_factory=list)
    down: list[Page] = field(default_factory=list)
    received: int = 0
    webhooks: int = 0
    clusters: list[dict[str, Any]] = field(default_factory=list)
    storms: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def pages(self) -> int:
        """All that rang."""
        return len(self.storm) + len(self.down) + sum(map(len, self.lone.values()))

    @property
    def silent(self) -> int:
        """Criticals that did not ring: lone ones without a page, and any that is on no page."""
        return self.unseen_criticals + sum(not pages for pages in self.lone.values())


class Drill:
    """One run over a `ClosedLoop` that is fresh."""

    def __init__(self, loop: ClosedLoop, *, waves: int, say: Callable[[str], None]) -> None:
        """Let the storm come in *waves*, and tell each step to *say*."""
        self._loop = loop
        self._waves = waves
        self._say = say
        self._broke_at: dict[Lone, float] = {}
        self._storm_at = 0.0
        self._died_at: list[float] = []

    def run(self) -> Outcome:
        """Play it all; what does not ring is waited for, and missing in the outcome."""
        began = time.monotonic()
        loop, receiver = self._loop, self._loop.receiver
        (everything,) = shop.waves(1)
        self._set([*everything, *(case.placed for case in LONE)], broken=False)
        self._calm()
        self._storm()
        self._break(ELSEWHERE, INSIDE, stormcell=ALIVE)
        self._freeze()
        self._break(ELSEWHERE, INSIDE, stormcell=HUNG)
        receiver.kill()
        self._break(ELSEWHERE, INSIDE, stormcell=KILLED)
        self._wait("Stormcell's death to page", lambda: "StormcellDown" in loop.pager.names())
        receiver.start()
        fired = len(self._fired())
        self._wait("Stormcell to have it all", lambda: self._received() >= fired)
        self._pause(_QUIET_SECONDS)
        self._say("Stormcell is back and has what fired meanwhile")
        outcome = self._outcome()
        outcome.seconds = time.monotonic() - began
        return outcome

    # -- steps -----------------------------------------------------------------------------------

    def _calm(self) -> None:
        receiver = self._loop.receiver
        self._break(CALM, stormcell=ALIVE)
        self._freeze()
        self._break(CALM, stormcell=HUNG)
        receiver.thaw()
        self._wait("Stormcell to be scraped", lambda: bool(self._up()))
        receiver.kill()
        self._break(CALM, stormcell=KILLED)
        receiver.start()
        self._wait("Stormcell to have it all", lambda: self._received() >= 3)
        self._pause(_CALM_SECONDS)

    def _storm(self) -> None:
        self._storm_at = time.monotonic()
        count = 0
        for wave in shop.waves(self._waves):
            self._set(wave, broken=True)
            count += len(wave)
            time.sleep(_BETWEEN_WAVES_SECONDS / self._loop.speed)
        names = self._loop.pager.names
        self._wait("a page of the storm", lambda: "StormcellStorm" in names())
        self._wait("its raw page", lambda: self._raw(shop.NAMESPACE))
        self._wait("all of it to be received", lambda: self._received() >= count)
        self._pause(_ONSET_SECONDS)
        self._say(f"a storm of {count} alerts in the namespace {shop.NAMESPACE}: it has rung")

    def _break(self, *where: str, stormcell: str) -> None:
        """Let the lone criticals of these cases fire, all at once, and wait until each has rung."""
        cases = [c for c in LONE if c.where in where and c.stormcell == stormcell]
        before = set(self._loop.pager.pages)
        self._set([case.placed for case in cases], broken=True)
        self._broke_at.update(dict.fromkeys(cases, time.monotonic()))
        for case in cases:
            what = f"a lone critical to ring ({case})"
            rung = self._wait(what, partial(self._rung, case, before))
            self._say(f"a lone critical {case}: {'rang' if rung else 'DID NOT RING'}")

    def _freeze(self) -> None:
        self._loop.receiver.freeze()
        self._died_at.append(time.monotonic())

    def _up(self) -> list[dict[str, Any]]:
        return self._loop.prometheus.query('up{job="stormcell"} == 1')

    def _rung(self, case: Lone, before: set[str]) -> bool:
        if case.where != INSIDE:
            return self._raw(case.namespace)
        # Whose it is can be asked when Stormcell answers.
        return any(
            page["groupLabels"].get("alertname") == "StormcellNewClusterInStorm"
            for key, page in list(self._loop.pager.pages.items())
            if key not in before
        )

    def _raw(self, namespace: str) -> bool:
        raw = {"namespace": namespace}
        return any(p["groupLabels"] == raw for p in list(self._loop.pager.pages.values()))

    def _set(self, placed: Iterable[shop.Placed], *, broken: bool) -> None:
        self._loop.exporter.set(shop.gauges(list(placed), broken=broken))

    def _pause(self, seconds: float) -> None:
        """Wait for what takes *seconds* as shipped."""
        time.sleep(seconds / self._loop.speed + _LEAST_SECONDS)

    def _wait(self, what: str, look: Callable[[], bool]) -> bool:
        patience = PATIENCE_SECONDS + _PATIENCE_SECONDS / self._loop.speed
        with suppress(TimeoutError):
            return wait_until(what, look, patience_seconds=patience)
        self._say(f"waited in vain for {what}")
        return False

    # -- what came of it -------------------------------------------------------------------------

    def _received(self) -> int:
        return len(self._loop.receiver.alerts())

    def _fired(self) -> dict[str, Mapping[str, str]]:
        """Return the labels of what has fired and is not ours, by fingerprint."""
        ever = 'count_over_time(ALERTS{alertstate="firing", origin!="stormcell"}[1h])'
        found: dict[str, Mapping[str, str]] = {}
        for series in self._loop.prometheus.query(ever):
            labels = {k: v for k, v in series["metric"].items() if k != "alertstate"}
            if labels["alertname"] != "Watchdog":
                found[identity.fingerprint(labels)] = labels
        return found

    def _outcome(self) -> Outcome:
        loop = self._loop
        fired = self._fired()
        paged = {alert for alerts in loop.pager.alerts.values() for alert in alerts}
        criticals = {key for key, labels in fired.items() if labels["severity"] == "critical"}
        outcome = Outcome(
            fired=len(fired),
            criticals=len(criticals),
            unseen_criticals=len(criticals - paged),
            lone={case: [] for case in LONE},
            received=self._received(),
            webhooks=int(loop.alertmanager.notifications()) - loop.pager.notified,
            clusters=loop.receiver.clusters(state="all"),
            storms=loop.receiver.read("storms")["items"],
        )
        for key, told in loop.pager.pages.items():
            pages, began = self._belongs(outcome, told["groupLabels"])
            after = told["at"] - max(at for at in began if at < told["at"])
            summary = told["commonAnnotations"].get("summary", "")
            pages.append(Page(key, after, summary, frozenset(loop.pager.alerts[key])))
        return outcome

    def _belongs(
        self, outcome: Outcome, group: Mapping[str, str]
    ) -> tuple[list[Page], list[float]]:
        """Return the pages that a page of *group* is one of, and when what it rang for began."""
        if group.get("alertname") == "StormcellDown":
            return outcome.down, self._died_at
        about = self._names(group)
        for case, pages in outcome.lone.items():
            own = (
                "alertname" not in group and group["namespace"] == case.namespace != shop.NAMESPACE
            )
            if own or case.name in about:
                return pages, [self._broke_at[case]]
        return outcome.storm, [self._storm_at]

    def _names(self, group: Mapping[str, str]) -> set[str]:
        """Return the names of the alerts that a page of ours is about; none for raw ones and storms."""
        cluster = group.get("cluster_id", "")
        if not cluster.isdigit():
            return set(cluster.split("/"))
        members = self._loop.receiver.alerts(cluster_id=cluster)
        return {alert["labels"]["alertname"] for alert in members}
