"""What a cluster is called: what fires, in words, and where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from receiver.core import names, places
from receiver.core.labels import LabelFrequencies

MAX_BYTES = 120

_WHAT_BYTES = 72
"""Bytes for what fires: the rest is for where, which is asked for as soon as the pager rings."""

_AGAIN = 0.5
"""What a word of the second name counts that the first has said already."""


def title(
    counts: Mapping[str, int], tokens: Mapping[str, int], site: LabelFrequencies, now: int
) -> str:
    """Return a title of at most MAX_BYTES bytes, on one line, safe to show.

    Args:
        counts: Members by alert name, those that came first first.
        tokens: Members by label value.
        site: What is usual here.
        now: Nanoseconds.
    """
    told = _told(counts, site, now)
    what = _what(told, counts, site)
    said = names.stems_of(what)
    size = sum(counts.values())
    left = MAX_BYTES - len(what.encode()) - 1
    where = places.where(
        tokens,
        size,
        said,
        standing=lambda token: site.standing(token, now),
        most=left,
    )
    return cut(f"{what} {where}" if where else what, MAX_BYTES)


def _what(told: Sequence[str], counts: Mapping[str, int], site: LabelFrequencies) -> str:
    """Return the names *told*, at most two, as one phrase that also says how many more there are."""
    kinds = len({names.told_words(name, site.vocabulary) for name in counts})
    words = list(dict.fromkeys(names.told_words(name, site.vocabulary) for name in told))
    first = names.phrase(words[0], begins=True) if words else "Alert"
    if len(words) > 1:
        both = f"{first}, {names.phrase(_without_shared(words[1], words[0]), begins=False)}"
        both += f" and {kinds - 2} more" if kinds > 2 else ""
        if len(both.encode()) <= _WHAT_BYTES:
            return both
    rest = f" and {kinds - 1} more" if kinds > 1 else ""
    return cut(first, _WHAT_BYTES - len(rest)) + rest


def _without_shared(words: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    """Return *words* without those that *before* begins with too: "Postgres backup failed, too old"."""
    shared = 0
    while shared < min(len(words), len(before)) and words[shared] == before[shared]:
        shared += 1
    rest = words[shared:]
    # "Node group not updating, not updating" would say nothing, "no requests, database" the contrary.
    says_it = not set(rest) <= set(before) and not all(map(names.is_state, words[:shared]))
    return rest if says_it else words


def _told(counts: Mapping[str, int], site: LabelFrequencies, now: int) -> list[str]:
    """Return the at most two names that say most about the cluster, in the order in which they came.

    A name is worth cover · rarity: cover is how much of what is said in the cluster its words say too,
    each word by its rarity among the names known here, and rarity how few clusters here had the name.
    """
    known = [name for name in counts if names.split(name)]
    if len(known) < 2:
        return known
    size = sum(counts[name] for name in known)
    said: dict[str, float] = {}
    for name in known:
        for word in names.stems(name):
            said[word] = said.get(word, 0.0) + counts[name] / size
    rarity = {word: site.vocabulary.rarity(word) for word in sorted(said)}

    def worth(name: str, besides: frozenset[str]) -> float:
        words = sorted(names.stems(name))
        weighed = math.fsum(rarity[word] for word in words)
        covered = math.fsum(
            rarity[word] * said[word] * (_AGAIN if word in besides else 1.0) for word in words
        )
        return covered / weighed * site.name_rarity(name, now)

    first = max(known, key=lambda name: worth(name, frozenset()))
    opened = known[0]
    if first != opened and site.name_rarity(opened, now) >= site.name_rarity(first, now):
        # What the cluster opened with, if that is no everyday alert: people knew the problem by it.
        return [opened, first]
    others = [name for name in known if name != first]
    second = max(others, key=lambda name: worth(name, names.stems(first)))
    return sorted((first, second), key=known.index)


def cut(text: str, most: int) -> str:
    """Return *text* in at most so many bytes of UTF-8, ended by an ellipsis where it was longer."""
    encoded = text.encode()
    if len(encoded) <= most:
        return text
    kept = encoded[: most - 3].decode(errors="ignore")
    # Between two words, unless that would lose much.
    head, _, _ = kept.rpartition(" ")
    return (head if 2 * len(head) > len(kept) else kept).rstrip(" ,") + "…"
