"""What a soak found, in words: the terminal's report, and the block in docs/reliability.md. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import tables
from benchmarks.soak.faults import KINDS

BEGIN = "<!-- soak: written by python -m benchmarks.soak --write -->"
END = "<!-- /soak -->"

Found = Mapping[str, Any]

_PROCESS = {"rss_mb": "resident, MB", "descriptors": "descriptors", "threads": "threads"}


def faults(found: Found) -> list[list[str]]:
    """Return the table of faults by kind."""
    rows = [
        [
            *("fault", "times", "recovered", "a 200 again, s: median, most"),
            *("caught up, s: median, most", "webhooks refused", "log line", "metric"),
        ]
    ]
    for kind, fault in KINDS.items():
        struck = [one for one in found["faults"] if one["kind"] == kind]
        if struck:
            back = [one for one in struck if one["calm_seconds"] is not None]
            rows.append(
                [
                    *(fault.words, str(len(struck)), str(len(back))),
                    *(
                        _spread([one[key] for one in back])
                        for key in ("taken_seconds", "calm_seconds")
                    ),
                    str(sum(one["refused"] for one in struck)),
                    *(_seen([one[key] for one in struck]) for key in ("line", "metric")),
                ]
            )
    return rows


def process(found: Found) -> list[list[str]]:
    """Return the table of what the process took."""
    rows = [["while no fault was on", "median of the first quarter", "of the last", "most"]]
    for key, words in _PROCESS.items():
        told = found["process"].get(key)
        if told:
            rows.append([words, *(f"{told[which]:.0f}" for which in ("first", "last", "most"))])
    return rows


def sentences(found: Found) -> list[str]:
    """Return the ledger in words."""
    plan = found["plan"]
    words = {"0": "without an answer", "-1": "left by us before the answer"}
    answers = ", ".join(
        f"{count:,} {words.get(status, status)}" for status, count in found["answers"].items()
    )
    verdict = "Nothing was wrong." if not found["wrong"] else f"Wrong: {'; '.join(found['wrong'])}."
    return [
        f"{plan['seconds'] / 60:.0f} minutes at {plan['rate']:g} alerts a second and a fault each"
        f" {plan['every_seconds']:g} s, then {plan['quiet_seconds']:g} s without one; seed {plan['seed']},"
        f" {'the real model' if plan['real_model'] else 'the hashing embedder'}.",
        f"{found['webhooks']:,} webhooks sent: {answers}. {found['alerts_taken']:,} alerts answered 200,"
        f" repeats too; {found['periods_told']:,} firing periods told, {found['periods_kept']:,} kept.",
        f"{found['events']:,} events, each told once and in order to {_clients(found)}."
        f" {sum(found['calls'].values()):,} other calls of the API. {found['lives']} lives;"
        f" {found['storage_mb']:.0f} MB on disk at the end.",
        f"`check-db`: {' '.join(found['check_db'].split())}",
        verdict,
    ]


def text(found: Found) -> str:
    """Return the report for a terminal."""
    return "\n\n".join(
        [tables.text(faults(found)), tables.text(process(found)), "\n".join(sentences(found))]
    )


def block(found: Found) -> str:
    """Return the block of the docs."""
    machine = found["machine"]
    where = f"{machine['date'][:10]}, {machine['cores']} cores of {machine['cpu']}"
    return "\n\n".join(
        [
            f"{' '.join(sentences(found))} ({where}.)",
            tables.markdown(faults(found)),
            tables.markdown(process(found)),
        ]
    )


def into(document: str, found: Found) -> str:
    """Return *document* with the block between its marks.

    Raises:
        ValueError: It has no marks.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected {BEGIN} and {END} in the document")
    return f"{before}{begin}\n\n{block(found)}\n\n{end}{after}"


def _clients(found: Found) -> str:
    return " and ".join(
        f"{path} ({count} connections)" for path, count in sorted(found["connections"].items())
    )


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.1f}, {max(values):.1f}" if values else ""


def _seen(told: Sequence[bool | None]) -> str:
    known = [one for one in told if one is not None]
    return f"{sum(known)} of {len(known)}" if known else ""
