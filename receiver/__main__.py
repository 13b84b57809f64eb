"""`python -m receiver` and the command `stormcell`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # What an import makes stays: to look for garbage in it takes a tenth of the start.
    gc.disable()
    from receiver.cli import run

    gc.freeze()
    gc.enable()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
