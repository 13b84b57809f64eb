"""Where prepared models lie, what makes one complete, and how one comes to be there whole.

A prepared model is a folder: the tokenizer, the ONNX files, and a manifest with their checksums.
It is built in a folder beside its place, under a lock, and renamed into place: a reader sees a
whole model or none. How its files are made is not known here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from receiver.core.errors import EmbeddingError

if TYPE_CHECKING:
    from receiver.config import EmbeddingSettings

# Raised when the exporter or quantizer changes what they write: the next start builds anew.
FORMAT = 1

MANIFEST = "manifest.json"
TOKENIZER = "tokenizer.json"
F32 = "model.f32.onnx"
INT8 = "model.int8.onnx"
FILE_OF_FORM: Mapping[str, str] = {"f32": F32, "int8": INT8}

_MAKERS = ("onnx", "onnxruntime", "sentence-transformers", "stormcell", "torch")


class Pooling(enum.Enum):
    """Where token vectors become the text's vector."""

    GRAPH = "graph"  # in the ONNX graph, which also normalises
    MEAN = "mean"  # by the embedder: the graph gives token vectors


@dataclasses.dataclass(frozen=True)
class FileFacts:
    """What a file was when it was made."""

    sha256: str
    bytes: int


@dataclasses.dataclass(frozen=True)
class PreparedModel:
    """A complete prepared model, as its manifest tells.

    Attributes:
        folder: Where it lies.
        name: What vectors of it are known by.
        dims: Components of a vector.
        max_tokens: Longest text the model was made for, in tokens.
        pooling: Where token vectors become one.
        files: By name, all that the manifest lists; each is there and has its size.
    """

    folder: Path
    name: str
    dims: int
    max_tokens: int
    pooling: Pooling
    files: Mapping[str, FileFacts]

    def has(self, form: str) -> bool:
        """Tell whether it can be run in *form*."""
        return FILE_OF_FORM[form] in self.files

    def file_of(self, form: str) -> Path:
        """Return the ONNX file of *form*.

        Raises:
            EmbeddingError: The model was prepared without it.
        """
        if not self.has(form):
            raise EmbeddingError(f"Model {self.name!r} in {self.folder} has no form {form}")
        return self.folder / FILE_OF_FORM[form]

    def check(self, *names: str) -> None:
        """Compare the named files (none: all) with their checksums.

        Raises:
            EmbeddingError: A file is unreadable or not what was made.
        """
        for name in names or self.files:
            path = self.folder / name
            if name not in self.files or _sha256(path) != self.files[name].sha256:
                raise EmbeddingError(
                    f"{path} is damaged: delete {self.folder} and run `stormcell model prepare`"
                )


def root_of(settings: EmbeddingSettings) -> Path:
    """Return the folder that holds all prepared models."""
    if settings.cache_dir:
        return Path(settings.cache_dir).expanduser()
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path is invalid and to be ignored.
    parent = Path(base) if os.path.isabs(base) else Path("~/.cache").expanduser()
    return parent / "stormcell"


def given_folder(settings: EmbeddingSettings) -> Path | None:
    """Return the folder that the setting `model` names, None if it is a model's name.

    Raises:
        EmbeddingError: It is written as a path, and no folder is there.
    """
    path = Path(settings.model).expanduser()
    if path.is_dir():
        return path.resolve()
    if settings.model.startswith(("/", ".", "~")):
        raise EmbeddingError(
            f"Setting 'embedding.model' has value {settings.model!r}: no such folder"
        )
    return None


def name_of(settings: EmbeddingSettings) -> str:
    """Return what the vectors of the model are known by.

    Of a folder it has a part that changes with path, sizes or times of its files: other weights
    under an old name would be compared with vectors they have nothing to do with.
    """
    folder = given_folder(settings)
    if folder is None:
        return settings.model
    digest = hashlib.sha256(os.fsencode(folder))
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        stat = path.stat()
        digest.update(os.fsencode(path) + f" {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return f"{folder.name}-{digest.hexdigest()[:8]}"


def place_of(settings: EmbeddingSettings) -> Path:
    """Return the folder where the model of *settings* lies once it is prepared."""
    folder = given_folder(settings)
    if folder is not None and (folder / MANIFEST).exists():
        return folder
    # One folder a model, flat; "--" for "/" is how model hubs' own caches write it.
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name_of(settings).replace("/", "--"))
    return root_of(settings) / f"{plain}.v{FORMAT}"


