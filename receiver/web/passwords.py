"""Whether a password is the one of which the bcrypt hash is known.

A check costs a tenth of a second of a processor, by design. So it runs on a thread of its own, never on the
event loop; its outcome is kept, under a digest that only this process can make and from which no password
can be had; and only so many wait, or strangers could have us compute without end.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from receiver.core.errors import TryLater

_KEPT = 1000
"""Outcomes kept, right and wrong ones apart: who guesses must not drive out who knows."""

_MOST_WAITING = 32
"""Checks at once; a further one is told to come again, some seconds of work being ahead of it."""

_HASH = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_COSTS = range(4, 17)
"""Of bcrypt, powers of two; one of 17 takes a processor some ten seconds."""

_READ_BYTES = 72
"""Of a password; bcrypt knows no more, and Go's reads no more either."""


def is_hash(text: str) -> bool:
    """Whether *text* is a bcrypt hash that can be checked in bearable time."""
    match = _HASH.fullmatch(text)
    return match is not None and int(match[1]) in _COSTS


class Passwords:
    """Checks passwords, and remembers how that came out."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._wrong: OrderedDict[bytes, None] = OrderedDict()
        self._running: dict[bytes, asyncio.Future[bool]] = {}
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    def close(self) -> None:
        """End the thread; what waits is not checked."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def check(self, hashes: Mapping[str, str], user: str, password: str) -> bool:
        """Return whether *password* is that of *user*; *hashes* are by user, at least one.

        Raises:
            TryLater: Too many are being checked.
        """
        known = hashes.get(user)
        # Whether a name is a user's is not to be told from how long the answer takes: one that is none
        # costs as much, waits in the same line, and is remembered for itself alone.
        work = _work(known, max(map(_cost, hashes.values())))
        digest = self._digest(user, known or "", password)
        for kept, outcome in ((self._right, True), (self._wrong, False)):
            if digest in kept:
                kept.move_to_end(digest)
                return outcome
        running = self._running.get(digest)
        if running is None:
            running = self._begin(digest, password, work)
        # Shared by all that ask the same at once, of whom any may go away.
        return await asyncio.shield(running)

    def _begin(self, digest: bytes, password: str, work: Sequence[str]) -> asyncio.Future[bool]:
        if len(self._running) >= _MOST_WAITING:
            raise TryLater("too many passwords are being checked")
        running = asyncio.get_running_loop().run_in_executor(
            self._thread, _is_right_first, password, work
        )
        self._running[digest] = running

        def done(future: asyncio.Future[bool]) -> None:
            del self._running[digest]
            if not future.cancelled() and future.exception() is None:
                self._keep(self._right if future.result() else self._wrong, digest)

        running.add_done_callback(done)
        return running

    @staticmethod
    def _keep(kept: OrderedDict[bytes, None], digest: bytes) -> None:
        kept[digest] = None
        if len(kept) > _KEPT:
            kept.popitem(last=False)

    def _digest(self, *parts: str) -> bytes:
        made = hashlib.blake2b(key=self._key)
        for part in parts:
            told = part.encode(errors="surrogateescape")
            made.update(len(told).to_bytes(8, "big") + told)
        return made.digest()


def _cost(hashed: str) -> int:
    """Return the cost of the bcrypt hash *hashed*: the logarithm of its rounds, to base 2."""
    return int(hashed.split("$")[2])


def _work(known: str | None, most: int) -> list[str]:
    """Return hashes to check a password against, *known* first; what they cost is 2^*most* in any case.

    2^c + (2^c + 2^(c+1) + … + 2^(most-1)) = 2^most.
    """
    if known is None:
        return [_nobodys(most)]
    return [known, *map(_nobodys, range(_cost(known), most))]


def _nobodys(cost: int) -> str:
    """Return a hash of that *cost* that no password has: all its bits are 0."""
    return f"$2b${cost:02}${'.' * 53}"


def _is_right_first(password: str, work: Sequence[str]) -> bool:
    """Whether *password* is that of the first of *work*; it is checked against all of them."""
    outcomes = [_is_right(password, each) for each in work]
    return outcomes[0]


def _is_right(password: str, against: str) -> bool:
    told = password.encode(errors="surrogateescape")[:_READ_BYTES]
    try:
        return bcrypt.checkpw(told, against.encode())
    except ValueError:
        # It has a byte that bcrypt takes none of.
        return False
