"""What Alertmanagers, asked, say together, and what of it is news."""

from __future__ import annotations

from receiver.core import survey
from receiver.core.model import Reconciled
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
    together = survey.of(1, HOLD, [{"a": True, "b": True}, {"b": False, "c": False}])

    assert together == Survey(1, True, HOLD, frozenset("bc"), frozenset("a"))


def test_one_that_does_not_answer_leaves_it_incomplete() -> None:
    together = survey.of(1, HOLD, [None, {"a": True}])

    assert together == Survey(1, False, HOLD, frozenset(), frozenset("a"))


def test_a_survey_comes_back_from_its_body() -> None:
    seen = found(3, active=("a", "b"), held=("c",), complete=False)
    body = survey.encode(seen)

    assert survey.is_survey(body)
    assert survey.decode(body) == seen
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
