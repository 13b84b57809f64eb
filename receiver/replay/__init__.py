"""Runs alerts of the past through the same core, with their own clock; touches no live store.

`run` plays what `sources` reads; `report` shows one replay, `difference` two with other settings.
"""

from receiver.replay.arrivals import Line
from receiver.replay.difference import Difference
from receiver.replay.errors import ReplayError
from receiver.replay.prometheus import Prometheus
from receiver.replay.remembering import Remembering
from receiver.replay.report import jsonl, report, summary, table
from receiver.replay.run import Replay, run
from receiver.replay.sources import Source, open_sources

__all__ = [
    "Difference",
    "Line",
    "Prometheus",
    "Remembering",
    "Replay",
    "ReplayError",
    "Source",
    "jsonl",
    "open_sources",
    "report",
    "run",
    "summary",
    "table",
]
