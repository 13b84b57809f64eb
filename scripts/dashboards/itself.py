"""Stormcell itself: whether the receiver is well, from what Prometheus scrapes of it."""

from __future__ import annotations

from scripts.dashboards.parts import (
    GREEN,
    ORANGE,
    RED,
    Json,
    curves,
    dashboard,
    promql,
    quantiles,
    row,
    stat,
    storms_as_regions,
)

_YES_NO = {
    "type": "value",
    "options": {
        "0": {"text": "no", "color": RED, "index": 0},
        "1": {"text": "yes", "color": GREEN, "index": 1},
    },
}
_AGE = ((None, GREEN), (300, ORANGE), (600, RED))


def _summary() -> list[Json]:
    def yes(title: str, name: str, says: str) -> Json:
        return stat(
            title, promql(f"min({name})", instant=True), mappings=[_YES_NO], says=says, size=(3, 4)
        )

    def age(title: str, name: str, says: str) -> Json:
        query = promql(f"time() - max({name} > 0)", instant=True)
        return stat(title, query, unit="s", steps=_AGE, says=says, absent="never", size=(3, 4))

    return [
        yes("Ready", "stormcell_ready", "Alerts can be taken and the state is restored."),
        yes("Model", "stormcell_embedder_ready", "Without it alerts are kept and stay pending."),
        yes(
            "Configuration",
            "stormcell_config_last_reload_successful",
            "It was read without a fault.",
        ),
        age("Heartbeat", "stormcell_heartbeat_timestamp_seconds", "Since the last one."),
        age("Last webhook", "stormcell_last_webhook_timestamp_seconds", "Since it was committed."),
        stat(
            "Known missing",
            promql("max(stormcell_known_missing_alerts)", instant=True),
            steps=((None, GREEN), (1, RED)),
            says="Alerts that the sender says it cut (max_alerts).",
            size=(3, 4),
        ),
        stat(
            "Live clusters",
            promql("sum(stormcell_clusters)", instant=True),
            says="In any state but resolved and merged.",
            size=(3, 4),
        ),
        stat(
            "Version",
            promql("max by (version) (stormcell_build_info)", "{{version}}", instant=True),
            says="That runs.",
            size=(3, 4),
            text="name",
        ),
    ]


def _intake() -> list[Json]:
    return [
        curves(
            "Webhooks by answer",
            promql(
                "sum by (code) (rate(stormcell_webhook_requests_total[$__rate_interval]))",
                "{{code}}",
            ),
            unit="reqps",
            stacked=True,
        ),
        curves(
            "Alerts by outcome",
            promql(
                "sum by (outcome) (rate(stormcell_alerts_received_total[$__rate_interval]))",
                "{{outcome}}",
            ),
            unit="cps",
            stacked=True,
            says="Refreshes are repeats; dead letters could not be taken.",
        ),
        curves(
            "From request to answer",
            *quantiles("stormcell_webhook_duration_seconds"),
            unit="s",
            says="200 is answered when the alerts are committed.",
        ),
        curves(
            "Notifications cut by the sender",
            promql(
                "sum(increase(stormcell_truncated_notifications_total[$__rate_interval]))", "cut"
            ),
            says="max_alerts of the sender's receiver has to be 0.",
        ),
        curves(
            "Bodies in memory",
            promql("sum(stormcell_intake_bytes)", "bytes"),
            unit="bytes",
            says="Not yet committed.",
        ),
        curves(
            "Dead letters",
            promql(
                "sum by (status) (increase(stormcell_alerts_received_total"
                '{outcome="dead_letter"}[$__rate_interval]))',
                "{{status}}",
            ),
        ),
    ]


def _lag() -> list[Json]:
    return [
        curves("Pending alerts", promql("max(stormcell_pending_alerts)", "pending")),
        curves(
            "Age of the oldest pending",
            promql("max(stormcell_oldest_pending_age_seconds)", "age"),
            unit="s",
            limit=60,
            says="Above the line for two minutes StormcellPendingGrowing warns.",
        ),
        curves(
            "From receipt to cluster",
            *quantiles("stormcell_alert_processing_duration_seconds"),
            unit="s",
        ),
        curves(
            "Embedding of a batch", *quantiles("stormcell_embedding_duration_seconds"), unit="s"
        ),
        curves(
            "Texts known already",
            promql(
                "sum(rate(stormcell_embedding_cache_hits_total[$__rate_interval])) / "
                "(sum(rate(stormcell_embedding_cache_hits_total[$__rate_interval])) + "
                "sum(rate(stormcell_embedding_cache_misses_total[$__rate_interval])))",
                "known",
            ),
            unit="percentunit",
            greatest=1,
            says="A known text costs no embedding.",
        ),
        curves(
            "Retries",
            promql("sum(increase(stormcell_retries_total[$__rate_interval]))", "retries"),
            says="Of the database or the model.",
        ),
    ]


