"""History: where an alert went, what came back, when it storms, and what is kept."""

from __future__ import annotations

from scripts.dashboards.parts import (
    ORANGE,
    RED,
    Json,
    ask,
    curves,
    dashboard,
    panel,
    promql,
    row,
    stat,
    storms_as_regions,
    table,
    textbox,
)

_TOLD = (
    "cluster_created",
    "cluster_merged",
    "cluster_split",
    "cluster_resolved",
    "storm_started",
    "storm_ended",
    "operator_command",
)
"""Events that people look for; a storm has thousands of others."""

_MINUTES_BY_HOUR = (
    'sum_over_time(count_values("hour", hour(timestamp(stormcell_storm_active == 1)))[1d:5m]) * 5'
)


def _storms() -> list[Json]:
    heat = panel(
        "heatmap",
        "When it storms",
        promql(_MINUTES_BY_HOUR, "{{hour}}", kind="heatmap") | {"interval": "1d"},
        says="Minutes in a storm, by day and hour of the day (UTC).",
        size=(14, 9),
        options={
            "calculate": False,
            "cellGap": 1,
            "color": {
                "mode": "scheme",
                "scheme": "Oranges",
                "steps": 32,
                "fill": ORANGE,
                "scale": "linear",
                "exponent": 0.5,
                "reverse": False,
            },
            "exemplars": {"color": ORANGE},
            # An hour without a storm is left blank.
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "yAxis": {"axisPlacement": "left", "reverse": False, "axisLabel": "hour, UTC"},
            "cellValues": {"unit": "m"},
            "tooltip": {"mode": "single"},
        },
    )
    return [
        heat,
        table("Storms", ask("storms"), says="In the time range.", size=(10, 9)),
    ]


def _retention() -> list[Json]:
    share = ((None, "text"), (0.8, ORANGE), (0.9, RED))
    return [
        stat(
            "Texts held",
            promql("max(stormcell_index_vectors / stormcell_index_vectors_limit)", instant=True),
            unit="percentunit",
            steps=share,
            size=(4, 8),
            says="Of memory.max_vectors; at the limit those used longest ago are let go.",
        ),
        stat(
            "Past clusters held",
            promql("max(stormcell_past_clusters / stormcell_past_clusters_limit)", instant=True),
            unit="percentunit",
            steps=share,
            size=(4, 8),
            says="Of memory.max_past_clusters: those that are recognised when they recur.",
        ),
        curves(
            "Database",
            promql("max(stormcell_storage_size_bytes)", "on disk"),
            promql("max(stormcell_storage_limit_bytes)", "limit"),
            unit="bytes",
            says="Alerts and events are kept until the limit is reached; then the oldest that are over go.",
        ),
        curves(
            "Rows deleted",
            promql(
                "sum by (table) (increase(stormcell_storage_rows_deleted_total[$__rate_interval]))",
                "{{table}}",
            ),
            says="To keep the database under its limit.",
        ),
        curves(
            "Texts let go",
            promql("sum(increase(stormcell_vectors_archived_total[$__rate_interval]))", "let go"),
            says="To make room; their alerts stay.",
        ),
    ]


def board() -> Json:
    """Return the dashboard."""
    return dashboard(
        "stormcell-history",
        "Stormcell history",
        "All alerts ever received, what happened to them, and what came back.",
        [
            row("Where did the alert go"),
            table(
                "Alerts",
                ask("alerts", text="$search"),
                says="All that were ever received, by label, label name or annotation.",
                size=(24, 10),
                fields=(
                    "startsAt",
                    "endsAt",
                    "state",
                    "ending",
                    "severity",
                    "alertname",
                    "summary",
                    "cluster_id",
                    "runbook_url",
                    "labels",
                ),
            ),
            row("What happened"),
            table(
                "Events",
                ask("events", types=list(_TOLD)),
                says="Births, merges, splits, ends, storms, and what operators did, in the time range.",
                size=(12, 10),
                sort="time",
                fields=("time", "type", "cluster_id", "title", "into", "from", "reason", "command"),
            ),
            table(
                "Recurrences",
                ask("clusters", state="all", text="$search", limit=1000),
                says="Alert clusters that came back, with the earlier one that each recurs.",
                size=(12, 10),
                sort="opened_at",
                fields=(
                    "severity",
                    "title",
                    "state",
                    "size",
                    "opened_at",
                    "resolved_at",
                    "recurs_cluster_id",
                ),
                having="recurs_cluster_id",
            ),
            row("Storms"),
            *_storms(),
            row("What is kept"),
            *_retention(),
        ],
        since="now-7d",
        variables=[textbox("search", "Search")],
        annotations=[storms_as_regions()],
    )
