"""Who was let in and stays: streams that are open, each with by what its client is known.

A request is checked once; what goes on after it is looked at again, or a token that is taken back would
be good for as long as its stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator

from receiver.web.credentials import Credential
from receiver.web.watched import LOOK_SECONDS

log = logging.getLogger(__name__)


class Sessions:
    """Those that are open."""

    def __init__(self, admits: Callable[[Credential], bool], look: Callable[[], None]) -> None:
        """Ask *admits* whether a credential is still good; *look* has files looked at that say so."""
        self._admits = admits
        self._look = look
        self._open: dict[Callable[[], None], Credential] = {}

    @contextlib.contextmanager
    def open(self, credential: Credential, end: Callable[[], None]) -> Iterator[None]:
        """Have *end*, which must not block, called if *credential* is no longer good meanwhile."""
        self._open[end] = credential
        try:
            yield
        finally:
            self._open.pop(end, None)

    def review(self) -> None:
        """End those of which the credential is good no more."""
        # Many share one: each is looked at once.
        refused = {each for each in set(self._open.values()) if not self._admits(each)}
        ends = [end for end, credential in self._open.items() if credential in refused]
        for end in ends:
            del self._open[end]
            end()
        if ends:
            log.warning(
                "streams were ended, their access was taken back", extra={"count": len(ends)}
            )

    async def watch(self) -> None:
        """Review for ever: files change without anybody being told."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                # Also with no session open: a file that cannot be used must not go unmentioned.
                self._look()
                self.review()
            except Exception:
                # Were it to end here, nothing would be taken back any more.
                log.exception("streams could not be reviewed")
