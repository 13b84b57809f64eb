"""What a freshly made model must show before it is kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from receiver.core.errors import EmbeddingError
from receiver.embedding.cache import PreparedModel
from receiver.embedding.onnx import OnnxEmbedder

# Alert texts of every length, with what breaks tokenizers: nothing, emoji, a text past the limit.
SAMPLES = (
    "",
    "Watchdog",
    "KubePodCrashLooping Pod shop/cart-7d9f (cart) is in waiting state CrashLoopBackOff.",
    "NodeFilesystemAlmostOutOfSpace Filesystem on /dev/sda1 has only 3.2% available space left.",
    "HostHighCpuLoad 🔥 CPU > 90 %: Überlast auf Knoten 7, bitte prüfen",
    'etcdInsufficientMembers etcd cluster "etcd": insufficient members (1). severity critical',
    "PostgresqlReplicationLag replica db-2 is 340 s behind its primary " * 40,
)
# Measured: .994 in the mean, .988 at worst. Below these, what was quantized is broken, not coarse.
_MIN_MEAN_COSINE = 0.98
_MIN_COSINE = 0.95
_MAX_DIFFERENCE = 1e-4


def accept(model: PreparedModel, reference: NDArray[np.float32] | None = None) -> str:
    """Run every form of *model* on `SAMPLES` and say how near they are.

    Args:
        model: A model whose files were just made.
        reference: What the model it was made from gives, shape (len(SAMPLES), dims); None if
            that cannot be had.

    Raises:
        EmbeddingError: A form does not run, or strays from what it was made from.
    """
    exact = _run(model, "f32")
    said = []
    if reference is not None:
        difference = float(np.abs(exact - reference).max())
        said.append(f"f32 differs from the original by {difference:.1e} at most")
        if not difference <= _MAX_DIFFERENCE:
            raise EmbeddingError(f"Model {model.name!r}: {said[-1]}, over {_MAX_DIFFERENCE}")
    if model.has("int8"):
        cosines = (exact * _run(model, "int8")).sum(axis=1)
        said.append(f"int8 has cosine {cosines.mean():.4f} to f32, {cosines.min():.4f} at worst")
        if not (cosines.mean() >= _MIN_MEAN_COSINE and cosines.min() >= _MIN_COSINE):
            raise EmbeddingError(f"Model {model.name!r}: {said[-1]}; set 'embedding.form' to f32")
    return ", ".join(said) or "f32 runs"


def _run(model: PreparedModel, form: str) -> NDArray[np.float32]:
    embedder = OnnxEmbedder(model, form=form, workers=1, max_tokens=model.max_tokens)
    try:
        return embedder.embed(SAMPLES)
    finally:
        embedder.close()
