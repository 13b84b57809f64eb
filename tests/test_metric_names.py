"""Whatever we publish that names a metric of ours names one that is exported, and a label that it has."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import make_docs
from tests.support.exported import TARGET_LABELS, exported, named, selected
from tests.support.processes import REPOSITORY

FOLDERS = ("docs", "rules", "alertmanager", "grafana/dashboards", "deploy", "mixin")
KINDS = {".md", ".yml", ".yaml", ".json", ".libsonnet", ".jsonnet"}
FILES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted(
        path
        for folder in FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in KINDS
    ),
]


async def test_every_metric_that_is_exported_is_in_the_docs() -> None:
    rows = (await make_docs.metrics()).splitlines()

    assert rows == (REPOSITORY / "docs" / "metrics.md").read_text().splitlines()
    assert len([row for row in rows if row.startswith("| `stormcell_")]) > 40


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_metric_that_is_named_is_exported(file: Path) -> None:
    series = exported()
    known = series.keys() | {metric.name for metric in series.values()}

    assert named(file.read_text()) - known == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_label_that_is_selected_is_one_of_the_metric(file: Path) -> None:
    series = exported()
    # In JSON the quotes around a value are escaped.
    pairs = selected(file.read_text().replace('\\"', '"'))

    assert {(m, x) for m, x in pairs if x not in series[m].labels | TARGET_LABELS} == set()


def test_names_and_labels_are_found() -> None:
    text = 'sum(rate(stormcell_x_total{code!="200", le=~"1"}[5m])) + on (cluster_id) stormcell_y.'

    assert named(text) == {"stormcell_x_total", "stormcell_y"}
    assert selected(text) == {("stormcell_x_total", "code"), ("stormcell_x_total", "le")}
