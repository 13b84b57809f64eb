"""Hand-written stand-ins, each saying what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.errors import EmbeddingError
from receiver.core.frames import Frame, Reason
from receiver.embedding.hashing import HashingEmbedder


class FailingEmbedder(HashingEmbedder):
    """Hashes texts, and fails where *fails* says so; leaves out any meaning of texts."""

    def __init__(self, fails: Callable[[Sequence[str]], bool]) -> None:
        super().__init__()
        self.fails = fails
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        if self.fails(texts):
            raise EmbeddingError("made to fail")
        return super().embed(texts)


class Clock:
    """A clock that stands still until it is moved; leaves out that time passes by itself."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class MemorySink:
    """A client of the feed that keeps its frames, read; leaves out any transport.

    Attributes:
        frames: What it was sent.
        bytes_waiting: What it says it has not read.
        cuts: Why it was let go.
    """

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.sent: list[Frame] = []
        self.bytes_waiting = 0
        self.cuts: list[Reason] = []

    def send(self, frame: Frame) -> None:
        self.sent.append(frame)
        self.frames.append(json.loads(frame.text))

    def waiting(self) -> int:
        return self.bytes_waiting

    def cut(self, reason: Reason) -> None:
        self.cuts.append(reason)

    def seqs(self) -> list[int]:
        """Return the seqs of all events it was sent, in order."""
        return [e["seq"] for f in self.frames if f["type"] == "events" for e in f["events"]]
