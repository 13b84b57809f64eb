"""restore(load(commit(x))) = x, and what comes after is the same as without a restart."""

from __future__ import annotations

import contextlib
import dataclasses
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.constraints import Kind
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.errors import StormcellError
from receiver.core.evolution import Event, EventType
from receiver.core.intake import sightings
from receiver.core.memory import MemorySettings
from receiver.core.model import Alert, Recall, Tick
from receiver.core.requests import (
    MergeRequest,
    Request,
    SplitRequest,
    UndoRequest,
    UpdateRequest,
)
from receiver.pipeline.desk import Desk
from receiver.store import Database
from tests.builders import EMBEDDER, alert, at, engine, state_of
from tests.builders import settings as core_settings
from tests.core.test_engine_properties import CAPTURES, STORMS, Received, notifications, streams

P = ParamSpec("P")
R = TypeVar("R")

QUICK = dataclasses.replace(
    core_settings(
        stale_after=300.0,
        close_after=200.0,
        resolve_after=60.0,
        stability_window=10,
        recurs_from=0.2,
        novel_after=150.0,
    ),
    storms=STORMS,
    # So few that some are forgotten.
    memory=MemorySettings(max_past_clusters=3, max_alert_names=10),
)


# What survives power loss is not asked here, and memory is faster than a disk that syncs.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=MEMORY)


