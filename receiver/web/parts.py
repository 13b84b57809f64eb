"""What the edge needs of the other parts; they are handed in and not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from receiver.core.clusters import Cluster
from receiver.core.engine import Engine
from receiver.core.evolution import Event
from receiver.core.frames import Sink
from receiver.core.intake import Embed
from receiver.core.payload import Notification
from receiver.core.query import AlertQuery
from receiver.core.requests import Request

T = TypeVar("T")


class Intake(Protocol):
    """Commits bodies."""

    async def commit(
        self,
        body: bytes,
        alerts: int,
        gone: Callable[[], bool],
        *,
        said: Notification | None = None,
    ) -> None:
        """Return when *body*, which holds *alerts* alerts, is committed, or raise TryLater.

        *said* is what it says, if it says that whenever it is committed.
        """
        ...


class Room(Protocol):
    """Bytes of bodies that may be in memory at once."""

    async def take(self, size: int) -> None:
        """Take *size* bytes, or raise TryLater."""
        ...

    def give_back(self, size: int) -> None:
        """Give back *size* bytes."""
        ...


class Worker(Protocol):
    """Has the engine."""

    @property
    def restored(self) -> bool:
        """Whether the state is restored."""
        ...

    @property
    def stats(self) -> Mapping[str, Any] | None:
        """Figures as of the last commit; None before the first."""
        ...

    @property
    def storage(self) -> Mapping[str, Any]:
        """The cap of the database, and whether it can be held."""
        ...

    def ask(self, question: Callable[[Engine, Embed], T], about: str = "") -> Future[T]:
        """Have *question* asked of the engine between two batches; it must change nothing.

        Args:
            question: Given the engine, and what embeds.
            about: Fingerprint of the alert that it asks about, whose past the engine has to know.
        """
        ...

    def command(self, request: Request, by: str) -> Future[dict[str, Any]]:
        """Have done what an operator, known as *by*, asks for.

        What came of it, or NotFound, Conflict, SenderError.
        """
        ...


class Feed(Protocol):
    """Tells clients what happens."""

    def check_room(self) -> None:
        """Raise TryLater if no further client can be taken."""
        ...

    async def subscribe(self, sink: Sink, after: int | None, epoch: str) -> None:
        """Have *sink* told what is, or what it missed since *after*, and from then on all."""
        ...

    def unsubscribe(self, sink: Sink) -> None:
        """Tell *sink* nothing any more."""
        ...


class Queries(Protocol):
    """Reads what is kept."""

    def clusters(
        self, *, state: str, severity: str, text: str, limit: int, cursor: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return clusters, live first, and the cursor to go on from."""
        ...

    def cluster(self, cluster_id: int) -> dict[str, Any]:
        """Return one cluster with its members, or raise NotFound."""
        ...

    def whole(self, cluster_id: int, field: str = "id") -> Cluster:
        """Return one cluster as it is kept, or the one it was merged into, or raise NotFound of *field*."""
        ...

    def alerts_of_texts(self, texts: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
        """Return the latest alert that had each of *texts* (id, similarity), in that order."""
        ...

    def alerts(
        self, query: AlertQuery, *, limit: int, cursor: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return episodes, newest first, and the cursor to go on from."""
        ...

    def alert(self, fingerprint: str) -> dict[str, Any]:
        """Return one alert with its episodes and why it is where it is, or raise NotFound."""
        ...

    def storms(self, *, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str | None]:
        """Return storms, newest first, and the cursor to go on from."""
        ...

    def events(
        self,
        *,
        after: int,
        start: int | None,
        end: int | None,
        limit: int,
        types: Sequence[str] = (),
    ) -> tuple[list[Event], str | None]:
        """Return events of *types* (all without), ascending, and the seq to go on from."""
        ...

    def timeline(self, *, start: int, end: int, step: int, limit: int) -> dict[str, Any]:
        """Return what a picture of *start* to *end* needs, in buckets of *step* nanoseconds."""
        ...

    def ledger(self) -> dict[str, int]:
        """Return how many notifications became how many alerts, episodes and clusters."""
        ...

    def first_seq(self) -> int:
        """Return the seq of the first event that is kept; 1 if there is none yet."""
        ...

    def storage(self) -> dict[str, Any]:
        """Return how much room the database takes, and from when on its history is whole."""
        ...

    def vectors(self, now: int, old_days: int) -> dict[str, Any]:
        """Return how long ago the vectors held at *now*, nanoseconds, were used, and how many are old."""
        ...


class Metrics(Protocol):
    """Counts requests, and shows all metrics."""

    def answered(self, code: str, seconds: float) -> None:
        """Count a webhook answered with *code* after *seconds*."""
        ...

    def cut(self) -> None:
        """Count a notification from which the sender cut alerts."""
        ...

    def refused(self, status: int) -> None:
        """Count a request that was answered *status* for who asked."""
        ...

    def failed(self) -> None:
        """Count a request that was answered 500."""
        ...

    def render(self) -> bytes:
        """Return the exposition."""
        ...
