"""Which texts keep their vectors when there is no more room: those used last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from receiver.core.settings import setting


@dataclass(frozen=True)
class MemorySettings:
    """How much is held in memory."""

    max_vectors: int = setting(
        50_000, "Most texts whose vectors are held.", unit="vectors", low=100
    )
    max_past_clusters: int = setting(
        # 43 MiB (benchmarks/recurrence.py --cost); at 50 clusters a day three months.
        5_000,
        "Most clusters that are over and are still recognised when they recur.",
        unit="clusters",
        low=1,
        high=100_000,
    )
    max_alert_names: int = setting(
        # A site has as many as it has rules: some hundreds, or thousands.
        10_000,
        "Most alert names of which it is remembered when they were seen.",
        unit="names",
        low=10,
    )
    max_companions: int = setting(
        # Some 2 kB each with all its companions.
        10_000,
        "Most texts of which is remembered which others begin with them.",
        unit="texts",
        low=100,
    )
    max_label_values: int = setting(
        100_000, "Most label values whose frequency is remembered.", unit="values", low=100
    )


class UseOrder:
    """Texts in the order of their last use."""

    def __init__(self) -> None:
        """Start with none."""
        self._order: OrderedDict[int, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._order)

    def used(self, key: int) -> None:
        """Make *key* the one used last."""
        self._order[key] = None
        self._order.move_to_end(key)

    def evict(self, limit: int, kept: Callable[[int], bool]) -> list[int]:
        """Forget the longest unused until *limit* are left; return them. Those *kept* stay."""
        gone: list[int] = []
        excess = len(self._order) - limit
        if excess > 0:
            for key in self._order:
                if len(gone) == excess:
                    break
                if not kept(key):
                    gone.append(key)
            for key in gone:
                del self._order[key]
        return gone