def directly(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call the store on this thread."""
    return function(*args, **kwargs)


class Partition:
    """An engine and its database, driven as the pipeline drives them, on one thread."""

    def __init__(
        self, directory: Path, core: CoreSettings = QUICK, *, forgets: bool = True
    ) -> None:
        """Open the one in *directory*; it *forgets* what rests after each commit, or when told to."""
        self.directory = directory
        self.core = core
        self.forgets = forgets
        self.events: list[Event] = []
        self.open()

    def open(self) -> None:
        self.database = Database(self.directory)
        self.engine = self.restored()

    def restored(self) -> Engine:
        """Return an engine as the database gives it."""
        made = engine(self.core)
        restored = self.database.restore(
            self.core.clustering.stability_window, self.core.memory.max_past_clusters
        )
        if restored is not None:
            made.restore(restored)
        return made

    def close(self) -> None:
        self.database.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def apply(self, batch: Sequence[tuple[float, Alert]]) -> None:
        unknown = sorted(
            {a.fingerprint for _, a in batch if not self.engine.remembers(a.fingerprint)}
        )
        self.engine.step([Recall(*self.database.recall(unknown))])
        received = [(at(seconds), one) for seconds, one in batch]
        inputs, _, _ = sightings(self.engine, received, EMBEDDER.embed)
        self.commit(inputs, self.engine.step(inputs))

    def ask(self, seconds: float, request: Request) -> Any:
        """Have done what an operator asks for, as the worker does; return the answer or why not."""
        desk = Desk(self.engine, self.database, directly)
        self.tick(seconds)
        now = max(at(seconds), self.engine.counters.clock)
        try:
            command = desk.prepare(request, now)
        except StormcellError as error:
            return error.message
        events = self.engine.step([command])
        answer = desk.answer(request, command, events)
        self.commit([command], events)
        return answer

    def tick(self, seconds: float) -> None:
        tick = Tick(at(seconds))
        self.commit([tick], self.engine.step([tick]))

    def commit(self, inputs: Sequence[Any], events: list[Event]) -> None:
        self.events += events
        changes = self.engine.drain()
        self.database.commit(inputs, events, changes, text_id=self.engine.text_id)
        if self.forgets:
            self.engine.forget()


@pytest.fixture
def partition(tmp_path: Path) -> Iterator[Partition]:
    made = Partition(tmp_path)
    yield made
    made.database.close()


def in_batches(received: Received, size: int) -> Iterator[Received]:
    for start in range(0, len(received), size):
        yield received[start : start + size]


@given(streams(), st.integers(1, 7), st.sets(st.integers(0, 40)), st.booleans())
@settings(deadline=None, max_examples=25)
def test_restarts_change_nothing(
    received: Received, size: int, restarts: set[int], ticking: bool
) -> None:
    with folder() as one, folder() as other:
        steady, restarted = Partition(Path(one)), Partition(Path(other))
        for number, batch in enumerate(in_batches(received, size)):
            for each in (steady, restarted):
                each.apply(batch)
                if ticking:
                    each.tick(batch[-1][0] + 130)
            if number in restarts:
                restarted.restart()
                assert state_of(restarted.engine) == state_of(steady.engine)
        for each in (steady, restarted):
            each.tick(received[-1][0] + 2000)
            each.database.close()

        assert [e.to_json() for e in steady.events] == [e.to_json() for e in restarted.events]
        assert state_of(steady.engine) == state_of(restarted.engine)


UPDATES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["", "Mine", "DiskFull"]),
        "pinned": st.booleans(),
        "acked_by": st.sampled_from(["", "Ann"]),
        "note": st.sampled_from(["", "x"]),
    },
)


@given(streams(), st.integers(1, 7), st.lists(st.tuples(st.integers(1, 4), UPDATES), max_size=10))
@settings(deadline=None, max_examples=25)
def test_commands_survive_restarts_and_are_replayed(
    received: Received, size: int, commands: list[tuple[int, dict[str, Any]]]
) -> None:
    """Of live clusters and of those that are over; a restart after each changes nothing."""
    with folder() as one, folder() as other:
        steady, restarted = Partition(Path(one)), Partition(Path(other))
        left = iter(commands)
        for batch in in_batches(received, size):
            cluster_id, update = next(left, (1, {}))
            for each in (steady, restarted):
                each.apply(batch)
                each.ask(batch[-1][0] + 1, UpdateRequest(cluster_id, update))
            restarted.restart()
        again = engine(QUICK)
        events = again.step(steady.database.inputs())
        again.forget()
        found = [each.database.find_cluster(n) for each in (steady, restarted) for n in (1, 2)]
        for each in (steady, restarted):
            each.database.close()

        assert [e.to_json() for e in steady.events] == [e.to_json() for e in restarted.events]
        assert [e.to_json() for e in steady.events] == [e.to_json() for e in events]
        assert state_of(steady.engine) == state_of(restarted.engine)
        assert state_of(steady.engine) == state_of(again)
        assert [c and (c.title, c.note, c.own_title) for c in found[:2]] == [
            c and (c.title, c.note, c.own_title) for c in found[2:]
        ]


IDS = st.integers(1, 6)
REQUESTS = st.one_of(
    st.builds(MergeRequest, IDS, IDS),
    # Which alerts go is drawn as bits over those that there are.
    st.tuples(IDS, st.integers(1, 63)),
    st.builds(UpdateRequest, IDS, UPDATES),
    # Which command is undone is drawn as its place among them.
    st.integers(0, 9),
)


def request_of(drawn: Any, partition: Partition) -> Request:
    """Return what was *drawn* as a request that fits what there is."""
    if isinstance(drawn, tuple):
        cluster_id, bits = drawn
        members = partition.database.members(cluster_id)
        names = sorted({member.fingerprint for member in members})
        chosen = tuple(name for n, name in enumerate(names) if bits >> n & 1)
        return SplitRequest(cluster_id, chosen or ("none",))
    if isinstance(drawn, int):
        commands = [e.seq for e in partition.events if e.type is EventType.OPERATOR_COMMAND]
        return UndoRequest(commands[drawn % len(commands)] if commands else 1)
    request: Request = drawn
    return request


def check_numbers(partition: Partition) -> None:
    """Fail unless the store's episodes, its clusters and the engine say the same."""
    live = partition.engine.live.by_id
    for cluster_id in range(1, partition.engine.counters.cluster_id + 1):
        members = partition.database.members(cluster_id)
        found = partition.database._db.execute(
            "SELECT size, firing, stale, state FROM clusters WHERE id = ?", (cluster_id,)
        ).fetchone()
        states = [member.state.value for member in members]
        assert (found["size"], found["firing"]) == (len(members), states.count("open"))
        # What was stale when its cluster ended may be heard of again after.
        assert cluster_id not in live or found["stale"] == states.count("stale")
        suppressed = live[cluster_id].suppressed if cluster_id in live else 0
        assert suppressed == states.count("suppressed")
        assert (cluster_id in live) == (found["state"] not in ("resolved", "merged"))
        assert found["firing"] == 0 or cluster_id in live
    for cluster in live.values():
        assert cluster.firing == sum(cluster.firing_by_severity.values())
        if cluster.accepting:
            assert cluster.size == sum(cluster.names.values())
    for episode in partition.engine.episodes.values():
        if episode.goes_on and episode.cluster_id is not None:
            assert episode.cluster_id in live


def check_constraints(partition: Partition) -> None:
    """Fail if a cluster has, of those that came since, alerts that an operator keeps apart."""
    for constraint in partition.engine.constraints.by_seq.values():
        if constraint.kind is Kind.CANNOT:
            for cluster_id in partition.engine.live.by_id:
                members = partition.database.members(cluster_id)
                came = {m.fingerprint for m in members if m.received_at > constraint.time}
                assert not all(came.intersection(side) for side in constraint.sides)


@given(streams(), st.integers(1, 5), st.lists(st.lists(REQUESTS, max_size=3), max_size=20))
@settings(deadline=None, max_examples=60)
def test_merges_splits_and_undos_survive_restarts_and_are_replayed(
    received: Received, size: int, drawn: list[list[Any]]
) -> None:
    with folder() as one, folder() as other, contextlib.ExitStack() as closing:
        steady = closing.enter_context(contextlib.closing(Partition(Path(one))))
        restarted = closing.enter_context(contextlib.closing(Partition(Path(other))))
        left = iter(drawn)
        for batch in in_batches(received, size):
            requests = next(left, [])
            for each in (steady, restarted):
                each.apply(batch)
            for request in requests:
                asked = request_of(request, steady)
                told = [each.ask(batch[-1][0] + 1, asked) for each in (steady, restarted)]
                assert told[0] == told[1]
            restarted.restart()
            assert state_of(steady.engine) == state_of(restarted.engine)
            check_numbers(steady)
            check_constraints(steady)
        again = engine(QUICK)
        events = again.step(steady.database.inputs())
        again.forget()

        assert [e.to_json() for e in steady.events] == [e.to_json() for e in restarted.events]
        assert [e.to_json() for e in steady.events] == [e.to_json() for e in events]
        assert state_of(steady.engine) == state_of(restarted.engine) == state_of(again)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=4),
    st.permutations(range(4)),
    st.sets(st.integers(0, 3)),
)
@settings(deadline=None, max_examples=25)
def test_merges_of_merges_are_undone_in_any_order(
    pairs: list[tuple[int, int]], order: list[int], restarts: set[int]
) -> None:
    """Five problems are made one, whoever goes to whom, and are five again."""
    lasting = core_settings(threshold=0.68, stale_after=1e6, close_after=1e6, resolve_after=1e6)
    with folder() as directory, contextlib.ExitStack() as closing:
        partition = closing.enter_context(contextlib.closing(Partition(Path(directory), lasting)))
        names = ("Disk", "Pod", "Cert", "Queue", "Latency")
        for number, name in enumerate(names):
            clock, summary = 30_000.0 * number, f"all of {name} is broken"
            told = [
                alert(name, starts=clock, summary=summary, part=f"{name}-{n}") for n in range(2)
            ]
            partition.apply([(clock + 1, one) for one in told])
        apart = {frozenset([name]) for name in names}
        assert grouped(partition) == apart
        clock = 200_000.0
        for one, other in pairs:
            live = sorted(partition.engine.live.by_id)
            gone = live.pop(one % len(live))
            clock += 1
            partition.ask(clock, MergeRequest(gone, live[other % len(live)]))
        assert grouped(partition) == {frozenset(names)}
        seqs = [e.seq for e in partition.events if e.type is EventType.OPERATOR_COMMAND]

        for number in order:
            if number in restarts:
                partition.restart()
            clock += 1
            assert isinstance(partition.ask(clock, UndoRequest(seqs[number])), dict)
        assert grouped(partition) == apart
        assert not partition.engine.constraints.by_seq
        check_numbers(partition)


