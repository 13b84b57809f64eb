"""The mixin, evaluated: the same rules and dashboards, with what a site has differently."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import _gojsonnet
import pytest
import yaml

from scripts import dashboards
from tests.support.absent import absent
from tests.support.processes import REPOSITORY

RULES = yaml.safe_load((REPOSITORY / "rules" / "stormcell.yml").read_text())["groups"]
MIXIN = REPOSITORY / "mixin" / "mixin.libsonnet"


def evaluate(**config: str) -> dict[str, Any]:
    """Return the three fields that a mixin has, with *config* put in."""
    text = f"""
    local mixin = (import '{MIXIN}') + {{ _config+:: {json.dumps(config)} }};
    {{
      rules: mixin.prometheusRules,
      alerts: mixin.prometheusAlerts,
      dashboards: mixin.grafanaDashboards,
    }}
    """
    made: dict[str, Any] = json.loads(_gojsonnet.evaluate_snippet("test.jsonnet", text))
    return made


def test_as_it_is_it_holds_the_rules_and_dashboards_that_we_ship() -> None:
    made = evaluate()

    assert made["alerts"]["groups"] == RULES
    assert made["rules"]["groups"] == []
    assert made["dashboards"] == {n: json.loads(text) for n, text in dashboards.texts().items()}


def test_what_a_site_has_differently_is_put_in_everywhere() -> None:
    made = evaluate(
        runbookURL="https://git.example/",
        externalURL="https://storm.example",
        pageSeverity="page",
        job="storm",
        prometheusUID="p1",
        stormcellUID="s1",
    )
    every = [rule for group in made["alerts"]["groups"] for rule in group["rules"]]
    alerts = [rule for rule in every if "alert" in rule]
    texts = json.dumps(every)
    boards = json.dumps(made["dashboards"])

    assert {rule["labels"]["severity"] for rule in alerts} == {"page", "warning"}
    assert all(
        rule["annotations"]["runbook_url"]
        == f"https://git.example/docs/runbooks/{rule['alert']}.md"
        for rule in alerts
    )
    assert "https://storm.example/#cluster={{ $labels.cluster_id }}" in texts
    assert 'label \\"instance\\"' not in texts
    assert "external_url" not in texts
    assert 'up{job=\\"storm\\"}' in texts
    assert 'job=\\"stormcell\\"' not in texts
    assert 'severity=\\"critical\\"' not in texts
    assert (
        texts.count('severity=\\"page\\"') == json.dumps(RULES).count('severity=\\"critical\\"') > 0
    )
    assert '"uid": "p1"' in boards
    assert '"uid": "s1"' in boards
    assert '"uid": "prometheus"' not in boards
    assert '"uid": "stormcell"' not in boards


@pytest.mark.e2e
def test_promtool_has_nothing_to_say_about_it(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or absent("promtool")
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(evaluate(job="storm")["alerts"]))
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.e2e
def test_what_pages_by_another_severity_pages_all_the_same(tmp_path: Path) -> None:
    promtool = shutil.which("promtool") or absent("promtool")
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(evaluate(pageSeverity="page")["alerts"]))
    text = (REPOSITORY / "rules" / "tests" / "pages_test.yml").read_text()
    for shipped in ('severity="critical"', "severity: critical"):
        assert shipped in text
        text = text.replace(shipped, shipped.replace("critical", "page"))
    tests = tmp_path / "pages_test.yml"
    tests.write_text(text.replace("../stormcell.yml", "rules.yml"))
    tested = subprocess.run(
        [promtool, "test", "rules", tests], capture_output=True, text=True, check=False
    )

    assert tested.returncode == 0, tested.stdout + tested.stderr
