"""Brings the model that the settings name into the cache, whatever source it can be had from.

In this order: a given folder that is prepared; the cache; ready-made files on the hub, if one is
configured; else an export. What needs torch or `onnx` runs in a child process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from receiver.core.errors import EmbeddingError
from receiver.embedding import cache

if TYPE_CHECKING:
    from receiver.config import EmbeddingSettings

# An export takes half a minute; with the model from a slow hub, some more.
_CHILD_SECONDS = 1800.0
_TAIL_LINES = 15
_EXPORT_NEEDS = ("sentence_transformers", "torch", "onnx")


def prepare(
    settings: EmbeddingSettings,
    *,
    report: Callable[[str], None],
    cancelled: threading.Event | None = None,
) -> Path:
    """Make sure that the model of *settings* is prepared, and return its folder.

    Safe to call from several processes at once: one works, the others wait and use the result.

    Args:
        settings: Which model, in which form, from where, into which cache.
        report: Is told of each step, in a sentence; called from this thread only.
        cancelled: Set from another thread, it ends the work at once.

    Raises:
        EmbeddingError: The work was cancelled, or the model cannot be had; the text says why and
            what would help. The cache is as it was.
    """
    place = cache.place_of(settings)
    if place == cache.given_folder(settings):
        return _given(settings, place)

    def ready() -> cache.PreparedModel | None:
        return _usable(settings, report)

    # First without the lock: a cache that is read-only but filled is good enough.
    model = ready() or cache.build(
        place,
        ready=ready,
        fill=lambda folder: _fill(settings, folder, report, cancelled or threading.Event()),
        report=report,
    )
    return model.folder


def _given(settings: EmbeddingSettings, folder: Path) -> Path:
    model = cache.load(folder)
    if model is None:
        raise EmbeddingError(
            f"{folder} has a {cache.MANIFEST}, but a file that it lists is missing or cut short, "
            f"or it is of another version than {cache.FORMAT}"
        )
    model.file_of(settings.form)
    model.check()
    return folder


def _usable(
    settings: EmbeddingSettings, report: Callable[[str], None]
) -> cache.PreparedModel | None:
    """Return the model in the cache, None if it is absent or damaged."""
    model = cache.find(settings)
    if model is None:
        return None
    try:
        model.check()
    except EmbeddingError as error:
        report(f"{error.message}; preparing it again")
        return None
    return model


def _fill(
    settings: EmbeddingSettings,
    folder: Path,
    report: Callable[[str], None],
    cancelled: threading.Event,
) -> None:
    """Write the model into the empty *folder*, from the first source that has it."""
    failed = ""
    if settings.hub_url and cache.given_folder(settings) is None:
        failed = _fetch(settings, folder, report, cancelled)
        if not failed:
            return
        report(failed)
        for leftover in folder.iterdir():
            leftover.unlink()
    missing = [name for name in _EXPORT_NEEDS if find_spec(name) is None]
    if missing:
        raise EmbeddingError(
            f"Model {settings.model!r} must be exported, for which {', '.join(missing)} is not "
            "installed: run `pip install stormcell[export]`, or set 'embedding.model' to a folder "
            "prepared elsewhere" + (f". {failed}" if failed else "")
        )
    report(f"exporting {settings.model}; this takes about half a minute")
    _run(
        "receiver.embedding.export",
        f"--model={cache.given_folder(settings) or settings.model}",
        f"--name={cache.name_of(settings)}",
        f"--into={folder}",
        report=report,
        cancelled=cancelled,
        hub_url=settings.hub_url,
    )


def _fetch(
    settings: EmbeddingSettings,
    folder: Path,
    report: Callable[[str], None],
    cancelled: threading.Event,
) -> str:
    """Try the hub; return why it will not do, an empty text if it did."""
    from receiver.embedding import hub
    from receiver.embedding.accept import accept

    about = f"Hub {settings.hub_url} cannot be used for {settings.model!r}"
    try:
        model = hub.fetch(
            settings.hub_url, settings.model, cache.name_of(settings), folder, report=report
        )
        if find_spec("onnx") is not None:
            report("writing the int8 form")
            _run("receiver.embedding.quantize", str(folder), report=report, cancelled=cancelled)
            model = cache.write_manifest(
                folder,
                name=model.name,
                dims=model.dims,
                max_tokens=model.max_tokens,
                pooling=model.pooling,
            )
        if not model.has(settings.form):
            return f"{about}: int8 is made here and `onnx` is not installed"
        report(accept(model))
    except hub.HubError as error:
        return f"{about}: {error}"
    except EmbeddingError as error:
        return f"{about}: {error.message}"
    return ""


def _run(
    module: str,
    *arguments: str,
    report: Callable[[str], None],
    cancelled: threading.Event,
    hub_url: str = "",
) -> None:
    """Run *module* in a child process and wait for it.

    Raises:
        EmbeddingError: It failed or was cancelled; the end of its stderr is in the text.
    """
    environment = dict(os.environ)
    # Also where we run from a checkout that is not installed.
    home = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (home, environment.get("PYTHONPATH")) if part
    )
    if hub_url:
        environment["HF_ENDPOINT"] = hub_url
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(
        # -P: not from the working directory, whatever may lie there under our modules' names.
        [sys.executable, "-P", "-m", module, *arguments],
        env=environment,
        # Held open and never written to: it ends with us, however we end (see `parent`).
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(child, cancelled, ended), daemon=True)
        watch.start()
        try:
            assert child.stderr is not None  # PIPE was asked for
            for line in child.stderr:
                tail.append(line.rstrip())
                if line.startswith("export: "):
                    report(line.rstrip())
            code = child.wait()
        except BaseException:
            child.kill()  # interrupted: it must not go on alone
            raise
        finally:
            ended.set()
    if cancelled.is_set():
        raise EmbeddingError("preparing the model was cancelled")
    if code != 0:
        raise EmbeddingError(
            f"{module} ended with code {code} while preparing the model: " + "\n".join(tail)
        )


def _watch(
    child: subprocess.Popen[str], cancelled: threading.Event, ended: threading.Event
) -> None:
    """Kill *child* when the work is cancelled, or has taken far too long."""
    deadline = time.monotonic() + _CHILD_SECONDS
    while not ended.wait(0.1):
        if cancelled.is_set() or time.monotonic() > deadline:
            child.kill()
            return