WORDS = st.lists(
    st.tuples(st.sampled_from(["split", "merge", "undo"]), st.integers(0, 9), st.integers(0, 9)),
    min_size=2,
    max_size=8,
)


@given(WORDS, st.randoms(use_true_random=False), st.sets(st.integers(0, 5)))
@settings(deadline=None, max_examples=60)
def test_merges_and_splits_are_undone_in_any_order(
    drawn: list[tuple[str, int, int]], order: random.Random, restarts: set[int]
) -> None:
    """Whatever was parted and put together, all is as it was; what must be undone first is named."""
    with folder() as directory, contextlib.ExitStack() as closing:
        partition = closing.enter_context(contextlib.closing(Partition(Path(directory), LASTING)))
        for number, name in enumerate(("Disk", "Pod", "Cert", "Queue")):
            clock, summary = 30_000.0 * number, f"all of {name} is broken"
            told = [
                alert(name, starts=clock, summary=summary, part=f"{name}-{n}") for n in range(3)
            ]
            partition.apply([(clock + 1, one) for one in told])
        apart, clock = partition_of(partition), 200_000.0
        assert sorted(map(len, apart)) == [3, 3, 3, 3]
        for word, one, other in drawn:
            clock += 1
            live = sorted(partition.engine.live.by_id)
            gone = live.pop(one % len(live))
            if word == "split":
                members = partition.database.members(gone)
                chosen = members[other % len(members)].fingerprint
                partition.ask(clock, SplitRequest(gone, (chosen,)))
            elif word == "merge" and live:
                partition.ask(clock, MergeRequest(gone, live[other % len(live)]))
            elif stand := standing(partition):
                partition.ask(clock, UndoRequest(stand[other % len(stand)]))

        while left := standing(partition):
            order.shuffle(left)
            for number, seq in enumerate(left):
                if number in restarts:
                    partition.restart()
                clock += 1
                answer = partition.ask(clock, UndoRequest(seq))
                assert isinstance(answer, dict) or answer.endswith("undo that first")
            check_numbers(partition)
            assert len(standing(partition)) < len(left)
        assert partition_of(partition) == apart
        assert not partition.engine.constraints.by_seq
        again = engine(LASTING)
        events = again.step(partition.database.inputs())
        assert [e.to_json() for e in events] == [e.to_json() for e in partition.events]
        again.forget()
        assert state_of(again) == state_of(partition.engine)


