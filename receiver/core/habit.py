"""How an alert behaves from one firing to the next: whether it comes back alone, and how often.

An alert that fires every ten minutes all day, whatever else goes on, is one chronic trouble. It must
neither open a cluster each time nor glue together the incidents that it happens to fire beside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from receiver.core.timestamps import SECOND, nanoseconds, seconds

_HALF_LIFE_SECONDS = 86_400.0
"""A day, as of all that tells what is usual: yesterday's rhythm is known, last week's is not."""

_ALONE = 0.9
"""Firings alone, fading, that make a habit of it: one within the last hours."""

_GAPS_WAITED = 4.0
"""Usual gaps for which its cluster waits: of exponential gaps, one in fifty is longer."""

_LONGEST_WAIT_SECONDS = 7200.0
"""What comes less often than every two hours is not waited for: nobody calls that flapping."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What is known of an alert's firings before the present one; all counts fade.

    Attributes:
        gaps: How many gaps between its onsets were seen.
        gap_sum: Seconds of these together.
        alone: Firings in a cluster that never had another alert.
        company: Other firings.
    """

    gaps: float = 0.0
    gap_sum: float = 0.0
    alone: float = 0.0
    company: float = 0.0

    def after(self, gap: int, *, alone: bool) -> Habit:
        """Return the habit when it fires anew *gap* nanoseconds after the last onset.

        Args:
            gap: From onset to onset; above 0.
            alone: Whether the last firing's cluster had no other alert.
        """
        left = math.pow(0.5, gap / SECOND / _HALF_LIFE_SECONDS)
        return Habit(
            gaps=left * (self.gaps + 1.0),
            gap_sum=left * (self.gap_sum + seconds(gap)),
            alone=left * (self.alone + alone),
            company=left * (self.company + (not alone)),
        )

    @property
    def keeps_to_itself(self) -> bool:
        """Whether it is known to come back alone, at least as often as in company.

        One that is mostly part of incidents begins one when it is first, and its cluster must be open to
        the others.
        """
        return self.alone >= max(_ALONE, self.company)

    @property
    def patience(self) -> int:
        """How long its own cluster waits for it to come back, nanoseconds."""
        usual = self.gap_sum / max(1.0, self.gaps)
        return nanoseconds(min(_LONGEST_WAIT_SECONDS, _GAPS_WAITED * usual))
