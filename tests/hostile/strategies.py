"""Draws bodies: good ones with hostile texts in them, real ones with something changed, and nonsense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from receiver.core.timestamps import render
from tests.builders import at

CAPTURES = [
    path.read_bytes()
    for path in sorted((Path(__file__).parents[1] / "captures").glob("[0-9]*.json"))
    # One has 500 alerts: what is wrong with it would be so with four.
    if path.stat().st_size < 100_000
]

VALUES = (
    "'; DROP TABLE alerts; --",
    "%' OR 1=1 --",
    '<script>window.taken=1</script><img src=x onerror="window.taken=1">',
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    'x\nts=2026-01-01T00:00:00Z level=error msg="forged"',
    "\x1b[2J\x1b]0;owned\x07",
    'a"} 1\nstormcell_ready 0\n# HELP x y',
    "\\",
    "a\x00b",
    "\u202egnp.exe\u2066",
    "\ufeff",
    "\ud800",
    "x\udfff",
    "e\u0301" * 20,
    "{{ .Labels }} ${jndi:ldap://x} %s %n {0}",
    "../../../../etc/passwd",
    "x" * 5000,
    "𝕏" * 300,
    "\r\nSet-Cookie: a=b",
    "NaN",
    "-0",
    "null",
)
"""What means something to SQL, HTML, spreadsheets, logs, terminals, Prometheus, C, or a person's eye."""

texts = (
    st.sampled_from(VALUES)
    | st.text(max_size=30)
    | st.text(st.characters(min_codepoint=0xD700, max_codepoint=0xE000), max_size=4)
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([10**400, -(10**400), 10**999, -0.0, 2**63, -(2**63) - 1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=6,
)

times = st.integers(-(2**63) // 10**9 + 1, 2**63 // 10**9 - 1).map(lambda s: render(s * 10**9))

alerts = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["firing", "resolved"]),
        "labels": st.dictionaries(texts, texts, min_size=1, max_size=6),
        "startsAt": st.just(render(at(0))) | times,
    },
    optional={
        "annotations": st.dictionaries(texts, texts, max_size=4) | st.none(),
        "endsAt": times | st.just("0001-01-01T00:00:00Z") | st.none(),
        "generatorURL": texts | st.none(),
        "fingerprint": texts,
        "silenceURL": texts,
        "new": values,
    },
)
"""Good ones, whatever their texts."""


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Draw a capture in which a value is another, or some bytes are."""
    capture = draw(st.sampled_from(CAPTURES))
    if draw(st.booleans()):
        begin = draw(st.integers(0, len(capture)))
        end = draw(st.integers(begin, min(len(capture), begin + 40)))
        return capture[:begin] + draw(st.binary(max_size=10)) + capture[end:]
    document: Any = json.loads(capture.decode(errors="replace"))
    place = document
    for _ in range(draw(st.integers(0, 4))):
        inner = place.values() if isinstance(place, dict) else place
        deeper = [each for each in inner if isinstance(each, dict | list) and each]
        if not deeper:
            break
        place = draw(st.sampled_from(deeper))
    key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    place[key] = draw(values)
    return written(document)


def written(document: object) -> bytes:
    """Return *document* as JSON, as hostile as Python writes it: NaN, and halves of pairs."""
    return json.dumps(document).encode()


nonsense = (
    st.binary(max_size=300)
    | values.map(written)
    | st.fixed_dictionaries({"version": st.just("4") | values, "alerts": values}).map(written)
    | st.lists(values, max_size=3).map(lambda told: written({"version": "4", "alerts": told}))
)
