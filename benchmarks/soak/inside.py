"""The receiver, with a clock and a model that are made to fail from outside: `-m benchmarks.soak.inside`.

What is to fail stands in a file that STORMCELL_SOAK_CONTROL names; all else is the receiver as it is.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from receiver import app
from receiver.embedding import Embedder, open_embedder

VARIABLE = "STORMCELL_SOAK_CONTROL"


class Control:
    """What was last written to the file."""

    def __init__(self, path: Path) -> None:
        """Read *path* whenever it has changed."""
        self._path = path
        self._changed = -1
        self._told: dict[str, Any] = {}

    def _read(self) -> dict[str, Any]:
        changed = self._path.stat().st_mtime_ns
        if changed != self._changed:
            self._told = json.loads(self._path.read_text(encoding="utf-8"))
            self._changed = changed
        return self._told

    @property
    def clock_ns(self) -> int:
        """By how much the machine's clock is wrong."""
        return int(self._read().get("clock_seconds", 0) * 10**9)

    @property
    def model(self) -> str:
        """How the model fails: "raises", "hangs", "nan", or empty."""
        return str(self._read().get("model", ""))


class Failing:
    """The real model, until it is told to fail."""

    def __init__(self, inner: Embedder, control: Control) -> None:
        """Wrap *inner*."""
        self._inner = inner
        self._control = control
        self.identity = inner.identity
        self.dims = inner.dims
        self.close = inner.close

    def embed(self, texts: Sequence[str]) -> Any:
        """Embed *texts*, or fail."""
        if self._control.model == "raises":
            raise RuntimeError("the soak has the model raise")
        while self._control.model == "hangs":
            time.sleep(0.05)
        vectors = self._inner.embed(texts)
        return np.full_like(vectors, np.nan) if self._control.model == "nan" else vectors


def main() -> None:
    """Run the command line with both in place."""
    control = Control(Path(os.environ[VARIABLE]))
    app.__dict__.update(
        clock=lambda: time.time_ns() + control.clock_ns,
        open_embedder=lambda settings: Failing(open_embedder(settings), control),
    )
    # Only now: what it imports must not have looked the two up before.
    from receiver.__main__ import main as serve

    serve()


if __name__ == "__main__":
    main()
