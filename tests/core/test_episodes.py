"""Each row of the state machine, by what the sender was measured to send."""

from __future__ import annotations

import dataclasses

import pytest

from receiver.core import episodes
from receiver.core.episodes import Action, decide
from receiver.core.model import Alert, Episode, EpisodeState, Outcome
from tests.builders import alert, at


def episode(state: EpisodeState = EpisodeState.OPEN, **changed: object) -> Episode:
    of = alert(starts=100)
    known = Episode(
        id=1,
        fingerprint=of.fingerprint,
        labels=of.labels,
        starts_at=at(100),
        received_at=at(101),
        last_seen=at(101),
        state=state,
        senders={of.sender_fingerprint: at(100)} if state is not EpisodeState.RESOLVED else {},
        ends_at=at(200) if state is EpisodeState.RESOLVED else None,
    )
    for name, value in changed.items():
        setattr(known, name, value)
    return known


OPEN, CLOSED = episode(), episode(EpisodeState.RESOLVED)


@pytest.mark.parametrize(
    ("known", "received", "action", "outcome"),
    [
        (None, alert(starts=100), Action.OPEN, Outcome.NEW),
        (OPEN, alert(starts=100), Action.REFRESH, Outcome.REFRESH),
        (OPEN, alert(starts=90), Action.REFRESH, Outcome.REFRESH),
        (OPEN, alert(starts=110), Action.SUPERSEDE, Outcome.SUPERSEDED),
        (CLOSED, alert(starts=100), Action.REOPEN, Outcome.REOPENED),
        (CLOSED, alert(starts=110), Action.OPEN, Outcome.NEW),
        (CLOSED, alert(starts=90), Action.IGNORE, Outcome.STALE),
        (OPEN, alert(starts=100, ends=150), Action.RESOLVE, Outcome.RESOLVED),
        (OPEN, alert(starts=90, ends=150), Action.RESOLVE, Outcome.RESOLVED),
        (OPEN, alert(starts=100, ends=100), Action.RESOLVE, Outcome.RESOLVED),
        (OPEN, alert(starts=50, ends=100), Action.RECORD, Outcome.STALE),
        (OPEN, alert(starts=50, ends=80), Action.RECORD, Outcome.STALE),
        (None, alert(starts=100, ends=150), Action.RECORD, Outcome.RESOLVED),
        (CLOSED, alert(starts=100, ends=250), Action.PROLONG, Outcome.REFRESH),
        (CLOSED, alert(starts=100, ends=200), Action.PROLONG, Outcome.REFRESH),
        (CLOSED, alert(starts=100, ends=150), Action.PROLONG, Outcome.REFRESH),
        (episode(EpisodeState.STALE), alert(starts=100), Action.REFRESH, Outcome.REFRESH),
        (episode(after=at(90)), alert(starts=90), Action.IGNORE, Outcome.STALE),
        (episode(after=at(80)), alert(starts=90), Action.REFRESH, Outcome.REFRESH),
        # The sender's word went back to 80 and now comes forward: still the same episode.
        (
            episode(reopen_no=1, senders={alert().sender_fingerprint: at(80)}),
            alert(starts=100),
            Action.REFRESH,
            Outcome.REFRESH,
        ),
    ],
)
def test_every_row_of_the_table(
    known: Episode | None, received: Alert, action: Action, outcome: Outcome
) -> None:
    assert decide(known, received, at(300)) == (action, outcome)


def test_a_resolve_without_an_end_ended_when_it_was_received() -> None:
    assert decide(OPEN, alert(starts=100, resolved=True), at(300))[0] is Action.RESOLVE
    assert episodes.end_of(alert(starts=100, resolved=True), at(300)) == at(300)


class TestReplicas:
    """Two Prometheus replicas are one alert, each with a startsAt of its own."""

    a, b = alert(starts=100, replica="a"), alert(starts=107, replica="b")

    def known(self) -> Episode:
        return episode(senders={self.a.sender_fingerprint: at(100)})

    def test_the_other_replica_does_not_supersede(self) -> None:
        known = self.known()

        assert decide(known, self.b, at(110))[0] is Action.REFRESH
        episodes.note_sender(known, self.b)

        assert known.starts_at == at(100)
        assert decide(known, self.b, at(120)) == (Action.REFRESH, Outcome.REFRESH)
        assert decide(known, alert(starts=300, replica="b"), at(301))[0] is Action.REFRESH

    def test_it_fires_as_long_as_one_of_them_says_so(self) -> None:
        known = self.known()
        episodes.note_sender(known, self.b)
        over = alert(starts=100, ends=150, replica="a")

        assert decide(known, over, at(151))[0] is Action.REFRESH
        episodes.note_sender(known, over)

        older = alert(starts=101, ends=105, replica="b")
        assert decide(known, older, at(151)) == (Action.IGNORE, Outcome.STALE)
        last = alert(starts=107, ends=152, replica="b")
        assert decide(known, last, at(153)) == (Action.RESOLVE, Outcome.RESOLVED)


