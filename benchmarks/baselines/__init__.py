"""Other ways to group the same alerts, one method a file, run beside the shipped one."""

from __future__ import annotations

from benchmarks.baselines import dbstream, drain, group_by, hdbscan, prototype, textbook
from benchmarks.baselines.method import Method

METHODS: list[Method] = [
    textbook.METHOD,
    group_by.method((), 300.0),
    group_by.method(("namespace",), 300.0),
    group_by.method(("namespace",), 120.0),
    group_by.method(("alertname",), 300.0),
    group_by.method(("namespace", "alertname"), 300.0),
    group_by.method(("app", "service"), 300.0),
    prototype.METHOD,
    hdbscan.METHOD,
    dbstream.METHOD,
    *drain.METHODS,
]
"""Each a row of the table; the best of all `group_by` are added when they are known."""
