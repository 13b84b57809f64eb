"""Shows the growing table: redrawn in place on a terminal, a snapshot now and then elsewhere."""

from __future__ import annotations

import os
import shutil
from typing import Any, TextIO

from receiver.demo import table
from receiver.demo.pace import Pace
from receiver.demo.scenario import DURATION
from receiver.demo.view import Ledger

_EVERY = {True: 0.5, False: 10.0}
"""Real seconds between two pictures, on a terminal and elsewhere."""

_PLAIN_ROWS, _PLAIN_WIDTH = 10, 110
_ROOM = 6
"""Lines of a terminal left free: heading, totals, and a bit of what was above."""


class Screen:
    """Shows how the clusters grow."""

    def __init__(self, out: TextIO, pace: Pace) -> None:
        """Draw on *out*."""
        self._out = out
        self._pace = pace
        self._live = out.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.colour = self._live and not os.environ.get("NO_COLOR")
        self._drawn = 0
        self._next = _EVERY[self._live]

    @property
    def width(self) -> int:
        """Columns there are to draw on."""
        return shutil.get_terminal_size().columns - 1 if self._live else _PLAIN_WIDTH

    def due(self, passed_seconds: float) -> bool:
        """Return whether it is time for a picture, *passed_seconds* of real time into the demo."""
        if passed_seconds < self._next:
            return False
        self._next = passed_seconds + _EVERY[self._live]
        return True

    def show(self, clusters: list[dict[str, Any]], ledger: Ledger, pending: int) -> None:
        """Draw the state of things."""
        size = shutil.get_terminal_size()
        rows = max(3, size.lines - _ROOM) if self._live else _PLAIN_ROWS
        lines = self.table(clusters, rows)
        lines += ["", table.cut(self._totals(ledger, pending), self.width)]
        if self._live:
            # Up over the last picture, each line written over, the rest below cleared.
            up = f"\x1b[{self._drawn}F" if self._drawn else ""
            self._out.write(up + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")
            self._drawn = len(lines)
        else:
            self._out.write("\n".join([*lines, "", ""]))
        self._out.flush()

    def table(
        self, clusters: list[dict[str, Any]], rows: int, last: table.Column | None = None
    ) -> list[str]:
        """Return *clusters* as lines; *last* as in `table.columns`."""
        shape = table.columns(self._pace.opened, last)
        return table.draw(clusters, shape, width=self.width, rows=rows, colour=self.colour)

    def _totals(self, ledger: Ledger, pending: int) -> str:
        gone = table.clock(min(DURATION, self._pace.now))
        return (
            f"{gone}/{table.clock(DURATION)}  {ledger.notifications} notifications "
            f"({ledger.alerts} alerts) → {ledger.firings} firings → "
            f"{ledger.clusters} clusters, {pending} pending"
        )
