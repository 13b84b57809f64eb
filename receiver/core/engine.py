"""The fold: inputs in, events out. `Engine.step` is the whole of what Stormcell decides.

Rule 1: nothing in here reads a clock, draws a number, or speaks to the world; each input brings its
time. Rule 2: how inputs are cut into batches changes nothing. Rule 3: every change is an event or is
in `drain`, so that a store can keep up and `restore` gives the same state back.

`state` holds all there is. Who changes it is put together in here, each from those above it only:

    standing      which alerts go on, flap, rest
    lives         a cluster's state, severity, title
    doubts        what ended as its source went quiet
    storm_watch   when a storm starts and ends
    endings       episodes end, go stale, come back
    regrouping    clusters are merged and split
    looking       second looks: are two one, is one two
    assigning     a new episode is given to a cluster
    opening       an episode begins
    sightings     an alert was received
    reconciling   what Alertmanagers know
    commands      what operators say
    clockwork     what time alone brings
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from receiver.core.assigning import Assigning
from receiver.core.changes import Changes, Counters, Restored
from receiver.core.clockwork import Clockwork
from receiver.core.clusters import Cluster
from receiver.core.commands import Commands
from receiver.core.core_settings import CoreSettings
from receiver.core.doubts import Doubts
from receiver.core.endings import Endings
from receiver.core.evolution import Event
from receiver.core.explain import Placement
from receiver.core.habit import Habit
from receiver.core.index import VectorIndex
from receiver.core.lives import Lives
from receiver.core.looking import Looking
from receiver.core.model import (
    Alert,
    Command,
    Input,
    Members,
    Recall,
    Reconciled,
    Resumed,
    Sighting,
    Status,
    Tick,
    Vector,
)
from receiver.core.opening import Opening
from receiver.core.placing import Newcomer, Placing
from receiver.core.reconciling import Reconciling
from receiver.core.regrouping import Regrouping
from receiver.core.sightings import Sightings
from receiver.core.standing import Standing
from receiver.core.state import State
from receiver.core.storm_watch import StormWatch


class Engine:
    """One partition: its state, and the step that moves it.

    Attributes:
        state: All there is; the attributes beside it are its tables.
        regrouping, looking: Merge and split, and the second looks that lead to them.
    """

    def __init__(
        self,
        settings: CoreSettings,
        dims: int,
        make_index: Callable[[int], VectorIndex] = VectorIndex,
    ) -> None:
        """Start empty, for vectors of *dims* components, kept in what *make_index* makes."""
        self.state = state = State(settings, dims, make_index)
        self.settings = state.settings
        self.live = state.live
        self.texts = state.texts
        self.stability = state.stability
        self.storms = state.storms
        self.frequencies = state.frequencies
        self.companions = state.companions
        self.constraints = state.constraints
        self.past = state.past
        self.kinds = state.kinds
        self.episodes = state.episodes
        self.flapping = state.flapping
        self._placing = Placing(
            settings.clustering,
            neighbors=settings.index.neighbors,
            severity_label=settings.severity.label,
            live=state.live,
            frequencies=state.frequencies,
            companions=state.companions,
            constraints=state.constraints,
        )
        standing, lives, doubts = Standing(state), Lives(state), Doubts(state)
        storm_watch = StormWatch(state, doubts)
        endings = Endings(state, standing, lives, doubts)
        self.regrouping = Regrouping(state, lives)
        self.looking = Looking(state, self._placing, self.regrouping)
        assigning = Assigning(state, self._placing, lives, self.looking)
        self._opening = Opening(state, standing, assigning, storm_watch)
        self._sightings = Sightings(state, lives, doubts, endings, self._opening)
        self._reconciling = Reconciling(state, standing, lives, endings)
        self._commands = Commands(state, lives, self.regrouping)
        self._clockwork = Clockwork(state, standing, lives, endings, self._reconciling, storm_watch)

    # -- the fold --------------------------------------------------------------------------------

    def step(self, inputs: Iterable[Input]) -> list[Event]:
        """Take in *inputs*, in order, and return what happened.

        An input whose time lies before the clock counts as of the clock: time never falls.
        """
        state, advance = self.state, self._clockwork.advance
        for item in inputs:
            match item:
                case Sighting():
                    # What is due at the very moment at which it was received comes after it.
                    advance(item.time - 1)
                    state.come_to(item.time)
                    self._sightings.take(item)
                case Recall():
                    state.recall(item)
                case Tick():
                    advance(item.time)
                case Members():
                    advance(item.time)
                    state.come_to(item.time)
                    self.looking.look_into(item)
                case Reconciled():
                    advance(item.time)
                    state.come_to(item.time)
                    self._reconciling.reconcile(item)
                case Resumed():
                    state.counters.lenient_until = max(state.counters.lenient_until, item.until)
                    advance(item.time)
                case _:
                    advance(item.time)
                    self._commands.obey(item)
        return state.take_events()

    # -- what the caller asks before a step ------------------------------------------------------

    @property
    def counters(self) -> Counters:
        """Numbers that only grow and survive restarts."""
        return self.state.counters

    def needs_text(self, alert: Alert) -> bool:
        """Whether *alert* may have to be clustered by its text; False for most repeats."""
        if alert.status is Status.RESOLVED or self._sightings.is_apart(alert):
            return False
        known = self.episodes.get(alert.fingerprint)
        return known is None or known.senders.get(alert.sender_fingerprint) != alert.starts_at

    def vector_of_text(self, text: str) -> Vector | None:
        """Return the vector of *text*, shape (dims,); None if it is not held."""
        return self.texts.vector(self.texts.id_of(text))

    def text_id(self, text: str) -> int:
        """Return the id of *text*; 0 if its vector is not held."""
        return self.texts.id_of(text)

    def habit_of(self, fingerprint: str, onset: int) -> Habit:
        """Return how the alert *fingerprint* comes back that would fire at *onset*, if it is held."""
        before = self.episodes.get(fingerprint)
        return Habit() if before is None else self._opening.habit_after(before, onset)

    def remembers(self, fingerprint: str) -> bool:
        """Whether the latest episode of *fingerprint* is held; else the caller gives a `Recall`."""
        return fingerprint in self.episodes

    def cluster(self, cluster_id: int) -> Cluster | None:
        """Return the cluster, if it is live or was recalled whole."""
        return self.state.cluster(cluster_id)

    def place(self, alert: Newcomer, now: int) -> Placement:
        """Return where *alert* would go at *now*, nanoseconds; nothing changes."""
        return self._placing.place(alert, now)

    def check(self, command: Command) -> None:
        """Return if *command* can be obeyed as things stand; nothing changes.

        Raises:
            NotFound: Its cluster is neither live nor was it recalled whole.
            Conflict: It contradicts how things stand, or what an operator said before.
        """
        self._commands.check(command)

    def next_due(self) -> int | None:
        """Return when time alone will next change something, nanoseconds; None for never."""
        return self.state.timers.next_due()

    # -- what the caller does after a step -------------------------------------------------------

    def take_asked(self) -> list[int]:
        """Return ids of clusters of which `Members` are wanted, since the last call.

        The engine does not hold members. One that is not answered is asked for again when the cluster
        has doubled.
        """
        return self.looking.take_asked()

    def drain(self) -> Changes:
        """Return what changed since the last call."""
        return self.state.drain()

    def forget(self) -> None:
        """Let go of episodes that are over; `Recall` brings them back when they are needed."""
        self.state.forget()

    def restore(self, restored: Restored) -> None:
        """Become the engine that *restored* was written by; only for an empty engine."""
        self.state.restore(restored)
        self._clockwork.wind()
