"""Plays the scenario as a pair of Prometheus servers would: both tell the same alerts."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import Protocol, TypedDict

from receiver.demo.pace import Pace, now, rfc3339
from receiver.demo.scenario import Firing, Scenario, Status

# A pair evaluates the same rules, each at its own moments: scenario seconds by which they lag.
_REPLICAS = {"a": 0.0, "b": 7.0}
_RESEND = 60.0
_BATCH = 64
_LEAST_LEASE = 20.0
"""Real seconds; sped up, the lease would be too short for a machine that is busy."""


class PostedAlert(TypedDict):
    """An alert as `POST /api/v2/alerts` of Alertmanager takes it."""

    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str
    endsAt: str
    generatorURL: str


class Sender(Protocol):
    """Takes alerts to the receiver."""

    async def post(self, alerts: list[PostedAlert]) -> None:
        """Take *alerts*; called at every tick, often with none."""
        ...


class Prometheus:
    """One server of the pair: what it knows to fire, and what it has to tell next."""

    def __init__(self, scenario: Scenario, replica: str, lag: float) -> None:
        """Tell the alerts of *scenario* as *replica*, *lag* scenario seconds late."""
        self._replica = replica
        self._lag = lag
        self._steps = deque(scenario.steps)
        self._firing: dict[int, tuple[Firing, datetime]] = {}
        self._resend_at = 0.0

    @property
    def finished(self) -> bool:
        """Whether nothing new will be told."""
        return not self._steps

    def due(self, pace: Pace) -> list[PostedAlert]:
        """Return what is to be told now: changes, and now and then again all that fires."""
        offset = pace.now
        told: dict[int, PostedAlert] = {}
        while self._steps and self._steps[0].at + self._lag <= offset:
            step = self._steps.popleft()
            firing = step.firing
            at = pace.moment(step.at + self._lag)
            if step.status is Status.FIRING:
                self._firing[id(firing)] = (firing, at)
                told[id(firing)] = self._posted(firing, at, _lease_end(pace))
            else:
                _, started_at = self._firing.pop(id(firing))
                told[id(firing)] = self._posted(firing, started_at, at)
        if offset >= self._resend_at:
            # As Prometheus does: an alert that is not repeated counts as resolved at its endsAt.
            self._resend_at = offset + _RESEND
            for key, (firing, started_at) in self._firing.items():
                told.setdefault(key, self._posted(firing, started_at, _lease_end(pace)))
        return list(told.values())

    def _posted(self, firing: Firing, started_at: datetime, ends_at: datetime) -> PostedAlert:
        return {
            "labels": {**firing.labels, "prometheus_replica": self._replica},
            "annotations": firing.annotations,
            "startsAt": rfc3339(started_at),
            "endsAt": rfc3339(ends_at),
            "generatorURL": firing.generator_url,
        }


def _lease_end(pace: Pace) -> datetime:
    """Return until when an alert told now counts as firing."""
    return now() + timedelta(seconds=max(pace.real(4 * _RESEND), _LEAST_LEASE))


class Pair:
    """Both servers, telling one sender."""

    def __init__(self, scenario: Scenario, pace: Pace, sender: Sender) -> None:
        """Tell *scenario* to *sender* at *pace*."""
        self._pace = pace
        self._sender = sender
        self._servers = [Prometheus(scenario, name, lag) for name, lag in _REPLICAS.items()]
        self.posted = 0

    @property
    def finished(self) -> bool:
        """Whether nothing new will be told; what fires is still repeated."""
        return all(server.finished for server in self._servers)

    async def tick(self) -> None:
        """Let the scenario go on and tell what is due."""
        self._pace.advance()
        for server in self._servers:
            due = server.due(self._pace)
            for start in range(0, max(1, len(due)), _BATCH):
                await self._sender.post(due[start : start + _BATCH])
            self.posted += len(due)


def has_ended(alert: PostedAlert) -> bool:
    """Return whether *alert* is resolved by now."""
    return alert["endsAt"] <= rfc3339(now())
