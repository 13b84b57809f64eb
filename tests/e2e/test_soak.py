"""The soak's short form: some seconds of everything at once, and a fault each few."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.soak.run import Plan, Soak

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

KINDS = ("kill", "give_up", "lock", "model_raises", "term", "clock", "freeze", "reload_bad")


async def test_nothing_is_lost_whatever_happens_at_once(tmp_path: Path) -> None:
    plan = Plan(
        seconds=30.0,
        every_seconds=30.0 / len(KINDS),
        fault_seconds=1.5,
        quiet_seconds=3.0,
        sample_seconds=1.0,
        rate=60.0,
        real_model=False,
        kinds=KINDS,
    )
    found = await Soak(plan, tmp_path, print).run()

    assert found["wrong"] == [], "\n".join(found["wrong"])
    assert {struck["kind"] for struck in found["faults"]} == set(KINDS)
    assert found["periods_kept"] > 100, "hardly any load: it proves little"
    assert found["answers"].keys() >= {"0", "200"}, "nothing was disturbed: it proves little"
