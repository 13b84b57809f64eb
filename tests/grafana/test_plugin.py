"""The Grafana plugin: its own checks, its build, and the harness that runs it against real receivers.

What the plugin does is tested in grafana/: units beside the code, the whole in grafana/harness.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.absent import absent
from tests.support.processes import REPOSITORY

pytestmark = [pytest.mark.e2e]

_FOLDER = REPOSITORY / "grafana"
_LEAST_NODE = (20, 19)
"""The bundler's; the same stands in package.json."""


@pytest.fixture(scope="session")
def npm() -> str:
    """The path of npm, where the plugin's packages are installed."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        absent("npm")
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", told)[:2])
    if version < _LEAST_NODE:
        absent(f"Node {'.'.join(map(str, _LEAST_NODE))} or newer (here is {told.strip()})")
    if not (_FOLDER / "node_modules" / ".installed").exists():
        absent("what `make grafana` puts in grafana/node_modules")
    return npm


def run(npm: str, script: str, *arguments: str) -> None:
    """Run a script of package.json; what it says is shown if it fails."""
    done = subprocess.run(
        [npm, "run", "--silent", script, "--", *arguments],
        cwd=_FOLDER,
        env={**os.environ, "STORMCELL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]


@pytest.mark.slow
@pytest.mark.parametrize("script", ["typecheck", "lint", "schema", "test"])
def test_check(npm: str, script: str) -> None:
    run(npm, script)


@pytest.mark.slow
@pytest.mark.model
def test_works_as_grafana_loads_it(npm: str) -> None:
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        absent("chromium")
    run(npm, "build")
    run(npm, "harness")


def test_versions_are_exact() -> None:
    """An open range would be another plugin tomorrow, and @grafana/* of two versions do not install."""
    text = Path(_FOLDER / "package.json").read_text(encoding="utf-8")
    ranges = re.findall(r'"[^"]+": "[\^~>*][^"]*"', text)
    assert ranges == ['"node": ">=20.19"']
