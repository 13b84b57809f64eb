"""Writes grafana/dashboards/*.json: `python -m scripts.dashboards`."""

from __future__ import annotations

import sys

from scripts import dashboards


def main() -> None:
    """Write all of them."""
    dashboards.FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in dashboards.texts().items():
        (dashboards.FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{dashboards.FOLDER} is written", file=sys.stderr)


if __name__ == "__main__":
    main()
