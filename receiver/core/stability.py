"""How settled assignments are: over the last ones, how many opened a cluster, how sure the joins were."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any


class Stability:
    """Figures over a window of the latest assignments."""

    def __init__(self, window: int) -> None:
        """Look back on *window* assignments."""
        self._latest: deque[tuple[int, bool, float]] = deque(maxlen=window)

    def observe(self, episode_id: int, founded: bool, confidence: float) -> None:
        """Take in an episode's assignment: whether it *founded* a cluster, its *confidence*, 0 to 1."""
        latest = self._latest
        if latest and episode_id < latest[-1][0]:
            # Known before by its end. The latest are those of the greatest ids, as a store finds them.
            ordered = sorted([*latest, (episode_id, founded, confidence)])
            latest.clear()
            latest.extend(ordered)
        else:
            latest.append((episode_id, founded, confidence))

    def restore(self, assignments: Iterable[tuple[int, bool, float]]) -> None:
        """Take back the latest *assignments* (episode id, founded, confidence), ascending by id."""
        self._latest.extend(assignments)

    @property
    def ratio(self) -> float | None:
        """1 - new_cluster_rate, 0 to 1; None below a full window."""
        if len(self._latest) < (self._latest.maxlen or 0):
            return None
        return 1.0 - sum(founded for _, founded, _ in self._latest) / len(self._latest)

    def report(self, total_clusters: int) -> dict[str, Any]:
        """Return the figures as the API shows them."""
        base = {"window_size": self._latest.maxlen, "assignments": len(self._latest)}
        ratio = self.ratio
        if ratio is None:
            return {"status": "insufficient_data", "total_clusters": total_clusters, **base}
        confidences = [confidence for *_, confidence in self._latest]
        return {
            "status": "ok",
            "new_cluster_rate": round(1.0 - ratio, 4),
            "avg_assignment_confidence": round(sum(confidences) / len(confidences), 4),
            "stability_score": round(ratio, 4),
            "total_clusters": total_clusters,
            **base,
        }
