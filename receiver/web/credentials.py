"""By what a client is known, kept for as long as it is connected or its ticket is out.

What a secret can be had from never enters it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Credential:
    """What a client has shown; with nothing of it, it is anybody.

    Attributes:
        token: Digest of its token; empty without one.
        user: Its name; empty without one.
        hash: The bcrypt hash that its password was checked against: with another it has to be shown anew.
        trust: Whose certificates were wanted when its connection was made, as `tls.Context.trust`.
        name: By what people know it, for the log: a user, a file of tokens and the line in it, or a
            certificate; empty for anybody.
    """

    token: bytes = field(default=b"", repr=False)
    user: str = ""
    hash: str = field(default="", repr=False)
    trust: bytes = field(default=b"", repr=False)
    name: str = field(default="", compare=False)


CREDENTIAL = web.RequestKey("credential", Credential)
"""Of a request that was let in."""
