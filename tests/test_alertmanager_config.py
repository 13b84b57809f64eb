"""The configurations of Alertmanager that people copy, by its own tool and by what must hold in each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.config import Config
from receiver.core.matchers import parse
from tests.support.absent import absent

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "alertmanager"
FILES = {str(path.relative_to(FOLDER)): path for path in sorted(FOLDER.rglob("*.yml"))}

WARNING = "alertname=DiskFull severity=warning namespace=shop"
CRITICAL = "alertname=DatabaseDown severity=critical namespace=shop"
WATCHDOG = "alertname=Watchdog severity=none"
OURS_PAGES = "alertname=StormcellStorm severity=critical origin=stormcell"
OURS_WARNS = "alertname=StormcellFlapping severity=warning origin=stormcell"

_BOTH = {
    WARNING: "stormcell,chat",
    CRITICAL: "stormcell,pager",
    WATCHDOG: "stormcell",
    OURS_PAGES: "pager",
    OURS_WARNS: "chat",
}
EXPECTED = {
    "alertmanager.yml": _BOTH,
    "bearer-token.yml": _BOTH,
    "ha-pair.yml": _BOTH,
    "shadow.yml": {
        WARNING: "stormcell,chat",
        CRITICAL: "stormcell,pager",
        WATCHDOG: "stormcell,chat",
        OURS_PAGES: "nobody",
        OURS_WARNS: "nobody",
    },
    "two-alertmanagers/feed.yml": {
        WARNING: "stormcell",
        CRITICAL: "stormcell",
        WATCHDOG: "stormcell",
        OURS_PAGES: "nobody",
        OURS_WARNS: "nobody",
    },
    "two-alertmanagers/pager.yml": {
        WARNING: "chat",
        CRITICAL: "pager",
        WATCHDOG: "nobody",
        OURS_PAGES: "pager",
        OURS_WARNS: "chat",
    },
}
each_file = pytest.mark.parametrize("name", FILES)


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(FILES[name].read_text())
    return document


def feeds(document: Mapping[str, Any]) -> set[str]:
    """The names of the receivers of *document* that post to Stormcell."""
    return {
        receiver["name"]
        for receiver in document["receivers"]
        for hook in receiver.get("webhook_configs", [])
        if hook["url"].endswith("/api/v1/webhook")
    }


def routes(route: Mapping[str, Any], inherited: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield *route* and all below it, each with what it inherits."""
    whole = {**inherited, **route}
    yield whole
    passed_on = {k: v for k, v in whole.items() if k not in ("matchers", "continue", "routes")}
    for child in route.get("routes", []):
        yield from routes(child, passed_on)


