"""The heap of the C library: what is free in it is given back to the system.

Only glibc is told; elsewhere nothing is done, and nothing is lost by that.
"""

from __future__ import annotations

import ctypes
from typing import Any


def give_back() -> None:
    """Give back what is free, in the midst of heaps too; takes some milliseconds."""
    library: Any = ctypes.CDLL(None)
    trim = getattr(library, "malloc_trim", None)
    if trim is not None:
        trim(0)