LASTING = core_settings(threshold=0.68, stale_after=1e6, close_after=1e6, resolve_after=1e6)


@pytest.fixture
def pairs(tmp_path: Path) -> Iterator[Partition]:
    """Clusters 1, 2 and 3 of two alerts each: disks, pods, certificates."""
    made = Partition(tmp_path, LASTING)
    for number, name in enumerate(("Disk", "Pod", "Cert")):
        clock, summary = 30_000.0 * number, f"all of {name} is broken"
        told = [alert(name, starts=clock, summary=summary, part=f"{name}-{n}") for n in range(2)]
        made.apply([(clock + 1, one) for one in told])
    yield made
    made.database.close()


def test_what_went_back_is_no_part_of_a_later_merge_any_more(pairs: Partition) -> None:
    """Together again by a word of its own, it stays when the one it was released from is undone."""
    pairs.ask(2e5, MergeRequest(1, 2))
    pairs.ask(2e5, MergeRequest(2, 3))
    first, second = standing(pairs)
    pairs.ask(2e5, UndoRequest(first))
    pairs.ask(2e5, MergeRequest(4, 3))
    pairs.ask(2e5, UndoRequest(second))

    assert grouped(pairs) == {frozenset(["Disk", "Cert"]), frozenset(["Pod"])}