def blinding(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inhibit rules of *document* whose target may be routed to Stormcell.

    Of what reaches an Alertmanager that feeds us only our own alerts are not routed to us, so that a
    target has to ask for them in so many words.
    """
    if not feeds(document):
        return []
    return [
        rule
        for rule in document.get("inhibit_rules", [])
        if 'origin="stormcell"' not in rule.get("target_matchers", [])
    ]


def muting(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The inhibit rules of *document* whose target may be a critical."""
    return [
        rule
        for rule in document.get("inhibit_rules", [])
        if all(
            parse(text, "target_matchers").matches({"severity": "critical"})
            for text in rule.get("target_matchers", [])
            if text.startswith("severity")
        )
    ]


@pytest.fixture
def amtool() -> str:
    """The path of the real amtool."""
    return shutil.which("amtool") or absent("amtool")


def test_every_file_has_its_expected_routes() -> None:
    assert FILES.keys() == EXPECTED.keys()


@pytest.mark.e2e
@each_file
def test_alertmanager_can_read_it(name: str, amtool: str) -> None:
    checked = subprocess.run(
        [amtool, "check-config", FILES[name]], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.e2e
@each_file
def test_an_alert_goes_where_it_should(name: str, amtool: str) -> None:
    command = [amtool, "config", "routes", "test", f"--config.file={FILES[name]}"]
    routed = {
        labels: subprocess.run(
            [*command, *labels.split()], capture_output=True, text=True, check=True
        ).stdout.strip()
        for labels in EXPECTED[name]
    }

    assert routed == EXPECTED[name]


@each_file
def test_no_inhibit_rule_may_blind_stormcell_or_mute_a_critical(name: str) -> None:
    assert blinding(load(name)) == []
    assert muting(load(name)) == []


def test_nor_may_one_in_whatever_else_we_tell_people_to_copy() -> None:
    """Compose, manifests, and what stands between fences in the docs."""
    texts = [path.read_text() for path in (ROOT / "deploy").rglob("*.y*ml")]
    texts += [path.read_text() for path in ROOT.glob("*.y*ml")]
    prose = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    for path in prose:
        texts += re.findall(r"^ *```yaml\n(.*?)^ *```", path.read_text(), re.DOTALL | re.MULTILINE)
    documents = [each for text in texts for each in yaml.safe_load_all(text)]
    routed = [each for each in documents if isinstance(each, dict) and "route" in each]

    assert routed, "the README has one"
    for document in routed:
        assert blinding(document) == []
        assert muting(document) == []
    for document in documents:
        assert "inhibitRules" not in str(document)


def test_an_inhibit_rule_that_blinds_or_mutes_is_found() -> None:
    document = load("alertmanager.yml")
    by_storm = {"source_matchers": ['alertname="StormcellStorm"']}
    harmful = [
        {**by_storm, "target_matchers": ['severity=~"warning|info"']},
        {**by_storm, "target_matchers": ['origin!="stormcell"', 'severity="warning"']},
        {**by_storm, "target_match": {"severity": "warning"}},
        by_storm,
    ]
    harmless = {
        "source_matchers": ['alertname="StormcellDown"'],
        "target_matchers": ['origin="stormcell"', 'severity="warning"'],
    }
    document["inhibit_rules"] = [*harmful, harmless]

    assert blinding(document) == harmful
    assert muting(document) == harmful[2:]
    pager = load("two-alertmanagers/pager.yml")
    critical = {**by_storm, "target_matchers": ['severity=~"warning|critical"']}
    pager["inhibit_rules"].append(critical)
    assert muting(pager) == [critical]


@each_file
def test_stormcell_is_told_everything_and_at_once(name: str) -> None:
    document = load(name)
    names = feeds(document)
    told = [route for route in routes(document["route"], {}) if route["receiver"] in names]
    for receiver in document["receivers"]:
        for hook in receiver.get("webhook_configs", []):
            if receiver["name"] in names:
                assert (hook["send_resolved"], hook["max_alerts"]) == (True, 0)

    assert bool(names) == (name != "two-alertmanagers/pager.yml")
    assert {route["group_wait"] for route in told} <= {"0s"}
    assert {(r["group_interval"], r["repeat_interval"]) for r in told} <= {
        ("1m", "1m"),
        ("30s", "4h"),
    }
    assert Config().clustering.stale_after > 4 * 3600 + 30


@pytest.mark.parametrize(
    "name", [name for name in FILES if feeds(load(name)) and "two" not in name]
)
def test_after_stormcell_the_routes_go_on_and_its_own_alerts_come_before_it(name: str) -> None:
    document = load(name)
    names = feeds(document)
    children = document["route"]["routes"]
    feed = next(
        place
        for place, route in enumerate(children)
        if route["receiver"] in names and 'alertname="Watchdog"' not in route.get("matchers", [])
    )
    ours = next(
        place
        for place, route in enumerate(children)
        if 'origin="stormcell"' in route.get("matchers", [])
    )

    assert children[feed]["continue"] is True
    assert ours < feed
    if name != "shadow.yml":
        heartbeat, critical = (
            0,
            children.index(
                next(c for c in children if 'severity="critical"' in c.get("matchers", []))
            ),
        )
        assert children[heartbeat]["matchers"] == ['alertname="Watchdog"']
        assert (heartbeat, ours, feed, critical) == (0, 1, 2, 3)
    assert not children[ours].get("continue", False)
