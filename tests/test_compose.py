"""docker-compose.yml, as far as it can be tried without Docker: by its specification, and its mounts."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions

from receiver import __version__
from receiver.config import Config, load
from scripts.dashboards import FOLDER as DASHBOARDS
from tests.support.absent import absent
from tests.support.processes import REPOSITORY

TEXT = (REPOSITORY / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {"stormcell", "demo", "grafana"}
RELEASE, DIGEST = r"v?\d+\.\d+\.\d+", r"@sha256:[0-9a-f]{64}"

each_service = pytest.mark.parametrize("name", SERVICES)


def check(text: str) -> None:
    """Hold *text* against the compose specification: it knows no key and no value that that does not."""
    options = PyOptions()
    options.apply_merge = True
    options.from_yaml(text).validate()


def mounts(name: str) -> dict[str, str]:
    """Return the sources of the volumes of service *name*, by where they are laid."""
    pairs = (volume.split(":") for volume in SERVICES[name].get("volumes", []))
    return {target: source for source, target, *_ in pairs}


def test_it_is_as_the_specification_wants() -> None:
    check(TEXT)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("read_only: true", "read_onyl: true", "read_onyl"),
        ("interval: 10s", "interval: often", "often"),
        ("condition: service_healthy", "condition: service_well", "service_well"),
        ("source: webhook_token", "source: webhok_token", "webhok_token"),
        ("stormcell-data: {}", "stormcell-data: {size: 3}", "size"),
    ],
)
def test_what_is_not_in_the_specification_is_found(right: str, wrong: str, said: str) -> None:
    assert right in TEXT
    with pytest.raises(Exception, match=f"`{said}`"):
        check(TEXT.replace(right, wrong, 1))


@each_service
def test_it_runs_as_nobody_of_note_and_writes_only_where_it_says(name: str) -> None:
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


@each_service
def test_its_image_is_of_one_release(name: str) -> None:
    image = SERVICES[name]["image"]

    if name in OURS:
        assert image == f"{image.partition(':')[0]}:{__version__}"
    else:
        # The specification has a tag or a digest, and no both.
        assert re.fullmatch(r"[\w/]+" + DIGEST, image)
        assert re.search(f"{image} # {RELEASE}\n", TEXT)
    assert SERVICES[name]["mem_limit"]


@pytest.mark.parametrize("file", ["Dockerfile", "grafana/Dockerfile"])
def test_what_an_image_is_made_from_is_of_one_release(file: str) -> None:
    text = (REPOSITORY / file).read_text()
    bases = re.findall(r"^(?:FROM |ARG PYTHON=)(\S+)", text, re.MULTILINE)

    assert bases
    for base in bases:
        assert base == "${PYTHON}" or re.fullmatch(rf"[\w/]+:{RELEASE}[\w-]*{DIGEST}", base), base


@each_service
def test_it_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name]["healthcheck"]

    assert check.get("disable") is (True if name == "demo" else None)
    assert check.get("disable") or check["test"][0] == "CMD"


@each_service
def test_nothing_listens_beyond_this_machine(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    for source in mounts(name).values():
        if source.startswith("./"):
            assert (REPOSITORY / source).is_file(), source
        else:
            assert source in COMPOSE["volumes"]


def test_the_load_is_made_only_when_it_is_asked_for() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"demo"}


def test_no_secret_is_in_the_file_or_in_git(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "deploy" / "compose" / "make-secrets", tmp_path)
    for _ in range(2):
        subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    wanted = {Path(secret["file"]) for secret in COMPOSE["secrets"].values()}
    ignored = (REPOSITORY / "deploy" / "compose" / ".gitignore").read_text().split()

    assert {path.name for path in wanted} == made.keys()
    assert all(re.fullmatch(r"[0-9a-f]{48}", text) for text in made.values())
    assert len(set(made.values())) == len(made)
    assert {path.parent.name + "/" for path in wanted} == set(ignored)
    assert all(secret.keys() == {"file"} for secret in COMPOSE["secrets"].values())
    environments = [service.get("environment", {}) for service in SERVICES.values()]
    assert not [key for e in environments for key in e if re.search("TOKEN|PASSWORD$|SECRET", key)]


def test_the_receiver_can_read_its_configuration(tmp_path: Path) -> None:
    source = REPOSITORY / mounts("stormcell")["/etc/stormcell/stormcell.yml"]
    text = source.read_text()
    for name in SERVICES["stormcell"]["secrets"]:
        assert f"/run/secrets/{name}" in text
        (tmp_path / name).write_text("0123456789abcdef\n")
    file = tmp_path / "stormcell.yml"
    file.write_text(text.replace("/run/secrets", str(tmp_path)))
    config = load(file, [])

    assert isinstance(config, Config)
    assert config.web.listen_address.endswith(":9783")
    assert not config.web.anonymous_roles


@pytest.mark.e2e
def test_prometheus_can_read_its_configuration(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or absent("promtool")
    token = tmp_path / "stormcell.token"
    token.write_text("0123456789abcdef")
    for target, source in mounts("prometheus").items():
        if source.startswith("./"):
            shutil.copy(REPOSITORY / source, tmp_path / Path(target).name)
    file = tmp_path / "prometheus.yml"
    text = file.read_text().replace("/etc/prometheus/rules/*.yml", f"{tmp_path}/[sw]*.yml")
    file.write_text(text.replace("/etc/prometheus/stormcell.token", str(token)))
    checked = subprocess.run(
        [promtool, "check", "config", file], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "2 rule files found" in checked.stdout


def test_each_names_the_others_as_they_are_called() -> None:
    prometheus = (REPOSITORY / "deploy" / "compose" / "prometheus.yml").read_text()
    provisioning = SERVICES["grafana"]["environment"]
    alertmanager = (
        REPOSITORY / mounts("alertmanager")["/etc/alertmanager/alertmanager.yml"]
    ).read_text()
    hosts = {
        re.sub(r":\d+$", "", target)
        for target in re.findall(r"\[\{?targets: \[([^\]]+)\]", prometheus)
    }

    assert hosts - SERVICES.keys() == {"localhost"}
    assert provisioning["RECEIVER_URL"] == "http://stormcell:9783"
    assert "http://stormcell:9783/api/v1/webhook" in alertmanager
    (token,) = (s["target"] for s in SERVICES["alertmanager"]["secrets"])
    assert f"credentials_file: {token}" in alertmanager
    assert "job_name: stormcell\n" in prometheus


def test_grafana_starts_on_a_dashboard_that_is_there() -> None:
    path = Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    provider = (
        REPOSITORY / "grafana" / "provisioning" / "dashboards" / "stormcell.yaml"
    ).read_text()
    image = (REPOSITORY / "grafana" / "Dockerfile").read_text()

    assert (DASHBOARDS / path.name).is_file()
    assert f"path: {path.parent}\n" in provider
    assert f"COPY grafana/dashboards {path.parent}\n" in image