def test_what_went_back_whole_is_no_part_of_a_later_merge_either(pairs: Partition) -> None:
    apart = partition_of(pairs)
    for number in (1, 2):
        one, _ = pairs.database.members(number)
        pairs.ask(2e5, SplitRequest(number, (one.fingerprint,)))
    pairs.ask(2e5, MergeRequest(4, 5))
    for seq in standing(pairs):
        assert isinstance(pairs.ask(2e5, UndoRequest(seq)), dict)

    assert partition_of(pairs) == apart


@pytest.mark.parametrize("moves", [False, True])
def test_what_was_split_off_does_not_go_to_those_that_had_been_merged_with_it(
    pairs: Partition, moves: bool
) -> None:
    """They are more, but left when their merge was undone, also if all had been elsewhere meanwhile."""
    one, _ = pairs.database.members(3)
    pairs.apply([(2e5, alert("Pod", starts=30_000.0, summary="all of Pod is broken", part="9"))])
    apart = partition_of(pairs)
    pairs.ask(2e5, SplitRequest(3, (one.fingerprint,)))
    pairs.ask(2e5, MergeRequest(2, 3))
    pairs.ask(2e5, UndoRequest(standing(pairs)[0]))
    pairs.ask(2e5, SplitRequest(3, (one.fingerprint,)))
    merge, split = standing(pairs)
    if moves:
        pairs.ask(2e5, MergeRequest(3, 1))
        pairs.ask(2e5, UndoRequest(standing(pairs)[-1]))
    for seq in (merge, split):
        assert isinstance(pairs.ask(2e5, UndoRequest(seq)), dict)

    assert partition_of(pairs) == apart


def test_a_split_of_a_version_that_did_not_keep_it_is_undone_where_nothing_was_merged(
    pairs: Partition,
) -> None:
    apart = partition_of(pairs)
    for merged in (False, True):
        one, _ = pairs.database.members(1)
        pairs.ask(2e5, SplitRequest(1, (one.fingerprint,)))
        made = pairs.engine.counters.cluster_id
        if merged:
            pairs.ask(2e5, MergeRequest(2, made))
        pairs.database._db.execute("DELETE FROM merged_episodes")
        before = partition_of(pairs)
        pairs.ask(2e5, UndoRequest(standing(pairs)[0]))

        assert partition_of(pairs) == (before if merged else apart)


def test_what_was_split_off_does_not_go_to_what_was_split_off_itself(pairs: Partition) -> None:
    """It would stay there, when that goes back."""
    apart = partition_of(pairs)
    cert = alert("Cert", starts=60_000.0, summary="all of Cert is broken", part="Cert-2")
    pairs.apply([(2e5, cert)])
    one, two, _ = (member.fingerprint for member in pairs.database.members(3))
    pairs.ask(2e5, SplitRequest(3, (one,)))
    pairs.ask(2e5, SplitRequest(3, (two,)))
    first, second = standing(pairs)
    pairs.ask(2e5, UndoRequest(first))
    pairs.ask(2e5, SplitRequest(3, (cert.fingerprint,)))
    third = standing(pairs)[-1]
    refused = pairs.ask(2e5, UndoRequest(second))
    pairs.ask(2e5, UndoRequest(third))
    pairs.ask(2e5, UndoRequest(second))

    assert refused == f"what stayed in cluster 3 went to 6 since (event {third}); undo that first"
    assert {len(group) for group in partition_of(pairs) - apart} == {3}


