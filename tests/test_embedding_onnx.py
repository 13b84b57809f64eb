from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from receiver.config import EmbeddingSettings
from receiver.core.errors import EmbeddingError
from receiver.embedding import Embedder, accept, cache, open_embedder
from receiver.embedding.onnx import OnnxEmbedder

pytestmark = pytest.mark.model

REPOSITORY = Path(__file__).resolve().parents[1]
TEXTS = [
    "KubePodCrashLooping Pod shop/cart-7d9f (cart) is in waiting state CrashLoopBackOff.",
    "KubePodNotReady Pod shop/cart-7d9f has been in a non-ready state for longer than 15 minutes.",
    "NodeFilesystemAlmostOutOfSpace Filesystem on /dev/sda1 has only 3.2% available space left.",
    "Watchdog",
    "etcd cluster insufficient members " * 60,
    "",
    " ",
    "🔥🔥 CPU über 90 %",
    "nul \0 in the middle",
    "\u202e right to left \u200b zero width \ufeff",
    "漢字のアラート",
    "e\u0301" * 500,
    "x" * 100_000,
    "lone \ud800 surrogate",
]


@pytest.fixture(scope="module", params=["int8", "f32"])
def embedder(request: pytest.FixtureRequest, model_cache: Path) -> Iterator[Embedder]:
    settings = EmbeddingSettings(cache_dir=str(model_cache), form=request.param)
    embedder = open_embedder(settings)
    yield embedder
    embedder.close()


@pytest.fixture
def model(model_cache: Path) -> cache.PreparedModel:
    found = cache.find(EmbeddingSettings(cache_dir=str(model_cache)))
    assert found is not None
    return found


def test_a_vector_does_not_depend_on_company(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_every_text_has_a_unit_vector(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)

    assert vectors.shape == (len(TEXTS), embedder.dims) == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-4)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_kin_are_nearer_than_strangers(embedder: Embedder) -> None:
    crash, not_ready, disk = embedder.embed(TEXTS[:3])

    assert crash @ not_ready > crash @ disk + 0.2


def test_calls_from_several_threads_give_the_same_vectors(embedder: Embedder) -> None:
    expected = embedder.embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(embedder.embed, [TEXTS] * 4))

    for answer in answers:
        np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_int8_stays_near_f32(model_cache: Path) -> None:
    vectors = []
    for form in ("int8", "f32"):
        embedder = open_embedder(EmbeddingSettings(cache_dir=str(model_cache), form=form))
        vectors.append(embedder.embed(TEXTS[:5]))
        embedder.close()

    cosines = (vectors[0] * vectors[1]).sum(axis=1)
    assert cosines.min() > 0.97
    assert cosines.mean() > 0.985


def test_text_past_the_limit_is_cut(model: cache.PreparedModel) -> None:
    embedder = OnnxEmbedder(model, form="f32", workers=1, max_tokens=8)
    short, longer, other = embedder.embed(
        ["a b c d e f", "a b c d e f g h i", "a b c d e x g h i"]  # 8 tokens with their frame
    )

    np.testing.assert_allclose(short, longer, atol=1e-6)
    assert short @ other < 0.999


def test_identity_names_model_and_form(embedder: Embedder) -> None:
    assert embedder.identity in ("all-MiniLM-L6-v2/int8", "all-MiniLM-L6-v2/f32")


class FakeSession:
    """Gives one and the same answer; reads nothing of what it is fed."""

    def __init__(self, answer: NDArray[Any] | Exception) -> None:
        self.answer = answer

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="input_ids"), SimpleNamespace(name="attention_mask")]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="embedding")]

    def run(self, outputs: list[str], feed: dict[str, Any]) -> list[NDArray[Any]]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return [self.answer]


def _unit(value: float) -> NDArray[np.float32]:
    vector = np.zeros((1, 384), dtype=np.float32)
    vector[0, 0] = value
    return vector


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_unit(float("nan")), "length nan"),
        (_unit(float("inf")), "length inf"),
        (_unit(0.0), r"length 0\.0"),
        (_unit(1.1), r"length 1\.1"),
        (np.zeros((1, 383), dtype=np.float32), r"shape \(1, 383\)"),
        (np.zeros((2, 384), dtype=np.float32), r"shape \(2, 384\)"),
        (RuntimeError("bad node"), "bad node"),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_an_unusable_answer_is_an_error(
    model: cache.PreparedModel, answer: NDArray[Any] | Exception, said: str, workers: int
) -> None:
    embedder = OnnxEmbedder(
        model, form="int8", workers=workers, max_tokens=128, session=FakeSession(answer)
    )

    with pytest.raises(EmbeddingError, match=said):
        embedder.embed(["one", "two"])
    embedder.close()


