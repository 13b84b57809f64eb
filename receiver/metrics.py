"""What Prometheus is told. Listens to publications; the names are public and in docs/metrics.md."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from receiver.core import timestamps
from receiver.core.clusters import LIVE_STATES
from receiver.core.evolution import EventType
from receiver.core.model import Outcome, Status
from receiver.core.publication import Publication
from receiver.core.room import TABLES, Trimmed
from receiver.core.text import display
from receiver.core.timestamps import SECOND, seconds

# A second series for each counter, which Prometheus does not read.
disable_created_metrics()  # type: ignore[no-untyped-call]

SHOWN_CLUSTERS = 50
"""Clusters with series of their own; the rest is summed. Labels must stay bounded."""

_KEEP_SHOWN = 300 * SECOND
"""Nanoseconds a shown cluster keeps its series after it resolved, so that the last scrape sees 0."""

_LONGEST_VALUE = 64
"""Characters of a severity, a namespace or another value that becomes a label."""

_RATE_WINDOW = 60 * SECOND
_LATENCY = (
    0.001,
    0.002,
    0.004,
    0.008,
    0.012,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    15,
    30,
    60,
)
_SEARCH = (0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1)
_CODES = ("200", "400", "405", "413", "500", "503")


class Metrics:
    """All metrics, in a registry of their own."""

    def __init__(self, version: str, external_url: str = "") -> None:
        """Register everything, with series at 0 where their labels are known.

        Args:
            version: Of this program.
            external_url: Under which address browsers reach it, if that was set.
        """
        registry = self.registry = CollectorRegistry()
        self.webhook_requests = Counter(
            "stormcell_webhook_requests", "Webhook requests by answer.", ["code"], registry=registry
        )
        self.failures = Counter(
            "stormcell_request_failures",
            "Requests of any kind that failed for a fault of ours, or of the database, answered 500.",
            registry=registry,
        )
        self.refusals = Counter(
            "stormcell_access_refused",
            "Requests of any kind that were refused for who asked, by answer.",
            ["code"],
            registry=registry,
        )
        for code in ("401", "403"):
            self.refusals.labels(code)
        self.webhook_duration = Histogram(
            "stormcell_webhook_duration_seconds",
            "From the first byte of a webhook to its answer.",
            buckets=_LATENCY,
            registry=registry,
        )
        self.alerts_received = Counter(
            "stormcell_alerts_received",
            "Alerts applied, by what the sender said of them and what became of them.",
            ["status", "outcome"],
            registry=registry,
        )
        self.truncated = Counter(
            "stormcell_truncated_notifications",
            "Notifications from which the sender cut alerts (max_alerts).",
            registry=registry,
        )
        self.processing = Histogram(
            "stormcell_alert_processing_duration_seconds",
            "From receipt of an alert to the commit of its cluster.",
            buckets=_LATENCY,
            registry=registry,
        )
        self.embedding = Histogram(
            "stormcell_embedding_duration_seconds",
            "Embedding of the new texts of one batch.",
            buckets=_LATENCY,
            registry=registry,
        )
        self.cache_hits = Counter(
            "stormcell_embedding_cache_hits",
            "Texts whose vector was held already.",
            registry=registry,
        )
        self.cache_misses = Counter(
            "stormcell_embedding_cache_misses",
            "Texts that had to be embedded.",
            registry=registry,
        )
        self.search = Histogram(
            "stormcell_index_search_duration_seconds",
            "One search for the nearest texts.",
            buckets=_SEARCH,
            registry=registry,
        )
        self.events = Counter(
            "stormcell_events", "Steps of evolution, by type.", ["type"], registry=registry
        )
        self.archived = Counter(
            "stormcell_vectors_archived",
            "Vectors let go to make room.",
            registry=registry,
        )
        self.deleted = Counter(
            "stormcell_storage_rows_deleted",
            "Rows deleted to keep the database under its limit.",
            ["table"],
            registry=registry,
        )
        self.storms = Counter("stormcell_storms", "Storms that started.", registry=registry)
        self.reconciliation_failures = Counter(
            "stormcell_reconciliation_failures",
            "Times that an Alertmanager, asked what it knows, gave no usable answer.",
            registry=registry,
        )
        self.retries = Counter(
            "stormcell_retries",
            "Attempts repeated because the database or the model failed.",
            registry=registry,
        )
        Gauge(
            "stormcell_build_info",
            "Always 1; external_url is web.external_url, for links.",
            ["version", "external_url"],
            registry=registry,
        ).labels(version, external_url.rstrip("/")).set(1)
        self._reload_successful = Gauge(
            "stormcell_config_last_reload_successful",
            "Whether the configuration was last read without a fault.",
            registry=registry,
        )
        self._reload_time = Gauge(
            "stormcell_config_last_reload_success_timestamp_seconds",
            "When the configuration was last reloaded without a fault; 0 if that was at the start.",
            registry=registry,
        )
        self._restart_needed = Gauge(
            "stormcell_config_settings_need_restart",
            "Settings that were changed at the last reload and hold only after a restart.",
            registry=registry,
        )
        self._reload_successful.set(1)
        for code in _CODES:
            self.webhook_requests.labels(code)
        for kind in EventType:
            self.events.labels(kind.value)
        for table in TABLES:
            self.deleted.labels(table)
        for outcome in Outcome:
            for status in (*(s.value for s in Status), "unknown"):
                if (status == "unknown") <= (outcome is Outcome.DEAD_LETTER):
                    self.alerts_received.labels(status, outcome.value)
        self.board = Board()
        registry.register(self.board)

    def gauge(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Show what *read* returns at each scrape as `stormcell_`*name*."""
        Gauge(f"stormcell_{name}", help, registry=self.registry).set_function(read)

    def counter(self, name: str, help: str, read: Callable[[], float]) -> None:
        """Show what *read*, which only grows, returns at each scrape as `stormcell_`*name*`_total`."""
        self.registry.register(_Counted(f"stormcell_{name}", help, read))

    def reloaded(self, good: bool, at: int = 0, need_restart: int = 0) -> None:
        """Tell of a reload at *at*, nanoseconds, if it was *good*, and how much needs a restart."""
        self._reload_successful.set(good)
        if good:
            self._reload_time.set(seconds(at))
            self._restart_needed.set(need_restart)

    def published(self, publication: Publication) -> None:
        """Count one publication; a listener."""
        for key, count in publication.outcomes.items():
            status, _, outcome = key.partition(".")
            self.alerts_received.labels(status, outcome).inc(count)
        for status in publication.dead_letters:
            self.alerts_received.labels(status, Outcome.DEAD_LETTER.value).inc()
        for age in publication.ages_seconds:
            self.processing.observe(age)
        for event in publication.events:
            self.events.labels(event.type.value).inc()
            if event.type is EventType.STORM_STARTED:
                self.storms.inc()
        self.cache_hits.inc(publication.texts_known)
        self.cache_misses.inc(publication.texts_embedded)
        self.archived.inc(publication.vectors_archived)
        self.board.published(publication)

    def answered(self, code: str, seconds: float) -> None:
        """Count a webhook answered with *code* after *seconds*."""
        self.webhook_requests.labels(code).inc()
        self.webhook_duration.observe(seconds)

    def trimmed(self, trimmed: Trimmed) -> None:
        """Count what was deleted to make room."""
        for table, count in trimmed.rows.items():
            self.deleted.labels(table).inc(count)

    def cut(self) -> None:
        """Count a notification from which the sender cut alerts."""
        self.truncated.inc()

    def refused(self, status: int) -> None:
        """Count a request that was answered *status* for who asked."""
        self.refusals.labels(str(status)).inc()

    def failed(self) -> None:
        """Count a request that was answered 500."""
        self.failures.inc()

    def render(self) -> bytes:
        """Return the exposition."""
        return generate_latest(self.registry)


