"""The metrics that the receiver exports, as docs/metrics.md has them (held to the code by test_docs.py)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.support.processes import REPOSITORY

TARGET_LABELS = frozenset(
    {"job", "instance", "pod", "namespace", "service", "endpoint", "container"}
)
"""What Prometheus adds to each sample, in Kubernetes too."""

_ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*) \|", re.MULTILINE)
_SERIES_OF_HISTOGRAM = ("_bucket", "_sum", "_count")
_NAMED = re.compile(r"\bstormcell_\w*[a-z]\b")
_SELECTED = re.compile(r"\b(stormcell_\w+)\{([^}]*)\}")
_LABEL = re.compile(r"""(\w+)\s*(?:=~|!~|!=|=)\s*["%]""")


@dataclass(frozen=True)
class Exported:
    """A metric: its name, type and labels."""

    name: str
    type: str
    labels: frozenset[str]


def exported() -> dict[str, Exported]:
    """Return what can be selected, by name: of a histogram its series, not itself."""
    found = {}
    for name, kind, labels in _ROW.findall((REPOSITORY / "docs" / "metrics.md").read_text()):
        own = frozenset(filter(None, labels.split(", ")))
        if kind == "histogram":
            for suffix in _SERIES_OF_HISTOGRAM:
                more = {"le"} if suffix == "_bucket" else set()
                found[name + suffix] = Exported(name, kind, own | more)
        else:
            found[name] = Exported(name, kind, own)
    return found


def named(text: str) -> set[str]:
    """Return the metrics of ours that *text* names."""
    return set(_NAMED.findall(text))


def selected(text: str) -> set[tuple[str, str]]:
    """Return the (metric, label) pairs that selectors in *text* ask for."""
    return {
        (metric, label)
        for metric, matchers in _SELECTED.findall(text)
        for label in _LABEL.findall(matchers)
    }