def _memory() -> list[Json]:
    return [
        curves(
            "Vectors",
            promql("max(stormcell_index_vectors)", "held"),
            promql("max(stormcell_index_vectors_limit)", "limit"),
        ),
        curves(
            "Memory pressure",
            promql("max(stormcell_memory_pressure)", "pressure"),
            unit="percentunit",
            limit=0.9,
            greatest=1,
        ),
        curves(
            "Database",
            promql("max(stormcell_storage_size_bytes)", "on disk"),
            promql("max(stormcell_storage_used_bytes)", "used"),
            promql("max(stormcell_storage_limit_bytes)", "limit"),
            promql("max(stormcell_storage_limit_bytes * stormcell_storage_limit_unmet)", "unmet"),
            unit="bytes",
            says="At the limit the oldest that is over is deleted, and what is free is used again. Unmet: "
            "what goes on and what is remembered alone takes more.",
        ),
        curves(
            "Recall of the index",
            promql("min(stormcell_index_recall_ratio)", "recall"),
            unit="percentunit",
            least=0.9,
            greatest=1,
            says="Share of the true nearest texts that searches find, as measured; an exact index has 1. "
            "Below 97 % for half an hour StormcellRecallLow warns.",
        ),
        curves("One search", *quantiles("stormcell_index_search_duration_seconds"), unit="s"),
        curves(
            "Stability",
            promql("min(stormcell_assignment_stability_ratio)", "stability"),
            unit="percentunit",
            greatest=1,
            says="Share of the latest assignments that opened no cluster.",
        ),
    ]


def _evolution() -> list[Json]:
    return [
        curves(
            "Clusters by state",
            promql("sum by (state) (stormcell_clusters)", "{{state}}"),
            stacked=True,
        ),
        curves(
            "Events",
            promql(
                "sum by (type) (rate(stormcell_events_total[$__rate_interval])) > 0", "{{type}}"
            ),
            unit="cps",
        ),
        curves(
            "Flapping, and clusters not shown",
            promql("max(stormcell_flapping_alerts)", "flapping alerts"),
            promql("max(stormcell_clusters_not_exported)", "clusters without series"),
        ),
        curves(
            "Novel clusters",
            promql("sum(stormcell_cluster_novel)", "novel"),
            says="Of the clusters shown.",
        ),
        curves("Storms", promql("sum(increase(stormcell_storms_total[1h]))", "in an hour")),
        curves(
            "Past clusters",
            promql("max(stormcell_past_clusters)", "held"),
            promql("max(stormcell_past_clusters_limit)", "limit"),
        ),
    ]


def _faults() -> list[Json]:
    hour = "increase({}[1h])"
    return [
        curves(
            "Faults of our own, in an hour",
            *(
                promql(f"sum({hour.format(f'stormcell_{name}_total')})", told)
                for name, told in (
                    ("worker_restarts", "worker begun again"),
                    ("event_loop_faults", "event loop"),
                    ("storage_errors", "database"),
                    ("request_failures", "requests answered 500"),
                    ("access_refused", "access refused"),
                    ("log_lines_left_out", "log lines left out"),
                )
            ),
        ),
        curves(
            "Suppressed alerts",
            promql("max(stormcell_suppressed_alerts)", "suppressed"),
            says="Silenced or inhibited, as Alertmanagers say that are asked (reconciliation).",
        ),
        curves(
            "Alertmanagers that did not answer",
            promql("sum(increase(stormcell_reconciliation_failures_total[1h]))", "in an hour"),
        ),
        curves(
            "Age of what others say",
            *(
                promql(f"(time() - max(stormcell_{name}_timestamp_seconds > 0)) or vector(0)", told)
                for name, told in (
                    ("reconciliation", "reconciled"),
                    ("source_quiet", "source quiet for"),
                    ("config_last_reload_success", "configuration"),
                )
            ),
            unit="s",
            says="0: never, or as at the start.",
        ),
        curves(
            "Settings that wait for a restart",
            promql("max(stormcell_config_settings_need_restart)", "settings"),
        ),
        curves("Clock ahead", promql("max(stormcell_clock_ahead_seconds)", "ahead"), unit="s"),
    ]


def board() -> Json:
    """Return the dashboard."""
    return dashboard(
        "stormcell-itself",
        "Stormcell itself",
        "Intake, lag, memory, the index and the clients of the stream.",
        [
            *_summary(),
            row("Intake"),
            *_intake(),
            row("Lag"),
            *_lag(),
            row("Memory and index"),
            *_memory(),
            row("Evolution"),
            *_evolution(),
            row("Faults, and what others say"),
            *_faults(),
            row("Connections"),
            curves(
                "Connections",
                promql("sum(stormcell_connections)", "open"),
                promql("sum(stormcell_connections_limit)", "limit"),
                says="At the limit, who waits longest makes room, and others wait.",
                size=(12, 8),
            ),
            curves(
                "Connections cut",
                promql("sum(increase(stormcell_connections_cut_total[$__rate_interval]))", "cut"),
                says="Nothing came from them for too long, or others needed the room.",
                size=(12, 8),
            ),
            row("Live stream"),
            curves("Clients", promql("sum(stormcell_feed_clients)", "clients"), size=(12, 8)),
            curves(
                "Clients cut",
                promql(
                    "sum(increase(stormcell_feed_clients_dropped_total[$__rate_interval]))", "cut"
                ),
                says="They did not read; they come back and miss nothing.",
                size=(12, 8),
            ),
        ],
        since="now-6h",
        annotations=[storms_as_regions(shown=False)],
    )
