"""What happens in the demo: which alerts of the made-up shop fire when, and until when.

Pure and always the same: all numbers come from one seeded generator, all times are scenario seconds
from the start. Who sends it, and how much faster than life, is decided elsewhere.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

from receiver.demo import background, outages
from receiver.demo.draft import DURATION, WATCHDOG, Draft, Firing
from receiver.demo.site import build

__all__ = ["DURATION", "WATCHDOG", "Firing", "Scenario", "Status", "Step", "build_scenario"]

_SEED = 9783


class Status(StrEnum):
    """What a step says of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Step:
    """At *at* scenario seconds *firing* begins to fire or resolves."""

    at: float
    status: Status
    firing: Firing


@dataclass(frozen=True)
class Scenario:
    """All that happens."""

    firings: tuple[Firing, ...]

    @property
    def incidents(self) -> list[str]:
        """The true problems, in order of their first alert; the heartbeat is none."""
        ordered = sorted(self.firings, key=lambda firing: firing.at)
        return list(dict.fromkeys(f.incident for f in ordered if f.incident != WATCHDOG))

    @property
    def steps(self) -> list[Step]:
        """The timeline, in order."""
        steps = [Step(f.at, Status.FIRING, f) for f in self.firings]
        steps += [Step(f.until, Status.RESOLVED, f) for f in self.firings if f.until is not None]
        return sorted(steps, key=lambda step: step.at)


def build_scenario() -> Scenario:
    """Return the scenario."""
    rng = random.Random(_SEED)
    draft = Draft(rng, build(rng))
    for write in (
        background.heartbeat,
        background.calm,
        background.flapper,
        outages.database_failure,
        outages.node_loss,
        background.certificates,
        background.backups,
    ):
        write(draft)
    return Scenario(tuple(draft.firings))