class TestAClockThatWasWrong:
    """startsAt lay far ahead of when we heard of it; later firings begin where the clock now is."""

    year = 365 * 86400.0
    ahead = alert(starts=year)

    def known(self, state: EpisodeState = EpisodeState.OPEN, **changed: object) -> Episode:
        ends_at = at(self.year) if state is EpisodeState.RESOLVED else None
        senders = {self.ahead.sender_fingerprint: at(self.year)} if ends_at is None else {}
        told = {"starts_at": at(self.year), "ends_at": ends_at, "senders": senders, **changed}
        return episode(state, **told)

    def test_a_later_firing_is_no_late_copy(self) -> None:
        closed = self.known(EpisodeState.RESOLVED)

        assert decide(closed, alert(starts=300), at(301)) == (Action.REOPEN, Outcome.REOPENED)
        # One that began before we heard of it may be the copy of an older one, as ever.
        assert decide(closed, alert(starts=90), at(301)) == (Action.IGNORE, Outcome.STALE)

    def test_its_own_copies_are_what_they_were(self) -> None:
        closed = self.known(EpisodeState.RESOLVED)

        assert decide(closed, self.ahead, at(301)) == (Action.REOPEN, Outcome.REOPENED)
        assert decide(self.known(), self.ahead, at(301)) == (Action.REFRESH, Outcome.REFRESH)

    def test_the_open_episode_goes_on(self) -> None:
        known = self.known(after=at(2 * self.year))

        assert decide(known, alert(starts=300), at(301)) == (Action.REFRESH, Outcome.REFRESH)
        assert decide(known, alert(starts=90), at(301)) == (Action.IGNORE, Outcome.STALE)
        episodes.note_sender(known, alert(starts=300))
        assert known.starts_at == at(self.year)

    def test_it_is_mended_where_no_other_stands_between(self) -> None:
        known = self.known()
        episodes.note_sender(known, alert(starts=300))

        assert known.starts_at == at(300)

    def test_the_resolve_of_a_later_firing_ends_it(self) -> None:
        over = alert(starts=300, ends=310)

        assert decide(self.known(), over, at(311)) == (Action.RESOLVE, Outcome.RESOLVED)
        other = self.known(senders={"other": at(1), self.ahead.sender_fingerprint: at(self.year)})
        assert decide(other, over, at(311)) == (Action.REFRESH, Outcome.REFRESH)
        older = alert(starts=50, ends=310)
        assert decide(self.known(), older, at(311)) == (Action.RECORD, Outcome.STALE)
        closed = self.known(EpisodeState.RESOLVED)
        assert decide(closed, over, at(311)) == (Action.PROLONG, Outcome.REFRESH)

    def test_what_another_sender_says_fires_now_is_no_late_copy_of_what_is_over(self) -> None:
        """A Prometheus is heard again whose alert began before that of the one that resolved."""
        vouched = dataclasses.replace(alert(starts=90), ends_at=at(500))
        after = (CLOSED.last_seen - at(0)) / 1e9

        assert decide(CLOSED, vouched, at(300)) == (Action.REOPEN, Outcome.REOPENED)
        assert decide(CLOSED, vouched, at(500)) == (Action.IGNORE, Outcome.STALE)
        assert decide(CLOSED, alert(starts=90), at(after + 600)) == (Action.IGNORE, Outcome.STALE)
        assert decide(CLOSED, alert(starts=90), at(after + 601)) == (
            Action.REOPEN,
            Outcome.REOPENED,
        )

    def test_what_is_heard_of_a_stale_one_is_no_late_copy(self) -> None:
        known = self.known(EpisodeState.STALE, after=at(90))

        assert decide(known, alert(starts=90), at(9000))[0] is Action.REFRESH


class TestWithoutAStart:
    """Whoever posts an alert without startsAt says that it fires, and not since when."""

    told = dataclasses.replace(alert(starts=300), start_told=False)

    @pytest.mark.parametrize("state", [EpisodeState.OPEN, EpisodeState.SUPPRESSED])
    def test_what_goes_on_is_the_same_episode(self, state: EpisodeState) -> None:
        known = episode(state, after=at(400))

        assert decide(known, self.told, at(300)) == (Action.REFRESH, Outcome.REFRESH)
        episodes.note_sender(known, self.told)
        assert known.starts_at == at(100)
        assert known.senders == {self.told.sender_fingerprint: at(100)}

    def test_a_start_that_is_told_after_is_that_of_the_next(self) -> None:
        known = episode()
        episodes.note_sender(known, self.told)

        assert decide(known, alert(starts=100), at(301))[0] is Action.REFRESH
        assert decide(known, alert(starts=301), at(301))[0] is Action.SUPERSEDE

    def test_another_replica_joins_what_goes_on(self) -> None:
        known = episode()
        other = dataclasses.replace(alert(starts=300, replica="b"), start_told=False)

        assert decide(known, other, at(300))[0] is Action.REFRESH
        episodes.note_sender(known, other)
        assert known.senders[other.sender_fingerprint] == at(100)

    def test_what_does_not_go_on_begins_anew(self) -> None:
        assert decide(None, self.told, at(300)) == (Action.OPEN, Outcome.NEW)
        assert decide(CLOSED, self.told, at(300)) == (Action.OPEN, Outcome.NEW)
        stale = episode(EpisodeState.STALE)
        assert decide(stale, self.told, at(300)) == (Action.SUPERSEDE, Outcome.SUPERSEDED)
