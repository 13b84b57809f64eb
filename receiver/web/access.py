"""Who may do what: roles, the tokens and users that have them, and from where one may ask.

As long as neither tokens nor users are configured everybody has every role; the settings refuse that
where others than this machine can reach us. With a token for one role, a role without any is nobody's,
unless the settings name it as open to all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from receiver.config import WebSettings, is_loopback, open_door, split_address
from receiver.core.errors import Forbidden, Unauthorized
from receiver.core.settings import ConfigError
from receiver.web.passwords import Passwords
from receiver.web.tickets import Tickets
from receiver.web.watched import Watched
from receiver.web.webconfig import WebFile

_LEAST_LENGTH = 16
"""Characters of a token; a shorter one can be guessed."""


class Role(StrEnum):
    """What one may do."""

    WEBHOOK = "webhook"
    READ = "read"
    OPERATOR = "operator"


INCLUDES = {
    Role.WEBHOOK: {Role.WEBHOOK},
    Role.READ: {Role.READ},
    Role.OPERATOR: {Role.OPERATOR, Role.READ},
}
"""What each role may, beside what anybody may."""


class TokenFile:
    """A file with a token on each line; several are good at once, so that they can be rotated."""

    def __init__(self, path: Path) -> None:
        """Read the file at *path*.

        Raises:
            ConfigError: It cannot be read, has something that is no token, or has none: one that loses
                its last token later has taken them all back.
        """
        self._path = path
        self._watched: Watched[list[bytes]] = Watched(
            "tokens", path, lambda: (self._read(), [path]), gone=lambda before: []
        )
        if not self.digests(0.0):
            raise ConfigError(f"{path}: expected a token, one on each line")

    def _read(self) -> list[bytes]:
        digests = []
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be read: {error.strerror}") from error
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
        return digests

    def digests(self, now: float) -> list[bytes]:
        """Return the digests of its tokens, read again if it has changed; *now* in seconds."""
        return self._watched.value(now)


class Access:
    """Decides whether a request may be answered."""

    def __init__(
        self,
        settings: WebSettings,
        seconds: Callable[[], float],
        *,
        file: WebFile,
        passwords: Passwords,
        tickets: Tickets,
    ) -> None:
        """Read all tokens.

        Args:
            settings: Where tokens are, and what is open to all.
            seconds: A clock for durations.
            file: Has the users.
            passwords: Checks theirs.
            tickets: Those that are out.

        Raises:
            ConfigError: A file of tokens cannot be used, a role is given to a user that there is not, or
                nothing guards an address that others can reach.
        """
        self._seconds = seconds
        self._file = file
        self._passwords = passwords
        self._tickets = tickets
        self._files = {
            Role.WEBHOOK: _files(settings.webhook_token_files),
            Role.READ: _files(settings.read_token_files),
            Role.OPERATOR: _files(settings.operator_token_files),
        }
        self._users = {
            Role.WEBHOOK: settings.webhook_users,
            Role.READ: settings.read_users,
            Role.OPERATOR: settings.operator_users,
        }
        _check_users(self._users, file.now.users)
        self._has_tokens = any(self._files.values())
        self._open_roles = _included(settings.anonymous_roles)
        host, _ = split_address(settings.listen_address)
        if not (self._guarded or is_loopback(host)):
            raise open_door(settings)
        self._origins = {origin.lower() for origin in settings.allowed_origins}
        if settings.external_url:
            self._origins.add(_origin_of(settings.external_url))
        self._hosts = {urlsplit(origin).hostname for origin in self._origins}
        self._loopback = is_loopback(host)

    @property
    def _guarded(self) -> bool:
        """Whether the settings say who may come in."""
        return self._has_tokens or bool(self._open_roles) or self._file.guards

    @property
    def _anonymous(self) -> frozenset[Role]:
        """What everybody may."""
        if self._guarded and not self._only_certificates:
            return self._open_roles
        return frozenset(Role)

    @property
    def _only_certificates(self) -> bool:
        """Whether it is the certificate alone by which a client is known."""
        config = self._file.now
        known = config.tls is not None and config.tls.knows_clients
        return known and not (self._has_tokens or self._open_roles or self._file.has_users)

    def check_after(self, before: Access) -> None:
        """Refuse to give anybody what *before* did not, only because the settings say less.

        An emptied file is a slip of the pen, and a running server opens no door for it.

        Raises:
            ConfigError: Everybody would have a role that `web.anonymous_roles` does not name, or every
                user each role.
        """
        opened = self._anonymous - before._anonymous - self._open_roles
        if opened:
            roles = ", ".join(role.value for role in Role if role in opened)
            raise ConfigError(
                "web: got no token, no user and no anonymous_roles any more, which would give everybody"
                f" the roles {roles}: name them in web.anonymous_roles if that is meant, or restart"
            )
        if any(before._users.values()) and not any(self._users.values()) and self._file.has_users:
            raise ConfigError(
                "web: got no lists of users any more, which would give each user every role: name them"
                " in web.operator_users and the like if that is meant, or restart"
            )

    @property
    def challenge(self) -> str:
        """What a client without credentials is told to bring, for `WWW-Authenticate`."""
        basic = 'Basic realm="stormcell", charset="UTF-8"'
        if not self._file.has_users:
            return "Bearer"
        return f"Bearer, {basic}" if self._has_tokens else basic

    # -- credentials -----------------------------------------------------------------------------

    async def roles(self, request: web.Request) -> frozenset[Role]:
        """Return what *request* may do.

        Raises:
            Unauthorized: It has a token or a password that is none of ours.
            TryLater: Too many passwords are being checked.
        """
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        has_users = self._file.has_users
        if not told.strip() or not (self._has_tokens or has_users):
            return self._anonymous
        if scheme.lower() == "bearer" and self._has_tokens:
            found = self._of_token(told.strip())
        elif scheme.lower() == "basic" and has_users:
            found = await self._of_user(told.strip())
        else:
            kinds = ["Bearer and a token"] * self._has_tokens + ["Basic"] * has_users
            raise Unauthorized(
                f"Authorization: expected {' or '.join(kinds)}", field="Authorization"
            )
        return found | self._anonymous

    def _of_token(self, token: str) -> frozenset[Role]:
        given, now = _digest(token), self._seconds()
        found: set[Role] = set()
        for role, files in self._files.items():
            # All are compared, whichever matches: how long it takes tells nothing.
            matches = [
                hmac.compare_digest(given, known) for file in files for known in file.digests(now)
            ]
            if any(matches):
                found |= INCLUDES[role]
        if not found:
            raise Unauthorized("Authorization: this token is not known", field="Authorization")
        return frozenset(found)

    async def _of_user(self, told: str) -> frozenset[Role]:
        try:
            user, colon, password = base64.b64decode(told, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            user, colon, password = "", "", ""
        if not colon:
            raise Unauthorized(
                "Authorization: expected user and password, as RFC 7617 has it",
                field="Authorization",
            )
        hashes = self._file.now.users
        if not hashes or not await self._passwords.check(hashes, user, password):
            raise Unauthorized(
                "Authorization: this user is not known, or not this password", field="Authorization"
            )
        if not any(self._users.values()):
            # As with the other programs that read such a file: who is let in may do everything.
            return frozenset(Role)
        return _included([role for role, users in self._users.items() if user in users])

    async def check(self, request: web.Request, role: Role | None, *, ticket: str = "") -> None:
        """Return if *request* may do what *role* (None: anybody) may.

        Raises:
            Unauthorized: Credentials are needed, or they are wrong.
            Forbidden: They give another role, or the request comes from a strange page.
            TryLater: Too many passwords are being checked.
        """
        if role is not Role.WEBHOOK or "Origin" in request.headers:
            # Alertmanager may know us by any name, and sends no Origin; a browser's post has one.
            self._check_host(request, role or Role.READ)
        if request.method not in ("GET", "HEAD") or _is_upgrade(request):
            self._check_origin(request)
        if role is None:
            return
        if ticket:
            self._tickets.redeem(ticket)
            if role is Role.READ:
                return
        roles = await self.roles(request)
        if role in roles:
            return
        if roles != self._anonymous or self._is_known_user(request):
            raise Forbidden(f"this token or user does not have the role {role.value}")
        if not self._is_given(role):
            raise Unauthorized(
                f"no token and no user has the role {role.value}: configure one, or name the role in"
                " web.anonymous_roles",
                field="Authorization",
            )
        raise Unauthorized(
            f"a token or a user with the role {role.value} is needed", field="Authorization"
        )

    def _is_known_user(self, request: web.Request) -> bool:
        """Whether *request*, of which the credentials are good, comes from a user."""
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        return scheme.lower() == "basic" and self._file.has_users

    def _is_given(self, role: Role) -> bool:
        """Whether anything gives *role*."""
        if self._file.has_users and not any(self._users.values()):
            return True
        givers = [r for r in Role if role in INCLUDES[r]]
        return any(self._files[r] or self._users[r] for r in givers)

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

    def _check_host(self, request: web.Request, role: Role) -> None:
        """Refuse a name that is not this machine's, where only this machine is trusted.

        A page of a stranger may have its own name resolve to 127.0.0.1 and would do all that *role* may.
        """
        if not (self._loopback and role in self._anonymous):
            return
        name = _host_of(request.host)
        if not is_loopback(name) and name not in self._hosts:
            raise Forbidden(
                f"Host: got {ascii(request.host)[:100]}, expected this machine's, or that of"
                " web.external_url",
                field="Host",
            )


def _files(paths: Sequence[str]) -> list[TokenFile]:
    return [TokenFile(Path(path)) for path in paths]


def _included(roles: Sequence[str]) -> frozenset[Role]:
    """Return *roles*, and what they may beside."""
    return frozenset(included for role in roles for included in INCLUDES[Role(role)])


def _check_users(given: Mapping[Role, Sequence[str]], known: Mapping[str, str]) -> None:
    for role, users in given.items():
        for user in users:
            if user not in known:
                raise ConfigError(
                    f"web.{role.value}_users: got {user!r}, expected a user of basic_auth_users in the"
                    " file of web.config_file"
                )


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