def test_firings_since_go_back_with_the_alert_that_was_split_off(pairs: Partition) -> None:
    one, _ = pairs.database.members(1)
    labels: dict[str, Any] = dict(one.labels)
    name = labels.pop("alertname")
    summary = f"all of {name} is broken"
    pairs.ask(2e5, SplitRequest(1, (one.fingerprint,)))
    (split,) = standing(pairs)
    pairs.ask(2e5, MergeRequest(2, 4))
    pairs.apply([(2e5 + 1, alert(name, starts=0, ends=2e5, summary=summary, **labels))])
    pairs.apply([(2e5 + 2, alert(name, starts=2e5 + 1, summary=summary, **labels))])
    assert [m.fingerprint for m in pairs.database.members(4)].count(one.fingerprint) == 2
    pairs.ask(2e5 + 3, UndoRequest(split))

    assert [m.labels["alertname"] for m in pairs.database.members(4)] == ["Pod", "Pod"]
    assert [m.fingerprint for m in pairs.database.members(1)].count(one.fingerprint) == 2


def standing(partition: Partition) -> list[int]:
    """Return the seqs of the commands that were not undone."""
    told = [e for e in partition.events if e.type is EventType.OPERATOR_COMMAND]
    undone = {e.detail.get("undoes") for e in told}
    return [e.seq for e in told if e.detail["command"] != "undo" and e.seq not in undone]


def partition_of(partition: Partition) -> set[frozenset[str]]:
    """Return which alerts are together, by fingerprint."""
    return {
        frozenset(member.fingerprint for member in partition.database.members(number))
        for number in partition.engine.live.by_id
    }


def grouped(partition: Partition) -> set[frozenset[str]]:
    """Return which alert names are together."""
    return {
        frozenset(member.labels["alertname"] for member in partition.database.members(number))
        for number in partition.engine.live.by_id
    }


@given(streams(), st.integers(1, 7))
@settings(deadline=None, max_examples=25)
def test_the_journal_replayed_gives_the_same_events(received: Received, size: int) -> None:
    with folder() as directory:
        partition = Partition(Path(directory))
        for batch in in_batches(received, size):
            partition.apply(batch)
            partition.tick(batch[-1][0] + 100)
        again = engine(QUICK)
        events = again.step(partition.database.inputs())
        again.forget()
        partition.database.close()

        assert [e.to_json() for e in events] == [e.to_json() for e in partition.events]
        assert state_of(again) == state_of(partition.engine)


def test_all_captures_survive_a_restart_after_each(partition: Partition) -> None:
    for number, alerts in enumerate(notifications(CAPTURES)):
        partition.apply([(30_000_000 + number, one) for one in alerts])
        before = state_of(partition.engine)
        partition.restart()

        assert state_of(partition.engine) == before


def test_nothing_committed_is_nothing_to_restore(tmp_path: Path) -> None:
    database = Database(tmp_path)

    assert database.restore(10) is None
    assert database.embedder is None
    database.set_embedder("model/int8")
    assert database.embedder == "model/int8"
    assert len(database.epoch) == 16
    database.close()


def test_a_heartbeat_is_one_in_the_journal_too(partition: Partition) -> None:
    partition.apply([(1, alert("Watchdog", cluster="lab"))])
    partition.apply([(2, alert("A", node="n1"))])
    again = engine(QUICK)
    again.step(partition.database.inputs())
    again.forget()

    assert state_of(again) == state_of(partition.engine)
    assert again.counters.outcomes == {"firing.heartbeat": 1, "firing.new": 1}


def test_that_no_start_was_given_is_in_the_journal_too(partition: Partition) -> None:
    for seconds in (1, 2, 3):
        posted = alert("A", starts=seconds, node="n1")
        partition.apply([(seconds, dataclasses.replace(posted, start_told=False))])
    again = engine(QUICK)
    again.step(partition.database.inputs())

    assert again.counters.outcomes == {"firing.new": 1, "firing.refresh": 2}
    assert state_of(again) == state_of(partition.engine)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("before", [(), (0,)], ids=["never seen", "seen before"])
