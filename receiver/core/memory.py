"""What is held and what is let go: vectors of the texts used last, episodes that may still change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from receiver.core.model import Episode
from receiver.core.settings import setting


@dataclass(frozen=True)
class MemorySettings:
    """How much is held in memory."""

    max_vectors: int = setting(
        50_000, "Most texts whose vectors are held.", unit="vectors", low=100
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


class Resting:
    """Episodes that do not fire, by cluster: they are let go together, when their cluster is over.

    So letting go costs what is let go, and not a walk over all that is held.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._by_cluster: dict[int, list[str]] = {}
        self._loose: list[str] = []

    def add(self, episode: Episode) -> None:
        """Note that *episode* rests; it may fire again."""
        if episode.cluster_id is None:
            self._loose.append(episode.fingerprint)
        else:
            self._by_cluster.setdefault(episode.cluster_id, []).append(episode.fingerprint)

    def add_loose(self, fingerprint: str) -> None:
        """Note that the episode of *fingerprint* may be over already."""
        self._loose.append(fingerprint)

    def cluster_over(self, cluster_id: int) -> None:
        """*cluster_id* is over, and so are those of it that rest."""
        self._loose += self._by_cluster.pop(cluster_id, ())

    def take_over(self) -> list[str]:
        """Return whose episodes may be over, since the last call."""
        taken, self._loose = self._loose, []
        return taken
