"""The dashboards of grafana/dashboards, as code: `python -m scripts.dashboards` writes them.

Plain dicts in Grafana's classic JSON (schemaVersion 42), which can be provisioned as it is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.dashboards import history, itself, storm_room

FOLDER = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"


def texts() -> dict[str, str]:
    """Return what the files are to hold, by their names."""
    boards: dict[str, dict[str, Any]] = {
        "storm-room.json": storm_room.board(),
        "history.json": history.board(),
        "stormcell-itself.json": itself.board(),
    }
    return {
        name: json.dumps(board, indent=1, ensure_ascii=False) + "\n"
        for name, board in boards.items()
    }
