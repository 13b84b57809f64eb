"""The page's modules by themselves, in node: client library, model, drawing core."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.absent import absent

FOLDER = Path(__file__).parent


@pytest.mark.e2e
def test_every_module_passes_its_tests() -> None:
    node = shutil.which("node") or absent("node")
    files = sorted(str(path) for path in FOLDER.glob("*.test.mjs"))

    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *files],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "\n# fail 0" in done.stdout
    assert len(files) > 10
