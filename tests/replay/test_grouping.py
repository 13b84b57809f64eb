"""Which cluster a firing period is in at the end, held by the engine or not."""

from __future__ import annotations

from receiver.core.changes import Merged, Moved
from receiver.core.evolution import AlertRef, Event, EventType
from receiver.core.model import Episode
from receiver.replay.grouping import Grouping


def assigned(episode: int, cluster: int) -> Event:
    ref = AlertRef(episode, "f", 0, {})
    return Event(1, 0, EventType.ALERT_ASSIGNED, cluster, 1, 1, 1, alert=ref)


def clusters(grouping: Grouping, *ids: int) -> list[int | None]:
    episodes = [Episode(number, "f", {}, 0, 0, 0, cluster_id=99) for number in ids]
    grouping.apply(episodes)
    return [episode.cluster_id for episode in episodes]


def test_merges_and_splits_move_periods_in_their_order() -> None:
    grouping = Grouping()
    latest = {"f": Episode(1, "f", {}, 0, 0, 0)}
    grouping.note([assigned(1, 1), assigned(2, 1), assigned(3, 2), assigned(4, 3)], latest)
    grouping.regroup([Merged(9, 1, 2), Moved([1, 3, 77], 4), Merged(10, 4, 3)])

    assert clusters(grouping, 1, 2, 3, 4) == [3, 2, 3, 3]


def test_a_period_that_was_never_assigned_stays_as_it_is() -> None:
    assert clusters(Grouping(), 5) == [99]
