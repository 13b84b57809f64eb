"""What goes into the image is of the releases that everything is tested with, and of known files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.processes import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "image"
FILES = sorted(FOLDER.iterdir())
ENTRY = re.compile(r"([a-z0-9._-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: Path) -> dict[str, str]:
    """Return the releases in *file*, by name; every line of it must be one, with its hashes."""
    text = file.read_text()
    assert ENTRY.sub("", text) == "", file
    return {name: release for name, release, _ in ENTRY.findall(text)}


def constraints() -> dict[str, str]:
    lines = (REPOSITORY / "constraints.txt").read_text().split()
    return {normal(name): release for name, release in (line.split("==") for line in lines)}


def required(*extras: str) -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [
        each for extra in extras for each in project["optional-dependencies"][extra]
    ]
    return {normal(re.split(r"[<>=\[; ]", each)[0]) for each in wanted}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_release_is_the_one_of_the_constraints(file: Path) -> None:
    known = constraints()
    releases = {name: release.removesuffix("+cpu") for name, release in pinned(file).items()}

    assert releases
    assert {name: known[name] for name in releases if name in known} == {
        name: release for name, release in releases.items() if name in known
    }


def test_what_the_receiver_needs_is_locked_and_nothing_of_the_export_is() -> None:
    locked = pinned(FOLDER / "requirements.txt").keys()

    assert required() <= locked
    assert (required("export") - required()) & locked == set()


def test_what_prepares_the_model_is_locked_with_torch_apart() -> None:
    rest = pinned(FOLDER / "requirements-model.txt").keys()
    torch = pinned(FOLDER / "requirements-torch.txt")

    assert required("export") <= rest | {"torch"}
    assert "torch" not in rest
    assert pinned(FOLDER / "requirements-torch-cpu.txt") == {"torch": torch["torch"] + "+cpu"}
    assert rest & torch.keys() == set()


def test_the_dockerfile_installs_nothing_without_hashes_but_our_own_wheel() -> None:
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    installs = re.findall(r"pip install ([^;&|\n]*)", text)

    assert len(installs) == 7
    for arguments in installs:
        assert arguments.startswith("--no-deps ")
        assert (
            "--require-hashes -r /build/requirements" in arguments
            or "/wheel/stormcell-" in arguments
        )
