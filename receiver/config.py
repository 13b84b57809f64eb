"""Every setting there is: the sections of the configuration file and how a file becomes them.

There is no default file: without one the defaults apply. Sections that steer the core stand beside
the code they steer, the others here. Each part is handed only the section it uses.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from receiver import strict_yaml
from receiver.core.clusters import ClusteringSettings
from receiver.core.core_settings import CoreSettings
from receiver.core.heartbeat import HeartbeatSettings
from receiver.core.identity import IdentitySettings
from receiver.core.index import IndexSettings
from receiver.core.memory import MemorySettings
from receiver.core.settings import (
    HIDDEN,
    Bytes,
    ConfigError,
    Seconds,
    meaning_of,
    read_section,
    setting,
    shown,
    unit_of,
)
from receiver.core.severity import SeveritySettings
from receiver.core.storms import StormSettings


def split_address(address: str) -> tuple[str | None, int]:
    """Return host (None: all) and port of *address*, `HOST:PORT` as Prometheus tools take it.

    Raises:
        ConfigError: It is not of that form.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(
            f"web.listen_address: got {address!r}, expected HOST:PORT, such as 127.0.0.1:9783"
        )
    return host.strip("[]") or None, int(port)


@dataclasses.dataclass(frozen=True)
class FeedSettings:
    """Who may listen to the live stream, and how long one that does not read is borne."""

    max_clients: int = setting(
        2000, "Clients of the stream; a further one is answered 503.", unit="clients", low=1
    )
    interval: Seconds = setting(
        Seconds(0.1), "Least time between two frames; what happens meanwhile is one.", low=0.01
    )
    heartbeat: Seconds = setting(
        Seconds(10.0), "A frame is sent at least so often, so that silence means a fault.", low=1
    )
    client_buffer_bytes: Bytes = setting(
        # Some seconds of a storm of 1,000 events a second at 500 bytes.
        Bytes(2 * 2**20),
        "Bytes that may wait for one client beyond its first frame; with more it is cut.",
        low=64 * 1024,
    )
    total_buffer_bytes: Bytes = setting(
        Bytes(256 * 2**20),
        "Bytes that may wait for all clients together; with more, those that wait are cut.",
        low=2**20,
    )
    stall_timeout: Seconds = setting(
        Seconds(20.0),
        "A client for which bytes wait and that takes none for so long is cut.",
        low=1,
    )
    max_resume_events: int = setting(
        50_000,
        "Missed events that a client is told; one that missed more gets a snapshot.",
        unit="events",
        low=0,
    )


def is_loopback(host: str | None) -> bool:
    """Return whether *host* (None: all) is this machine and no other can reach it."""
    if host is None or host == "localhost":
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_ROLES = ("webhook", "read", "operator")

_PREFIX = re.compile(r"(/(?!\.\.?(/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+", re.ASCII)
"""A path that is the same however it is normalised (RFC 3986, 3.3 and 6.2.2): without escapes and dots."""


