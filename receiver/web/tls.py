"""TLS of the listening socket, by Python's own `ssl`."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core.settings import ConfigError

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}

CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
"""By Go's names. Python knows no way to ask for a certificate and not to verify it."""

CIPHERS = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}
"""Suites of TLS 1.2, Go's name to OpenSSL's; the others of Go's have known weaknesses."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The section `tls_server_config`.

    Attributes:
        cert_file: The chain, PEM.
        key_file: Its key, PEM, not encrypted.
        client_auth_type: One of CLIENT_AUTH.
        client_ca_file: Who signs clients' certificates, PEM; None: nobody.
        min_version: One of VERSIONS.
        max_version: One of VERSIONS.
        cipher_suites: Some of CIPHERS; empty: all that OpenSSL likes.
        prefer_server_cipher_suites: Whether our order counts, and not the client's.
    """

    cert_file: Path
    key_file: Path
    client_auth_type: str = "NoClientCert"
    client_ca_file: Path | None = None
    min_version: str = "TLS12"
    max_version: str = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True

    @property
    def files(self) -> list[Path]:
        """All files it is read from."""
        files = [self.cert_file, self.key_file]
        return files if self.client_ca_file is None else [*files, self.client_ca_file]

    @property
    def knows_clients(self) -> bool:
        """Whether only clients with a certificate get a connection."""
        return CLIENT_AUTH[self.client_auth_type] is ssl.CERT_REQUIRED


class Context(ssl.SSLContext):
    """A context that knows whose certificates it wants.

    Attributes:
        trust: Digest of the file of CAs by which clients get in; empty if they do without a certificate.
    """

    trust = b""


def trust_of(transport: asyncio.BaseTransport | None) -> bytes:
    """Return the `trust` of the context that the connection of *transport* was made with."""
    encrypted = None if transport is None else transport.get_extra_info("ssl_object")
    context = None if encrypted is None else encrypted.context
    return context.trust if isinstance(context, Context) else b""


def name_of(transport: asyncio.BaseTransport | None) -> str:
    """Return the common name of the client's certificate, as `certificate:NAME`; empty without."""
    shown = None if transport is None else transport.get_extra_info("peercert")
    for attributes in (shown or {}).get("subject", ()):
        for key, value in attributes:
            if key == "commonName" and value.isprintable():
                return f"certificate:{value}"
    return ""


def context(settings: TlsSettings) -> Context:
    """Return what serves by *settings*.

    Raises:
        ConfigError: A file cannot be read, or is not what it should be.
    """
    made = Context(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = VERSIONS[settings.min_version]
    made.maximum_version = VERSIONS[settings.max_version]
    made.set_alpn_protocols(["http/1.1"])
    if settings.cipher_suites:
        made.set_ciphers(":".join(CIPHERS[name] for name in settings.cipher_suites))
    if not settings.prefer_server_cipher_suites:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    for file in settings.files:
        _check_readable(file)
    try:
        made.load_cert_chain(settings.cert_file, settings.key_file, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"tls_server_config: {settings.cert_file} and {settings.key_file}: expected a certificate"
            f" and its key, PEM, not encrypted ({getattr(error, 'reason', None) or 'unreadable'})"
        ) from None
    made.verify_mode = CLIENT_AUTH[settings.client_auth_type]
    if settings.client_ca_file is not None:
        try:
            made.load_verify_locations(settings.client_ca_file)
        except ssl.SSLError as error:
            raise ConfigError(
                f"tls_server_config.client_ca_file: {settings.client_ca_file}: expected certificates,"
                f" PEM ({error.reason or 'unreadable'})"
            ) from None
        if settings.knows_clients:
            made.trust = hashlib.sha256(settings.client_ca_file.read_bytes()).digest()
    return made


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise ConfigError(f"tls_server_config: {path}: cannot be read: {error.strerror}") from None


def _no_password() -> bytes:
    # Without this OpenSSL asks for one at the terminal, and a service waits there for ever.
    raise ValueError("encrypted")


class Renewed(ssl.SSLContext):
    """A context that hands each new connection to the one that is current then.

    A listening socket keeps the context it was opened with, and a context keeps what it has loaded: a
    certificate may be loaded over another, but a client CA is never forgotten.
    """

    def __new__(cls, current: Callable[[], ssl.SSLContext]) -> Renewed:
        """Make one."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, current: Callable[[], ssl.SSLContext]) -> None:
        """Ask *current* for each connection."""
        self._current = current

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio does."""
        return self._current().wrap_bio(*args, **kwargs)
