"""How much is held in memory, at most."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.core.settings import setting


@dataclass(frozen=True)
class MemorySettings:
    """How much is held in memory."""

    max_vectors: int = setting(
        50_000, "Most texts whose vectors are held.", unit="vectors", low=100
    )
    retention_days: int = setting(
        30,
        "Days after which a text that nothing used is let go of, once four fifths of `memory.max_vectors`"
        " are held. When all are, those that are unused the longest go.",
        unit="days",
        low=1,
        high=36_500,
    )
    max_past_clusters: int = setting(
        # 43 MiB (benchmarks/recurrence.py --cost); at 50 clusters a day three months.
        5_000,
        "Most clusters that are over and are still recognised when they recur.",
        unit="clusters",
        low=1,
        high=100_000,
    )
    max_alert_names: int = setting(
        # A site has as many as it has rules: some hundreds, or thousands.
        10_000,
        "Most alert names of which it is remembered when they were seen.",
        unit="names",
        low=10,
    )
    max_companions: int = setting(
        # Some 2 kB each with all its companions.
        10_000,
        "Most texts of which is remembered which others begin with them.",
        unit="texts",
        low=100,
    )
    max_label_values: int = setting(
        100_000, "Most label values whose frequency is remembered.", unit="values", low=100
    )