def test_a_resolve_before_its_firing_leaves_one_episode_with_that_start(
    partition: Partition, before: tuple[int, ...], restarts: bool
) -> None:
    told = [alert("A", starts=starts, ends=ends) for starts in before for ends in (None, 5)]
    over, fires = alert("A", starts=100, ends=150), alert("A", starts=100)
    for number, one in enumerate([*told, over, over, fires, over, fires]):
        partition.apply([(160 + number, one)])
        if restarts:
            partition.restart()
    found = partition.database._db.execute("SELECT * FROM episodes ORDER BY id").fetchall()

    assert [row["starts_at"] for row in found] == [at(starts) for starts in (*before, 100)]
    assert [row["state"] for row in found] == ["resolved"] * len(before) + ["open"]
    check_numbers(partition)
    again = engine(QUICK)
    again.step(partition.database.inputs())
    again.forget()
    assert state_of(again) == state_of(partition.engine)


def recurring(partition: Partition) -> list[Event]:
    return [event for event in partition.events if event.detail.get("recurs")]


@given(st.lists(st.sampled_from("ABC"), min_size=3, max_size=7), st.sets(st.integers(0, 9)))
@settings(deadline=None, max_examples=25)
def test_what_recurs_what_is_the_same_after_restarts_and_when_replayed(
    kinds: list[str], restarts: set[int]
) -> None:
    """Of outages that come again and again, three kinds of them, with more past than is held."""
    with folder() as one, folder() as other, contextlib.ExitStack() as closing:
        steady = closing.enter_context(contextlib.closing(Partition(Path(one))))
        restarted = closing.enter_context(contextlib.closing(Partition(Path(other))))
        for number, kind in enumerate(kinds):
            at_seconds = 10_000.0 * number
            alerts = [alert(f"{kind}{kind}Down", starts=at_seconds, node=f"n{n}") for n in range(3)]
            over = [
                alert(f"{kind}{kind}Down", starts=at_seconds, ends=at_seconds + 50, node=f"n{n}")
                for n in range(3)
            ]
            for each in (steady, restarted):
                each.apply([(at_seconds + 1, told) for told in alerts])
                each.apply([(at_seconds + 60, told) for told in over])
                each.tick(at_seconds + 900)
            if number in restarts:
                restarted.restart()
                assert state_of(restarted.engine) == state_of(steady.engine)
        again = engine(QUICK)
        events = again.step(steady.database.inputs())
        again.forget()

        assert [e.to_json() for e in steady.events] == [e.to_json() for e in restarted.events]
        assert [e.to_json() for e in steady.events] == [e.to_json() for e in events]
        assert state_of(steady.engine) == state_of(restarted.engine) == state_of(again)


def test_what_has_been_is_recognised_after_a_restart(partition: Partition) -> None:
    def outage(at_seconds: float, *, ends: float | None = None) -> list[tuple[float, Alert]]:
        told = [
            alert("Down", starts=at_seconds, ends=ends, node=f"n{n}", summary="it is down")
            for n in range(3)
        ]
        return [((ends or at_seconds) + 1, one) for one in told]

    partition.apply(outage(0))
    partition.apply(outage(0, ends=50))
    partition.tick(900)
    partition.restart()
    partition.apply(outage(10_000))

    (event,) = recurring(partition)
    assert event.detail["recurs"]["cluster_id"] == 1
    assert event.detail["recurs"]["ended"] == "Down (node n2) resolved"
    partition.restart()
    cluster = partition.engine.live.by_id[2]
    assert cluster.recurs == event.detail["recurs"]
    assert cluster.next_look == 12
    kept = partition.database.find_cluster(1)
    assert kept is not None
    assert (kept.ended, kept.novelty.met) == ("Down (node n2) resolved", 1)
