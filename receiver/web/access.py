"""Who may do what: roles, the tokens and users that have them, and from where one may ask.

As long as neither tokens nor users are configured everybody has every role; the settings refuse that
where others than this machine can reach us. With a token for one role, a role without any is nobody's,
unless the settings name it as open to all.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from aiohttp import web

from receiver.config import WebSettings, is_loopback, open_door, split_address
from receiver.core.errors import Forbidden, TryLater, Unauthorized
from receiver.core.settings import ConfigError
from receiver.web import tls
from receiver.web.credentials import Credential
from receiver.web.origins import Origins, host_of
from receiver.web.passwords import Passwords
from receiver.web.tickets import Tickets
from receiver.web.tokens import TokenFile, digest_of, short_names
from receiver.web.webconfig import WebFile


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
        self._files = _files(
            {
                Role.WEBHOOK: settings.webhook_token_files,
                Role.READ: settings.read_token_files,
                Role.OPERATOR: settings.operator_token_files,
            }
        )
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
        self._origins = Origins(
            settings.external_url,
            settings.allowed_origins,
            encrypted=file.now.tls is not None,
        )
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

    def look(self) -> None:
        """Have all files looked at: what cannot be used is told of also while nobody asks."""
        self._file.look()
        now = self._seconds()
        for files in self._files.values():
            for file in files:
                file.look(now)

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

    async def identify(self, request: web.Request) -> Credential:
        """Return by what who sent *request* is known; nothing if it brings nothing.

        Raises:
            Unauthorized: It has something that is neither token nor password, or not this password.
            TryLater: Too many passwords are being checked.
        """
        trust = tls.trust_of(request.transport)
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        has_users = self._file.has_users
        if not told.strip() or not (self._has_tokens or has_users):
            return Credential(trust=trust, name=tls.name_of(request.transport))
        if scheme.lower() == "bearer" and self._has_tokens:
            token = digest_of(told.strip())
            return Credential(token=token, trust=trust, name=self._name_of_token(token))
        if scheme.lower() == "basic" and has_users:
            user, known = await self._user(told.strip())
            return Credential(user=user, hash=known, trust=trust, name=user)
        kinds = ["Bearer and a token"] * self._has_tokens + ["Basic"] * has_users
        raise Unauthorized(f"Authorization: expected {' or '.join(kinds)}", field="Authorization")

    def _name_of_token(self, digest: bytes) -> str:
        now = self._seconds()
        every = (file for files in self._files.values() for file in files)
        return next(filter(None, (file.name(digest, now) for file in every)), "")

    async def _user(self, told: str) -> tuple[str, str]:
        """Return the user that *told* names, and the hash of the password that it has."""
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
            raise _unknown_user()
        return user, hashes[user]

    def roles(self, credential: Credential) -> frozenset[Role]:
        """Return what who shows *credential* may do now.

        Raises:
            Unauthorized: It has a token or a password that is none of ours.
            TryLater: Other certificates are wanted than when its connection was made.
        """
        if credential.trust != self._file.trust:
            # 503, as Alertmanager comes again after that, and its client by a connection of its own.
            raise TryLater(
                "the CA of clients' certificates is another than when this connection was made:"
                " connect anew"
            )
        found: frozenset[Role] = frozenset()
        if credential.token:
            found = self._of_token(credential.token)
        elif credential.user:
            found = self._of_user(credential)
        return found | self._anonymous

    def _of_token(self, given: bytes) -> frozenset[Role]:
        now = self._seconds()
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

    def _of_user(self, credential: Credential) -> frozenset[Role]:
        user = credential.user
        if self._file.now.users.get(user) != credential.hash:
            raise _unknown_user()
        if not any(self._users.values()):
            # As with the other programs that read such a file: who is let in may do everything.
            return frozenset(Role)
        return _included([role for role, users in self._users.items() if user in users])

    def admits(self, credential: Credential, role: Role) -> bool:
        """Whether who showed *credential* once still has *role*."""
        try:
            return role in self.roles(credential)
        except (Unauthorized, TryLater):
            return False

    def trusts(self, request: web.Request) -> bool:
        """Whether the connection of *request* was made with the certificates that are wanted now."""
        return tls.trust_of(request.transport) == self._file.trust

    async def check(
        self, request: web.Request, role: Role | None, *, ticket: str = ""
    ) -> Credential:
        """Return by what who sent *request* is known, if it may do what *role* (None: anybody) may.

        Raises:
            Unauthorized: Credentials are needed, or they are wrong.
            Forbidden: They give another role, or the request comes from a strange page.
            TryLater: Too many passwords are being checked, or it has to connect anew.
        """
        if role is not Role.WEBHOOK or "Origin" in request.headers:
            # Alertmanager may know us by any name, and sends no Origin; a browser's post has one.
            self._check_host(request, role or Role.READ)
        if request.method not in ("GET", "HEAD") or _is_upgrade(request):
            self._check_origin(request)
        if role is None:
            return Credential()
        if ticket:
            return self._redeem(ticket, role, request)
        credential = await self.identify(request)
        roles = self.roles(credential)
        if role in roles:
            return credential
        if roles != self._anonymous or credential.user:
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

    def _redeem(self, ticket: str, role: Role, request: web.Request) -> Credential:
        """Return by what who asked for *ticket* is known; the connection is that of *request*."""
        credential = self._tickets.redeem(ticket)
        if not self.admits(credential, role):
            raise Unauthorized(
                f"ticket: who asked for it does not have the role {role.value} any more",
                field="ticket",
            )
        return dataclasses.replace(credential, trust=tls.trust_of(request.transport))

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
        if not self._origins.admit(origin, request.host):
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
        name, _ = host_of(request.host)
        external = self._origins.external
        if not is_loopback(name) and not (external is not None and name == external.host):
            raise Forbidden(
                f"Host: got {ascii(request.host)[:100]}, expected this machine's, or that of"
                " web.external_url",
                field="Host",
            )


def _files(given: Mapping[Role, Sequence[str]]) -> dict[Role, list[TokenFile]]:
    paths = {role: [Path(path) for path in told] for role, told in given.items()}
    names = short_names(path for each in paths.values() for path in each)
    return {role: [_file(role, path, names[path]) for path in each] for role, each in paths.items()}


def _file(role: Role, path: Path, name: str) -> TokenFile:
    try:
        return TokenFile(path, name)
    except ConfigError as error:
        raise ConfigError(f"web.{role.value}_token_files: {error}") from None


def _unknown_user() -> Unauthorized:
    return Unauthorized(
        "Authorization: this user is not known, or not this password", field="Authorization"
    )


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


def _is_upgrade(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"
