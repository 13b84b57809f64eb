"""Where and when something was measured, how busy it was there, and what a process takes."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import sqlite3
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from receiver import __version__

_PACKAGES = ("aiohttp", "faiss-cpu", "numpy", "onnxruntime", "tokenizers")
"""Whose version may change a figure."""

_ADDITIONS = 1_000_000


def additions() -> float:
    """Return the milliseconds of processor time that a million additions in a loop take now."""
    began, total = time.process_time(), 0
    for number in range(_ADDITIONS):
        total += number
    return (time.process_time() - began) * 1e3


def machine(now: datetime) -> dict[str, Any]:
    """Return where, with what and when (*now*, with its zone) this runs, and how busy it is."""
    return {
        "date": now.isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "stormcell": __version__,
        "sqlite": sqlite3.sqlite_version,
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        **busy(),
    }


def busy() -> dict[str, float]:
    """Return how busy this machine is: other work on it slows everything."""
    return {
        "load_average": round(os.getloadavg()[0], 2),
        "million_additions_ms": round(additions(), 1),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def memory_mb(pid: int | str, field: str) -> float:
    """Return *field* of the status of process *pid* (or "self") in MB of 10^6 bytes.

    VmRSS is what it has resident now; of VmHWM, the most it ever had, the kernel itself keeps count.
    """
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    raise LookupError(field)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that process *pid* has taken, all its threads, in seconds."""
    # After the name, which may hold anything, up to its closing bracket.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def allow_open_files() -> None:
    """Let this process, and those it starts, open as many files as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
