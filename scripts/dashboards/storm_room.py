"""Storm room: what goes on now, for whoever was woken by it."""

from __future__ import annotations

from scripts.dashboards.parts import (
    GREEN,
    LIVE_PANEL,
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

_STORM = "max(stormcell_storm_active)"
_CALM_OR_STORM = {
    "type": "value",
    "options": {
        "0": {"text": "Calm", "color": GREEN, "index": 0},
        "1": {"text": "STORM", "color": RED, "index": 1},
    },
}
_TITLED = " * on (job, instance, cluster_id) group_left (title, severity) stormcell_cluster_info"
_HIDDEN = ("Time", "job", "instance", "pod", "namespace", "service", "endpoint", "container")


def _banner() -> list[Json]:
    in_storm = " and on () (max(stormcell_storm_active) == 1)"
    return [
        stat(
            "Now",
            promql(_STORM, instant=True),
            says="Whether a storm goes on: new alerts far above what is usual at this hour.",
            mappings=[_CALM_OR_STORM],
            colour="background",
            absent="Stormcell does not answer",
            size=(3, 4),
        ),
        stat(
            "Since",
            promql("max(stormcell_storm_start_timestamp_seconds > 0) * 1000", instant=True),
            unit="dateTimeFromNow",
            says="When the storm started.",
            size=(3, 4),
        ),
        stat(
            "Times the usual",
            promql("max(stormcell_storm_intensity_ratio)" + in_storm, instant=True),
            says="New alerts over the usual at this hour. Below 1.5 for five minutes ends the storm.",
            steps=((None, "text"), (3, ORANGE), (10, RED)),
            size=(3, 4),
        ),
        stat(
            "Alerts in the storm",
            promql("max(stormcell_storm_firing_alerts)" + in_storm, instant=True),
            says="Firing alerts of the storm's alert clusters.",
        ),
        stat(
            "Clusters in the storm",
            promql("max(stormcell_storm_clusters)" + in_storm, instant=True),
            says="Alert clusters that the storm is about.",
        ),
        stat(
            "Alerts outside it",
            promql(
                "sum(stormcell_cluster_firing_alerts) - max(stormcell_storm_firing_alerts)",
                instant=True,
            ),
            says="Firing alerts that the storm is not about: another trouble that nobody else tells of.",
            steps=((None, GREEN), (1, ORANGE)),
        ),
        stat(
            "Source quiet",
            promql("max(stormcell_source_quiet_timestamp_seconds > 0) * 1000", instant=True),
            unit="dateTimeFromNow",
            says="Since when a source of alerts is silent. What ended since then may not have recovered.",
            steps=((None, ORANGE),),
            absent="no",
            size=(3, 4),
        ),
    ]


def board() -> Json:
    """Return the dashboard."""
    return dashboard(
        "stormcell-storm-room",
        "Storm room",
        "The storm and its alert clusters, live; what fires outside it; how far it spread.",
        [
            *_banner(),
            panel(
                LIVE_PANEL,
                "Alert clusters",
                ask("evolution"),
                says="A lane for each alert cluster. Click one for its alerts and why they are in it.",
                size=(24, 16),
                options={"alertmanagerUrl": "$alertmanager"},
            ),
            row("Outside the storm, and largest"),
            table(
                "Outside the storm",
                promql(
                    "sort_desc((max by (job, instance, cluster_id) (stormcell_cluster_firing_alerts"
                    '{cluster_id!="other"}) > 0 unless on (cluster_id) (stormcell_cluster_in_storm == 1))'
                    + _TITLED
                    + ")",
                    instant=True,
                    kind="table",
                ),
                says="Alert clusters that fire and that the storm is not about; in calm all that fire.",
                columns=("severity", "title", "Value", "cluster_id"),
                hidden=_HIDDEN,
                names={
                    "Value": "firing",
                    "cluster_id": "cluster",
                },
                sort="firing",
            ),
            table(
                "Top clusters",
                ask("clusters", state="live"),
                says="What is live, as Stormcell lists it.",
                sort="firing",
                fields=(
                    "severity",
                    "title",
                    "firing",
                    "suppressed",
                    "state",
                    "opened_at",
                    "recurs_cluster_id",
                    "source_quiet_at",
                ),
            ),
            row("Spread"),
            curves(
                "How far the clusters have spread",
                promql("topk(10, stormcell_cluster_spread_values > 1)" + _TITLED, "{{title}}"),
                says="Services, nodes or other values in which a cluster has fired; 32 are counted.",
                size=(12, 9),
            ),
            table(
                "Where they began",
                promql(
                    "(stormcell_cluster_spread_start_timestamp_seconds * 1000)" + _TITLED,
                    instant=True,
                    kind="table",
                ),
                says="First alert of each cluster that spreads. The order of firing, not of cause; no "
                "alert is named where several came within a minute.",
                columns=("Value", "title", "along", "first_alert", "first_value", "severity"),
                hidden=(*_HIDDEN, "cluster_id"),
                names={
                    "Value": "first fired",
                    "first_alert": "first alert",
                    "first_value": "where",
                },
                units={"first fired": "dateTimeAsIso"},
            ),
            row("What became of the noise"),
            curves(
                "Growth of the clusters",
                promql(
                    "topk(10, stormcell_cluster_new_alerts_per_second > 0)" + _TITLED, "{{title}}"
                ),
                says="Alerts a second that joined, over a minute.",
                unit="cps",
                size=(8, 9),
            ),
            curves(
                "Alerts fired and resolved",
                ask("stats", figures="rates"),
                says="As Stormcell counts them; Prometheus is not asked.",
                size=(8, 9),
            ),
            panel(
                "bargauge",
                "Noise ledger",
                ask("stats", figures="ledger"),
                says="Notifications that came, alerts in them, clusters and storms that they became.",
                size=(8, 9),
                options={
                    "displayMode": "basic",
                    "orientation": "horizontal",
                    "namePlacement": "left",
                    "showUnfilled": True,
                    "sizing": "auto",
                    "minVizHeight": 16,
                    "minVizWidth": 8,
                    "maxVizHeight": 300,
                    "legend": {
                        "calcs": [],
                        "displayMode": "list",
                        "placement": "bottom",
                        "showLegend": False,
                    },
                    "valueMode": "color",
                    "reduceOptions": {
                        "calcs": ["lastNotNull"],
                        "fields": "/^(notifications|alerts|episodes|clusters|storms)$/",
                        "values": False,
                    },
                },
            ),
        ],
        since="now-30m",
        variables=[
            textbox(
                "alertmanager",
                "Alertmanager",
                "Its address as a browser reaches it: a cluster's card then opens its form for a silence.",
            )
        ],
        annotations=[storms_as_regions()],
    )
