"""Fetches ready-made ONNX files of a model from a hub, if it answers quickly.

Knows the layout of sentence-transformers repositories; taken are those whose vector is the mean of
the token vectors, as nothing else can be done without torch.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

import onnxruntime as ort

from receiver.embedding.cache import F32, TOKENIZER, Pooling, PreparedModel, write_manifest

# Names without an organisation are sentence-transformers' own, there and here.
_DEFAULT_ORGANISATION = "sentence-transformers"
# A hub that is there answers in well under a second; one that is not must not hold up a start.
_QUICK_SECONDS = 5.0
_MODEL_SECONDS = 900.0
_SMALL_BYTES = 32 * 2**20
_MODEL_BYTES = 2**31
_CHUNK_BYTES = 2**16
_PLAIN_MODULES = {"Transformer", "Pooling", "Normalize"}


class HubError(Exception):
    """The hub has not what is needed, or did not answer in time; other sources may do."""


def fetch(
    hub_url: str,
    model: str,
    name: str,
    folder: Path,
    *,
    report: Callable[[str], None],
    quick_seconds: float = _QUICK_SECONDS,
) -> PreparedModel:
    """Download the f32 form of *model* into *folder* and make that a prepared model.

    Args:
        hub_url: Base address; files lie under `{hub_url}/{organisation}/{model}/resolve/main/`.
        model: Its name, with or without the organisation.
        name: What its vectors are known by.
        folder: An empty folder.
        report: Is told what is being fetched.
        quick_seconds: How long each small file may take, the first answer included.

    Raises:
        HubError: Nothing usable was had; *folder* may hold parts of it.
        OSError: *folder* cannot be written.
    """
    if not hub_url.startswith(("https://", "http://")):
        raise HubError(f"{hub_url!r} is no http(s) address")
    repository = model if "/" in model else f"{_DEFAULT_ORGANISATION}/{model}"
    base = f"{hub_url.rstrip('/')}/{quote(repository)}/resolve/main"

    def small(path: str) -> bytes:
        return b"".join(_get(f"{base}/{path}", quick_seconds, quick_seconds, _SMALL_BYTES))

    try:
        _require_mean_pooling(small)
        max_tokens = int(_json(small("sentence_bert_config.json"))["max_seq_length"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise HubError(f"its JSON files are not as expected: {error!r}") from error
    (folder / TOKENIZER).write_bytes(small("tokenizer.json"))
    report(f"fetching onnx/model.onnx of {repository} from {hub_url}")
    with (folder / F32).open("wb") as file:
        for chunk in _get(f"{base}/onnx/model.onnx", quick_seconds, _MODEL_SECONDS, _MODEL_BYTES):
            file.write(chunk)
    return write_manifest(
        folder,
        name=name,
        dims=_dims_of(folder / F32),
        max_tokens=max_tokens,
        pooling=Pooling.MEAN,
    )


def _require_mean_pooling(small: Callable[[str], bytes]) -> None:
    modules = {
        str(module["type"]).rpartition(".")[2]: module for module in _json(small("modules.json"))
    }
    if not modules.keys() <= _PLAIN_MODULES or "Pooling" not in modules:
        raise HubError(f"its modules are {', '.join(modules)}, expected a transformer and pooling")
    pooling = _json(small(f"{modules['Pooling']['path']}/config.json"))
    modes = [mode for mode, on in pooling.items() if mode.startswith("pooling_mode") and on is True]
    if modes != ["pooling_mode_mean_tokens"] and pooling.get("pooling_mode") != "mean":
        raise HubError(f"its pooling is {pooling}, expected the mean of tokens")


def _dims_of(path: Path) -> int:
    try:
        session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        shape = session.get_outputs()[0].shape
    except Exception as error:  # onnxruntime's errors share no base of their own
        raise HubError(f"its onnx/model.onnx cannot be loaded: {error}") from error
    if len(shape) != 3 or not isinstance(shape[2], int):
        raise HubError(f"its onnx/model.onnx gives {shape}, expected (texts, tokens, dims)")
    return shape[2]


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise HubError(f"it answered what is not JSON: {error}") from error


def _get(url: str, quiet_seconds: float, total_seconds: float, limit_bytes: int) -> Any:
    """Yield the body at *url* in chunks.

    Args:
        url: What to get.
        quiet_seconds: How long the hub may say nothing.
        total_seconds: How long all of it may take.
        limit_bytes: How long it may be.

    Raises:
        HubError: It is not there, or one of the limits is passed.
    """
    deadline = time.monotonic() + total_seconds
    got = 0
    try:
        with urllib.request.urlopen(url, timeout=quiet_seconds) as answer:
            # read1: what has come, so that one who sends a byte a second meets the deadline.
            while chunk := answer.read1(_CHUNK_BYTES):
                got += len(chunk)
                if got > limit_bytes:
                    raise HubError(f"{url} is longer than {limit_bytes} bytes")
                if time.monotonic() > deadline:
                    raise HubError(f"{url} took longer than {total_seconds} s")
                yield chunk
            declared = answer.headers.get("Content-Length")
    except (OSError, HTTPException, ValueError) as error:
        raise HubError(f"{url}: {error}") from error
    # read1, unlike read, takes a connection that ends early for the end.
    if declared is not None and got != int(declared):
        raise HubError(f"{url} broke off at {got} of {declared} bytes")
