"""Makes a prepared model out of a sentence-transformers model: `python -m` of this module.

Runs in a process of its own: torch must not enter the one that asks. Progress, one line a step
that begins with `export: `, and errors go to stderr.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

from receiver.core.errors import EmbeddingError
from receiver.embedding.accept import SAMPLES, accept
from receiver.embedding.cache import F32, TOKENIZER, Pooling, write_manifest
from receiver.embedding.parent import end_with_parent
from receiver.embedding.quantize import quantize
from receiver.embedding.sentence_transformers import dims_of, load_model

# BERT-like models end at 512 positions; used where a model does not say.
_DEFAULT_MAX_TOKENS = 512
# 17 has all that BERT needs and is read by every onnxruntime since 1.12.
_OPSET = 17


def main(arguments: list[str]) -> int:
    """Export as *arguments* say; return the exit code."""
    parser = argparse.ArgumentParser(prog="receiver.embedding.export")
    parser.add_argument("--model", required=True, help="name or folder")
    parser.add_argument("--name", required=True, help="what its vectors are known by")
    parser.add_argument("--into", required=True, type=Path, help="an empty folder")
    given = parser.parse_args(arguments)
    try:
        export(given.model, given.name, given.into)
    except EmbeddingError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - this is the process's answer
        return 1
    return 0


def export(source: str, name: str, folder: Path) -> None:
    """Write the prepared model of *source* into *folder*.

    Raises:
        EmbeddingError: It cannot be loaded, or the result strays from the original.
    """
    _say(f"loading {source}")
    model = load_model(source)
    max_tokens = int(model.max_seq_length or _DEFAULT_MAX_TOKENS)
    model.max_seq_length = max_tokens
    _write_tokenizer(model, folder / TOKENIZER)
    _say("writing the f32 form")
    _write_graph(model, folder / F32)
    _say("writing the int8 form")
    quantize(folder)
    prepared = write_manifest(
        folder, name=name, dims=dims_of(model), max_tokens=max_tokens, pooling=Pooling.GRAPH
    )
    reference = model.encode(list(SAMPLES), normalize_embeddings=True, show_progress_bar=False)
    _say(accept(prepared, reference))


def _write_tokenizer(model: Any, path: Path) -> None:
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", None)
    if tokenizer is None:
        raise EmbeddingError(f"{type(model.tokenizer).__name__} has no fast form (tokenizer.json)")
    tokenizer.save(str(path))


def _write_graph(model: Any, path: Path) -> None:
    """Trace *model*, pooling and normalisation included, into one graph."""
    import torch

    class TextToVector(torch.nn.Module):  # type: ignore[misc, name-defined, unused-ignore]
        """All modules of the model in a row, and unit length."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            for module in self.model:
                features = module(features)
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    # Two texts of unequal length, so that the mask is traced and not taken for constant.
    encoded = model.tokenizer(["disk full on node 7", "disk"], padding=True, return_tensors="pt")
    inputs = (encoded["input_ids"], encoded["attention_mask"])
    axes = {0: "batch", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        # The tracer warns of every Python branch it passes; `accept` compares the results.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            TextToVector(),
            inputs,
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["embedding"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "embedding": {0: "batch"}},
            opset_version=_OPSET,
            # The newer exporter needs onnxscript, a package more for the same graph.
            dynamo=False,
        )


def _say(step: str) -> None:
    print(f"export: {step}", file=sys.stderr, flush=True)  # noqa: T201 - read by `prepare`


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(sys.argv[1:]))
