"""The configuration that the README tells people to copy, by Alertmanager's own tool."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_snippet_feeds_us_and_goes_on_paging(tmp_path: Path, amtool: str) -> None:
    (snippet,) = re.findall(r"```yaml\n(route:.*?)```", README.read_text(), re.DOTALL)
    path = tmp_path / "alertmanager.yml"
    path.write_text(snippet)

    checked = subprocess.run([amtool, "check-config", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    routed = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={path}", "alertname=X"],
        capture_output=True,
        text=True,
    )

    assert routed.stdout.strip().split(",") == ["stormcell", "pager"]
