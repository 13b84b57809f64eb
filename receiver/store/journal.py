"""The journal of inputs: what the fold was fed, in order, so that it can be run again.

A row holds one committed batch as compressed JSON. Labels and texts are not repeated in it: an input
names the alert by fingerprint and the text by id. Recalls are not kept; whoever runs the journal
again forgets nothing.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from receiver.core.model import (
    Alert,
    EpisodeState,
    Input,
    Member,
    Members,
    Merge,
    OperatorCommand,
    Reconciled,
    Resumed,
    Sighting,
    Split,
    Status,
    Tick,
    Vector,
)
from receiver.store.rows import vector_of

TextId = Callable[[str], int]
LabelsOf = Callable[[str], Mapping[str, str] | None]
TextOf = Callable[[int], tuple[str, Vector | None]]


def encode(inputs: Iterable[Input], text_id: TextId) -> bytes | None:
    """Return *inputs* as one row; None if none of them is kept."""
    rows: list[list[Any]] = []
    for item in inputs:
        if isinstance(item, Sighting):
            alert = item.alert
            sender = alert.sender_fingerprint
            rows.append(
                [
                    item.time,
                    alert.fingerprint,
                    sender if sender != alert.fingerprint else "",
                    alert.status.value,
                    alert.starts_at,
                    alert.ends_at,
                    text_id(item.text),
                    # What is so of most alerts is not written.
                    *([] if alert.start_told else [False]),
                ]
            )
        elif isinstance(item, Tick):
            rows.append([item.time])
        elif isinstance(item, OperatorCommand):
            update = dict(item.update)
            rows.append(["update", item.time, item.cluster_id, update, item.undoes, item.by])
        elif isinstance(item, Merge):
            named = item.named
            rows.append(["merge", item.time, item.gone, item.into, named, item.undoes, item.by])
        elif isinstance(item, Split):
            members = [_member_row(member) for member in item.members]
            said = [list(item.moved), item.undoes, item.by, *([item.into] if item.into else [])]
            rows.append(["split", item.time, item.cluster_id, members, *said])
        elif isinstance(item, Members):
            members = [_member_row(member) for member in item.members]
            rows.append(["members", item.time, item.cluster_id, members])
        elif isinstance(item, Reconciled):
            told = [list(item.active), list(item.suppressed), list(item.gone)]
            rows.append(["reconciled", item.time, item.held_until, *told])
        elif isinstance(item, Resumed):
            rows.append(["resumed", item.time, item.until])
    if not rows:
        return None
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), 1)


def decode(data: bytes, labels_of: LabelsOf, text_of: TextOf) -> Iterator[Input]:
    """Yield the inputs of a row, their annotations left out: the fold reads the text instead."""
    for row in json.loads(zlib.decompress(data)):
        if len(row) == 1:
            yield Tick(row[0])
            continue
        if isinstance(row[0], str):
            yield _command(row, labels_of)
            continue
        if len(row) == 3:
            # As versions before merges and splits wrote it.
            yield OperatorCommand(*row)
            continue
        at, fingerprint, sender, status, starts_at, ends_at, text_id, *untold = row
        labels = labels_of(fingerprint)
        if labels is None:
            # Its episodes were deleted to make room, so this changed none of them: a late repeat.
            continue
        text, vector = text_of(text_id) if text_id else ("", None)
        alert = Alert(
            fingerprint=fingerprint,
            sender_fingerprint=sender or fingerprint,
            status=Status(status),
            labels=labels,
            annotations={},
            starts_at=starts_at,
            ends_at=ends_at,
            start_told=not untold,
        )
        yield Sighting(at, alert, text, vector)


def batches(db: sqlite3.Connection) -> Iterator[list[Input]]:
    """Yield the inputs of each row of the journal of *db*, in order."""

    def labels_of(fingerprint: str) -> dict[str, str] | None:
        row = db.execute(
            "SELECT labels FROM alerts WHERE fingerprint = ?", (fingerprint,)
        ).fetchone()
        labels: dict[str, str] | None = None if row is None else json.loads(row["labels"])
        return labels

    def text_of(text_id: int) -> tuple[str, Vector | None]:
        row = db.execute("SELECT text, vector FROM texts WHERE id = ?", (text_id,)).fetchone()
        if row is None:
            # No episode that is kept has it: whatever came with it was a repeat.
            return "", None
        return row["text"], None if row["vector"] is None else vector_of(row["vector"])

    for row in db.execute("SELECT inputs FROM journal ORDER BY position").fetchall():
        yield list(decode(row["inputs"], labels_of, text_of))


def _member_row(member: Member) -> list[Any]:
    return [
        member.id,
        member.fingerprint,
        member.starts_at,
        member.received_at,
        member.state.value,
        member.text_id,
        member.founder,
        member.confidence,
    ]


def _command(row: list[Any], labels_of: LabelsOf) -> Input:
    # Who gave a command, and where to, is missing where an earlier version wrote it.
    name, *told = row
    if name == "update":
        return OperatorCommand(*told)
    if name == "merge":
        at, gone, into, (one, other), *undoes_and_by = told
        return Merge(at, gone, into, (one, other), *undoes_and_by)
    if name == "members":
        at, cluster_id, members = told
        return Members(at, cluster_id, _members(members, labels_of))
    if name == "reconciled":
        at, held_until, *found = told
        return Reconciled(at, held_until, *map(tuple, found))
    if name == "resumed":
        return Resumed(*told)
    at, cluster_id, members, moved, *more = told
    return Split(at, cluster_id, _members(members, labels_of), moved, *more)


def _members(members: list[list[Any]], labels_of: LabelsOf) -> list[Member]:
    labels: dict[str, Mapping[str, str]] = {
        fingerprint: labels_of(fingerprint) or {}
        for fingerprint in {member[1] for member in members}
    }
    return [
        Member(
            id=number,
            fingerprint=fingerprint,
            labels=labels[fingerprint],
            starts_at=starts_at,
            received_at=received_at,
            state=EpisodeState(state),
            text_id=text_id,
            founder=founder,
            confidence=confidence,
        )
        for (
            number,
            fingerprint,
            starts_at,
            received_at,
            state,
            text_id,
            founder,
            confidence,
        ) in members
    ]
