"""What grafana/Dockerfile makes, built step by step without Docker, but for the system, Node and Grafana.

The packages are those that are installed for `make grafana`, from the same lock by the same command: to
fetch them once more takes minutes. With STORMCELL_FETCH set that step is run, too.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from scripts.image_steps import Builder, Image
from tests.support.absent import absent
from tests.support.processes import REPOSITORY

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

GRAFANA = REPOSITORY / "grafana"
MODULES = GRAFANA / "node_modules"
INSTALL = "RUN npm ci --ignore-scripts\n"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What the last stage adds to Grafana."""
    if shutil.which("npm") is None:
        absent("npm")
    text = (GRAFANA / "Dockerfile").read_text()
    assert text.count(INSTALL) == 1
    if not os.environ.get("STORMCELL_FETCH"):
        if not (MODULES / ".installed").exists():
            absent("what `make grafana` puts in grafana/node_modules")
        text = text.replace(INSTALL, f"RUN ln -s {MODULES} node_modules\n")
    return Builder(tmp_path_factory.mktemp("image"), {}).build(text)


def plugin(image: Image) -> Path:
    return Path(image.environment["GF_PATHS_PLUGINS"]) / "stormcell-app"


def test_the_built_plugins_lie_where_grafana_looks_and_may_be_unsigned(image: Image) -> None:
    manifests = sorted(plugin(image).rglob("plugin.json"))
    ids = {json.loads(file.read_text())["id"] for file in manifests}

    assert plugin(image).is_relative_to(image.root)
    assert len(ids) == 3
    assert all((file.parent / "module.js").stat().st_size > 0 for file in manifests)
    assert set(image.environment["GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS"].split(",")) == ids


def test_what_the_documents_tell_to_set_is_what_the_image_sets(image: Image) -> None:
    told = (REPOSITORY / "docs" / "deploy.md").read_text()
    name = "GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS"

    assert f"{name}={image.environment[name]}" in told


def test_provisioning_and_dashboards_are_those_of_the_source(image: Image) -> None:
    for source, target in (
        ("provisioning", "etc/grafana/provisioning"),
        ("dashboards", "etc/grafana/dashboards/stormcell"),
    ):
        files = [path for path in (GRAFANA / source).rglob("*") if path.is_file()]
        assert files
        for file in files:
            copied = image.root / target / file.relative_to(GRAFANA / source)
            assert copied.read_bytes() == file.read_bytes()


def test_nothing_that_only_builds_is_in_it_and_it_is_not_roots(image: Image) -> None:
    assert list(image.root.rglob("node_modules")) == []
    assert list(image.root.rglob("*.ts")) == []
    assert sorted(path.name for path in image.root.iterdir()) == ["etc", "opt"]
    assert image.user == "472:0"
    assert image.health[0] == "wget"
