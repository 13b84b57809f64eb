"""What several test files share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


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
