"""What Alertmanagers, asked, say together, and what of it is news."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.core import survey
from receiver.core.model import Ending, Episode, EpisodeState, Reconciled
from receiver.core.survey import Survey
from receiver.core.timestamps import SECOND
from tests.builders import Site, alert, at

HOLD = 600 * SECOND
DISK, POD = alert("DiskFull"), alert("PodDown", starts=5)


def found(
    seconds: float,
    *,
    active: tuple[str, ...] = (),
    held: tuple[str, ...] = (),
    complete: bool = True,
) -> Survey:
    return Survey(at(seconds), complete, HOLD, frozenset(active), frozenset(held))


def news(site: Site, seen: Survey, seconds: float) -> Reconciled | None:
    return survey.news(seen, site.engine.episodes, at(seconds), 3600 * SECOND)


def listed(site: Site, seconds: float) -> None:
    """Let an Alertmanager be seen to know both alerts."""
    told = news(site, found(seconds, active=(DISK.fingerprint, POD.fingerprint)), seconds)
    assert told is not None
    site.feed([told])


def both() -> Site:
    site = Site()
    site.receive(10, DISK, POD)
    return site


def test_nobody_answers() -> None:
    assert survey.of(1, HOLD, []) is None
    assert survey.of(1, HOLD, [None, None]) is None


def test_what_one_lists_as_firing_fires() -> None:
    together = survey.of(1, HOLD, [{"a": None, "b": None, "d": 9}, {"b": 7, "c": 8, "d": 6}])

    starts = {"b": 7, "c": 8, "d": 6}
    assert together == Survey(1, True, HOLD, frozenset("bcd"), frozenset("a"), starts)


def test_one_that_does_not_answer_leaves_it_incomplete() -> None:
    together = survey.of(1, HOLD, [None, {"a": None}])

    assert together == Survey(1, False, HOLD, frozenset(), frozenset("a"))


def test_a_survey_comes_back_from_its_body() -> None:
    seen = replace(found(3, active=("a", "b"), held=("c",), complete=False), starts={"b": 7})
    body = survey.encode(seen)

    assert survey.is_survey(body)
    assert survey.decode(body) == seen
    # An earlier version had no starts in it.
    before = body.replace(b',"starts":[null,7]', b"")
    assert survey.decode(before) == replace(seen, starts={})
    assert not survey.is_survey(b'{"version":"4"}')


def test_that_an_alert_is_listed_is_news_once_and_again_when_nothing_else_is_heard() -> None:
    site = both()
    seen = found(20, active=(DISK.fingerprint, POD.fingerprint))
    told = news(site, seen, 20)
    assert told == Reconciled(at(20), at(620), (DISK.fingerprint, POD.fingerprint))
    site.feed([told])

    assert news(site, seen, 3619) is None
    assert news(site, seen, 3620) == Reconciled(
        at(20), at(4220), (DISK.fingerprint, POD.fingerprint)
    )


def test_suppression_is_news_until_found_and_again_at_half_its_hold() -> None:
    site = both()
    seen = found(20, active=(POD.fingerprint,), held=(DISK.fingerprint,))
    told = news(site, seen, 20)
    assert told == Reconciled(at(20), at(620), (POD.fingerprint,), (DISK.fingerprint,))
    site.feed([told])

    assert news(site, seen, 320) is None
    assert news(site, seen, 321) == Reconciled(at(20), at(921), (), (DISK.fingerprint,))


def test_suppression_is_not_concluded_when_one_did_not_answer() -> None:
    site = both()
    listed(site, 20)

    assert news(site, found(30, held=(DISK.fingerprint,), complete=False), 30) is None


def test_what_is_listed_no_more_is_gone() -> None:
    site = both()
    listed(site, 20)

    assert news(site, found(30, active=(POD.fingerprint,)), 30) == Reconciled(
        at(30), at(630), gone=(DISK.fingerprint,)
    )


def test_absence_proves_nothing_when_one_did_not_answer() -> None:
    site = both()
    listed(site, 20)

    assert news(site, found(30, complete=False), 30) is None


def test_what_no_alertmanager_ever_listed_may_not_be_theirs() -> None:
    assert news(both(), found(30), 30) is None


def test_what_was_heard_of_since_they_were_asked_is_left_alone() -> None:
    site = both()
    listed(site, 20)
    site.receive(31, DISK, POD)

    assert news(site, found(30), 32) is None


def test_what_a_prometheus_vouches_for_is_not_gone() -> None:
    site = both()
    site.receive(15, alert("DiskFull", until=255), alert("PodDown", starts=5, until=255))
    listed(site, 20)

    assert news(site, found(254), 254) is None
    assert news(site, found(255), 255) is not None


def test_what_is_over_is_nobodys_concern() -> None:
    site = both()
    listed(site, 20)
    site.receive(25, alert("DiskFull", ends=24), alert("PodDown", starts=5, ends=24))

    assert news(site, found(30, active=(DISK.fingerprint,), held=(POD.fingerprint,)), 30) is None


# -- what was given up -------------------------------------------------------------------------------


def given_up(state: EpisodeState, **changed: object) -> Episode:
    episode = Episode(
        1, DISK.fingerprint, DISK.labels, at(0), at(10), last_seen=at(100), state=state
    )
    for name, value in changed.items():
        setattr(episode, name, value)
    return episode


STALE = given_up(EpisodeState.STALE)
GONE = given_up(EpisodeState.RESOLVED, ending=Ending.GONE)
LAPSED = given_up(EpisodeState.RESOLVED, ending=Ending.LAPSED, vouched_until=at(90))


def test_only_what_is_listed_and_does_not_go_on_here_is_looked_for() -> None:
    site = both()
    site.receive(30, alert("DiskFull", ends=25))
    seen = found(40, active=(DISK.fingerprint, POD.fingerprint, "never seen"))

    assert survey.unheard(seen, site.engine.episodes) == sorted([DISK.fingerprint, "never seen"])


@pytest.mark.parametrize("episode", [STALE, GONE, LAPSED], ids=["stale", "gone", "lapsed"])
def test_what_was_given_up_and_is_listed_fires_again(episode: Episode) -> None:
    seen = found(200, active=(DISK.fingerprint,))

    assert survey.again(seen, [(episode, DISK)]) == [DISK]


def test_a_start_is_listed_to_the_millisecond() -> None:
    """The same firing is the same then, and a later one is not taken for two when it is notified."""
    known = replace(STALE, starts_at=at(100) + 123_456)

    def told(starts: float) -> int:
        seen = replace(
            found(200, active=(DISK.fingerprint,)), starts={DISK.fingerprint: at(starts)}
        )
        (one,) = survey.again(seen, [(known, DISK)])
        return one.starts_at

    assert told(100) == told(50) == at(100) + 123_456
    assert told(150) == at(150) + 999_999
    site = both()
    site.receive(160, replace(DISK, starts_at=told(150)))
    site.receive(170, replace(DISK, starts_at=at(150) + 123_456))
    episode = site.engine.episodes[DISK.fingerprint]
    assert (episode.id, episode.starts_at) == (3, at(150) + 123_456)


@pytest.mark.parametrize(
    "episode",
    [
        given_up(EpisodeState.RESOLVED),
        given_up(EpisodeState.STALE, last_seen=at(200)),
        given_up(EpisodeState.STALE, vouched_until=at(201)),
    ],
    ids=["its end was told", "heard of since", "vouched for until after"],
)
def test_of_what_we_know_better_nothing_is_concluded(episode: Episode) -> None:
    seen = found(200, active=(DISK.fingerprint,))

    assert survey.again(seen, [(episode, DISK)]) == []
