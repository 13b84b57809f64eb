"""Turns texts into vectors; the rest of the receiver knows `Embedder` and `open_embedder` only.

Nothing heavy is imported here: each backend is imported when it is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from receiver.core.embedder import Embedder
from receiver.core.errors import EmbeddingError

if TYPE_CHECKING:
    from receiver.config import EmbeddingSettings

__all__ = ["Embedder", "open_embedder"]


def open_embedder(settings: EmbeddingSettings) -> Embedder:
    """Open the backend that *settings* name.

    The onnx backend is opened from a prepared model and never prepares one: that may take a
    minute and a child process, and is the caller's to place (`receiver.embedding.prepare`).

    Raises:
        EmbeddingError: The model is not prepared or damaged, or the backend is not installed.
    """
    if settings.backend == "hashing":
        from receiver.embedding.hashing import HashingEmbedder

        return HashingEmbedder()
    if settings.backend == "sentence-transformers":
        from receiver.embedding.sentence_transformers import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(settings.model, max_tokens=settings.max_tokens)
    if settings.backend == "onnx":
        return _open_onnx(settings)
    raise EmbeddingError(
        f"Setting 'embedding.backend' has value {settings.backend!r}, "
        "expected onnx, sentence-transformers or hashing"
    )


def _open_onnx(settings: EmbeddingSettings) -> Embedder:
    from receiver.embedding import cache

    model = cache.find(settings)
    if model is None:
        raise EmbeddingError(
            f"Model {settings.model!r} is not prepared in form {settings.form} "
            f"(looked in {cache.place_of(settings)}): run `stormcell model prepare`"
        )
    from receiver.embedding.onnx import OnnxEmbedder

    return OnnxEmbedder(
        model, form=settings.form, workers=settings.workers, max_tokens=settings.max_tokens
    )
