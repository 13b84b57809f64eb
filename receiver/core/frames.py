"""A frame of the live stream, and where one client's frames go: what feed and edge have in common."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol


class Reason(Enum):
    """Why a client is let go."""

    SLOW = "slow"
    CLOSING = "closing"
    REFUSED = "refused"


class Frame:
    """One frame, with the forms in which it is sent; each form is made once for all clients."""

    def __init__(self, text: str) -> None:
        """Hold *text*, JSON."""
        self.text = text.encode()
        self._forms: dict[Callable[[bytes], bytes], bytes] = {}

    def form(self, encode: Callable[[bytes], bytes]) -> bytes:
        """Return the frame as *encode*, the same function for all clients of a kind, makes it."""
        made = self._forms.get(encode)
        if made is None:
            made = self._forms[encode] = encode(self.text)
        return made


class Sink(Protocol):
    """Where one client's frames go. All calls come from the event loop; none may block or raise."""

    def send(self, frame: Frame) -> None:
        """Take *frame*; it may wait here for the client to read."""
        ...

    def waiting(self) -> int:
        """Return the bytes that wait for the client to read."""
        ...

    def cut(self, reason: Reason) -> None:
        """Let go of the client, within a second whatever it does."""
        ...
