"""What several test files share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

if not os.environ.get("CI"):
    # Machines are shared: how long one example takes says nothing. In CI it is so by default.
    hypothesis.settings.register_profile("shared machine", deadline=None)
    hypothesis.settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """The cache folder that holds the real model; prepared once, about half a minute."""
    from receiver.config import EmbeddingSettings
    from receiver.embedding.prepare import prepare

    repository = Path(__file__).resolve().parents[1]
    folder = Path(
        os.environ.get("STORMCELL_TEST_MODEL_CACHE") or repository / ".cache" / "stormcell"
    )
    settings = EmbeddingSettings(cache_dir=str(folder))
    prepare(settings, report=lambda step: print(step, file=sys.stderr))
    return folder


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything can be installed, a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("tests were skipped, and CI=true allows none", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
