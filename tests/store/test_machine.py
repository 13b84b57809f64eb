"""After any sequence of alerts, time, operators' words, restarts and undos there is one state.

Two partitions are told the same. One takes whole batches, is never restarted and forgets when told to;
the other takes alert by alert, forgets after each, and is restarted at will. After every step both
agree, what is stored gives that state again, and the numbers add up; at the end both journals, run
through an empty engine, give the same events and the same state.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from receiver.core import survey
from receiver.core.engine import Engine
from receiver.core.evolution import EventType
from receiver.core.memory import MemorySettings
from receiver.core.model import Alert, Reconciled, Resumed, Tick
from receiver.core.requests import MergeRequest, UpdateRequest
from tests.builders import alert, at, engine, state_of
from tests.store.test_restore import (
    IDS,
    QUICK,
    UPDATES,
    Partition,
    check_constraints,
    check_numbers,
    folder,
    request_of,
)

SMALL = dataclasses.replace(
    QUICK,
    # So much that several clusters go on, for operators to merge.
    clustering=dataclasses.replace(QUICK.clustering, threshold=0.65),
    # So few that some of each are forgotten.
    memory=MemorySettings(
        max_past_clusters=3, max_alert_names=10, max_companions=5, max_label_values=12
    ),
)

NAMES = ("DiskFull", "PodDown", "CertExpiry", "NodeDown")
NODES = ("n1", "n2", "n3")
KINDS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NODES))


class Grouping(RuleBasedStateMachine):
    """Both partitions, and what they are told."""

    @initialize()
    def open(self) -> None:
        self.clock = 1000.0
        self.starts: dict[tuple[str, str], float] = {}
        self.closing = contextlib.ExitStack()
        self.steady, self.restarted = (
            self.closing.enter_context(
                contextlib.closing(
                    Partition(Path(self.closing.enter_context(folder())), SMALL, forgets=forgets)
                )
            )
            for forgets in (False, True)
        )

    # -- alerts ------------------------------------------------------------------------------------

    def told(self, kind: tuple[str, str], **changed: Any) -> Alert:
        name, node = kind
        starts = self.starts.get(kind, self.clock)
        made: dict[str, Any] = {
            "starts": starts,
            "summary": f"{name} on {NODES[0]} or {node}",
        } | changed
        return alert(name, node=node, ns=f"of-{node}", **made)

    def receive(self, alerts: Sequence[Alert]) -> None:
        """Let both receive *alerts*; each goes where operators' words let it go."""
        self.steady.apply([(self.clock, one) for one in alerts])
        for one in alerts:
            tick = Tick(at(self.clock) - 1)
            self.restarted.commit([tick], self.restarted.engine.step([tick]))
            live = self.restarted.engine.live.by_id
            word = self.restarted.engine.constraints.word_on(one.fingerprint, live.values())
            before = len(self.restarted.events)
            self.restarted.apply([(self.clock, one)])
            for event in self.restarted.events[before:]:
                if event.type is EventType.ALERT_ASSIGNED:
                    assert event.cluster_id not in word.kept_out
                    assert not word.wanted or event.cluster_id in word.wanted

    @rule(
        kinds=st.lists(KINDS, min_size=1, max_size=6),
        late=st.sampled_from([0, 0, 1, 30, 500, -900]),
    )
    def fire(self, kinds: list[tuple[str, str]], late: int) -> None:
        """New firings, of which those before may never have ended; some by a clock that is ahead."""
        for kind in kinds:
            self.starts[kind] = self.clock - late
        self.receive([self.told(kind) for kind in kinds])

    @rule(kinds=st.lists(KINDS, min_size=1, max_size=4), replica=st.sampled_from(["", "a", "b"]))
    def repeat(self, kinds: list[tuple[str, str]], replica: str) -> None:
        """The same startsAt again: a repeat, a re-open or a replica's; of one never seen, the first."""
        for kind in kinds:
            self.starts.setdefault(kind, self.clock)
        self.receive([self.told(kind, replica=replica) for kind in kinds])

    @rule(kinds=st.lists(KINDS, min_size=1, max_size=6), replica=st.sampled_from(["", "", "a"]))
    def resolve(self, kinds: list[tuple[str, str]], replica: str) -> None:
        self.receive([self.told(kind, ends=self.clock, replica=replica) for kind in kinds])

    @rule(kind=KINDS, lasted=st.sampled_from([1, 40, 600]))
    def swap(self, kind: tuple[str, str], lasted: int) -> None:
        """An end that comes before its firing, as a retry may have it."""
        self.starts[kind] = self.clock - lasted
        self.receive([self.told(kind, ends=self.clock)])
        self.receive([self.told(kind)])

    @rule(kind=KINDS, earlier=st.sampled_from([1, 40, 600]), over=st.booleans())
    def come_out_of_order(self, kind: tuple[str, str], earlier: int, over: bool) -> None:
        """A firing that began before the last one that was told of."""
        starts = self.starts.get(kind, self.clock) - earlier
        self.receive([self.told(kind, starts=starts, ends=starts + 1 if over else None)])

    @rule(kind=KINDS, times=st.integers(2, 5), gap=st.sampled_from([5, 70, 250, 400]))
    def flap(self, kind: tuple[str, str], times: int, gap: int) -> None:
        for _ in range(times):
            self.starts[kind] = self.clock
            self.receive([self.told(kind)])
            self.clock += 2
            self.receive([self.told(kind, ends=self.clock)])
            self.clock += gap

    @rule(kinds=st.lists(KINDS, min_size=1, max_size=6), lasts=st.sampled_from([40, 240, 2000]))
    def post(self, kinds: list[tuple[str, str]], lasts: int) -> None:
        """As Prometheus posts them: vouched for until a time."""
        for kind in kinds:
            self.starts.setdefault(kind, self.clock)
        self.receive([self.told(kind, until=self.clock + lasts) for kind in kinds])

    @rule(kinds=st.lists(KINDS, min_size=1, max_size=6), lasts=st.sampled_from([None, 40, 2000]))
    def post_without_start(self, kinds: list[tuple[str, str]], lasts: int | None) -> None:
        """As scripts post them: since when it fires they do not say."""
        until = None if lasts is None else self.clock + lasts
        told = [self.told(kind, starts=self.clock, until=until) for kind in kinds]
        self.receive([dataclasses.replace(one, start_told=False) for one in told])

    @rule(over=st.booleans(), until=st.sampled_from([None, 40, 240]))
    def beat(self, over: bool, until: int | None) -> None:
        ends = self.clock if over else None
        vouched = None if until is None else self.clock + until
        self.receive([self.told(("Watchdog", "n1"), ends=ends, until=vouched)])

    # -- what others know --------------------------------------------------------------------------

    @rule(
        active=st.sets(KINDS, max_size=6),
        suppressed=st.sets(KINDS, max_size=6),
        complete=st.booleans(),
    )
    def reconcile(
        self,
        active: set[tuple[str, str]],
        suppressed: set[tuple[str, str]],
        complete: bool,
    ) -> None:
        known = [
            frozenset(self.told(kind).fingerprint for kind in kinds)
            for kinds in (active, suppressed - active)
        ]
        starts = {
            self.told(kind).fingerprint: at(self.starts[kind])
            for kind in active & self.starts.keys()
        }
        firing, held_back = known
        hold = at(400) - at(0)
        found = survey.Survey(at(self.clock), complete, hold, firing, held_back, starts)
        told: list[Reconciled | None] = []
        for each in (self.steady, self.restarted):
            each.tick(self.clock)
            unheard = survey.unheard(found, each.engine.episodes)
            again = survey.again(found, each.database.given_up(unheard))
            each.apply([(self.clock, one) for one in again])
            news = survey.news(found, each.engine.episodes, at(self.clock), at(100) - at(0))
            told.append(news)
            inputs = [] if news is None else [news]
            each.commit(inputs, each.engine.step(inputs))
        assert told[0] == told[1]

    @rule()
    def resume(self) -> None:
        for each in (self.steady, self.restarted):
            given = Resumed(at(self.clock), at(self.clock + 150))
            each.commit([given], each.engine.step([given]))

    # -- time and operators ------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 20, 61, 150, 310, 700, 2000]))
    def wait(self, seconds: int) -> None:
        self.clock += seconds

    @rule(seconds=st.sampled_from([1, 61, 310, 9000]))
    def tick(self, seconds: int) -> None:
        self.clock += seconds
        for each in (self.steady, self.restarted):
            each.tick(self.clock)

    def ask(self, drawn: Any) -> None:
        request = request_of(drawn, self.steady)
        one, other = (each.ask(self.clock, request) for each in (self.steady, self.restarted))
        assert one == other

    @rule(one=IDS, other=IDS)
    def merge(self, one: int, other: int) -> None:
        live = sorted(self.steady.engine.live.by_id)
        if len(live) > 1:
            # Two that are going on; else whatever is drawn, for the refusal.
            gone = live.pop(one % len(live))
            one, other = gone, live[other % len(live)]
        self.ask(MergeRequest(one, other))

    @rule(which=IDS, bits=st.integers(1, 63))
    def split(self, which: int, bits: int) -> None:
        live = sorted(self.steady.engine.live.by_id)
        self.ask((live[which % len(live)] if live else which, bits))

    @rule(which=st.integers(1, 9), update=UPDATES)
    def update(self, which: int, update: dict[str, Any]) -> None:
        last = max(1, self.steady.engine.counters.cluster_id)
        self.ask(UpdateRequest(1 + which % last, update))

    @rule(which=st.integers(0, 20))
    def undo(self, which: int) -> None:
        self.ask(which)

    # -- what must not matter ------------------------------------------------------------------------

    @rule()
    def restart(self) -> None:
        self.restarted.restart()

    @rule()
    def forget(self) -> None:
        self.steady.engine.forget()

    # -- what always holds ---------------------------------------------------------------------------

    @invariant()
    def both_agree(self) -> None:
        assert held(self.steady.engine) == held(self.restarted.engine)
        assert [e.to_json() for e in self.steady.events] == [
            e.to_json() for e in self.restarted.events
        ]
        seqs = [event.seq for event in self.steady.events]
        assert seqs == list(range(1, self.steady.engine.counters.seq + 1))

    @invariant()
    def what_is_stored_is_what_is_there(self) -> None:
        for each in (self.steady, self.restarted):
            assert held(each.restored()) == held(each.engine)

    @invariant()
    def numbers_add_up(self) -> None:
        for each in (self.steady, self.restarted):
            check_numbers(each)
            check_constraints(each)
            clustered, sizes = each.database._db.execute(
                "SELECT (SELECT count(*) FROM episodes WHERE cluster_id IS NOT NULL),"
                " (SELECT coalesce(sum(size), 0) FROM clusters)"
            ).fetchone()
            assert clustered == sizes

    def teardown(self) -> None:
        with self.closing:
            for each in (self.steady, self.restarted):
                again = engine(SMALL)
                events = again.step(each.database.inputs())

                assert [e.to_json() for e in events] == [e.to_json() for e in each.events]
                assert held(again) == held(each.engine)


def held(of: Engine) -> dict[str, Any]:
    """Return the state that a restart must leave: what does not go on is had from the store."""
    state = state_of(of)
    episodes = state["episodes"].items()
    return state | {"episodes": {f: e for f, e in episodes if of.episodes[f].goes_on}}


Grouping.TestCase.settings = settings(deadline=None, max_examples=15, stateful_step_count=25)
TestGrouping = Grouping.TestCase
