"""Who may do what: roles, the tokens that give them, tickets for sockets, and from where one may ask.

As long as no token is configured everybody has every role; the settings refuse that where others
than this machine can reach us. With a token for one role, a role without any is nobody's, unless the
settings name it as open to all.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from receiver.config import WebSettings, is_loopback, split_address
from receiver.core.errors import Forbidden, TryLater, Unauthorized
from receiver.core.settings import ConfigError

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
"""How often a file of tokens is looked at: a new token counts within a second, without a restart."""

_LEAST_LENGTH = 16
"""Characters of a token; a shorter one can be guessed."""

_TICKET_SECONDS = 30.0
_MAX_TICKETS = 10_000


class Role(StrEnum):
    """What one may do."""

    WEBHOOK = "webhook"
    READ = "read"
    OPERATOR = "operator"


_INCLUDES = {
    Role.WEBHOOK: {Role.WEBHOOK},
    Role.READ: {Role.READ},
    Role.OPERATOR: {Role.OPERATOR, Role.READ},
}


class TokenFile:
    """A file with a token on each line; several are good at once, so that they can be rotated."""

    def __init__(self, path: Path) -> None:
        """Read the file at *path*.

        Raises:
            ConfigError: It cannot be read, or has something that is no token.
        """
        self._path = path
        self._digests: list[bytes] = []
        self._stamp: object = None
        self._looked_at = 0.0
        try:
            self._stamp = self._stat()
            self._digests = self._read()
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error

    def _stat(self) -> object:
        told = self._path.stat()
        return told.st_mtime_ns, told.st_size, told.st_ino

    def _read(self) -> list[bytes]:
        digests = []
        text = self._path.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            token = line.strip()
            if not token or token.startswith("#"):
                continue
            if len(token) < _LEAST_LENGTH or not token.isascii() or not token.isprintable():
                raise ConfigError(
                    f"{self._path}, line {number}: expected a token of at least {_LEAST_LENGTH}"
                    " printable ASCII characters"
                )
            digests.append(_digest(token))
        if not digests:
            raise ConfigError(f"{self._path}: expected a token, one on each line")
        return digests

    def digests(self, now: float) -> list[bytes]:
        """Return the digests of its tokens, read again if it has changed; *now* in seconds."""
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            self._look()
        return self._digests

    def _look(self) -> None:
        """Read it again if it has changed. A file that is gone has no tokens; a bad one, the old."""
        try:
            stamp = self._stat()
            if stamp != self._stamp:
                self._stamp = stamp
                self._digests = self._read()
                log.info("tokens were read again", extra={"file": str(self._path)})
        except FileNotFoundError:
            if self._digests:
                log.error("a file of tokens is gone", extra={"file": str(self._path)})  # noqa: TRY400
            self._stamp, self._digests = None, []
        except (OSError, ConfigError) as error:
            log.error(  # noqa: TRY400 - said in a line
                "a file of tokens cannot be used, the old ones stay", extra={"err": str(error)}
            )


class Access:
    """Decides whether a request may be answered."""

    def __init__(self, settings: WebSettings, seconds: Callable[[], float]) -> None:
        """Read all tokens.

        Args:
            settings: Where tokens are, and what is open to all.
            seconds: A clock for durations.

        Raises:
            ConfigError: A file of tokens cannot be used.
        """
        self._seconds = seconds
        self._files = {
            Role.WEBHOOK: _files(settings.webhook_token_files),
            Role.READ: _files(settings.read_token_files),
            Role.OPERATOR: _files(settings.operator_token_files),
        }
        self._has_tokens = any(self._files.values())
        guarded = self._has_tokens or bool(settings.anonymous_roles)
        open_roles = settings.anonymous_roles if guarded else tuple(Role)
        self._anonymous = frozenset(r for name in open_roles for r in _INCLUDES[Role(name)])
        self._origins = {origin.lower() for origin in settings.allowed_origins}
        if settings.external_url:
            self._origins.add(_origin_of(settings.external_url))
        self._hosts = {urlsplit(origin).hostname for origin in self._origins}
        host, _ = split_address(settings.listen_address)
        self._only_local = is_loopback(host) and Role.READ in self._anonymous
        self._tickets: dict[str, float] = {}

    # -- tokens ----------------------------------------------------------------------------------

    def roles(self, request: web.Request) -> frozenset[Role]:
        """Return what *request* may do.

        Raises:
            Unauthorized: It has a token that is none of ours.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not self._has_tokens or not token:
            return self._anonymous
        if scheme.lower() != "bearer":
            raise Unauthorized("Authorization: expected Bearer and a token", field="Authorization")
        given, now = _digest(token.strip()), self._seconds()
        found = set(self._anonymous)
        for role, files in self._files.items():
            # All are compared, whichever matches: how long it takes tells nothing.
            matches = [
                hmac.compare_digest(given, known) for file in files for known in file.digests(now)
            ]
            if any(matches):
                found |= _INCLUDES[role]
        if found == self._anonymous:
            raise Unauthorized("Authorization: this token is not known", field="Authorization")
        return frozenset(found)

    def check(self, request: web.Request, role: Role | None, *, ticket: str = "") -> None:
        """Return if *request* may do what *role* (None: anybody) may.

        Raises:
            Unauthorized: A token is needed, or it is wrong.
            Forbidden: It gives another role, or the request comes from a strange page.
        """
        if role is not Role.WEBHOOK:
            self._check_host(request)
        if request.method not in ("GET", "HEAD") or _is_upgrade(request):
            self._check_origin(request)
        if role is None or (ticket and self._redeem(ticket, role)):
            return
        roles = self.roles(request)
        if role in roles:
            return
        if roles != self._anonymous:
            raise Forbidden(f"this token does not give the role {role.value}")
        if not any(self._files[r] for r in Role if role in _INCLUDES[r]):
            raise Unauthorized(
                f"no token gives the role {role.value}: configure one, or name the role in"
                " web.anonymous_roles",
                field="Authorization",
            )
        raise Unauthorized(f"a token with the role {role.value} is needed", field="Authorization")

    # -- places ----------------------------------------------------------------------------------

    def _check_origin(self, request: web.Request) -> None:
        """Refuse what a browser sends for a page that is not ours: it would use our visitor's reach."""
        origin = request.headers.get("Origin")
        if origin is None:
            return
        told = origin.lower()
        if told not in self._origins and told.partition("://")[2] != request.host.lower():
            raise Forbidden(
                f"Origin: got {ascii(origin)[:100]}, expected this server's own, or one of"
                " web.allowed_origins",
                field="Origin",
            )

    def _check_host(self, request: web.Request) -> None:
        """Refuse a name that is not this machine's, where only this machine is trusted.

        A page of a stranger may have its own name resolve to 127.0.0.1 and would read all we have.
        """
        if not self._only_local:
            return
        name = _host_of(request.host)
        if not is_loopback(name) and name not in self._hosts:
            raise Forbidden(
                f"Host: got {ascii(request.host)[:100]}, expected this machine's, or that of"
                " web.external_url",
                field="Host",
            )

    # -- tickets ---------------------------------------------------------------------------------

    def issue_ticket(self) -> tuple[str, float]:
        """Return a ticket that admits one reader once, and for how many seconds.

        A browser's socket cannot send a header, and what stands in an address is written to logs:
        so what stands there is good once, and for moments.

        Raises:
            TryLater: Too many are out.
        """
        now = self._seconds()
        self._tickets = {ticket: until for ticket, until in self._tickets.items() if until > now}
        if len(self._tickets) >= _MAX_TICKETS:
            raise TryLater("too many tickets are out")
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = now + _TICKET_SECONDS
        return ticket, _TICKET_SECONDS

    def _redeem(self, ticket: str, role: Role) -> bool:
        until = self._tickets.pop(ticket, None)
        if until is None or until < self._seconds():
            raise Unauthorized("ticket: it is not known, was used, or is too old", field="ticket")
        return role is Role.READ


def _files(paths: Sequence[str]) -> list[TokenFile]:
    return [TokenFile(Path(path)) for path in paths]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _host_of(address: str) -> str:
    try:
        return urlsplit(f"//{address}").hostname or address
    except ValueError:
        return address


def _is_upgrade(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"
