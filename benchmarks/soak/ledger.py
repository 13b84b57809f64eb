"""What was sent and how it was answered: kept outside the receiver, by each of its lives."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

TAKEN = 200
NO_ANSWER = 0
LEFT = -1
"""We did not wait for the answer."""


@dataclass(slots=True)
class Attempt:
    """One request.

    Attributes:
        began: By `time.monotonic`.
        life: Of the receiver that it was sent to: what began before a kill was never answered by the next.
        alerts: In it.
    """

    began: float
    life: int
    alerts: int


class Ledger:
    """Webhooks and their answers.

    Attributes:
        life: Number of the receiver's present life.
        attempts: Requests, whatever came of them.
        alerts_taken: Alerts in requests that were answered 200, repeats too.
        taken_began: When the latest began that was answered 200.
        refused: (when it began, when it ended, status) of each that was not.
    """

    def __init__(self) -> None:
        """Nothing was sent."""
        self.life = 0
        self.attempts = 0
        self.alerts_taken = 0
        self.taken_began = 0.0
        self.refused: list[tuple[float, float, int]] = []
        self.answers: Counter[int] = Counter()
        self._answers: Counter[tuple[int, int]] = Counter()
        self._under_way: Counter[int] = Counter()
        self._alerts: Counter[int] = Counter()

    def begin(self, alerts: int) -> Attempt:
        """Note that a request with so many *alerts* is sent."""
        self.attempts += 1
        self._under_way[self.life] += 1
        return Attempt(time.monotonic(), self.life, alerts)

    def end(self, attempt: Attempt, status: int) -> None:
        """Note how *attempt* was answered."""
        self._under_way[attempt.life] -= 1
        self._answers[attempt.life, status] += 1
        self.answers[status] += 1
        if status == TAKEN:
            self.alerts_taken += attempt.alerts
            self._alerts[attempt.life] += attempt.alerts
            self.taken_began = max(self.taken_began, attempt.began)
        elif status != LEFT:
            self.refused.append((attempt.began, time.monotonic(), status))

    def taken(self) -> int:
        """Return how many were answered 200 in the present life."""
        return self._answers[self.life, TAKEN]

    def alerts(self) -> int:
        """Return how many alerts these had."""
        return self._alerts[self.life]

    def unclear(self) -> int:
        """Return how many of the present life may have been answered 200 without our knowing."""
        unknown = self._answers[self.life, NO_ANSWER] + self._answers[self.life, LEFT]
        return self._under_way[self.life] + unknown

    def of_life(self) -> Mapping[int, int]:
        """Return the answers of the present life by status."""
        return {status: n for (life, status), n in self._answers.items() if life == self.life}
