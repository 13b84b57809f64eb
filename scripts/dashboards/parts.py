"""What the dashboards are put together from: panels, queries, and their places on the grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

WIDTH = 24
"""Columns of Grafana's grid."""

PROMETHEUS = {"type": "prometheus", "uid": "prometheus"}
STORMCELL = {"type": "stormcell-datasource", "uid": "stormcell"}
LIVE_PANEL = "stormcell-evolution-panel"

RED, ORANGE, GREEN, BLUE = "red", "orange", "green", "blue"


def promql(expr: str, legend: str = "", *, instant: bool = False, kind: str = "") -> Json:
    """Return a query of Prometheus; *legend* as Grafana writes it, `{{label}}`.

    *instant* asks for one value, at the end of the time range; *kind* is `table` or `heatmap` where the
    answer is not to be time series.
    """
    query: Json = {"datasource": PROMETHEUS, "editorMode": "code", "expr": expr}
    query |= {"instant": instant, "range": not instant}
    if legend:
        query["legendFormat"] = legend
    if kind:
        query["format"] = kind
    return query


def ask(kind: str, **options: Any) -> Json:
    """Return a query of Stormcell's data source: *kind* is its query type."""
    return {"datasource": STORMCELL, "queryType": kind, **options}


def panel(
    kind: str,
    title: str,
    *queries: Json,
    says: str = "",
    unit: str = "",
    size: tuple[int, int] = (8, 8),
    options: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    overrides: Sequence[Json] = (),
    transformations: Sequence[Json] = (),
) -> Json:
    """Return a panel that `dashboard` puts into its place.

    *kind* is its plugin, *says* what a reader who asks is told, *unit* that of all its values, *size* its
    width and height on the grid, *defaults* those of its fields; *transformations* are of the frames.
    """
    fields: Json = {"unit": unit} if unit else {}
    made: Json = {"type": kind, "title": title, "description": says}
    if queries:
        made["datasource"] = queries[0]["datasource"]
    made["targets"] = [{"refId": chr(ord("A") + n), **query} for n, query in enumerate(queries)]
    made["fieldConfig"] = {
        "defaults": {**fields, **(defaults or {})},
        "overrides": list(overrides),
    }
    made["options"] = dict(options or {})
    if transformations:
        made["transformations"] = list(transformations)
    made["gridPos"] = {"w": size[0], "h": size[1]}
    return made


def row(title: str) -> Json:
    """Return a heading."""
    return {
        "type": "row",
        "title": title,
        "collapsed": False,
        "panels": [],
        "gridPos": {"w": WIDTH, "h": 1},
    }


def stat(
    title: str,
    *queries: Json,
    says: str = "",
    unit: str = "",
    size: tuple[int, int] = (4, 4),
    steps: Sequence[tuple[float | None, str]] = ((None, "text"),),
    colour: str = "value",
    mappings: Sequence[Json] = (),
    absent: str = "—",
    text: str = "auto",
) -> Json:
    """Return a panel of one figure, coloured by *steps*: from which value on which colour.

    *text* is what is shown: the value, or by `name` that of its series; *absent* where there is none.
    """
    return panel(
        "stat",
        title,
        *queries,
        says=says,
        unit=unit,
        size=size,
        options={
            "colorMode": colour,
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "percentChangeColorMode": "standard",
            "showPercentChange": False,
            "wideLayout": True,
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": text,
        },
        defaults={
            "noValue": absent,
            "mappings": list(mappings),
            "thresholds": {
                "mode": "absolute",
                "steps": [{"value": value, "color": color} for value, color in steps],
            },
        },
    )


