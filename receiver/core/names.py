"""Alert names as people read them: `KubePodCrashLooping` is "Kube pod crash looping".

Which words of a name say something is a matter of the site: where half of all names begin with `Kube`,
it tells nothing there.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from receiver.core.text import display, split_name

LONGEST = 120
"""Characters of a name that are looked at: a hostile one may hold megabytes."""

_CACHED = 4096
"""Names whose words are held: a storm asks for the same ones with each of its alerts."""

_DIGITS = re.compile(r"(?<=[a-z]{4})(?=\d)")
"""Where `Latency99Percentile` and `Istio5xx` come apart, and `n9k`, `Ipv4` and `Asr9k` do not."""

_INITIAL = re.compile(r"^([A-Z]) (?=[A-Z][a-z])")
"""`CCloud` and `XMariaDB` begin with a letter that is no word."""

_ACRONYMS = frozenset(
    {
        "api",
        "bgp",
        "cpu",
        "db",
        "dns",
        "hdd",
        "hpa",
        "http",
        "https",
        "io",
        "ip",
        "nfs",
        "ntp",
        "oom",
    }
    | {"os", "pvc", "ram", "sla", "slo", "sql", "ssd", "ssl", "tcp", "tls", "udp", "url", "vm"}
)
"""Written so by nobody in a sentence, and as `Cpu` and `Api` in many a name."""

_SEVERITY = frozenset(
    {"critical", "crit", "warning", "warn", "info", "alert", "alerts", "alarm", "page", "ticket"}
)
"""Words at the end of a name that only say how loud it is; the severity is shown beside the title."""

_STATES = frozenset({"high", "low", "no", "not", "too", "many", "missing", "slow"})
"""Words that say what is wrong, however many names begin with them."""

_KNOWN_NAMES = 10
"""Names that must share a first word before it can be the site's habit: while few are known, what is
common changes with every new one, and so would the titles."""

_HABIT = 0.25
"""Share of a site's alert names with a word from which on it, as the first of a name, says nothing."""


def stem(word: str) -> str:
    """Return what *word* is compared by: `Errors` and `error` are one."""
    folded = word.lower()
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") else folded


def split(name: str) -> tuple[str, ...]:
    """Return the words of an alert's *name*, as they are written; safe to show."""
    return _split(name[:LONGEST])


def stems(name: str) -> frozenset[str]:
    """Return the stems of the words of *name*."""
    return _stems(name[:LONGEST])


# What is cached is held: cut before, not within.


@lru_cache(maxsize=_CACHED)
def _split(name: str) -> tuple[str, ...]:
    apart = _DIGITS.sub(" ", split_name(display(name)))
    return tuple(_INITIAL.sub(r"\1", apart).split())


@lru_cache(maxsize=_CACHED)
def _stems(name: str) -> frozenset[str]:
    return frozenset(stem(word) for word in _split(name))


@lru_cache(maxsize=_CACHED)
def stems_of(told: str) -> frozenset[str]:
    """Return the stems of what is *told* of names in a title."""
    return frozenset(stem(word) for word in told.split())


def is_state(word: str) -> bool:
    """Whether *word* says what is wrong, and not with what."""
    return word.lower() in _STATES


class Vocabulary:
    """In how many of the alert names known here each word is.

    As bounded as the names are, which whoever holds this adds and discards.
    """

    def __init__(self) -> None:
        """Know no name."""
        self.names = 0
        self._counts: dict[str, int] = {}

    def add(self, name: str) -> None:
        """Know *name*, which was not known."""
        self.names += 1
        for word in stems(name):
            self._counts[word] = self._counts.get(word, 0) + 1

    def discard(self, name: str) -> None:
        """Forget *name*, which was known."""
        self.names -= 1
        for word in stems(name):
            self._counts[word] -= 1
            if not self._counts[word]:
                del self._counts[word]

    def count(self, word: str) -> int:
        """Return how many names have the stem *word*."""
        return self._counts.get(word, 0)

    def rarity(self, word: str) -> float:
        """Return how telling the stem *word* is, above 0: log(1 + (N + 1) / (n + 1)) over names."""
        return math.log(1.0 + (self.names + 1) / (self.count(word) + 1))

    def is_habit(self, word: str) -> bool:
        """Whether so many names have the stem *word* that it says nothing at the start of one."""
        count = self.count(word)
        return not is_state(word) and count >= max(_KNOWN_NAMES, _HABIT * self.names)


def told_words(name: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the words of *name* that are told: without the site's prefix and severities at the end."""
    words = split(name)
    while len(words) > 2 and words[-1].lower() in _SEVERITY:
        words = words[:-1]
    # Three words stay: "Kube job failed" is short enough, and "High error rate" needs all of them.
    spare = len(words) > 3 and vocabulary.is_habit(stem(words[0]))
    return words[1:] if spare else words


@lru_cache(maxsize=_CACHED)
def phrase(words: tuple[str, ...], *, begins: bool) -> str:
    """Return *words* as people write them, in lower case but for acronyms.

    Args:
        words: At least one.
        begins: Whether a title begins with them, and so with a capital.
    """
    told = [_written(word) for word in words]
    if begins and told[0].islower():
        told[0] = told[0][0].upper() + told[0][1:]
    return " ".join(told)


def _written(word: str) -> str:
    if word.lower() in _ACRONYMS:
        return word.upper()
    # "D8" is no word, and a letter alone is a name.
    return word.lower() if word.istitle() and word.isalpha() and len(word) > 1 else word
