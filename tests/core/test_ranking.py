from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.companions import Companions
from receiver.core.evidence import Background, Probe, rarity, telling, time_evidence, times
from receiver.core.index import VectorIndex
from receiver.core.live import LiveClusters
from receiver.core.model import Vector
from receiver.core.ranking import Reach, _Ranking, rank, rank_best
from tests.builders import at


def _vector(draw: random.Random) -> Vector:
    made = np.array([draw.gauss(1, 1), *(draw.gauss(0, 1) for _ in range(5))], dtype=np.float32)
    found: Vector = made / np.linalg.norm(made)
    return found


def _tokens(draw: random.Random) -> tuple[str, ...]:
    return tuple(f"{name}\x1f{draw.randrange(4)}" for name in ("pod", "node", "service"))


def _cluster(draw: random.Random, number: int, texts: Sequence[Vector]) -> Cluster:
    cluster = Cluster(number, at(0), moved_no=number)
    for _ in range(draw.randint(1, 4)):
        seen = draw.random() * draw.choice([0, 1, 20])
        text_id = draw.randint(1, 60)
        cluster.learn(
            text_id=text_id,
            vector=texts[text_id] if draw.random() < 0.9 else None,
            fingerprint=f"{number:016x}",
            onset=at(draw.uniform(0, 900)),
            labels={"alertname": draw.choice("abc")},
            tokens=_tokens(draw),
            learning_rate=0.1,
            telling=telling(seen),
            rarity=rarity(seen, 20),
        )
        cluster.size += 1
    cluster.patience = draw.random() < 0.02
    return cluster


@dataclass
class _Case:
    """An alert, the clusters that it may belong to, and what is known of them."""

    probe: Probe
    found: list[Cluster]
    reach: Reach
    background: Background
    settings: ClusteringSettings


def _case(seed: int) -> _Case:
    draw = random.Random(seed)
    texts = [_vector(draw) for _ in range(61)]
    clusters = [_cluster(draw, number, texts) for number in range(1, draw.choice([2, 5, 80]))]
    companions = Companions(100)
    for order in range(300):
        companions.observe(draw.randint(1, 60), at(draw.uniform(0, 900)), order)
    tokens, text_id = _tokens(draw), draw.randint(1, 60)
    probe = Probe(
        vector=_vector(draw) if seed % 5 else None,
        weights=dict.fromkeys(tokens, 1.0),
        onset=at(draw.uniform(0, 900)),
        shares=dict.fromkeys(tokens, 0.01),
        constancy={"pod": 0.2, "node": 0.6, "service": 0.95},
        name="a",
        seen=draw.uniform(0, 5),
        opened=20.0,
        companions=companions.of(text_id),
        company=partial(companions.lift, text_id),
        fingerprint=next((cluster.only for cluster in clusters if cluster.patience), ""),
    )
    live = LiveClusters(VectorIndex(6))
    for cluster in clusters:
        live.add(cluster)
    found, reach = live.candidates(probe, draw.choice([4, 48]))
    background = live.background(tokens, draw.choice([0.001, 0.1, 2.0]))
    settings = ClusteringSettings(text_weight=draw.choice([0.0, 0.5, 1.0]))
    return _Case(probe, found, reach, background, settings)


@pytest.mark.parametrize("seed", range(60))
def test_the_best_are_the_same_whether_or_not_all_are_compared(seed: int) -> None:
    case = _case(seed)

    every = rank(case.probe, case.found, case.background, case.settings)
    best = rank_best(case.probe, case.found, case.background, case.settings, case.reach, 2)

    assert len(every) == len(case.found) > 0
    assert best == every[:2]


@pytest.mark.parametrize("seed", range(60))
def test_no_evidence_is_more_than_its_bound(seed: int) -> None:
    case = _case(seed)

    bounds = _Ranking(case.probe, case.found, case.background, case.settings).bounds(case.reach)

    scores = rank(case.probe, case.found, case.background, case.settings)
    exact = {score.cluster_id: score.evidence for score in scores}
    assert all(at_most >= exact[cluster.id] for at_most, cluster in bounds)
    assert len(bounds) == len(exact)
    assert [at_most for at_most, _ in bounds] == sorted((b for b, _ in bounds), reverse=True)


@pytest.mark.parametrize("seed", range(20))
def test_the_times_of_many_are_those_of_each(seed: int) -> None:
    case = _case(seed)
    onset, rate = case.probe.onset, case.background.new_rate

    found = times(case.found, onset, rate, case.settings)

    assert found == [time_evidence(c, c.gap_to(onset), rate, case.settings) for c in case.found]


def test_what_was_met_is_known_both_ways_until_it_is_forgotten() -> None:
    companions = Companions(2)
    for hour in range(3):
        companions.observe(1, at(3600 * hour), 2 * hour)
        companions.observe(2, at(3600 * hour + 1), 2 * hour + 1)
    again = Companions(2)
    again.restore(companions.rows())

    assert companions.lift(1, [2, 3])[1] == 2
    assert companions.lift(2, [1, 3])[1] == 1
    assert again.lift(1, [2]) == companions.lift(1, [2])

    companions.observe(3, at(20_000), 9)
    companions.observe(4, at(20_001), 10)

    assert companions.lift(3, [1, 2]) == (0.0, 0)