def test_a_usable_answer_is_taken(model: cache.PreparedModel) -> None:
    session = FakeSession(_unit(1.0))
    embedder = OnnxEmbedder(model, form="int8", workers=2, max_tokens=128, session=session)

    assert embedder.embed(["one", "two"])[:, 0].tolist() == [1.0, 1.0]
    embedder.close()


def test_an_unprepared_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"run `stormcell model prepare`"):
        open_embedder(EmbeddingSettings(cache_dir=str(tmp_path)))


def test_an_unknown_backend_is_named() -> None:
    with pytest.raises(EmbeddingError, match="has value 'abacus'"):
        open_embedder(EmbeddingSettings(backend="abacus"))


def test_the_hashing_backend_needs_no_model(tmp_path: Path) -> None:
    settings = EmbeddingSettings(backend="hashing", cache_dir=str(tmp_path))

    assert open_embedder(settings).identity == "hashing-384/f32"


@pytest.mark.parametrize(
    ("name", "said"), [(cache.INT8, "cannot be loaded"), (cache.TOKENIZER, "cannot be read")]
)
def test_a_file_that_is_no_model_is_named(
    model: cache.PreparedModel, tmp_path: Path, name: str, said: str
) -> None:
    shutil.copytree(model.folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(EmbeddingError, match=r"is damaged|not prepared"):
        open_embedder(EmbeddingSettings(model=str(tmp_path)))
    cache.write_manifest(  # as if it had been made so
        tmp_path, name="odd", dims=384, max_tokens=256, pooling=cache.Pooling.GRAPH
    )

    with pytest.raises(EmbeddingError, match=said):
        open_embedder(EmbeddingSettings(model=str(tmp_path)))


def test_a_fresh_model_that_strays_is_refused(
    model: cache.PreparedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = accept._run(model, "f32")
    assert "int8 has cosine" in accept.accept(model, reference)
    with pytest.raises(EmbeddingError, match="differs from the original"):
        accept.accept(model, reference + np.float32(1e-3))
    monkeypatch.setattr(accept, "_MIN_COSINE", 1.1)

    with pytest.raises(EmbeddingError, match="form' to f32"):
        accept.accept(model)


def test_the_reference_backend_names_the_extra_it_needs(model_cache: Path) -> None:
    program = """
import json, sys
sys.modules["sentence_transformers"] = None  # as if it were not installed
from receiver.config import EmbeddingSettings
from receiver.core.errors import EmbeddingError
from receiver.embedding import open_embedder
try:
    open_embedder(EmbeddingSettings(backend="sentence-transformers"))
except EmbeddingError as error:
    print(json.dumps(error.message))
"""
    assert "pip install stormcell[export]" in _run(program, model_cache)


def _run(program: str, cache_dir: Path) -> Any:
    answer = subprocess.run(
        [sys.executable, "-c", program, str(cache_dir), json.dumps(TEXTS)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def test_embedding_never_imports_torch(model_cache: Path) -> None:
    program = """
import json, sys
from receiver.config import EmbeddingSettings
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare
settings = EmbeddingSettings(cache_dir=sys.argv[1])
prepare(settings, report=print)
open_embedder(settings).embed(json.loads(sys.argv[2]))
heavy = {"torch", "transformers", "sentence_transformers", "onnx"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""
    assert _run(program, model_cache) == []


def test_opening_the_package_imports_nothing_heavy(model_cache: Path) -> None:
    program = """
import json, sys
import receiver.embedding
heavy = {"torch", "onnxruntime", "tokenizers", "onnx"}
print(json.dumps(sorted(heavy & set(sys.modules))))
"""
    assert _run(program, model_cache) == []


@pytest.mark.slow
def test_f32_agrees_with_the_reference_backend(model_cache: Path) -> None:
    program = """
import json, sys
import numpy as np
from receiver.config import EmbeddingSettings
from receiver.embedding import open_embedder
texts = json.loads(sys.argv[2])
vectors = []
for backend in ("onnx", "sentence-transformers"):
    embedder = open_embedder(EmbeddingSettings(cache_dir=sys.argv[1], backend=backend, form="f32"))
    vectors.append(embedder.embed(texts))
alone = np.concatenate([embedder.embed([text]) for text in texts])
print(json.dumps({
    "cosine": float((vectors[0] * vectors[1]).sum(axis=1).min()),
    "company": float(np.abs(alone - vectors[1]).max()),
    "none": embedder.embed([]).shape,
    "identity": embedder.identity,
}))
"""
    answer = _run(program, model_cache)

    assert answer["cosine"] > 0.9999
    assert answer["company"] < 1e-5
    assert answer["none"] == [0, 384]
    assert answer["identity"] == "all-MiniLM-L6-v2/sentence-transformers"
