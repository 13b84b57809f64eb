"""From an alert to the text that is embedded: what kind of thing happened, without which one.

What varies between two alerts of one kind (hashes, ids, addresses, numbers) is masked. That lets
texts repeat, and a repeated text costs no embedding; which pod it was is told by the labels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b

MAX_LENGTH = 600
"""Characters kept; the model reads some 128 tokens, and what an alert is about stands at its start."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[_\-.:/]+")
_SPACES = re.compile(r"\s+")
_VARIABLE = re.compile(
    r"""
    (?P<address>\b(?:https?|tcp|udp|grpc)://[^\s/'"`)]+)                    # the path says what it is
  | (?P<uuid>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)
  | (?P<ip>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\d{1,2})?\b)
  | (?P<ip6>\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b)
  | (?P<pod>-[a-f0-9]{6,10}-[a-z0-9]{5}\b)                                  # of a deployment
  | (?P<hash>\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b)
  | (?P<time>\b\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?\S*)
  | (?P<number>[-+]?\b\d+(?:[.,]\d+)*(?:e[-+]?\d+)?\s?
      (?:%|(?:[kmgtp]i?b?|b|bytes|ns|us|µs|ms|s|m|h|d|sec|seconds|minutes|hours|days)\b)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GENERATED = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|-[a-f0-9]{6,10}-[a-z0-9]{5}\b"
    r"|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b",
    re.IGNORECASE,
)
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def display(text: str) -> str:
    """Return *text* as one line that is safe to show: NFC, no control, format or bidi characters."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text)
    kept = (" " if c.isspace() else c for c in composed if c.isspace() or _visible(c))
    return _SPACES.sub(" ", "".join(kept)).strip()


def _visible(character: str) -> bool:
    return unicodedata.category(character) not in _INVISIBLE


def split_name(name: str) -> str:
    """Return an alert's *name* as words: `KubePodCrashLooping` → `Kube Pod Crash Looping`."""
    return _SEPARATORS.sub(" ", _CAMEL.sub(" ", name))


def mask(text: str) -> str:
    """Return *text* without what varies from one alert of a kind to the next."""
    return _SPACES.sub(" ", _VARIABLE.sub(" ", text)).strip()


def looks_generated(value: str) -> bool:
    """Whether *value* has a part that a machine drew: a hash, a UUID, the end of a pod's name."""
    return _GENERATED.search(value[:MAX_LENGTH]) is not None


def masked_text(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Return what is embedded of an alert with *labels* and *annotations*; never empty.

    Name, summary and description; without annotations the labels take their place.
    """
    parts = [split_name(labels.get("alertname", ""))]
    told = [
        annotations[key] for key in ("summary", "description", "message") if annotations.get(key)
    ]
    if not told:
        told = [f"{name} {value}" for name, value in labels.items() if name != "alertname"]
    # Each part is cut before it is searched: a hostile value may hold megabytes.
    parts += [mask(display(part[: 2 * MAX_LENGTH])) for part in dict.fromkeys(told)]
    return ". ".join(part for part in parts if part)[:MAX_LENGTH] or "alert"


def digest(text: str) -> bytes:
    """Return 16 bytes that stand for *text*."""
    return blake2b(text.encode(), digest_size=16).digest()
