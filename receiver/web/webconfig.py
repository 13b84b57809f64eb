"""The file of `--web.config.file`, in the format of Prometheus' exporter-toolkit.

Section by section: `tls_server_config`, `http_server_config`, `basic_auth_users`. What the toolkit has and
this server has not is refused and never passed over: a limit that is written down and does not hold is
worse than none. No error shows what may be a secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from receiver import strict_yaml
from receiver.core.settings import ConfigError, shown
from receiver.strict_yaml import Twice
from receiver.web import tls
from receiver.web.passwords import is_hash
from receiver.web.tls import TlsSettings
from receiver.web.watched import Watched

_NOT_HERE = {
    "rate_limit": "this server bounds bodies, connections and waiting itself (sections intake and feed)",
    "tls_server_config.cert": "give cert_file",
    "tls_server_config.key": "give key_file",
    "tls_server_config.client_ca": "give client_ca_file",
    "tls_server_config.client_allowed_sans": "have a CA of its own sign those who may connect",
    "tls_server_config.curve_preferences": "OpenSSL's order counts",
}
"""What the toolkit knows and this server does not do, and what to do instead."""

_FRAME_OPTIONS = ("deny", "sameorigin")
_HEADERS = (
    "Content-Security-Policy", "Strict-Transport-Security", "X-Content-Type-Options",
    "X-Frame-Options", "X-XSS-Protection",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What the file says.

    Attributes:
        tls: How connections are encrypted; None: not at all.
        users: bcrypt hashes by user.
        headers: Sent with every answer, beside and in place of ours.
    """

    tls: TlsSettings | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def read(path: Path) -> WebConfig:
    """Return what the file at *path* says; paths in it are relative to its folder.

    Raises:
        ConfigError: It cannot be read or used; names the key, what it got unless that may be a secret,
            and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected UTF-8") from None
    try:
        document = strict_yaml.load(text)
    except yaml.MarkedYAMLError as error:
        # The error quotes the line, and what is unknown in it; a hash or a password may stand there.
        line = 0 if error.problem_mark is None else error.problem_mark.line + 1
        known = isinstance(error, yaml.scanner.ScannerError | yaml.parser.ParserError | Twice)
        problem = f": {error.problem}" if known else ""
        raise ConfigError(f"{path}, line {line}: not YAML that can be read{problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{path}: not YAML") from None
    try:
        return _config({} if document is None else document, path.parent)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _config(document: object, folder: Path) -> WebConfig:
    sections = _section(
        "", document, ("tls_server_config", "http_server_config", "basic_auth_users")
    )
    told = sections.get("tls_server_config")
    return WebConfig(
        # As the toolkit has it, a section without anything in it is none.
        tls=_tls(told, folder) if told else None,
        users=_users(sections.get("basic_auth_users")),
        headers=_headers(sections.get("http_server_config")),
    )


def _section(name: str, mapping: object, known: Iterable[str]) -> Mapping[str, Any]:
    """Return *mapping*, the section *name*, in which only keys that are *known* stand."""
    if mapping is None:
        return {}
    if not isinstance(mapping, dict):
        raise ConfigError(f"{name or 'the file'}: expected a section, keys with values")
    for key in mapping:
        full = f"{name}.{key}" if name else str(key)
        if full in _NOT_HERE:
            raise ConfigError(f"{full}: not supported here: {_NOT_HERE[full]}")
        if key not in known:
            expected = "one of " + ", ".join(known)
            raise ConfigError(
                f"{full}: unknown key (its value is not shown, it may be a secret),"
                f" expected {expected}"
            )
    return mapping


def _tls(mapping: object, folder: Path) -> TlsSettings:
    name = "tls_server_config"
    given = _section(name, mapping, TlsSettings.__dataclass_fields__)
    for key in ("cert_file", "key_file"):
        if not isinstance(given.get(key), str) or not given[key]:
            raise ConfigError(
                f"{name}.{key}: got {shown(given.get(key))}, expected the path of a file"
            )
    ca = given.get("client_ca_file") or None
    if not isinstance(ca, str | None):
        raise ConfigError(f"{name}.client_ca_file: got {shown(ca)}, expected the path of a file")
    made = TlsSettings(
        cert_file=folder / given["cert_file"],
        key_file=folder / given["key_file"],
        client_auth_type=_choice(name, given, "client_auth_type", "NoClientCert", tls.CLIENT_AUTH),
        client_ca_file=None if ca is None else folder / ca,
        min_version=_choice(name, given, "min_version", "TLS12", tls.VERSIONS),
        max_version=_choice(name, given, "max_version", "TLS13", tls.VERSIONS),
        cipher_suites=_suites(given.get("cipher_suites")),
        prefer_server_cipher_suites=_flag(name, given, "prefer_server_cipher_suites", True),
    )
    if made.min_version > made.max_version:
        raise ConfigError(
            f"{name}.min_version: got {made.min_version!r}, expected at most max_version,"
            f" {made.max_version}"
        )
    verifies = tls.CLIENT_AUTH[made.client_auth_type] is not ssl.CERT_NONE
    if verifies != (made.client_ca_file is not None):
        # Either would be a lock that hangs open.
        raise ConfigError(
            f"{name}.client_ca_file: got {shown(ca)} with client_auth_type {made.client_auth_type!r},"
            " expected a file with a client_auth_type that verifies, and else none"
        )
    return made


def _choice(
    name: str, given: Mapping[str, Any], key: str, default: str, choices: Iterable[str]
) -> str:
    value = given.get(key) or default
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name}.{key}: got {shown(value)}, expected one of {', '.join(choices)}")
    return value


def _flag(name: str, given: Mapping[str, Any], key: str, default: bool) -> bool:
    value = given.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{name}.{key}: got {shown(value)}, expected true or false")
    return value


def _suites(value: object) -> tuple[str, ...]:
    suites = value or []
    if not isinstance(suites, list) or not all(
        isinstance(suite, str) and suite in tls.CIPHERS for suite in suites
    ):
        raise ConfigError(
            f"tls_server_config.cipher_suites: got {shown(value)}, expected some of"
            f" {', '.join(tls.CIPHERS)}"
        )
    return tuple(suites)


def _headers(mapping: object) -> dict[str, str]:
    name = "http_server_config"
    given = _section(name, mapping, ("http2", "headers"))
    if _flag(name, given, "http2", False):
        raise ConfigError(f"{name}.http2: got true, expected false: this server speaks HTTP/1.1")
    headers = _section(f"{name}.headers", given.get("headers"), _HEADERS)
    for key, value in headers.items():
        full = f"{name}.headers.{key}"
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ConfigError(f"{full}: got {shown(value)}, expected printable ASCII text")
        if key == "X-Frame-Options" and value.lower() not in _FRAME_OPTIONS:
            raise ConfigError(
                f"{full}: got {shown(value)}, expected one of {', '.join(_FRAME_OPTIONS)}"
            )
        if key == "X-Content-Type-Options" and value.lower() != "nosniff":
            raise ConfigError(f"{full}: got {shown(value)}, expected nosniff")
    return {key: value for key, value in headers.items() if value}


def _users(mapping: object) -> dict[str, str]:
    name = "basic_auth_users"
    if mapping is not None and not isinstance(mapping, dict):
        raise ConfigError(f"{name}: expected users with bcrypt hashes")
    users: dict[str, str] = {}
    for user, told in (mapping or {}).items():
        if not isinstance(user, str) or not user or ":" in user or not user.isprintable():
            raise ConfigError(f"{name}: got the user {user!r}, expected a name without a colon")
        if not isinstance(told, str) or not is_hash(told):
            raise ConfigError(
                f"{name}.{user}: expected a bcrypt hash of a cost of 4 to 16, as"
                " `htpasswd -nBC 10 USER` prints it (what it got is not shown)"
            )
        users[user] = told
    return users


@dataclass(frozen=True, slots=True)
class _Loaded:
    config: WebConfig
    context: tls.Context | None


class WebFile:
    """The file as it is now: certificates, users and headers are read again when they change."""

    def __init__(self, path: str, seconds: Callable[[], float]) -> None:
        """Read the file at *path*, empty for none; *seconds* is a clock for durations.

        Raises:
            ConfigError: It cannot be used.
        """
        self._seconds = seconds
        self._path = Path(path)
        self._encrypts: bool | None = None
        self._knows_clients = False
        self._watched: Watched[_Loaded] | None = None
        if path:
            self._watched = Watched(
                "web configuration", self._path, self._load, gone=_without_users
            )
        self._encrypts = self._loaded().context is not None
        self._had_users = False

    def _load(self) -> tuple[_Loaded, list[Path]]:
        config = read(self._path)
        if self._encrypts not in (None, config.tls is not None):
            raise ConfigError(
                f"{self._path}: tls_server_config: to come or to go it needs a restart"
            )
        knows_clients = config.tls is not None and config.tls.knows_clients
        if self._knows_clients and not knows_clients:
            # It may be all that guards: as with users, a slip of the pen opens no door.
            raise ConfigError(
                f"{self._path}: tls_server_config.client_auth_type: to want no certificate of clients"
                " any more needs a restart"
            )
        context = None if config.tls is None else tls.context(config.tls)
        files = [] if config.tls is None else config.tls.files
        self._knows_clients = knows_clients
        return _Loaded(config, context), [self._path, *files]

    def _loaded(self) -> _Loaded:
        if self._watched is None:
            return _Loaded(WebConfig(), None)
        return self._watched.value(self._seconds())

    def look(self) -> None:
        """Have it read again if it has changed, so that a broken one is told of also if nobody asks."""
        self._loaded()

    def read_again(self) -> None:
        """Have it read at once, for a reload.

        Raises:
            ConfigError: It cannot be used.
        """
        if self._watched is not None:
            self._watched.read_again(self._seconds())

    @property
    def now(self) -> WebConfig:
        """What it says."""
        return self._loaded().config

    @property
    def has_users(self) -> bool:
        """Whether it says, or once said, who the users are: a list that is emptied opens no door."""
        self._had_users = self._had_users or bool(self.now.users)
        return self._had_users

    @property
    def guards(self) -> bool:
        """Whether it keeps anybody out."""
        config = self.now
        return self.has_users or (config.tls is not None and config.tls.knows_clients)

    @property
    def trust(self) -> bytes:
        """Whose certificates clients must have now, as `tls.Context.trust`."""
        context = self._loaded().context
        return b"" if context is None else context.trust

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What a socket listens with; None: plain HTTP."""
        return tls.Renewed(self._current) if self._encrypts else None

    def _current(self) -> ssl.SSLContext:
        context = self._loaded().context
        assert context is not None, "whether there is TLS never changes"
        return context


def _without_users(loaded: _Loaded) -> _Loaded:
    """A file that is gone lets nobody in; connections stay encrypted."""
    config = loaded.config
    return _Loaded(WebConfig(tls=config.tls, headers=config.headers), loaded.context)
