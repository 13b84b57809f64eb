"""Runs the closed loop with the real Prometheus and Alertmanager, and reports who was paged: `make stack`.

    python -m scripts.stack [--speed 6] [--keep DIR]

Rules and routes are those that we ship; with a speed above 1 all their times are divided by it. What is not
as in life then: alerts come faster for Stormcell, whose own times stay as they are.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from scripts.stack import shop
from scripts.stack.drill import Drill, Outcome
from scripts.stack.report import broken_promises, report
from tests.support.loop import SCRAPES, closed_loop, missing
from tests.support.shipped import faster, waits

SPEED = 6.0
"""Some four minutes."""

EVALUATIONS = "15s"


WAVES = len(shop.SERVICES)


def drill(
    folder: Path, *, speed: float, waves: int, embedder: str, say: Callable[[str], None]
) -> Outcome:
    """Run the drill in *folder*, all shipped times divided by *speed*, the storm in *waves*."""
    with closed_loop(
        folder,
        rules=shop.rules(faster(EVALUATIONS, speed)),
        speed=speed,
        settings={"embedding.backend": embedder},
    ) as loop:
        return Drill(loop, waves=waves, say=say).run()


def main() -> int:
    """Run it and return the exit code: 1 if a promise was broken, 2 if a program is missing."""
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description=__doc__)
    parser.add_argument("--speed", type=float, default=SPEED, help="1 is as shipped: 17 minutes")
    parser.add_argument("--waves", type=int, default=WAVES, help="1 to 5 in which the storm comes")
    parser.add_argument("--embedder", default="onnx", help="onnx, or hashing without a model")
    parser.add_argument("--keep", type=Path, help="folder for all files and logs, kept")
    arguments = parser.parse_args()
    if absent := missing():
        print(f"not installed: {', '.join(absent)} (scripts/tools)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="stormcell-stack-") as temporary:
        outcome = drill(
            arguments.keep or Path(temporary),
            speed=arguments.speed,
            waves=arguments.waves,
            embedder=arguments.embedder,
            say=lambda line: print(line, flush=True),
        )
    times = {"scrapes and evaluations": SCRAPES, **waits()}
    print()
    print(report(outcome, {w: faster(t, arguments.speed) for w, t in times.items()}))
    print(f"\n{outcome.seconds:.0f} s")
    broken = broken_promises(outcome)
    for promise in broken:
        print(f"BROKEN: {promise}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
