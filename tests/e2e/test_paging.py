"""The closed loop with the real Prometheus and Alertmanager: who is paged, how often, and with us dead.

What `make stack` does, faster. Rules and routes are those that we ship, with shorter times and our
addresses put in, nothing else.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.stack import report
from scripts.stack.__main__ import drill
from scripts.stack.drill import LONE, Lone, Outcome
from scripts.stack.shop import NAMESPACE
from tests.support.absent import absent
from tests.support.loop import missing

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SPEED = 12
"""A storm's first three minutes are 15 s: longer than a busy machine takes for its alerts."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What came of one drill."""
    for program in missing():
        absent(program)
    folder: Path = tmp_path_factory.mktemp("stack")
    # All at once: the storm's later waves would come after its first three minutes, so fast.
    return drill(folder, speed=SPEED, waves=1, embedder="hashing", say=print)


def test_a_storm_in_one_namespace_is_two_pages(outcome: Outcome) -> None:
    keys = [page.key.rsplit(":", 1)[-1] for page in outcome.storm]

    assert outcome.fired >= 500 + len(LONE)
    assert sorted(keys) == ['{alertname="StormcellStorm"}', f'{{namespace="{NAMESPACE}"}}']


@pytest.mark.parametrize("case", LONE, ids=str)
def test_a_lone_critical_rings_once(case: Lone, outcome: Outcome) -> None:
    assert len(outcome.lone[case]) == 1


def test_no_critical_is_on_no_page(outcome: Outcome) -> None:
    assert outcome.criticals > 250
    assert outcome.unseen_criticals == outcome.silent == 0


def test_the_death_of_stormcell_pages(outcome: Outcome) -> None:
    assert len(outcome.down) == 1


def test_stormcell_has_all_that_fired_and_tells_of_one_storm(outcome: Outcome) -> None:
    assert outcome.received == outcome.fired
    assert len(outcome.storms) == 1
    assert len(outcome.clusters) < outcome.fired / 10
    assert outcome.webhooks > 0


def test_the_report_says_so(outcome: Outcome) -> None:
    text = report.report(outcome, {"group_wait": "30s"})

    assert report.broken_promises(outcome) == []
    assert "criticals that did not ring     0" in text.split(os.linesep)
    assert all(str(case) in text for case in LONE)


def test_what_did_not_ring_or_rang_too_often_is_reported(outcome: Outcome) -> None:
    rung = {**outcome.lone}
    silent, loud = LONE[0], LONE[1]
    (page,) = rung[loud]
    rung |= {silent: [], loud: [page, page]}
    worse = Outcome(
        **{**vars(outcome), "lone": rung, "storm": [*outcome.storm, page], "storms": []}
    )
    broken = report.broken_promises(worse)

    assert len(broken) == 4
    assert f"a lone critical {loud} rang 2 times" in broken
    assert "1 criticals did not ring" in broken