class _Counted:
    """A counter that somebody else keeps; a collector of prometheus_client."""

    def __init__(self, name: str, help: str, read: Callable[[], float]) -> None:
        self._name, self._help, self._read = name, help, read

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(self._name, self._help, value=self._read())


class Board:
    """The live clusters as gauges, read at each scrape."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._live: dict[int, Mapping[str, Any]] = {}
        # Kept up, as a scrape that goes through tens of thousands of clusters holds up the alerts.
        self._states: dict[str, int] = defaultdict(int)
        self._firing = self._suppressed = 0
        self._shown: dict[int, int | None] = {}
        self._last: dict[int, Mapping[str, Any]] = {}
        self._joined: dict[int, deque[int]] = {}
        self._time = 0
        self._figures: dict[str, float] = {}
        self._storm_ids: frozenset[int] = frozenset()
        self._ready = False

    def published(self, publication: Publication) -> None:
        """Take in what changed."""
        with self._lock:
            self._ready = True
            self._time = max(self._time, publication.time)
            for cluster in publication.clusters:
                self._count(self._live.pop(cluster["id"], None), -1)
                if cluster["state"] in LIVE_STATES:
                    self._live[cluster["id"]] = cluster
                    self._count(cluster, 1)
                    continue
                self._joined.pop(cluster["id"], None)
                if cluster["id"] in self._shown:
                    self._last[cluster["id"]] = cluster
                    self._shown[cluster["id"]] = publication.time
            for event in publication.events:
                if event.type is EventType.ALERT_ASSIGNED and event.cluster_id in self._live:
                    times = self._joined.setdefault(event.cluster_id, deque())
                    times.append(event.time)
                    _trim(times, self._time)
            self._figures = {
                "flapping_alerts": publication.flapping,
                "heartbeat_timestamp_seconds": seconds(publication.heartbeat_at),
                "source_quiet_timestamp_seconds": seconds(publication.quiet_at),
                "index_vectors": publication.stats["index"]["vectors"],
                "index_vectors_limit": publication.stats["memory"]["max_vectors"],
                "memory_pressure": publication.stats["memory"]["usage_ratio"],
                "past_clusters": publication.stats["memory"]["past_clusters"],
                "past_clusters_limit": publication.stats["memory"]["max_past_clusters"],
                "index_recall_ratio": publication.stats["index"]["measured_recall"],
                **_storm_figures(publication.storm),
            }
            storm = publication.storm
            self._storm_ids = frozenset(storm["cluster_ids"]) if storm else frozenset()
            stability = publication.stats["stability"].get("stability_score")
            if stability is not None:
                self._figures["assignment_stability_ratio"] = stability

    def _count(self, cluster: Mapping[str, Any] | None, times: int) -> None:
        if cluster is not None:
            self._states[cluster["state"]] += times
            self._firing += times * cluster["firing"]
            self._suppressed += times * cluster["suppressed"]

    def _choose(self) -> None:
        """Fill the places: who is shown stays, so that series do not come and go with the rank."""
        over = [c for c, at in self._shown.items() if at is not None]
        for cluster_id in over:
            resolved_at = self._shown[cluster_id]
            if cluster_id in self._live:
                self._shown[cluster_id] = None
            elif resolved_at is not None and self._time - resolved_at > _KEEP_SHOWN:
                del self._shown[cluster_id]
                self._last.pop(cluster_id, None)
        room = SHOWN_CLUSTERS - len(self._shown)
        if room > 0:
            hidden = (c for c in self._live.values() if c["id"] not in self._shown)
            largest = nlargest(room, hidden, key=lambda c: (c["firing"], c["id"]))
            self._shown.update((c["id"], None) for c in largest)

    def _rate(self, cluster_id: int) -> float:
        times = self._joined.get(cluster_id, deque())
        _trim(times, self._time)
        return len(times) / seconds(_RATE_WINDOW)

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; a collector of prometheus_client."""
        with self._lock:
            yield from list(self._collect())

    def _collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            "stormcell_clusters", "Live clusters by state.", labels=["state"]
        )
        for state in LIVE_STATES:
            states.add_metric([state.value], self._states[state.value])
        yield states
        if not self._ready:
            return
        for name, value in self._figures.items():
            yield GaugeMetricFamily(f"stormcell_{name}", _HELP[name], value=value)
        self._choose()
        shown = [self._live[cluster_id] for cluster_id in self._shown if cluster_id in self._live]
        firing = GaugeMetricFamily(
            "stormcell_cluster_firing_alerts",
            "Firing alerts of a live cluster; of all that are not shown under other.",
            labels=["cluster_id"],
        )
        rate = GaugeMetricFamily(
            "stormcell_cluster_new_alerts_per_second",
            "Alerts a second that joined a shown cluster in the last minute.",
            labels=["cluster_id"],
        )
        in_storm = GaugeMetricFamily(
            "stormcell_cluster_in_storm",
            "Whether a shown cluster is one of those that the storm is about.",
            labels=["cluster_id"],
        )
        told = {
            each: GaugeMetricFamily(
                f"stormcell_{each.name}", each.help, labels=["cluster_id", *each.labels]
            )
            for each in _TOLD
        }
        for cluster_id in sorted(self._shown):
            cluster = self._live.get(cluster_id) or self._last[cluster_id]
            firing.add_metric([str(cluster_id)], cluster["firing"])
            rate.add_metric([str(cluster_id)], self._rate(cluster_id))
            in_storm.add_metric([str(cluster_id)], cluster_id in self._storm_ids)
            for each, family in told.items():
                sample = each.read(cluster)
                if sample is not None:
                    family.add_metric([str(cluster_id), *sample[0]], sample[1])
        firing.add_metric(["other"], self._firing - sum(c["firing"] for c in shown))
        yield from (firing, rate, in_storm, *told.values())
        yield GaugeMetricFamily(
            "stormcell_suppressed_alerts",
            "Alerts of live clusters that are silenced or inhibited, as far as Alertmanagers are asked.",
            value=self._suppressed,
        )
        yield GaugeMetricFamily(
            "stormcell_clusters_not_exported",
            "Live clusters without series of their own.",
            value=len(self._live) - len(shown),
        )


