"""The dashboards that we ship: as the script makes them, of what exists, in PromQL that can be read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.core.clusters import ClusterState
from receiver.core.evolution import EventType
from scripts import dashboards
from scripts.dashboards.parts import LIVE_PANEL, PROMETHEUS, STORMCELL, WIDTH
from tests.support.absent import absent
from tests.support.exported import TARGET_LABELS, exported, named
from tests.support.processes import REPOSITORY

BOARDS = {path.name: json.loads(path.read_text()) for path in sorted(dashboards.FOLDER.iterdir())}
QUERY_TYPES = {"evolution", "clusters", "alerts", "events", "stats", "storms", "annotations"}
OPTIONS = {
    "evolution": set(),
    "clusters": {"state", "severity", "text", "limit"},
    "alerts": {"state", "text", "labels", "clusterId", "limit"},
    "events": {"types", "clusterId", "limit"},
    "stats": {"figures"},
    "storms": {"limit"},
    "annotations": {"marks"},
}
"""What a query of each type may ask for."""

FIGURES = {"now", "rates", "ledger"}
MARKS = {"storms", "births", "merges", "splits", "resolutions"}
CLUSTER_STATES = {"live", "all"} | {state.value for state in ClusterState}
PLUGIN = REPOSITORY / "grafana" / "src"
PANELS = {"row", "stat", "timeseries", "table", "heatmap", "bargauge", LIVE_PANEL}
VARIABLES = (("$__rate_interval", "5m"), ("$__interval", "1m"), ("$__range", "1h"))
"""What Grafana puts in before Prometheus sees it."""

each_board = pytest.mark.parametrize("name", BOARDS)


def panels(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = BOARDS[name]["panels"]
    return found


def queries(name: str, source: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the queries of *source* in the dashboard called *name*, annotations' too."""
    targets = [target for panel in panels(name) for target in panel.get("targets", [])]
    targets += [
        {"datasource": annotation["datasource"], **annotation["target"]}
        for annotation in BOARDS[name]["annotations"]["list"]
    ]
    yield from (target for target in targets if target["datasource"] == source)


def expressions(name: str) -> list[str]:
    found = [query["expr"] for query in queries(name, PROMETHEUS)]
    for variable, value in VARIABLES:
        found = [expr.replace(variable, value) for expr in found]
    return found


def test_they_are_what_the_script_makes() -> None:
    texts = {path.name: path.read_text() for path in dashboards.FOLDER.iterdir()}

    assert texts == dashboards.texts()


@each_board
def test_it_is_classic_json_that_does_not_refresh(name: str) -> None:
    board = BOARDS[name]

    assert (board["schemaVersion"], board["refresh"], board["editable"]) == (42, "", False)
    assert board["uid"].startswith("stormcell-")
    assert "id" not in board, "numbers are given by Grafana"
    assert {panel["type"] for panel in panels(name)} <= PANELS
    assert len({panel["id"] for panel in panels(name)}) == len(panels(name))


def test_no_two_have_the_same_uid_or_title() -> None:
    for key in ("uid", "title"):
        assert len({board[key] for board in BOARDS.values()}) == len(BOARDS) == 3


@each_board
def test_no_panel_lies_on_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels(name):
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}

        assert at["x"] + at["w"] <= WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


@each_board
def test_every_query_goes_to_a_source_that_is_provisioned(name: str) -> None:
    every = [target for panel in panels(name) for target in panel.get("targets", [])]
    ours = list(queries(name, STORMCELL))

    assert len(every) + len(BOARDS[name]["annotations"]["list"]) == len(ours) + len(
        expressions(name)
    )
    assert {query["queryType"] for query in ours} <= QUERY_TYPES


@each_board
def test_our_own_data_source_is_asked_only_what_it_answers(name: str) -> None:
    for query in queries(name, STORMCELL):
        kind = query["queryType"]
        assert query.keys() - {"refId", "datasource", "queryType"} <= OPTIONS[kind], kind
        assert set(query.get("types", [])) <= {event.value for event in EventType}
        assert set(query.get("marks", [])) <= MARKS
        assert query.get("figures", "now") in FIGURES
        if kind == "clusters":
            assert query["state"] in CLUSTER_STATES


def test_what_it_answers_is_what_the_plugin_says() -> None:
    text = (PLUGIN / "datasource" / "types.ts").read_text()

    def enum(name: str) -> set[str]:
        body = re.search(rf"export enum {name} {{(.*?)^}}", text, re.DOTALL | re.MULTILINE)
        assert body, name
        return set(re.findall(r"= '(\w+)'", body[1]))

    query = re.search(r"interface StormcellQuery .*?{(.*?)^}", text, re.DOTALL | re.MULTILINE)
    assert query
    assert enum("QueryType") >= QUERY_TYPES
    assert enum("Figures") == FIGURES
    assert enum("Marks") == MARKS
    options = {option for some in OPTIONS.values() for option in some}
    assert options <= set(re.findall(r"^  (\w+)\?:", query[1], re.MULTILINE))
    ids = {json.loads(file.read_text())["id"] for file in PLUGIN.glob("*/plugin.json")}
    assert ids == {STORMCELL["type"], LIVE_PANEL}