def find(settings: EmbeddingSettings) -> PreparedModel | None:
    """Return the prepared model of *settings*, None if it is not there whole and in its form."""
    model = load(place_of(settings))
    return model if model is not None and model.has(settings.form) else None


def load(folder: Path) -> PreparedModel | None:
    """Read the manifest in *folder*; None if it, or a file it lists, is missing or cut short.

    Sizes are compared, not checksums: see `PreparedModel.check`.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        model = _parse(folder, manifest)
        whole = all(
            (folder / name).stat().st_size == facts.bytes for name, facts in model.files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return model if whole and manifest["format"] == FORMAT and TOKENIZER in model.files else None


def write_manifest(
    folder: Path, *, name: str, dims: int, max_tokens: int, pooling: Pooling
) -> PreparedModel:
    """Make the files in *folder* a prepared model."""
    paths = [folder / file for file in (TOKENIZER, F32, INT8) if (folder / file).exists()]
    manifest = {
        "format": FORMAT,
        "model": name,
        "dims": dims,
        "max_tokens": max_tokens,
        "pooling": pooling.value,
        "versions": {maker: found for maker in _MAKERS if (found := _version(maker))},
        "files": {
            path.name: {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in paths
        },
    }
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return _parse(folder, manifest)


def build(
    place: Path,
    *,
    ready: Callable[[], PreparedModel | None],
    fill: Callable[[Path], object],
    report: Callable[[str], None],
) -> PreparedModel:
    """Build the model at *place*, unless *ready* finds it once the lock is ours.

    Args:
        place: The model's folder in the cache; replaced if *ready* does not accept it.
        ready: Returns the model if it is there, as another process may have built it meanwhile.
        fill: Writes a prepared model into the empty folder it is handed.
        report: Is told, in a sentence, what is waited for.

    Raises:
        EmbeddingError: The cache cannot be written, or what *fill* raised; *place* is unchanged
            and nothing half-built stays.
    """
    with _named_errors(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _lock(place.with_name(place.name + ".lock"), report):
            model = ready()
            if model is not None:
                return model
            for leftover in place.parent.glob(f"{place.name}.tmp-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            scratch = place.with_name(f"{place.name}.tmp-{os.getpid()}")
            # Not a tempfile: those are for their owner only, and an image is built by another
            # user than the one who runs it.
            scratch.mkdir()
            try:
                fill(scratch)
                if load(scratch) is None:
                    raise EmbeddingError(f"Model at {scratch} was left incomplete")
                _sync(scratch)
                _put(scratch, place)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
    model = load(place)
    if model is None:
        raise EmbeddingError(f"Model at {place} was taken away while it was being built")
    return model


def _put(scratch: Path, place: Path) -> None:
    """Rename *scratch* to *place*; what was there is deleted."""
    if place.exists():  # a damaged model, or one that lacks the form: a folder is not overwritten
        old = place.with_name(f"{place.name}.tmp-old-{os.getpid()}")
        place.rename(old)
        scratch.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    else:
        scratch.rename(place)


def _sync(folder: Path) -> None:
    """Force the files of *folder* to disk, lest a power cut leave names without content."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _lock(path: Path, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file at *path*; the system lets go of it when the process dies."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"another process prepares the model; waiting for {path}")
            fcntl.flock(file, fcntl.LOCK_EX)
        # Never deleted: a process that waits on a deleted file would lock beside the next one.
        yield


@contextlib.contextmanager
def _named_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or root
        raise EmbeddingError(
            f"Model cache {root} cannot be used: {where}: {error.strerror or error}; "
            "set 'embedding.cache_dir' to a folder that can be written"
        ) from error


def _parse(folder: Path, manifest: Any) -> PreparedModel:
    return PreparedModel(
        folder=folder,
        name=manifest["model"],
        dims=int(manifest["dims"]),
        max_tokens=int(manifest["max_tokens"]),
        pooling=Pooling(manifest["pooling"]),
        files={name: FileFacts(**facts) for name, facts in manifest["files"].items()},
    )


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbeddingError(f"{path}: cannot be read: {error.strerror}") from error


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