@dataclasses.dataclass(frozen=True)
class WebSettings:
    """Where the server listens, under which address it is known, and who may use it."""

    listen_address: str = setting("127.0.0.1:9783", "Host and port to listen on.")
    external_url: str = setting(
        "",
        "Address under which browsers reach this server, for links; empty: the address listened on.",
    )
    route_prefix: str = setting(
        "", "Prefix of all paths; empty: the path of external_url. Use / to have none."
    )
    webhook_token_files: tuple[str, ...] = setting(
        (), "Files with bearer tokens, one a line, for those who post alerts.", hidden=True
    )
    read_token_files: tuple[str, ...] = setting(
        (), "Files with bearer tokens, one a line, for those who read.", hidden=True
    )
    operator_token_files: tuple[str, ...] = setting(
        (), "Files with bearer tokens, one a line, for those who read and change.", hidden=True
    )
    config_file: str = setting(
        "",
        "File with TLS, users and headers, in the format of Prometheus' exporter-toolkit; empty: none.",
    )
    webhook_users: tuple[str, ...] = setting(
        (), "Users of config_file who post alerts; with no list of users, each may do everything."
    )
    read_users: tuple[str, ...] = setting((), "Users of config_file who read.")
    operator_users: tuple[str, ...] = setting((), "Users of config_file who read and change.")
    anonymous_roles: tuple[str, ...] = setting(
        (), "Roles that anyone who reaches the address has, without token or password."
    )
    allowed_origins: tuple[str, ...] = setting(
        (), "Origins, beside its own, whose pages may open the stream and change things."
    )
    enable_lifecycle: bool = setting(
        False, "Whether POST /-/reload has the configuration read again; SIGHUP always does."
    )
    max_connections: int = setting(
        # All clients of the stream, and each group of a large Alertmanager at once.
        8192,
        "Connections at once, fewer if descriptors are; who waits longest makes room, others wait.",
        unit="connections",
        low=8,
    )
    header_timeout: Seconds = setting(
        # What is sent is sent in one packet; a proxy's or browser's spare connection is opened anew.
        Seconds(30.0),
        "How long a request's head may take to arrive before its connection is closed.",
        low=0.1,
        high=3600,
    )
    idle_timeout: Seconds = setting(
        # Alertmanager lets go after five minutes; were we the first, a webhook could be on its way.
        Seconds(360.0),
        "How long a connection may stay open between two requests.",
        low=0.1,
        high=86400,
    )
    write_timeout: Seconds = setting(
        # TCP sends again, more and more seldom, what the network loses; half a minute is several times.
        Seconds(30.0),
        "A client that takes nothing of its answer for so long has its connection closed.",
        low=0.1,
        high=3600,
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be read, and an open door that nobody asked for in words."""
        host, _ = split_address(self.listen_address)
        _check_url("web.external_url", self.external_url)
        for origin in self.allowed_origins:
            _check_url("web.allowed_origins", origin, bare=True)
        self._check_prefix()
        for role in self.anonymous_roles:
            if role not in _ROLES:
                expected = "some of " + ", ".join(_ROLES)
                raise ConfigError(f"web.anonymous_roles: got {role!r}, expected {expected}")
        files = (self.webhook_token_files, self.read_token_files, self.operator_token_files)
        # Whether config_file has users is seen when it is read.
        if not (any(files) or is_loopback(host) or self.anonymous_roles or self.config_file):
            raise open_door(self)

    def _check_prefix(self) -> None:
        """Refuse a prefix that browsers and proxies make another path of: nothing would be found."""
        if not self.prefix or _PREFIX.fullmatch(self.prefix):
            return
        name, value = ("route_prefix", self.route_prefix)
        if not value:
            name, value = ("external_url", self.external_url)
        raise ConfigError(
            f"web.{name}: got {value!r}, expected a path such as /stormcell, each part of it of letters,"
            " digits and -._~!$&'()*+,;=:@, and none of them empty, . or .. (as a prefix of all paths;"
            " web.route_prefix=/ has none)"
        )

    @property
    def prefix(self) -> str:
        """What all paths begin with: empty, or a path that does not end in a slash.

        As Prometheus has it, slashes at its ends may be there or not.
        """
        told = self.route_prefix or urlsplit(self.external_url).path
        return "" if not told.strip("/") else "/" + told.strip("/")


def open_door(settings: WebSettings) -> ConfigError:
    """Return the refusal of an address that others can reach, and that nothing guards."""
    return ConfigError(
        f"web.listen_address: got {settings.listen_address!r}, which others can reach, but no token and"
        " no user is configured: give web.webhook_token_files and the like, or users in"
        " web.config_file, or say in web.anonymous_roles which roles anyone may have (docs/access.md)"
    )


def _check_url(name: str, value: str, *, bare: bool = False) -> None:
    """Refuse a *value* that is no http address; *bare*: one with more than scheme, host and port."""
    if not value and not bare:
        return
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        good = good and (parts.port or 1) > 0 and not (parts.query or parts.fragment)
        good = good and parts.username is None and not (bare and parts.path)
        # urlsplit passes over line breaks, and a backslash is a slash to browsers.
        good = good and value.isprintable() and not set(value) & set(" \\")
    except ValueError:
        good = False
    if not good:
        expected = "https://host[:port]" + ("" if bare else "[/path]")
        # Before an @ there may be a password.
        shown = value if "@" not in value else "***@" + value.rpartition("@")[2]
        raise ConfigError(f"{name}: got {shown!r}, expected {expected}")


@dataclasses.dataclass(frozen=True)
class StorageSettings:
    """Where everything is kept."""

    path: str = setting("stormcell-data", "Directory of the database; made if missing.")
    journal_retention: Seconds = setting(
        Seconds(3 * 86400.0),
        "How long applied inputs stay in the journal, for replay; alerts and events stay.",
        low=0,
    )
    max_bytes: Bytes = setting(
        # 7.2 kB an episode where most are a problem of their own, as is the worst (benchmarks/disk.py): a
        # year of 10,000 alerts a day, half of which are resolves, takes 12.2 GiB.
        Bytes(16 * 2**30),
        "Size of the database from which on what is over is deleted, the oldest first; 0: it grows"
        " without end.",
        low=0,
    )


@dataclasses.dataclass(frozen=True)
class IntakeSettings:
    """How much is taken in at once."""

    max_body_bytes: Bytes = setting(
        # 20,000 alerts with 1 kB annotations were measured as 27 MB in one POST; a refused body
        # blocks its whole group at the sender, so the limit is far above what is usual.
        Bytes(64 * 2**20),
        "Largest webhook body; a larger one is answered 413.",
        low=1024,
    )
    max_inflight_bytes: Bytes = setting(
        Bytes(256 * 2**20),
        "Sum of webhook bodies held in memory before they are committed.",
        low=1024,
    )
    max_wait: Seconds = setting(
        # The sender's smallest deadline is 10 s: past that, waiting is work for nobody.
        Seconds(8.0),
        "How long a webhook waits for room or for its commit before it is answered 503.",
        low=0.1,
        high=600,
    )
    read_timeout: Seconds = setting(
        # A sender that is alive sends steadily; a stalled one must not hold memory for long.
        Seconds(30.0),
        "How long a body may take to arrive before its request is answered 503.",
        low=0.1,
        high=3600,
    )
    batch_size: int = setting(
        256, "Most alerts applied and committed together.", unit="alerts", low=1, high=10000
    )


@dataclasses.dataclass(frozen=True)
class ReconciliationSettings:
    """Which Alertmanagers are asked what they know, for what they never tell by webhook."""

    urls: tuple[str, ...] = setting(
        (), "Addresses of all Alertmanagers that notify this server; none: none is asked."
    )
    interval: Seconds = setting(Seconds(30.0), "How often they are asked.", low=1, high=3600)
    timeout: Seconds = setting(
        Seconds(10.0),
        "One that has not answered in full by then did not answer.",
        low=0.1,
        high=600,
    )
    min_uptime: Seconds = setting(
        # It starts knowing nothing. Prometheus repeats what fires each minute; one that was away longer
        # comes back before its alerts, which have four, would have lapsed.
        Seconds(300.0),
        "One that started less long ago counts as one that did not answer.",
        low=0,
    )
    max_body_bytes: Bytes = setting(
        Bytes(64 * 2**20), "Largest answer that is read; 20,000 alerts are some 30 MB.", low=1024
    )
    bearer_token_file: str = setting(
        "", "File with the bearer token that they ask for; empty: none is sent."
    )

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        for url in self.urls:
            _check_url("reconciliation.urls", url or "''")
        if len(set(self.urls)) < len(self.urls):
            raise ConfigError(f"reconciliation.urls: got {self.urls!r}, expected each once")


@dataclasses.dataclass(frozen=True)
class EmbeddingSettings:
    """How texts become vectors."""

    backend: str = setting(
        "onnx",
        "What computes vectors; hashing is for tests and knows no meaning.",
        choices=("onnx", "sentence-transformers", "hashing"),
    )
    model: str = setting("all-MiniLM-L6-v2", "Name of the model, or a folder that holds one.")
    form: str = setting(
        "int8",
        "Precision the onnx backend computes in; int8 needs less time and memory.",
        choices=("int8", "f32"),
    )
    cache_dir: str = setting(
        "", "Where prepared models are kept; empty: the user's cache directory + stormcell."
    )
    hub_url: str = setting(
        "", "A model hub to ask for ready-made ONNX files; empty: none is asked."
    )
    workers: int = setting(
        2, "Texts embedded at the same time, one thread each.", unit="threads", low=1, high=64
    )
    max_tokens: int = setting(
        128, "Tokens of a text that are read; the rest is cut.", unit="tokens", low=8, high=512
    )

    def __post_init__(self) -> None:
        """Refuse a hub that is none, or with a password, which would stand in the log."""
        _check_url("embedding.hub_url", self.hub_url)


@dataclasses.dataclass(frozen=True)
class Config:
    """All sections."""

    web: WebSettings = WebSettings()
    storage: StorageSettings = StorageSettings()
    intake: IntakeSettings = IntakeSettings()
    identity: IdentitySettings = IdentitySettings()
    severity: SeveritySettings = SeveritySettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    index: IndexSettings = IndexSettings()
    clustering: ClusteringSettings = ClusteringSettings()
    storms: StormSettings = StormSettings()
    memory: MemorySettings = MemorySettings()
    feed: FeedSettings = FeedSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()

    @property
    def core(self) -> CoreSettings:
        """The sections that steer the core."""
        return CoreSettings(
            identity=self.identity,
            severity=self.severity,
            heartbeat=self.heartbeat,
            index=self.index,
            clustering=self.clustering,
            storms=self.storms,
            memory=self.memory,
        )


def _sections() -> dict[str, Any]:
    return typing.get_type_hints(Config)


def from_mapping(document: object) -> Config:
    """Build the configuration from a parsed YAML *document* (None stands for an empty one).

    Raises:
        ConfigError: An unknown section or setting, or a value that cannot be used.
    """
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(f"configuration: got {shown(document)}, expected sections with settings")
    sections = _sections()
    for name in document:
        if name not in sections:
            expected = "one of " + ", ".join(sections)
            raise ConfigError(
                f"{name}: unknown section (its value is not shown, it may be a secret),"
                f" expected {expected}"
            )
    return Config(
        **{name: read_section(sections[name], name, value) for name, value in document.items()}
    )


_NOT_YAML = (yaml.YAMLError, ValueError, RecursionError)
"""A day that no month has, a number of thousands of digits, and bytes that are no text are ValueErrors."""


def load(path: Path | None, overrides: Iterable[str] = ()) -> Config:
    """Read the file at *path* (None: no file) and apply `section.key=value` *overrides*.

    Raises:
        ConfigError: The file cannot be read, is not YAML, or a setting in it cannot be used.
    """
    document: Any = {}
    if path is not None:
        try:
            document = strict_yaml.load(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
        except strict_yaml.Twice as error:
            # Without the line itself, in which a value may stand.
            line = 0 if error.problem_mark is None else error.problem_mark.line + 1
            raise ConfigError(f"{path}, line {line}: {error.problem}, expected once") from None
        except _NOT_YAML as error:
            raise ConfigError(f"{path}: not YAML: {_one_line(error)}") from error
    document = {} if document is None else document
    for override in overrides:
        _apply(document, override)
    return from_mapping(document)


def _apply(document: Any, override: str) -> None:
    key, equals, value = override.partition("=")
    section, dot, name = key.partition(".")
    if not equals or not dot or not name:
        raise ConfigError(f"--set: got {override!r}, expected section.key=value")
    if not isinstance(document, dict) or not isinstance(document.get(section) or {}, dict):
        raise ConfigError(f"{section}: expected a section with settings in it")
    try:
        given = strict_yaml.load(value)
    except _NOT_YAML as error:
        if _is_hidden(section, name):
            raise ConfigError(f"{key}: got {HIDDEN}, not YAML") from None
        raise ConfigError(f"{key}: got {value!r}, not YAML: {_one_line(error)}") from error
    document[section] = {**(document.get(section) or {}), name: given}


def _is_hidden(section: str, name: str) -> bool:
    """Whether no error may show a value of the setting, if there is such a setting."""
    found = getattr(_sections().get(section), "__dataclass_fields__", {}).get(name)
    return found is not None and meaning_of(found).hidden


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


RELOADED = (
    "web.webhook_token_files", "web.read_token_files", "web.operator_token_files",
    "web.webhook_users", "web.read_users", "web.operator_users",
    "web.anonymous_roles", "web.allowed_origins",
    "storage.journal_retention", "storage.max_bytes", "intake", "feed",
)  # fmt: skip
"""Settings and whole sections that a running server takes on.

None that steers the core: it is a fold over its inputs, and settings that changed between two of them would
have to be among these to be run again.
"""


def reloaded(key: str) -> bool:
    """Whether a reload applies the setting *key*."""
    return key in RELOADED or key.partition(".")[0] in RELOADED


@dataclasses.dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of reading the configuration again.

    Attributes:
        config: What holds now.
        applied: Keys of settings that have changed with it.
        waiting: Keys of settings that would have to, but need a restart.
    """

    config: Config
    applied: tuple[str, ...]
    waiting: tuple[str, ...]

    def told(self) -> str:
        """Return it as lines of text, for people."""
        lines = [f"applied: {', '.join(self.applied) or 'nothing has changed'}"]
        if self.waiting:
            lines.append(f"needs a restart: {', '.join(self.waiting)}")
        return "\n".join(lines) + "\n"


def reload(now: Config, wanted: Config) -> Reloaded:
    """Return *now* with all of *wanted* that a running server can take on."""
    applied, waiting, sections = [], [], {}
    for name, section in _sections().items():
        changed = {}
        for field in dataclasses.fields(section):
            key, value = f"{name}.{field.name}", getattr(getattr(wanted, name), field.name)
            if value == getattr(getattr(now, name), field.name):
                continue
            if reloaded(key):
                changed[field.name] = value
                applied.append(key)
            else:
                waiting.append(key)
        sections[name] = dataclasses.replace(getattr(now, name), **changed)
    return Reloaded(Config(**sections), tuple(applied), tuple(waiting))


def describe(config: Config) -> Iterator[tuple[str, Any, Any, str, str]]:
    """Yield (key, value, default, unit, meaning) of every setting of *config*."""
    for name, section in _sections().items():
        hints = typing.get_type_hints(section)
        values = getattr(config, name)
        for field in dataclasses.fields(section):
            yield (
                f"{name}.{field.name}",
                getattr(values, field.name),
                field.default,
                unit_of(field, hints[field.name]),
                meaning_of(field).help,
            )
