"""From which pages a browser may send what changes anything: by the `Origin` that it says (RFC 6454).

No answer has a header of CORS, so that no page of another origin reads any; this is about what is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a page; the port is never left out."""

    scheme: str
    host: str
    port: int


def origin_of(text: str) -> Origin | None:
    """Return the origin that *text* is, as a browser or a setting has it; None if it is none of http."""
    parts, port = _split(text)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        return None
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return Origin(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port)


def host_of(address: str) -> tuple[str, int | None]:
    """Return host and port of *address*, a `Host` header; None for a port that is left out."""
    parts, port = _split(f"//{address}")
    return (address if parts is None else parts.hostname or address), port


class Origins:
    """Those that may, as the settings say."""

    def __init__(self, external_url: str, allowed: Iterable[str], *, encrypted: bool) -> None:
        """Take what the settings say.

        Args:
            external_url: Under which address browsers reach this server; empty: they do as they do.
            allowed: Other origins.
            encrypted: Whether this server speaks TLS itself.
        """
        parts = urlsplit(external_url)
        self.external = origin_of(f"{parts.scheme}://{parts.netloc}") if external_url else None
        self._allowed = frozenset(filter(None, map(origin_of, allowed)))
        self._encrypted = encrypted

    def admit(self, told: str, host: str) -> bool:
        """Whether the origin *told* may send what changes anything to *host*, as the headers have them."""
        origin = origin_of(told)
        if origin is None:
            return False
        return origin in self._allowed or origin == self.external or self._is_own(origin, host)

    def _is_own(self, origin: Origin, address: str) -> bool:
        """Whether a page of *origin* came from this server, by *address*.

        Whoever came by the address that browsers are to use has its origin and no other: over plain HTTP
        anybody on the way may have sent the page, and at another port another server.
        """
        host, port = host_of(address)
        external = self.external
        if external is not None and host == external.host and port in (None, external.port):
            return False
        if self._encrypted and origin.scheme != "https":
            return False
        return origin == Origin(
            origin.scheme, host, _PORTS[origin.scheme] if port is None else port
        )


def _split(text: str) -> tuple[SplitResult | None, int | None]:
    """Return the parts of *text*, an address, and its port; nothing for what is no address."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None, None
    return parts, port
