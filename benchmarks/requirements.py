"""What is asked of the shipped default, held against what was measured: a line each, met or not."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import reference
from benchmarks.tables import Result

SHIPPED = "stormcell"
MEAN, AIM = 0.80, 0.86
BELOW_PROTOTYPE = 0.03
SHUFFLED_FALL, DELIVERED_FALL = 0.02, 0.03
LIMIT = "group_by namespace, 300 s"
"""What must not hide fewer incidents."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing asked.

    Attributes:
        asked: In words.
        measured: In words.
        met: None if what it takes was not run.
    """

    asked: str
    measured: str
    met: bool | None


def check(results: Sequence[Result], hindsight: str = "") -> list[Requirement]:
    """Return every requirement, as *results* (of every method and stream) meet it or not.

    Args:
        results: A method's on a stream each.
        hindsight: Name of the method that may choose anew for each stream; "" if it was not run.
    """
    by_method: dict[str, dict[str, Result]] = {}
    for result in results:
        by_method.setdefault(result["method"], {})[result["stream"]] = result
    ours = by_method.get(SHIPPED, {})
    if set(ours) != set(reference.STREAMS):
        return [Requirement("all that follows", "not all ten streams were run", None)]
    told = [*_scores(ours, by_method, hindsight), *_hidden(ours, by_method.get(LIMIT, {}))]
    return [*told, *_steadiness(ours)]


def _published(method: str) -> float:
    return statistics.fmean(reference.SCORES.get(method, {"": 0.0}).values())


def _mean(of: Mapping[str, Result], key: str) -> float:
    return statistics.fmean(result[key] for result in of.values())


def _scores(
    ours: Mapping[str, Result], by_method: Mapping[str, Mapping[str, Result]], hindsight: str
) -> Iterator[Requirement]:
    # Of two figures for the same method the higher: nothing is gained by measuring it worse.
    mean = _mean(ours, "score")
    yield Requirement(f"mean score at least {MEAN:.2f}", f"{mean:.3f}", mean >= MEAN)
    yield Requirement(f"the aim: mean score {AIM:.2f}", f"{mean:.3f}", mean >= AIM)
    for name in (LIMIT, "prototype", hindsight):
        other = by_method.get(name, {})
        if len(other) == len(ours):
            theirs = max(_mean(other, "score"), _published(name))
            yield Requirement(f"mean above {name}", f"{mean:.3f} > {theirs:.3f}", mean > theirs)
    prototype = by_method.get("prototype", {})
    published = reference.SCORES["prototype"]
    floor = {
        stream: max(published[stream], prototype[stream]["score"] if stream in prototype else 0.0)
        for stream in ours
    }
    worst = min(ours, key=lambda stream: ours[stream]["score"] - floor[stream])
    difference = ours[worst]["score"] - floor[worst]
    yield Requirement(
        f"no stream more than {BELOW_PROTOTYPE} below the prototype",
        f"{difference:+.3f} at worst ({worst})",
        difference >= -BELOW_PROTOTYPE,
    )


def _hidden(ours: Mapping[str, Result], limit: Mapping[str, Result]) -> Iterator[Requirement]:
    for key in ("hidden", "outvoted"):
        for stream, result in ours.items():
            hard = stream.startswith("hard")
            what = f"{key} on {stream}: at most {'half of ' if hard else ''}what {LIMIT} hides"
            if stream not in limit:
                yield Requirement(what, f"{LIMIT} was not run", None)
                continue
            most = limit[stream][key] * (0.5 if hard else 1.0)
            count = result[key]
            yield Requirement(what, f"{count} of at most {math.floor(most)}", count <= most)


def _steadiness(ours: Mapping[str, Result]) -> Iterator[Requirement]:
    plain = _mean(ours, "score")
    for key, what, most in (
        ("shuffled", "shuffled within 5 s", SHUFFLED_FALL),
        ("delivered", "delivered by a simulated Alertmanager", DELIVERED_FALL),
    ):
        fall = plain - _mean(ours, key)
        yield Requirement(f"{what}, the mean falls by at most {most}", f"{fall:+.3f}", fall <= most)
    changed = [stream for stream, result in ours.items() if not result["repeat_same"]]
    yield Requirement(
        "each line repeated in place gives the same clusters",
        "differs on " + ", ".join(changed) if changed else "the same on all ten",
        not changed,
    )


def rows(requirements: Sequence[Requirement]) -> list[list[str]]:
    """Return *requirements* as a table, head first."""
    words: dict[Any, str] = {True: "met", False: "NOT met", None: "not judged"}
    return [["asked", "measured", ""], *([r.asked, r.measured, words[r.met]] for r in requirements)]
