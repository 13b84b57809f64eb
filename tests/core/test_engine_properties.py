"""The promises of the fold, over captures and generated streams of alerts."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from receiver.core import payload
from receiver.core.engine import Engine
from receiver.core.identity import IdentitySettings
from receiver.core.intake import sightings
from receiver.core.model import Alert, Input, Tick
from receiver.core.settings import Seconds
from receiver.core.storms import StormSettings
from tests.builders import EMBEDDER, Site, alert, at, engine, state_of
from tests.builders import settings as core_settings

CAPTURES = sorted((Path(__file__).parent.parent / "captures").glob("[0-9]*.json"))
Received = list[tuple[float, Alert]]
SOME = settings(deadline=None, max_examples=50)
REACHED = settings(deadline=None, max_examples=2000, database=None, phases=[Phase.generate])
STORMS = StormSettings(
    min_episodes=3,
    ratio=1.5,
    quiet_for=Seconds(4.0),
    min_duration=Seconds(60.0),
    calm_for=Seconds(50.0),
    longest=Seconds(1280.0),
)
"""A handful of alerts is a storm, and soon over: so that drawn streams have some of all kinds."""

QUICK = dataclasses.replace(
    core_settings(stale_after=300.0, close_after=200.0, resolve_after=60.0), storms=STORMS
)


@st.composite
def streams(draw: st.DrawFn) -> Received:
    """Draw alerts of a few fingerprints in any order of states; moments of receipt do not fall."""
    clock, received = 0.0, []
    for _ in range(draw(st.integers(1, 40))):
        clock += draw(st.sampled_from([0, 1, 5, 40, 150, 400]))
        starts = clock - draw(st.sampled_from([0, 1, 30, 500, -2000]))
        name = draw(st.sampled_from(["DiskFull", "PodDown", "CertExpiry"]))
        over = draw(st.sampled_from([None, None, 1, 60]))
        received.append(
            (
                clock,
                alert(
                    name,
                    starts=starts,
                    ends=None if over is None else starts + over,
                    node=draw(st.sampled_from(["n1", "n2"])),
                    replica=draw(st.sampled_from(["", "", "a", "b"])),
                    summary=f"{name} on a node",
                ),
            )
        )
    return received


def play(received: Received, cuts: Sequence[int] = ()) -> tuple[Engine, list[dict[str, Any]]]:
    """Run *received*, cut into batches before the positions *cuts*."""
    made, events = engine(QUICK), []
    edges = [0, *sorted({c for c in cuts if 0 < c < len(received)}), len(received)]
    for start, end in itertools.pairwise(edges):
        batch = [(at(s), a) for s, a in received[start:end]]
        inputs, _, _ = sightings(made, batch, EMBEDDER.embed)
        events += made.step(inputs)
        made.drain()
    return made, [event.to_json() for event in events]


def shape(made: Engine) -> Any:
    """Return which episodes there are, how they stand, and how they are grouped."""
    return {
        fingerprint: (e.starts_at, e.ends_at, e.state, e.reopen_no, e.cluster_id)
        for fingerprint, e in sorted(made.episodes.items())
    }


@pytest.mark.parametrize("words", ["at most", "are the usual from now on"])
def test_streams_have_storms_of_each_end(words: str) -> None:
    """So that whatever is said of streams is said of storms."""

    def ends(received: Received) -> bool:
        _, events = play(received)
        return any(e["type"] == "storm_ended" and words in e["reason"] for e in events)

    assert find(streams(), ends, settings=REACHED)


@given(streams(), st.lists(st.integers(0, 40)))
@SOME
def test_batch_boundaries_change_nothing(received: Received, cuts: list[int]) -> None:
    whole, in_one = play(received)
    parts, in_many = play(received, cuts)

    assert in_one == in_many
    assert state_of(whole) == state_of(parts)


@given(streams())
@SOME
def test_the_same_inputs_give_the_same_state_and_events(received: Received) -> None:
    one, first = play(received)
    other, second = play(received)

    assert first == second
    assert state_of(one) == state_of(other)


@given(streams(), st.integers(1, 3))
@SOME
def test_repeating_each_alert_in_place_changes_nothing(received: Received, times: int) -> None:
    repeated = [item for item in received for _ in range(1 + times)]

    assert shape(play(received)[0]) == shape(play(repeated)[0])


def survivor(cluster_id: int, into: Mapping[int, int]) -> int:
    while cluster_id in into:
        cluster_id = into[cluster_id]
    return cluster_id


@given(streams())
@SOME
def test_numbers_add_up(received: Received) -> None:
    made, events = play(received)
    seqs = [event["seq"] for event in events]
    assigned = [e for e in events if e["type"] == "alert_assigned"]

    assert seqs == list(range(1, len(seqs) + 1))
    assert sum(made.counters.outcomes.values()) == len(received)
    into = {e["cluster_id"]: e["into"] for e in events if e["type"] == "cluster_merged"}
    assert made.counters.moved_no == len(assigned) + len(into)
    for cluster in made.live.by_id.values():
        members = [e for e in made.episodes.values() if e.cluster_id == cluster.id]
        assert cluster.firing == sum(e.fires for e in members)
        assert cluster.size == sum(survivor(e["cluster_id"], into) == cluster.id for e in assigned)
        assert cluster.firing == sum(cluster.firing_by_severity.values())
        assert cluster.firing == 0 or cluster.live


@given(streams())
@SOME
def test_a_firing_alert_is_always_in_a_live_cluster(received: Received) -> None:
    made, _ = play(received)
    made.step([Tick(at(received[-1][0] + 250))])

    for episode in made.episodes.values():
        if episode.fires:
            assert episode.cluster_id in made.live.by_id


@given(streams())
@SOME
def test_ticks_in_between_change_nothing_but_when_time_is_told(received: Received) -> None:
    """Whether time passes in one step or in many, what is due happens once, at its own time."""
    end = received[-1][0] + 1000
    one, few = play(received)
    few += [e.to_json() for e in one.step([Tick(at(end))])]
    other, many = play(received)
    for second in range(int(received[-1][0]), int(end) + 1, 7):
        many += [e.to_json() for e in other.step([Tick(at(second))])]
    many += [e.to_json() for e in other.step([Tick(at(end))])]

    assert few == many
    assert state_of(one) == state_of(other)


def notifications(paths: Iterable[Path]) -> list[list[Alert]]:
    """Return the alerts of the bodies at *paths*."""
    return [[a for _, a in payload.parse(p.read_bytes(), IdentitySettings()).alerts] for p in paths]


def feed(bodies: Sequence[Sequence[Alert]]) -> Site:
    site = Site()
    for number, alerts in enumerate(bodies):
        # After the latest start, and close together: whether a re-opened alert counts anew depends
        # on whether its cluster is over by then.
        site.receive(30_000_000 + number / 100, *alerts)
    return site


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_each_capture_doubled_in_place_is_as_if_sent_once(path: Path) -> None:
    bodies = notifications([path])

    once, twice = feed(bodies), feed([bodies[0], bodies[0]])
    in_place = feed([[a for a in bodies[0] for _ in range(2)]])

    assert shape(once.engine) == shape(twice.engine) == shape(in_place.engine)


def test_all_captures_doubled_are_as_if_sent_once() -> None:
    bodies = notifications(CAPTURES)

    once = feed(bodies)
    doubled = feed([body for body in bodies for _ in range(2)])

    assert shape(once.engine) == shape(doubled.engine)
    assert len(once.engine.episodes) > 500


@pytest.mark.parametrize("seed", range(5))
def test_fingerprints_may_be_shuffled_as_long_as_each_keeps_its_order(seed: int) -> None:
    """The same episodes come out, and as many alerts of each outcome."""
    flat = [a for body in notifications(CAPTURES) for a in body]
    queues: dict[str, list[Alert]] = {}
    for one in flat:
        queues.setdefault(one.fingerprint, []).append(one)
    order = [fingerprint for fingerprint, alerts in queues.items() for _ in alerts]
    random.Random(seed).shuffle(order)
    shuffled = [queues[fingerprint].pop(0) for fingerprint in order]

    plain, mixed = feed([[a] for a in flat]), feed([[a] for a in shuffled])

    assert [v[:4] for v in shape(plain.engine).values()] == [
        v[:4] for v in shape(mixed.engine).values()
    ]
    assert plain.engine.counters.outcomes == mixed.engine.counters.outcomes


def test_a_run_is_its_inputs() -> None:
    """Feeding the recorded inputs to an empty engine gives the state that was there."""
    site = feed(notifications(CAPTURES))
    again = engine()
    events: list[Any] = []
    inputs: list[Input] = site.inputs
    for item in inputs:
        events += again.step([item])

    assert [e.to_json() for e in events] == [e.to_json() for e in site.events]
    assert state_of(again) == state_of(site.engine)
