"""The file of --web.config.file: what is taken of exporter-toolkit's format, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.core.settings import ConfigError
from receiver.web import webconfig
from receiver.web.tls import TlsSettings

# Of "a password"; always the same, as tests are called by it.
HASH = "$2b$04$abcdefghijklmnopqrstuuQCzP7jzWZS/E3GL4oF3LWbHm3pfKHH."


def read(tmp_path: Path, text: str) -> webconfig.WebConfig:
    path = tmp_path / "web.yml"
    path.write_text(text)
    return webconfig.read(path)


def test_all_that_there_is(tmp_path: Path) -> None:
    told = read(
        tmp_path,
        f"""
tls_server_config:
  cert_file: server.crt
  key_file: /etc/tls/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.crt
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=31536000
    X-Frame-Options: deny
    X-Content-Type-Options: nosniff
    X-XSS-Protection: ""
basic_auth_users:
  anna: {HASH}
  bert: {HASH.replace("$2b$", "$2y$")}
""",
    )

    assert told.tls == TlsSettings(
        cert_file=tmp_path / "server.crt",
        key_file=Path("/etc/tls/server.key"),
        client_auth_type="RequireAndVerifyClientCert",
        client_ca_file=tmp_path / "ca.crt",
        min_version="TLS13",
        cipher_suites=("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",),
        prefer_server_cipher_suites=False,
    )
    assert list(told.users) == ["anna", "bert"]
    assert told.headers == {
        "Strict-Transport-Security": "max-age=31536000",
        "X-Frame-Options": "deny",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("text", ["", "basic_auth_users:", "tls_server_config: {}", "# nothing"])
def test_nothing_is_nothing(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == webconfig.WebConfig()


TLS = "tls_server_config: {cert_file: a, key_file: b, "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "the file: expected a section"),
        (
            "basic_auth_user: {}",
            r"basic_auth_user: unknown key .*expected one of tls_server_config",
        ),
        ("rate_limit: {interval: 1s}", "rate_limit: not supported here"),
        ("tls_server_config: 5", "tls_server_config: expected a section"),
        (
            "tls_server_config: {cert_file: a}",
            "tls_server_config.key_file: got null, expected the path",
        ),
        (TLS + "min_version: [TLS12]}", r"min_version: got \['TLS12'\], expected one of TLS12"),
        (TLS + "cipher_suites: [[x]]}", r"cipher_suites: got \[\['x'\]\], expected some of"),
        ("? [a, b]\n: c", "not YAML that can be read"),
        ("rate_limit: 2026-13-45", "not YAML"),
        ("tls_server_config: {key_file: a}", "tls_server_config.cert_file: got null"),
        (TLS + "cert: x}", "tls_server_config.cert: not supported here: give cert_file"),
        (TLS + "client_allowed_sans: [x]}", "client_allowed_sans: not supported here"),
        (TLS + "curve_preferences: [X25519]}", "curve_preferences: not supported here"),
        (TLS + "min_version: TLS10}", "min_version: got 'TLS10', expected one of TLS12, TLS13"),
        (
            TLS + "min_version: TLS13, max_version: TLS12}",
            "min_version: got 'TLS13', expected at most",
        ),
        (
            TLS + "client_auth_type: RequireAnyClientCert}",
            "got 'RequireAnyClientCert', expected one of",
        ),
        (TLS + "client_auth_type: RequireAndVerifyClientCert}", "client_ca_file: got null with"),
        (
            TLS + "client_ca_file: ca}",
            "client_ca_file: got 'ca' with client_auth_type 'NoClientCert'",
        ),
        (TLS + "client_ca_file: 5}", "client_ca_file: got 5, expected the path"),
        (
            TLS + "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
            "cipher_suites: got .*RC4.*expected some of",
        ),
        (
            TLS + "prefer_server_cipher_suites: 1}",
            "prefer_server_cipher_suites: got 1, expected true",
        ),
        ("http_server_config: {http2: true}", "http2: got true, expected false"),
        ("http_server_config: {headers: {X-Foo: a}}", r"headers.X-Foo: unknown key"),
        (
            "http_server_config: {headers: {X-Frame-Options: all}}",
            "got 'all', expected one of deny",
        ),
        ("http_server_config: {headers: {X-Content-Type-Options: x}}", "got 'x', expected nosniff"),
        (
            'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nb"}}',
            "expected printable ASCII",
        ),
        ("basic_auth_users: [anna]", "basic_auth_users: expected users with bcrypt hashes"),
        (
            f'basic_auth_users: {{"a:b": {HASH}}}',
            "got the user 'a:b', expected a name without a colon",
        ),
        ("a: b: c", "line 1: not YAML that can be read: mapping values"),
        (
            f"basic_auth_users:\n  a: {HASH}\n  a: {HASH}",
            "line 3: not YAML that can be read: a key is there twice",
        ),
        ("\0", "not YAML"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        read(tmp_path, text)

    assert str(refused.value).startswith(str(tmp_path / "web.yml"))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "told",
    [
        "basic_auth_users: {anna: the-secret}",
        "basic_auth_users: {anna: $2y$31$the-secret}",
        f"basic_auth_users: {{anna: the-secret{HASH}}}",
        f"basic_auth_users: {{anna: {HASH.replace('$04$', '$17$')}, bert: the-secret}}",
        "basic_auth_users: {anna: [the-secret]}",
        "basic_auth_users: the-secret",
        "basic_auth_user: {anna: the-secret}",
        "the-secret",
        "tls_server_config: {key: the-secret}",
        "basic_auth_users: {anna: 'the-secret",
        "basic_auth_users:\n  anna: the-secret: b",
        "basic_auth_users:\n  anna: !the-secret b",
        "basic_auth_users:\n  anna: *the-secret",
    ],
)
def test_no_error_shows_what_may_be_a_secret(tmp_path: Path, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, told)

    assert "the-secret" not in str(refused.value)


def test_what_is_no_file_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        webconfig.read(tmp_path / "absent.yml")
    path = tmp_path / "web.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="expected UTF-8"):
        webconfig.read(path)
