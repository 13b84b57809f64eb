from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.embedding import Embedder
from receiver.embedding.hashing import HashingEmbedder

REPOSITORY = Path(__file__).resolve().parents[1]


def test_vectors_have_the_promised_shape_and_length() -> None:
    embedder: Embedder = HashingEmbedder()

    vectors = embedder.embed(["disk full", "", "🔥", "\0", "\ud800"])

    assert vectors.shape == (5, embedder.dims)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_no_texts_give_no_vectors() -> None:
    assert HashingEmbedder().embed([]).shape == (0, 384)


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_a_vector_does_not_depend_on_company(texts: list[str]) -> None:
    embedder = HashingEmbedder(dims=16)
    together = embedder.embed(texts)

    for text, vector in zip(texts, together, strict=True):
        np.testing.assert_array_equal(embedder.embed([text])[0], vector)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_the_empty_text_has_a_fixed_vector() -> None:
    vector = HashingEmbedder(dims=4).embed([""])[0]

    assert vector.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_texts_that_share_words_are_similar() -> None:
    disk, same, other = HashingEmbedder().embed(
        ["disk full on node seven", "disk full on node eight", "latency of checkout above target"]
    )

    assert disk @ same > 0.6
    assert abs(disk @ other) < 0.3


def test_words_that_share_pieces_are_more_similar_than_strangers() -> None:
    one, kin, stranger = HashingEmbedder().embed(["HighLatency", "HighLatencyP99", "DiskFull"])

    assert one @ kin > 0.2 > abs(one @ stranger)


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_gives_the_same_vector(seed: str) -> None:
    program = (
        "from receiver.embedding.hashing import HashingEmbedder;"
        "print(HashingEmbedder().embed(['KubePodCrashLooping shop/cart'])[0].tobytes().hex())"
    )
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
    )

    here = HashingEmbedder().embed(["KubePodCrashLooping shop/cart"])[0]
    assert answer.stdout.strip() == here.tobytes().hex()


def test_identity_tells_the_width() -> None:
    assert HashingEmbedder(8).identity != HashingEmbedder(16).identity
