"""The serving backend: tokenizers and onnxruntime; torch must never enter here.

One text a call, always. Dynamic int8 scales activations by the largest value of the whole call, so
a text's vector would change with its company (cosine .988 at worst); f32 would not move, but is no
faster in batches, which are padded to their longest text. Parallelism is over texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from receiver.core.errors import EmbeddingError
from receiver.embedding.cache import TOKENIZER, Pooling, PreparedModel

# Far above float32 rounding (about 1e-6 here), far below anything that is not a unit vector.
_NORM_TOLERANCE = 1e-3


class OnnxEmbedder:
    """Runs a prepared model, `workers` texts at a time, one thread each."""

    def __init__(
        self,
        model: PreparedModel,
        *,
        form: str,
        workers: int,
        max_tokens: int,
        session: Any = None,
    ) -> None:
        """Load *model* in *form*.

        Args:
            model: A complete prepared model.
            form: "int8" or "f32".
            workers: Texts embedded at the same time.
            max_tokens: Tokens read of a text; at most what the model was made for.
            session: In place of an onnxruntime session; tests hand in broken ones.

        Raises:
            EmbeddingError: A file is missing, damaged, or not what onnxruntime can load.
        """
        file = model.file_of(form)
        # Vectors are kept for weeks: a flipped bit in the weights must not slip by. Takes 20 ms.
        model.check(TOKENIZER, file.name)
        self._model = model
        self._form = form
        self._tokenizer = _open_tokenizer(model, min(max_tokens, model.max_tokens))
        self._session = session or _open_session(str(file))
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._output = self._session.get_outputs()[0].name
        # run() computes in the thread that calls it and is safe from several at once, so that
        # all workers share one session and one copy of the weights.
        self._pool = (
            ThreadPoolExecutor(workers, thread_name_prefix="embed") if workers > 1 else None
        )

    @property
    def identity(self) -> str:
        """Model and form, as in `all-MiniLM-L6-v2/int8`."""
        return f"{self._model.name}/{self._form}"

    @property
    def dims(self) -> int:
        """Components of a vector."""
        return self._model.dims

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dims); see `Embedder`.

        Raises:
            EmbeddingError: The model failed, or its answer is not a unit vector of `dims`.
        """
        vectors = np.empty((len(texts), self.dims), dtype=np.float32)
        run = map if self._pool is None or len(texts) == 1 else self._pool.map
        for index, row in enumerate(run(self._embed_one, texts)):
            vectors[index] = row
        return vectors

    def close(self) -> None:
        """End the threads and let go of the session."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._session = None

    def _embed_one(self, text: str) -> NDArray[np.float32]:
        try:
            output = self._session.run([self._output], self._feed(text))[0]
        except Exception as error:  # onnxruntime's errors share no base of their own
            raise EmbeddingError(f"Model {self.identity} failed: {error}") from error
        return self._checked(np.asarray(output, dtype=np.float32))

    def _feed(self, text: str) -> dict[str, NDArray[np.int64]]:
        # A lone surrogate cannot be UTF-8 and the tokenizer refuses it; "?" stands for it.
        clean = text.encode("utf-8", "replace").decode("utf-8")
        ids = np.array([self._tokenizer.encode(clean).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        if "token_type_ids" in self._inputs:  # ready-made files of BERT models want it
            feed["token_type_ids"] = np.zeros_like(ids)
        return feed

    def _checked(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the unit vector in *output*, or raise."""
        if self._model.pooling is Pooling.MEAN and output.ndim == 3:
            # (1, tokens, dims): nothing is padded, so the mean is over all tokens.
            output = output.mean(axis=1)
            output /= max(float(np.linalg.norm(output)), 1e-12)
        if output.shape != (1, self.dims):
            raise EmbeddingError(
                f"Model {self.identity} gave shape {output.shape}, expected (1, {self.dims})"
            )
        norm = float(np.linalg.norm(output))
        # Written so that NaN, for which every comparison is false, is refused too.
        if not abs(norm - 1.0) <= _NORM_TOLERANCE:
            raise EmbeddingError(
                f"Model {self.identity} gave a vector of length {norm}, expected 1"
            )
        vector: NDArray[np.float32] = output[0]
        return vector


def _open_tokenizer(model: PreparedModel, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(model.folder / TOKENIZER))
    except Exception as error:  # tokenizers raises bare Exception
        raise EmbeddingError(f"{model.folder / TOKENIZER}: cannot be read: {error}") from error
    tokenizer.no_padding()  # some files pad every text to a fixed length
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _open_session(path: str) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # The arena stays on: with two workers 131 MB resident in place of 155, at the same speed, as
    # malloc otherwise keeps freed blocks in a heap of each thread. Texts are bounded, so is it.
    options.enable_cpu_mem_arena = True
    # A pattern would be kept for each length of text seen, and gains no time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors; they are raised besides
    ort.disable_telemetry_events()
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # see _embed_one
        raise EmbeddingError(f"{path}: cannot be loaded: {error}") from error
