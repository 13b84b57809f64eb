"""Drain3 (He et al. 2017): alerts whose texts follow one template, as log lines are grouped.

A template has no clock; with a gap it is begun anew when it was not seen for so long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from benchmarks.baselines import group_by
from benchmarks.baselines.method import Arrived, Method


def group(alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the template's id of each of *alerts*."""
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    miner = TemplateMiner(config=TemplateMinerConfig())
    for alert in alerts:
        yield miner.add_log_message(alert.text)["cluster_id"]


def group_with_gap(gap: float, alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the group of each of *alerts*: its template, begun anew after *gap* seconds without."""
    templates = group(alerts)
    told = [
        replace(alert, labels={"template": str(template)})
        for alert, template in zip(alerts, templates, strict=True)
    ]
    return group_by.group(("template",), gap, told)


METHODS = [
    Method("Drain3", group, needs="drain3"),
    Method("Drain3, 300 s", partial(group_with_gap, 300.0), needs="drain3", hindsight=True),
]
