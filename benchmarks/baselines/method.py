"""What every baseline is: firing alerts in, in the order of arrival, a cluster for each out.

A method sees what the receiver sees and never the truth. One that is online yields the cluster of an
alert before it takes the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks.measures import Grouping
from benchmarks.streams import Row
from receiver.core.model import Vector


@dataclass(frozen=True, slots=True)
class Arrived:
    """A firing alert.

    Attributes:
        at: When it arrived, unix seconds.
        labels: All of them.
        text: Name, summary and description as they are.
        vector: Of the text, shape (dims,), unit length.
    """

    at: float
    labels: Mapping[str, str]
    text: str
    vector: Vector


@dataclass(frozen=True, slots=True)
class Method:
    """A way to group.

    Attributes:
        name: In the table, and for --only.
        group: Yields the cluster of each alert in turn.
        slow: Left out by --fast.
        hindsight: It reads the whole stream before it says anything.
        needs: Package that it imports, beyond what the project itself needs; empty for none.
    """

    name: str
    group: Callable[[Sequence[Arrived]], Iterable[int]]
    slow: bool = False
    hindsight: bool = False
    needs: str = ""

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return not self.needs or find_spec(self.needs) is not None

    def run(self, alerts: Sequence[Arrived]) -> Grouping:
        """Group *alerts* and note the time each took; in hindsight, an equal share of the whole."""
        clusters, seconds = [], []
        started = time.perf_counter()
        for cluster in self.group(alerts):
            ended = time.perf_counter()
            clusters.append(cluster)
            seconds.append(ended - started)
            started = time.perf_counter()
        if self.hindsight:
            seconds = [sum(seconds) / len(seconds)] * len(seconds)
        return Grouping(clusters, clusters, seconds)


def text_of(row: Row) -> str:
    """Return what the baselines embed of *row*: name, summary and description, nothing masked."""
    labels, annotations = row["labels"], row["annotations"]
    parts = (labels.get("alertname"), annotations.get("summary"), annotations.get("description"))
    return ". ".join(part for part in parts if part) or "alert"