def properties(*names: str) -> set[str]:
    """Return the fields that the API's schemas *names* have."""
    path = REPOSITORY / "receiver" / "web" / "openapi.json"
    schemas = json.loads(path.read_text())["components"]["schemas"]
    return {field for name in names for field in schemas[name].get("properties", {})}


FIELDS = {
    # The identity of a cluster is called so in every frame.
    "clusters": properties("ClusterFields") | {"cluster_id"},
    "alerts": properties("Alert"),
    "events": properties("EventFields"),
    "storms": properties("Storm"),
    "stats": {"notifications", "dead_letters", "alerts", "episodes", "clusters", "storms"},
}
"""Fields of frames: they are called as in the receiver's JSON."""


@each_board
def test_every_field_that_is_named_is_one_of_the_answer(name: str) -> None:
    for panel in panels(name):
        if panel.get("datasource") != STORMCELL or panel["type"] == LIVE_PANEL:
            continue
        (query,) = panel["targets"]
        options = panel["options"]
        wanted = {column["displayName"] for column in options.get("sortBy", [])}
        wanted |= set(re.findall(r"\w+", options.get("reduceOptions", {}).get("fields", "")))

        assert wanted <= FIELDS[query["queryType"]], panel["title"]
        assert not panel["fieldConfig"]["overrides"]


def test_each_query_type_is_shown_somewhere_and_the_live_panel_is() -> None:
    asked = {query["queryType"] for name in BOARDS for query in queries(name, STORMCELL)}
    (live,) = (p for name in BOARDS for p in panels(name) if p["type"] == LIVE_PANEL)

    assert asked == QUERY_TYPES
    assert [query["queryType"] for query in live["targets"]] == ["evolution"]


@each_board
def test_every_metric_and_every_label_exists(name: str) -> None:
    series = exported()
    for query in queries(name, PROMETHEUS):
        metrics = named(query["expr"])
        assert metrics, query["expr"]
        assert metrics <= series.keys(), query["expr"]

        labels = {label for metric in metrics for label in series[metric].labels}
        made = set(re.findall(r'count_values\("(\w+)"', query["expr"]))
        grouped = re.findall(r"\b(?:by|on|group_left)\s*\(([\w, ]*)\)", query["expr"])
        used = {label for group in grouped for label in re.findall(r"\w+", group)}
        shown = set(re.findall(r"\{\{(\w+)\}\}", query.get("legendFormat", "")))
        assert (used | shown) - labels - made - TARGET_LABELS == set(), query["expr"]


def test_every_exported_metric_that_tells_of_the_receiver_is_on_a_dashboard() -> None:
    shown = {metric for name in BOARDS for expr in expressions(name) for metric in named(expr)}
    series = {
        name: metric
        for name, metric in exported().items()
        if metric.type != "histogram" or name.endswith("_bucket")
    }

    # A namespace is for the rules: it is not told to people apart from the title.
    assert series.keys() - shown == {"stormcell_cluster_place_info"}


COLUMNS = {
    "clusters": PLUGIN / "frames" / "clusters.ts",
    "alerts": PLUGIN / "datasource" / "queries" / "alerts.ts",
    "events": PLUGIN / "frames" / "events.ts",
}
"""Where the plugin makes the columns of a query type."""


def columns_of(query: dict[str, Any]) -> set[str]:
    """Return what the columns of the answer to *query* are called."""
    if query["datasource"] == PROMETHEUS:
        series = exported()
        labels = {x for metric in named(query["expr"]) for x in series[metric].labels}
        return {"Time", "Value"} | labels | TARGET_LABELS
    text = COLUMNS[query["queryType"]].read_text()
    return set(re.findall(r"^  (?:number|text|flag|object|time)\('(\w+)'", text, re.MULTILINE))


def test_tables_of_our_own_choose_their_columns() -> None:
    """All of a cluster's are too many for a screen."""
    for name in BOARDS:
        for panel in panels(name):
            (query, *_) = panel.get("targets") or [{}]
            if panel["type"] == "table" and query.get("queryType") in COLUMNS:
                ids = [change["id"] for change in panel["transformations"]]
                assert "filterFieldsByName" in ids, panel["title"]


@each_board
def test_columns_that_are_arranged_are_columns_of_the_answer(name: str) -> None:
    """Of Prometheus' answers, labels; of our own data source's, fields as the plugin names its columns."""
    for panel in panels(name):
        for change in panel.get("transformations", []):
            (query,) = panel["targets"]
            columns = columns_of(query)
            options = change["options"]
            if change["id"] == "filterFieldsByName":
                assert query["datasource"] == STORMCELL
                assert set(options["include"]["names"]) <= columns, panel["title"]
                continue
            if change["id"] == "filterByValue":
                assert {each["fieldName"] for each in options["filters"]} <= columns
                continue
            assert change["id"] == "organize"
            arranged = options["indexByName"].keys() | options["renameByName"].keys()

            assert arranged | options["excludeByName"].keys() <= columns
            shown = {options["renameByName"].get(column, column) for column in columns}
            for override in panel["fieldConfig"]["overrides"]:
                assert override["matcher"]["options"] in shown


@pytest.mark.e2e
@each_board
def test_prometheus_can_read_every_expression(name: str, tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or absent("promtool")
    rules = [{"record": f"x:y{n}", "expr": expr} for n, expr in enumerate(expressions(name))]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "x", "rules": rules}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", file], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout
