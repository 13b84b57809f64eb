"""Which texts the clusters hold that are live and take no more members."""

from __future__ import annotations

from collections.abc import Iterable


class TextHolders:
    """Texts by the clusters that hold them; a text is in it as long as one does."""

    def __init__(self) -> None:
        """Start with none."""
        self._texts: dict[int, tuple[int, ...]] = {}
        self._holders: dict[int, int] = {}

    def __contains__(self, text_id: int) -> bool:
        return text_id in self._holders

    def put(self, cluster_id: int, text_ids: Iterable[int]) -> None:
        """Let *cluster_id* hold *text_ids*, and no others."""
        self.drop(cluster_id)
        self._texts[cluster_id] = held = tuple(text_ids)
        for text_id in held:
            self._holders[text_id] = self._holders.get(text_id, 0) + 1

    def drop(self, cluster_id: int) -> None:
        """Let *cluster_id* hold none."""
        for text_id in self._texts.pop(cluster_id, ()):
            self._holders[text_id] -= 1
            if not self._holders[text_id]:
                del self._holders[text_id]
