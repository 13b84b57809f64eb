"""How an alert comes back, and what its own cluster makes of that."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.core.clusters import Cluster
from receiver.core.habit import Habit
from receiver.core.model import Alert, Merge, Tick
from receiver.core.timestamps import SECOND, nanoseconds, seconds
from tests.builders import Site, alert, at

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND


def after(*gaps: int, alone: bool = True) -> Habit:
    """Return the habit of an alert that came back after *gaps*, nanoseconds."""
    made = Habit()
    for gap in gaps:
        made = made.after(gap, alone=alone)
    return made


def test_one_firing_alone_within_hours_is_a_habit_and_one_of_days_ago_is_none() -> None:
    assert after(10 * MINUTE).keeps_to_itself
    assert not after(DAY).keeps_to_itself
    assert not Habit().keeps_to_itself


def test_what_comes_in_company_as_often_or_less_keeps_to_itself_and_oftener_does_not() -> None:
    alone = after(MINUTE, MINUTE)

    assert alone.after(MINUTE, alone=False).keeps_to_itself
    mostly = after(MINUTE, MINUTE, MINUTE, alone=False).after(MINUTE, alone=True)
    assert not mostly.keeps_to_itself


def test_its_cluster_waits_for_some_usual_gaps_and_never_longer_than_two_hours() -> None:
    assert seconds(after(*[600 * SECOND] * 5).patience) == pytest.approx(2400, rel=0.05)
    assert after(*[3600 * SECOND] * 5).patience == nanoseconds(7200.0)
    assert Habit().patience == 0


def test_gaps_fade_with_all_else() -> None:
    habit = after(MINUTE).after(DAY, alone=True)

    assert habit.gaps == pytest.approx(0.5 * (1.0 + 1.0), abs=1e-3)
    assert habit.alone == pytest.approx(habit.gaps)
    assert habit.company == 0.0


def chronic(start: float = 0.0, ends: float | None = None) -> Alert:
    """Return the alert that comes and goes, whatever else goes on."""
    summary = "the certificate of a test host has expired"
    return alert("CertExpired", starts=start, ends=ends, node="n9", summary=summary)


def flap(site: Site, start: float) -> Cluster:
    """Let the chronic alert fire at *start* and end a minute later; return its cluster then."""
    site.receive(start, chronic(start))
    found = site.cluster_of(chronic())
    site.receive(start + 60, chronic(start, start + 60))
    return found


def test_an_alert_that_comes_back_alone_is_one_cluster_that_waits_and_then_resolves() -> None:
    site = Site()
    clusters = [flap(site, 1200.0 * n) for n in range(8)]

    # What it does is known when it has come back once; from then on all is one.
    assert len({cluster.id for cluster in clusters}) <= 3
    last = clusters[-1]
    assert last.id == clusters[-2].id == clusters[-3].id
    assert last.only == chronic().fingerprint
    assert last.live
    assert 1200 < seconds(last.patience) <= 7200
    over = last.joined_at + last.patience
    site.feed([Tick(over - 1)])
    assert last.live
    site.feed([Tick(over)])
    assert not last.live
    assert last.id not in site.engine.live.by_id
    assert not site.engine.live._homes


def test_many_chronic_alerts_settle_as_one_does() -> None:
    site, opened = Site(), []
    for n in range(12):
        for other in range(8):
            name, start = f"Chronic{'ABCDEFGH'[other] * 3}", 600.0 * n + 75.0 * other
            for ends in (None, start + 30):
                told = alert(
                    name, starts=start, ends=ends, host=f"h{other}", summary=f"{name} flaps"
                )
                site.receive(ends or start, told)
        opened.append(site.engine.counters.cluster_id)

    # Each waits once it has come back; none opens another from then on.
    assert opened[-1] == opened[len(opened) // 2]
    assert sum(bool(c.patience) for c in site.engine.live.by_id.values()) == 8


def test_chronic_noise_does_not_glue_incidents_together() -> None:
    """It fires between two incidents and beside both, is in neither, and neither is in the other."""
    site = Site()
    for n in range(6):
        flap(site, 1200.0 * n)
    noise = 1200.0 * 6
    first = alert("DatabaseDown", starts=noise + 5, ns="shop", summary="postgres is down")
    second = alert(
        "DiskFull", starts=noise + 500, ns="mail", summary="no space is left on the disk"
    )

    home = flap(site, noise)
    site.receive(noise + 65, first)
    site.receive(noise + 501, second)

    assert len({site.cluster_of(first).id, site.cluster_of(second).id, home.id}) == 3
    assert home.patience
    for other in (first, second):
        best: Any = site.why(other)["best"]
        assert best is None or best["cluster_id"] != home.id


def test_an_alert_that_mostly_comes_in_company_begins_an_incident_that_takes_the_others() -> None:
    def down(name: str, start: float, ends: float | None = None) -> Alert:
        return alert(name, starts=start, ends=ends, node="n1", summary="node is down")

    site, names = Site(), ("NodeDown", "NodeDownPods", "NodeDownDisk")
    for n in range(4):
        onsets = {name: 7200.0 * n + second for second, name in enumerate(names)}
        for name, start in onsets.items():
            site.receive(start, down(name, start))
        for name, start in onsets.items():
            site.receive(7200.0 * n + 300, down(name, start, 7200.0 * n + 300))
    founder, follower = (site.engine.episodes[down(name, 0).fingerprint] for name in names[:2])

    assert founder.founder
    assert not follower.founder
    assert founder.habit.company > founder.habit.alone
    assert founder.cluster_id == follower.cluster_id


def test_another_alert_that_an_operator_wants_there_ends_the_waiting() -> None:
    site = Site()
    home = [flap(site, 1200.0 * n) for n in range(4)][-1]
    other = alert("DiskFull", starts=4000, ns="mail", summary="no space is left on the disk")
    site.receive(4001, other)
    (fingerprint,) = site.engine.live._homes
    assert site.cluster_of(other) is not home
    site.feed(
        [
            Merge(
                at(4002), site.cluster_of(other).id, home.id, ((other.fingerprint,), (fingerprint,))
            )
        ]
    )

    assert (home.only, home.patience) == ("", 0)
    assert not site.engine.live._homes


def test_a_firing_period_that_is_counted_again_is_no_return() -> None:
    site = Site()
    for n in range(5):
        site.receive(3600.0 * n, chronic(0))
        site.receive(3600.0 * n + 60, chronic(0, 3600.0 * n + 60))
        # Long after its cluster is over.
        site.feed([Tick(at(3600.0 * n + 3000))])

    again = site.engine.episodes[chronic().fingerprint]
    assert again.reopen_no == 4
    assert again.habit == Habit()