class _Told(NamedTuple):
    """A gauge of each shown cluster, read from its public fields.

    Attributes:
        name: Without `stormcell_`.
        labels: Beside cluster_id.
        read: Returns their values and the gauge's, None where there is nothing to tell.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[Mapping[str, Any]], tuple[Sequence[str], float] | None]


def _info(cluster: Mapping[str, Any]) -> tuple[Sequence[str], float]:
    return (cluster["title"], _short(cluster["severity"])), 1


def _place(cluster: Mapping[str, Any]) -> tuple[Sequence[str], float] | None:
    namespace = _short(cluster["labels"].get("namespace", ""))
    return ((namespace,), 1) if namespace else None


def _values(cluster: Mapping[str, Any]) -> tuple[Sequence[str], float]:
    spread = cluster["spread"]
    return (), spread["values"] if spread else 0


def _first(cluster: Mapping[str, Any]) -> tuple[Sequence[str], float] | None:
    spread = cluster["spread"]
    if not spread:
        return None
    began = seconds(timestamps.parse(spread["waves"][0]["at"]) or 0)
    along = _short(spread["label"])
    if spread["probable_first"] is None:
        return (along, "", ""), began
    alert = spread["evidence"]["alerts"][0]
    return (along, _short(alert["alertname"]), _short(alert["value"])), began


def _novel(cluster: Mapping[str, Any]) -> tuple[Sequence[str], float] | None:
    return None if cluster["novel"] is None else ((), cluster["novel"])


_TOLD = (
    _Told("cluster_info", "What a shown cluster is; always 1.", ("title", "severity"), _info),
    # Not `namespace`, which is what a target found in Kubernetes is labelled with.
    _Told(
        "cluster_place_info",
        "The namespace that all alerts of a shown cluster name, where they name one; always 1.",
        ("alert_namespace",),
        _place,
    ),
    _Told(
        "cluster_spread_values",
        "Values that a shown cluster has fired in, of the label along which it spreads;"
        " at most 32, 0 if it does not spread.",
        (),
        _values,
    ),
    _Told(
        "cluster_spread_start_timestamp_seconds",
        "When a shown cluster that spreads along a label fired first, and in which alert and value;"
        " these are empty where the order does not tell.",
        ("along", "first_alert", "first_value"),
        _first,
    ),
    _Told(
        "cluster_novel",
        "Whether a shown cluster is of kinds not seen here for long; absent where that is unknown.",
        (),
        _novel,
    ),
)


def _short(text: str) -> str:
    """Return *text* as a label's value: whatever it is, of bounded length and harmless."""
    return display(text)[:_LONGEST_VALUE]


