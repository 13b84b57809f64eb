from __future__ import annotations

from pathlib import Path

import pytest

from receiver import config
from receiver.core.settings import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "stormcell.yml"
    path.write_text(text)
    return path


def test_without_a_file_the_defaults_apply(tmp_path: Path) -> None:
    assert config.load(None) == config.Config()
    assert config.load(write(tmp_path, "")) == config.Config()


def test_a_file_and_then_overrides_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "clustering: {threshold: 0.6}\nseverity:\n  order: [a, b]\nweb:\n")

    read = config.load(path, ["clustering.threshold=0.7", "clustering.close_after=20m"])

    assert (read.clustering.threshold, read.clustering.close_after) == (0.7, 1200.0)
    assert read.severity.order == ("a", "b")
    assert read.core.clustering is read.clustering


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "clusterin: {}",
            r"clusterin: unknown section \(.*not shown.*\), expected one of web, storage",
        ),
        ("clustering: {x: 1}", "clustering.x: unknown setting"),
        ("clustering: 5", "clustering: got 5, expected a section"),
        ("[1]", r"configuration: got \[1\], expected sections"),
        ("a: [", "not YAML"),
        ("intake: {max_wait: 2026-13-45}", "not YAML: month must be in 1..12"),
        ("intake: {batch_size: " + "9" * 5000 + "}", "not YAML: Exceeds the limit"),
        ("web: {route_prefix: /s}\nweb:\n", "line 2: a key is there twice, expected once"),
        ("web:\n  route_prefix: /s\n  route_prefix: /t\n", "line 3: a key is there twice"),
        ("heartbeat: {matchers: ['=']}", "heartbeat.matchers: got '=', expected a matcher"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        config.load(write(tmp_path, text))

    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "reconciliation: {bearer_token: the-secret}",
        "web: {basic_auth_users: {anna: the-secret}}",
        "basic_auth_users: {anna: the-secret}",
        "web: {route_prefix: the-secret, route_prefix: b}",
    ],
)
def test_what_may_be_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        config.load(write(tmp_path, text))

    assert "the-secret" not in str(error.value)


@pytest.mark.parametrize("override", ["x", "clustering=1", "clustering.=1", "a.b=1", "web.x=: ["])
def test_a_bad_override_is_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        config.load(None, [override])


def test_an_override_of_no_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clustering: expected a section"):
        config.load(write(tmp_path, "clustering: 5"), ["clustering.threshold=1"])


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        config.load(tmp_path / "absent.yml")
