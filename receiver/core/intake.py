"""From alerts received to inputs of the fold: gives each the text and vector it may need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from receiver.core.engine import Engine
from receiver.core.model import Alert, Sighting, Vector
from receiver.core.text import masked_text

Embed = Callable[[Sequence[str]], Iterable[Vector | None]]
"""Texts in, a vector of shape (dims,) for each out, None for one that has none."""


def sightings(
    engine: Engine, received: Sequence[tuple[int, Alert]], embed: Embed
) -> tuple[list[Sighting], int, int]:
    """Return *received* (time in nanoseconds, alert) as inputs for *engine*.

    Only texts that the engine does not know are embedded, each once, all in one call.

    Returns:
        The inputs in the order received, how many texts were known, and how many were embedded.
    """
    texts = [
        masked_text(alert.labels, alert.annotations) if engine.needs_text(alert) else ""
        for _, alert in received
    ]
    wanted = [text for text in texts if text]
    vectors = {text: engine.vector_of_text(text) for text in dict.fromkeys(wanted)}
    unknown = [text for text, vector in vectors.items() if vector is None]
    if unknown:
        vectors.update(zip(unknown, embed(unknown), strict=True))
    inputs = [
        Sighting(at, alert, text, vectors.get(text))
        for (at, alert), text in zip(received, texts, strict=True)
    ]
    return inputs, len(wanted) - len(unknown), len(unknown)