def _trim(times: deque[int], now: int) -> None:
    """Drop what of *times* lies outside the window before *now*."""
    while times and times[0] <= now - _RATE_WINDOW:
        times.popleft()


def _storm_figures(storm: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the gauges of *storm*; in calm all are 0."""
    if storm is None:
        return dict.fromkeys(_STORM_GAUGES, 0.0)
    started_at = timestamps.parse(storm["started_at"]) or 0
    values = (
        1.0,
        storm["intensity"],
        storm["firing"],
        len(storm["cluster_ids"]),
        seconds(started_at),
    )
    return dict(zip(_STORM_GAUGES, values, strict=True))


_STORM_GAUGES = (
    "storm_active",
    "storm_intensity_ratio",
    "storm_firing_alerts",
    "storm_clusters",
    "storm_start_timestamp_seconds",
)

_HELP = {
    "storm_active": "Whether a storm goes on.",
    "storm_intensity_ratio": "New alerts over the usual at this hour, in a storm; 0 in calm.",
    "storm_firing_alerts": "Firing alerts in the clusters of the storm.",
    "storm_clusters": "Clusters of the storm.",
    "storm_start_timestamp_seconds": "When the storm started; 0 in calm.",
    "flapping_alerts": "Open alerts that fired again and again within minutes.",
    "heartbeat_timestamp_seconds": "When the heartbeat alert was last received; 0 for never.",
    "source_quiet_timestamp_seconds": "By when a source was quiet whose heartbeat is gone; 0: none is.",
    "index_vectors": "Vectors held.",
    "index_recall_ratio": "Share of the true nearest texts that searches find, as measured; 1 is exact.",
    "index_vectors_limit": "Most vectors that are held.",
    "past_clusters": "Clusters that are over and are recognised when they recur.",
    "past_clusters_limit": "Most of these that are remembered.",
    "memory_pressure": "Vectors held over the most that are, 0 to 1.",
    "assignment_stability_ratio": "Share of the latest assignments that opened no cluster.",
}