def curves(
    title: str,
    *queries: Json,
    says: str = "",
    unit: str = "short",
    size: tuple[int, int] = (8, 8),
    stacked: bool = False,
    least: float | None = 0,
    limit: float | None = None,
    greatest: float | None = None,
) -> Json:
    """Return time series; *limit* is drawn as a line, what is above it in red."""
    defaults: Json = {
        "custom": {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 40 if stacked else 8,
            "showPoints": "never",
            "stacking": {"mode": "normal" if stacked else "none"},
        }
    }
    if least is not None:
        defaults["min"] = least
    if greatest is not None:
        defaults["max"] = greatest
    if limit is not None:
        defaults["custom"]["thresholdsStyle"] = {"mode": "dashed"}
        steps = [{"value": None, "color": "transparent"}, {"value": limit, "color": RED}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    return panel(
        "timeseries",
        title,
        *queries,
        says=says,
        unit=unit,
        size=size,
        options={
            "legend": {
                "calcs": [],
                "displayMode": "list",
                "placement": "bottom",
                "showLegend": True,
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        defaults=defaults,
    )


def quantiles(name: str) -> list[Json]:
    """Return the median and the 99th percentile of the histogram *name*, over five minutes."""
    return [
        promql(
            f"histogram_quantile({q}, sum by (le) (rate({name}_bucket[5m])))",
            f"{round(q * 100)} %",
        )
        for q in (0.5, 0.99)
    ]


def table(
    title: str,
    *queries: Json,
    says: str = "",
    size: tuple[int, int] = (12, 9),
    sort: str = "",
    columns: Sequence[str] = (),
    hidden: Sequence[str] = (),
    names: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    fields: Sequence[str] = (),
    having: str = "",
) -> Json:
    """Return a table, sorted by the field *sort*, greatest first.

    *columns* are fields in their order; what is not named comes after, *hidden* not at all. *names* is what
    fields are called on the screen; *sort* and *units* go by that. *fields* are the only ones that are
    shown, in that order; *having* is one of them, without which a row is left out.
    """
    filled = {
        "id": "filterByValue",
        "options": {
            "filters": [{"fieldName": having, "config": {"id": "isNotNull", "options": {}}}],
            "match": "all",
            "type": "include",
        },
    }
    chosen = {"id": "filterFieldsByName", "options": {"include": {"names": list(fields)}}}
    columns = columns or fields
    organize = {
        "id": "organize",
        "options": {
            "excludeByName": dict.fromkeys(hidden, True),
            "indexByName": {name: place for place, name in enumerate(columns)},
            "renameByName": dict(names or {}),
        },
    }
    return panel(
        "table",
        title,
        *queries,
        says=says,
        size=size,
        options={
            "cellHeight": "sm",
            "frameIndex": 0,
            "showHeader": True,
            "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
        },
        defaults={"custom": {"filterable": True}},
        overrides=[
            {
                "matcher": {"id": "byName", "options": name},
                "properties": [{"id": "unit", "value": unit}],
            }
            for name, unit in (units or {}).items()
        ],
        transformations=[
            *([filled] if having else []),
            *([chosen] if fields else []),
            *([organize] if columns or hidden or names else []),
        ],
    )


def storms_as_regions(*, shown: bool = True) -> Json:
    """Return the annotation that draws storms behind time series."""
    return {
        "name": "Storms",
        "datasource": STORMCELL,
        "enable": shown,
        "hide": False,
        "iconColor": ORANGE,
        "target": {"refId": "Storms", **ask("annotations", marks=["storms"])},
    }


def textbox(name: str, label: str, says: str = "") -> Json:
    """Return a variable that is typed in; *says* what a reader who asks is told."""
    empty = {"selected": True, "text": "", "value": ""}
    return {
        "type": "textbox",
        "name": name,
        "label": label,
        "description": says,
        "query": "",
        "current": empty,
        "options": [empty],
        "hide": 0,
        "skipUrlSync": False,
    }


def dashboard(
    uid: str,
    title: str,
    says: str,
    panels: Sequence[Json],
    *,
    since: str,
    variables: Sequence[Json] = (),
    annotations: Sequence[Json] = (),
) -> Json:
    """Return a dashboard: *panels* from left to right, a new line where one does not fit."""
    x = y = tallest = 0
    placed = []
    for number, each in enumerate(panels, start=1):
        width, height = each["gridPos"]["w"], each["gridPos"]["h"]
        if x + width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        placed.append({"id": number, **each, "gridPos": {"x": x, "y": y, **each["gridPos"]}})
        x, tallest = x + width, max(tallest, height)
    links = {
        "type": "dashboards",
        "tags": ["stormcell"],
        "title": "Stormcell",
        "icon": "external link",
        "tooltip": "The other dashboards of Stormcell",
        "asDropdown": True,
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
    }
    return {
        "uid": uid,
        "title": title,
        "description": says,
        "tags": ["stormcell"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        # Whoever refreshes a dashboard subscribes anew; the stream moves by itself.
        "refresh": "",
        "time": {"from": since, "to": "now"},
        "timezone": "browser",
        "graphTooltip": 1,
        "links": [links],
        "annotations": {"list": list(annotations)},
        "templating": {"list": list(variables)},
        "panels": placed,
    }
