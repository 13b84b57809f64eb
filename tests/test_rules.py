"""The rules that we ship: valid, tested both ways, of metrics that exist, with a page for each alert."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts import make_docs
from tests.support.absent import absent

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "rules").glob("*.yml"))
TESTS = sorted((ROOT / "rules" / "tests").glob("*_test.yml"))
PAGES = {
    "StormcellStorm",
    "StormcellNewClusterInStorm",
    "StormcellClusterLarge",
    "StormcellDown",
}
MAY_BE_LABELS = {"severity", "origin"}


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for file in FILES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


@pytest.fixture
def promtool() -> str:
    """The path of promtool."""
    return shutil.which("promtool") or absent("promtool")


@pytest.mark.e2e
def test_promtool_has_nothing_to_say_about_the_rules(promtool: str) -> None:
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *map(str, FILES)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert FILES
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


@pytest.mark.e2e
@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_the_rules_do_what_their_tests_say(file: Path, promtool: str) -> None:
    tested = subprocess.run(
        [promtool, "test", "rules", file], capture_output=True, text=True, check=False
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = [
        (case["alertname"], bool(case["exp_alerts"]))
        for file in TESTS
        for test in yaml.safe_load(file.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]

    assert set(cases) == {(name, fires) for name in alerts() for fires in (True, False)}


async def test_every_metric_in_the_rules_is_exported_and_documented() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    documented = set(re.findall(r"^\| `(\w+)`", await make_docs.metrics(), re.MULTILINE))
    texts = [rule["expr"] for rule in rules()]
    texts += [text for rule in alerts().values() for text in rule["annotations"].values()]
    named = {name for text in texts for name in re.findall(r"\bstormcell[_:][\w:]+", text)}

    assert named
    assert named - recorded - documented == set()
    assert recorded - named == set(), "recorded for nothing"


def test_at_most_four_alerts_page() -> None:
    severities = {name: rule["labels"]["severity"] for name, rule in alerts().items()}

    assert {name for name, severity in severities.items() if severity == "critical"} == PAGES
    assert {severities[name] for name in severities.keys() - PAGES} == {"warning"}


def test_every_rule_says_that_it_is_ours() -> None:
    assert [rule for rule in rules() if rule["labels"].get("origin") != "stormcell"] == []


def test_no_alert_has_a_label_that_a_change_of_title_or_count_would_change() -> None:
    for name, rule in alerts().items():
        assert rule["labels"].keys() <= MAY_BE_LABELS, name
        assert "{{" not in "".join(rule["labels"].values()), name


def test_no_rule_keeps_firing_after_what_it_is_about() -> None:
    assert [rule for rule in rules() if "keep_firing_for" in rule] == []


def test_every_alert_has_a_runbook() -> None:
    pages = {file.stem for file in (ROOT / "docs" / "runbooks").glob("*.md")}

    assert pages == set(alerts())
    for name, rule in alerts().items():
        assert rule["annotations"]["runbook_url"].endswith(f"docs/runbooks/{name}.md")
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        text = (ROOT / "docs" / "runbooks" / f"{name}.md").read_text()
        heads = re.findall(r"^##? (.*)$", text, re.MULTILINE)
        assert heads == [name, "What it means", "First look", "What to do", "False alarms"]


def test_the_documented_line_gives_every_runbook_an_address(tmp_path: Path) -> None:
    (line,) = re.findall(r"^sed -i .*$", (ROOT / "docs" / "deploy.md").read_text(), re.MULTILINE)
    files = [tmp_path / name for name in line.split()[-2:]]
    for file in files:
        file.parent.mkdir(parents=True)
        shutil.copy(ROOT / file.relative_to(tmp_path), file)
    subprocess.run(line, shell=True, cwd=tmp_path, check=True)
    plain, kubernetes = (yaml.safe_load(file.read_text()) for file in files)

    for groups in (plain["groups"], kubernetes["spec"]["groups"]):
        found = [rule for group in groups for rule in group["rules"] if "alert" in rule]
        assert {rule["annotations"]["runbook_url"] for rule in found} == {
            f"https://git.example.com/stormcell/blob/main/docs/runbooks/{name}.md"
            for name in alerts()
        }
