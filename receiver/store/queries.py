"""What the API asks the database; read-only connections, one a thread."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from receiver.core import wire
from receiver.core.clusters import Cluster
from receiver.core.errors import NotFound, SenderError
from receiver.core.evolution import Event
from receiver.core.query import AlertQuery
from receiver.core.severity import SeveritySettings
from receiver.core.timestamps import SECOND, render, render_optional, seconds
from receiver.store import retention, rows
from receiver.store.database import connect

_FINAL = "state IN ('resolved', 'merged')"
_MEMBERS_SHOWN = 1000
_CONSTRAINTS_SHOWN = 100


class Queries:
    """Answers questions; may be asked from any thread."""

    def __init__(self, path: Path, settings: SeveritySettings) -> None:
        """Read the database file at *path*."""
        self._path = path
        self._settings = settings
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []

    @property
    def _db(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path, read_only=True)
            self._open.append(connection)
        return connection

    def close(self) -> None:
        """Close all connections; nothing may be asked any more."""
        for connection in self._open:
            connection.close()

    # -- clusters --------------------------------------------------------------------------------

    def clusters(
        self, *, state: str, severity: str, text: str, limit: int, cursor: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return clusters, live ones first, each part newest first, and the cursor to go on from.

        Args:
            state: A state, `all`, or empty for the live ones.
            severity: Only of this severity, if given.
            text: Part of title or common labels, if given; of the title also as an alert's name is
                written, without spaces.
            limit: At most so many.
            cursor: Where an earlier answer ended.
        """
        where: list[str] = ["1"]
        parameters: list[object] = []
        if state == "":
            where.append(f"NOT {_FINAL}")
        elif state != "all":
            where.append("state = ?")
            parameters.append(state)
        if severity:
            where.append("severity = ?")
            parameters.append(severity)
        if text:
            where.append(
                r"(title LIKE ? ESCAPE '\' OR labels LIKE ? ESCAPE '\'"
                r" OR replace(title, ' ', '') LIKE ? ESCAPE '\')"
            )
            parameters += [_like(text)] * 3
        if cursor:
            final, last = _cursor(cursor, 2)
            where.append(f"({_FINAL}, -id) > (?, ?)")
            parameters += [final, -last]
        found = self._db.execute(
            f"SELECT *, {_FINAL} AS final FROM clusters WHERE {' AND '.join(where)}"
            " ORDER BY final, id DESC LIMIT ?",
            [*parameters, limit + 1],
        ).fetchall()
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = f"{found[-1]['final']}:{found[-1]['id']}"
        return [wire.cluster_json(rows.cluster_of(row)) for row in found], following

    def whole(self, cluster_id: int, field: str = "id") -> Cluster:
        """Return the cluster, or the one it was merged into: links in sent pages live on.

        Raises:
            NotFound: There is none with this id, which was asked for in *field*.
        """
        row = rows.survivor(self._db, cluster_id)
        if row is None:
            raise NotFound(f"cluster {cluster_id} {self._why_not(cluster_id)}", field=field)
        return rows.cluster_of(row)

    def _why_not(self, cluster_id: int) -> str:
        """Return why there is no cluster of this id: there never was, or it made room."""
        row = self._db.execute(
            "SELECT json_extract(value, '$.cluster_id') AS last FROM meta WHERE key = 'counters'"
        ).fetchone()
        if row is None or cluster_id > row["last"]:
            return "does not exist"
        kept_from = render(retention.kept_from(self._db))
        return f"is kept no more: what ended before {kept_from} made room for later (storage.max_bytes)"

    def cluster(self, cluster_id: int) -> dict[str, Any]:
        """Return one cluster with its members and what can be told of them.

        Raises:
            NotFound: There is none with this id.
        """
        cluster = self.whole(cluster_id)
        found = self._db.execute(
            "SELECT e.*, a.labels FROM episodes e JOIN alerts a USING (fingerprint)"
            " WHERE e.cluster_id = ? ORDER BY e.id LIMIT ?",
            (cluster.id, _MEMBERS_SHOWN),
        ).fetchall()
        members = [rows.episode_of(row) for row in found]
        return {
            **wire.cluster_json(cluster),
            "members": [self._alert(row) for row in found],
            "members_total": cluster.size,
            "members_kept": self._db.execute(
                "SELECT count(*) FROM episodes WHERE cluster_id = ?", (cluster.id,)
            ).fetchone()[0],
            "common_labels": dict(cluster.labels),
            "differing_labels": wire.differing(members),
            "cascade": wire.cascade(members, cluster.spread.within),
            "lineage": {
                "merged_from": self._related("merged_into", cluster.id),
                "merged_into": cluster.merged_into,
                "split_from": cluster.split_from,
                "split_into": self._related("split_from", cluster.id),
            },
            "constraints": self._constraints(cluster),
        }

    def _related(self, column: str, cluster_id: int) -> list[int]:
        found = self._db.execute(
            f"SELECT id FROM clusters WHERE {column} = ? ORDER BY id", (cluster_id,)
        )
        return [row["id"] for row in found]

    def _constraints(self, cluster: Cluster) -> list[dict[str, Any]]:
        """Return what operators demand of alerts that *cluster* has, the oldest first."""
        found = self._db.execute(
            "SELECT * FROM constraints WHERE seq IN (SELECT value FROM json_each(?))"
            " OR source = ? OR target = ? ORDER BY seq DESC LIMIT ?",
            (json.dumps(list(cluster.links)), cluster.id, cluster.id, _CONSTRAINTS_SHOWN),
        ).fetchall()
        return [wire.constraint_json(rows.constraint_of(row)) for row in reversed(found)]

    def live_clusters(self) -> list[dict[str, Any]]:
        """Return every live cluster, by id."""
        found = self._db.execute(f"SELECT * FROM clusters WHERE NOT {_FINAL} ORDER BY id")
        return [wire.cluster_json(rows.cluster_of(row)) for row in found]

    # -- alerts ----------------------------------------------------------------------------------

    def _alert(self, row: sqlite3.Row) -> dict[str, Any]:
        told = {
            "annotations": json.loads(row["annotations"]),
            "generatorURL": row["generator_url"],
            "links": json.loads(row["links"]),
            "sender_fingerprint": row["sender_fingerprint"] or row["fingerprint"],
        }
        return wire.alert_json(rows.episode_of(row), told, self._settings)

    def alerts(
        self, query: AlertQuery, *, limit: int, cursor: str
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return episodes that *query* wants, newest first, and the cursor to go on from."""
        where, parameters = _conditions(query)
        if cursor:
            where.append("e.id < ?")
            parameters += _cursor(cursor, 1)
        found = self._db.execute(
            "SELECT e.*, a.labels FROM episodes e JOIN alerts a USING (fingerprint)"
            f" WHERE {' AND '.join(where)} ORDER BY e.id DESC LIMIT ?",
            [*parameters, limit + 1],
        ).fetchall()
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = str(found[-1]["id"])
        return [self._alert(row) for row in found], following

    def alerts_of_texts(self, texts: Sequence[tuple[int, float]]) -> list[dict[str, Any]]:
        """Return the latest alert that had each of *texts* (id, similarity), in that order."""
        found = []
        for text_id, similarity in texts:
            row = self._db.execute(
                "SELECT e.*, a.labels, t.text FROM texts t JOIN episodes e ON e.text_id = t.id"
                " JOIN alerts a USING (fingerprint) WHERE t.id = ? AND e.text_id > 0"
                " ORDER BY e.id DESC LIMIT 1",
                (text_id,),
            ).fetchone()
            # Of a text that came with this very moment the episode may not be committed yet.
            if row is not None:
                told = {"similarity": round(min(1.0, max(0.0, similarity)), 4), "text": row["text"]}
                found.append({**told, "alert": self._alert(row)})
        return found

    def alert(self, fingerprint: str) -> dict[str, Any]:
        """Return one alert: its episodes, its cluster, and why it is there.

        Raises:
            NotFound: No alert of this fingerprint was ever kept.
        """
        found = self._db.execute(
            "SELECT e.*, a.labels FROM episodes e JOIN alerts a USING (fingerprint)"
            " WHERE e.fingerprint = ? ORDER BY e.starts_at DESC, e.reopen_no DESC LIMIT 100",
            (fingerprint,),
        ).fetchall()
        if not found:
            kept_from = retention.kept_from(self._db)
            since = f" since {render(kept_from)}, and what is older is kept no more"
            raise NotFound(
                f"alert {fingerprint!r} was never received{since if kept_from else ''}",
                field="fingerprint",
            )
        latest = found[0]
        cluster = None
        if latest["cluster_id"] is not None:
            cluster = wire.cluster_json(self.whole(latest["cluster_id"]))
        return {
            "fingerprint": fingerprint,
            "labels": json.loads(latest["labels"]),
            "episodes": [self._alert(row) for row in found],
            "cluster": cluster,
            "why": rows.load_optional(latest["why"]),
        }

    # -- storms ----------------------------------------------------------------------------------

    def storms(self, *, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str | None]:
        """Return storms, newest first, and the cursor to go on from."""
        before = _cursor(cursor, 1)[0] if cursor else None
        found = self._db.execute(
            "SELECT id, document FROM storms WHERE coalesce(id < ?, 1) ORDER BY id DESC LIMIT ?",
            (before, limit + 1),
        ).fetchall()
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = str(found[-1]["id"])
        return [json.loads(row["document"]) for row in found], following

    # -- events and figures ----------------------------------------------------------------------

    def events(
        self,
        *,
        after: int,
        start: int | None,
        end: int | None,
        limit: int,
        types: Sequence[str] = (),
    ) -> tuple[list[Event], str | None]:
        """Return events with seq above *after*, ascending, and the seq to go on from, as text.

        *types* are those wanted; without any, all.
        """
        if start is not None:
            # Time never falls along seq, so the first event to show is found by the index on time.
            first = self._db.execute(
                "SELECT seq FROM events WHERE time >= ? ORDER BY time, seq LIMIT 1", (start,)
            ).fetchone()
            if first is None:
                return [], None
            after = max(after, first["seq"] - 1)
        where = ["e.seq > ?"]
        parameters: list[int | str] = [after]
        if end is not None:
            where.append("e.time < ?")
            parameters.append(end)
        if types:
            where.append(f"e.type IN ({', '.join('?' * len(types))})")
            parameters += types
        found = self._db.execute(
            "SELECT e.*, a.labels FROM events e LEFT JOIN alerts a USING (fingerprint)"
            f" WHERE {' AND '.join(where)} ORDER BY e.seq LIMIT ?",
            [*parameters, limit + 1],
        ).fetchall()
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = str(found[-1]["seq"])
        return [rows.event_of(row) for row in found], following

    def first_seq(self) -> int:
        """Return the seq of the first event that is kept; 1 if there is none yet."""
        seq: int = self._db.execute("SELECT coalesce(min(seq), 1) FROM events").fetchone()[0]
        return seq

    def last_seq(self) -> int:
        """Return the seq of the latest event; 0 if there is none."""
        seq: int = self._db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
        return seq

    def timeline(self, *, start: int, end: int, step: int, limit: int) -> dict[str, Any]:
        """Return what a picture of *start* to *end* needs, in buckets of *step*, all nanoseconds.

        Args:
            start: Inclusive.
            end: Exclusive.
            step: Length of a bucket.
            limit: At most so many clusters, the live and the latest first.
        """
        self._db.execute("BEGIN")
        try:
            return self._timeline(start, end, step, limit)
        finally:
            self._db.execute("COMMIT")

    def _timeline(self, start: int, end: int, step: int, limit: int) -> dict[str, Any]:
        window = {"start": start, "end": end, "step": step}
        latest = self._db.execute("SELECT coalesce(max(seq), 0) AS seq FROM events").fetchone()
        first = self._db.execute(
            "SELECT min(seq) AS seq FROM events WHERE time >= ?", (start,)
        ).fetchone()["seq"]
        counts = {"fired": [0] * -(-(end - start) // step)}
        counts["resolved"] = counts["fired"].copy()
        for row in self._db.execute(
            "SELECT (time - :start) / :step AS bucket, type IN"
            " ('alert_assigned', 'alert_reopened') AS fired, count(*) AS count FROM events"
            " WHERE time >= :start AND time < :end AND type IN"
            " ('alert_assigned', 'alert_reopened', 'alert_resolved', 'alert_stale') GROUP BY 1, 2",
            window,
        ):
            counts["fired" if row["fired"] else "resolved"][row["bucket"]] = row["count"]
        samples: dict[int, list[list[int]]] = {}
        for row in self._db.execute(
            # Of a bucket's events, SQLite takes the other columns from the one with the greatest seq.
            "SELECT cluster_id, (time - :start) / :step AS bucket, cluster_firing, max(seq)"
            " FROM events WHERE time >= :start AND time < :end AND cluster_id IS NOT NULL"
            " GROUP BY cluster_id, bucket",
            window,
        ):
            samples.setdefault(row["cluster_id"], []).append([row["bucket"], row["cluster_firing"]])
        found = self._db.execute(
            "SELECT * FROM clusters WHERE opened_at < :end"
            " AND (resolved_at IS NULL OR resolved_at >= :start)"
            f" ORDER BY {_FINAL}, id DESC LIMIT :limit",
            {**window, "limit": limit + 1},
        ).fetchall()
        clusters = []
        for row in found[:limit]:
            told = samples.get(row["id"], [])
            if row["opened_at"] < start and (not told or told[0][0] > 0):
                told = [[0, self._firing_before(row["id"], first)], *told]
            clusters.append({**wire.cluster_json(rows.cluster_of(row)), "samples": told})
        return {
            "from": render(start),
            "to": render(end),
            "step_seconds": seconds(step),
            "seq": latest["seq"],
            **counts,
            "clusters": clusters,
            "truncated": len(found) > limit,
        }

    def _firing_before(self, cluster_id: int, seq: int | None) -> int:
        """Return how many members fired before the event *seq* (None: as of the last one)."""
        row = self._db.execute(
            "SELECT cluster_firing FROM events WHERE cluster_id = ? AND seq < ?"
            " ORDER BY seq DESC LIMIT 1",
            (cluster_id, 2**63 - 1 if seq is None else seq),
        ).fetchone()
        if row is None and retention.kept_from(self._db):
            row = self._firing_at_first(cluster_id)
        return 0 if row is None else row["cluster_firing"]

    def _firing_at_first(self, cluster_id: int) -> sqlite3.Row | None:
        """Return how many members fired after the first event that is kept; now, if none is.

        What was before made room.
        """
        row: sqlite3.Row | None = self._db.execute(
            "SELECT cluster_firing FROM events WHERE cluster_id = :id AND seq ="
            " (SELECT min(seq) FROM events WHERE cluster_id = :id)"
            " UNION ALL SELECT firing FROM clusters WHERE id = :id LIMIT 1",
            {"id": cluster_id},
        ).fetchone()
        return row

    def clusters_by_id(self, ids: Iterable[int]) -> list[dict[str, Any]]:
        """Return those clusters of *ids* that exist, as they are."""
        found = self._db.execute(
            "SELECT * FROM clusters WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(sorted(ids)),),
        )
        return [wire.cluster_json(rows.cluster_of(row)) for row in found]

    def ledger(self) -> dict[str, int]:
        """Return how many notifications became how many alerts, episodes, clusters and storms."""
        meta = {
            row["key"]: json.loads(row["value"])
            for row in self._db.execute(
                "SELECT key, value FROM meta WHERE key IN ('ledger', 'counters')"
            )
        }
        counters = meta.get("counters", {"outcomes": {}, "cluster_id": 0})
        episodes = self._db.execute(
            "SELECT count(*) FROM episodes WHERE cluster_id IS NOT NULL"
        ).fetchone()[0]
        return {
            "notifications": meta["ledger"]["notifications"],
            "dead_letters": meta["ledger"]["dead_letters"],
            "alerts": sum(counters["outcomes"].values()),
            "episodes": episodes + meta["ledger"].get("episodes_deleted", 0),
            "clusters": counters["cluster_id"],
            "storms": counters.get("storm_id", 0),
        }

    def storage(self) -> dict[str, Any]:
        """Return how much room the database takes, and from when on its history is whole."""
        kept_from = retention.kept_from(self._db)
        return {
            "size_bytes": self.size_bytes(),
            "used_bytes": retention.size_of(self._db).used,
            "kept_from": render_optional(kept_from or None),
            "first_seq": self.first_seq(),
        }

    def vectors(self, now: int, old_days: int) -> dict[str, Any]:
        """Return how long ago the vectors held at *now*, nanoseconds, were used.

        Returns:
            `avg_age_days`, None if none is held, and `old_vectors_count`: not used for *old_days*.
        """
        day = 86400 * SECOND
        row = self._db.execute(
            "SELECT avg(max(0, ? - used_at)) AS age, coalesce(sum(used_at < ?), 0) AS old"
            " FROM texts INDEXED BY texts_held WHERE vector IS NOT NULL",
            (now, now - old_days * day),
        ).fetchone()
        age = None if row["age"] is None else round(row["age"] / day, 3)
        return {"avg_age_days": age, "old_vectors_count": row["old"]}

    def size_bytes(self) -> int:
        """Return what the database takes on disk, its log included."""
        parts = (self._path, self._path.with_name(self._path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())


def _like(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _cursor(cursor: str, parts: int) -> list[int]:
    numbers = cursor.split(":")
    if len(numbers) != parts or not all(part.isdecimal() and len(part) < 19 for part in numbers):
        raise SenderError(
            f"cursor: got {cursor[:40]!r}, expected the `next` of an earlier answer", field="cursor"
        )
    return [int(part) for part in numbers]


def _conditions(query: AlertQuery) -> tuple[list[str], list[Any]]:
    where: list[str] = ["1"]
    parameters: list[Any] = []
    if query.text:
        where.append(r"(a.labels LIKE ? ESCAPE '\' OR e.annotations LIKE ? ESCAPE '\')")
        # Stored as JSON, so what JSON escapes must be looked for escaped.
        parameters += [_like(json.dumps(query.text, ensure_ascii=False)[1:-1])] * 2
    for name, value in query.labels:
        # Exact: quotes in a name or value are escaped, so a pair is found at a pair only. SQLite's own
        # JSON functions would cut a value at NUL.
        where.append("instr(a.labels, ?) > 0")
        parameters.append(f"{rows.dump(name)}:{rows.dump(value)}")
    if query.state:
        where.append("e.state = ?")
        parameters.append("open" if query.state == "firing" else query.state)
    if query.cluster_id is not None:
        where.append("e.cluster_id = ?")
        parameters.append(query.cluster_id)
    if query.start is not None:
        # What is open goes on, however long ago the sender last repeated it.
        where.append("(e.state IN ('open', 'suppressed') OR coalesce(e.ends_at, e.last_seen) >= ?)")
        parameters.append(query.start)
    if query.end is not None:
        where.append("e.starts_at < ?")
        parameters.append(query.end)
    return where, parameters
