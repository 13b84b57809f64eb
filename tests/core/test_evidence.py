from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.evidence import (
    DIFFER_AGAINST,
    GAPS_KEPT,
    KIND_KNOWN,
    LABELS_AGAINST,
    LABELS_FOR,
    TEXT_AGAINST,
    TEXT_FOR,
    TEXT_MARGIN,
    TEXT_SLOPE,
    TEXT_USUAL,
    TIME_FOR,
    TOGETHER_FOR,
    Background,
    Probe,
    Score,
    confidence_of,
    differences,
    lift,
    rarity,
    telling,
    time_evidence,
)
from receiver.core.habit import Habit
from receiver.core.labels import token
from receiver.core.model import Vector
from receiver.core.ranking import rank
from tests.builders import at

SETTINGS = ClusteringSettings()
SELDOM = 1 / 3600


def direction(cosine: float) -> Vector:
    """Return a unit vector with *cosine* to the first axis."""
    return np.array([cosine, np.sqrt(1 - cosine * cosine)], dtype=np.float32)


FIRST = direction(1.0)


def cluster(
    number: int,
    *tokens: str,
    cosines: Sequence[float] = (),
    onsets: Sequence[float] = (0,),
    name: str = "Known",
    tells: float = 1.0,
) -> Cluster:
    made = Cluster(number, at(0), moved_no=number)
    for n, onset in enumerate(onsets):
        made.learn(
            text_id=n + 1,
            vector=direction(cosines[n]) if n < len(cosines) else None,
            fingerprint=f"{number:08x}{n:08x}",
            onset=at(onset),
            labels={"alertname": name},
            tokens=tokens,
            learning_rate=0.1,
            telling=tells,
            gaps_kept=GAPS_KEPT,
        )
        made.size += 1
    return made


def probe(*tokens: str, vector: Vector | None = None, onset: float = 0, **changed: Any) -> Probe:
    weights = dict.fromkeys(tokens, 1.0)
    return Probe(vector, weights, at(onset), dict.fromkeys(tokens, 0.01), **changed)


def background(
    *recent: Cluster, holders: Mapping[str, int] | None = None, new_rate: float = SELDOM
) -> Background:
    return Background(max(1, len(recent)), holders or {}, [c.id for c in recent], new_rate)


def score(of: Cluster, asked: Probe, *others: Cluster, **changed: Any) -> Score:
    ranked = rank(asked, [of, *others], background(of, *others, **changed), SETTINGS)
    return next(s for s in ranked if s.cluster_id == of.id)


def test_the_terms_add_up_to_the_confidence() -> None:
    found = score(cluster(1, "pod=a", cosines=[0.8]), probe("pod=a", "x=y", vector=FIRST, onset=30))

    assert found.evidence == pytest.approx(
        found.evidence_text + found.evidence_labels + found.evidence_time
    )
    assert found.confidence == confidence_of(found.evidence)
    assert 0 < found.likeness < 1
    assert found.labels == 0.5
    assert found.gap_seconds == 30
    ((fingerprint, similarity),) = found.nearest
    assert fingerprint == f"{1:08x}{0:08x}"
    assert similarity == pytest.approx(0.8)


def test_confidence_rises_with_evidence_and_stays_a_probability() -> None:
    confidences = [confidence_of(evidence) for evidence in (-1e9, -3, 0, 3, 1e9)]

    assert confidences == sorted(confidences)
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_a_text_must_be_nearer_than_what_else_is_going_on() -> None:
    asked = probe(vector=FIRST)
    near = cluster(1, cosines=[0.8])

    alone = score(near, asked)
    among_unlike = score(near, asked, cluster(2, cosines=[0.1]), cluster(3, cosines=[0.1]))
    among_alike = score(near, asked, cluster(2, cosines=[0.75]), cluster(3, cosines=[0.75]))

    assert alone.usual == TEXT_USUAL
    nearer = 0.8 - TEXT_USUAL - TEXT_MARGIN
    assert alone.evidence_text == pytest.approx(TEXT_SLOPE * nearer * rarity(0.0, 0.0))
    assert among_unlike.evidence_text == TEXT_FOR
    assert among_alike.usual == pytest.approx((TEXT_USUAL + 1.5) / 3)
    assert among_alike.evidence_text < 0
    assert score(cluster(1, cosines=[0.0]), asked).evidence_text == TEXT_AGAINST


def test_one_odd_member_does_not_make_a_cluster_alike() -> None:
    found = score(cluster(1, cosines=[1.0, 0.2], onsets=[0, 0]), probe(vector=FIRST))

    assert found.text == pytest.approx(0.6)
    assert [round(similarity, 3) for _, similarity in found.nearest] == [1.0, 0.2]


def test_the_wording_of_a_name_that_is_everywhere_tells_little() -> None:
    unlike = cluster(1, cosines=[0.6], name="HighErrorRate")
    often = probe(vector=FIRST, name="HighLatency", seen=30.0)

    new = score(unlike, probe(vector=FIRST, name="HighLatency"))
    known = score(unlike, often)
    member = score(unlike, probe(vector=FIRST, name="HighErrorRate", seen=1.0))
    both = score(cluster(2, cosines=[0.6], tells=telling(30.0)), often)

    assert new.evidence_text == pytest.approx(-3.0)
    assert known.evidence_text == pytest.approx(-3.0 * telling(30.0))
    assert member.evidence_text == new.evidence_text
    assert abs(both.evidence_text) < abs(known.evidence_text) < 0.05
    assert (telling(0.0), telling(-1.0), telling(KIND_KNOWN)) == (1.0, 1.0, 0.5)


def test_the_fewer_others_have_a_shared_value_the_more_it_says() -> None:
    asked = probe("ns=a")
    of = cluster(1, "ns=a")
    others = [cluster(n) for n in range(2, 8)]

    rare = score(of, asked, *others, holders={"ns=a": 1})
    usual = score(of, asked, *others, holders={"ns=a": 6})
    everywhere = score(of, asked, *others, holders={"ns=a": 8})

    assert rare.evidence_labels == LABELS_FOR
    assert usual.evidence_labels == pytest.approx(LABELS_AGAINST - math.log(5.01 / 7))
    # What all have is as good as not shared.
    assert everywhere.evidence_labels == LABELS_AGAINST
    assert score(others[0], asked, of).evidence_labels == LABELS_AGAINST
    assert score(of, probe(), *others).evidence_labels == 0.0


def test_where_nothing_else_is_going_on_the_alerts_of_late_tell() -> None:
    of = cluster(1, "ns=a")
    common = Probe(None, {"ns=a": 1.0}, at(0), {"ns=a": 0.9})

    assert score(of, probe("ns=a"), holders={"ns=a": 1}).evidence_labels == LABELS_FOR
    assert score(of, common, holders={"ns=a": 1}).evidence_labels == pytest.approx(
        LABELS_AGAINST + 0.105, abs=1e-3
    )
    assert lift("ns=a", common, background(of)) == pytest.approx(0.105, abs=1e-3)


def test_the_most_telling_value_counts_and_not_how_many_there_are() -> None:
    of, other = cluster(1, "pod=a", "node=1", "ns=x"), cluster(2, "ns=x")

    many = score(of, probe("pod=a", "node=1", "ns=x"), other)
    one = score(of, probe("pod=a"), other)

    assert many.evidence_labels == one.evidence_labels


def test_time_speaks_less_the_longer_the_gap_and_the_more_opens() -> None:
    of = cluster(1)

    gaps = [time_evidence(of, gap, SELDOM, SETTINGS) for gap in (0, 60, 300, 3000)]

    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == TIME_FOR
    assert gaps[-1] < -2
    assert time_evidence(of, 60, 1 / 60, SETTINGS) < gaps[1]


def test_a_cluster_that_bursts_is_over_sooner_than_a_slow_one() -> None:
    burst = cluster(1, onsets=range(20))
    slow = cluster(2, onsets=range(0, 6000, 300))

    assert burst.gap_count == slow.gap_count == GAPS_KEPT
    assert burst.gap_sum == pytest.approx(GAPS_KEPT)
    assert time_evidence(burst, 300, SELDOM, SETTINGS) < -5
    assert time_evidence(slow, 300, SELDOM, SETTINGS) > 0


def test_an_onset_among_the_clusters_is_no_gap() -> None:
    one = cluster(1, onsets=[100, 500])

    gaps = [score(one, probe(onset=s)).gap_seconds for s in (50, 100, 300, 500, 560)]

    assert gaps == [50, 0, 0, 0, 60]


def test_without_a_vector_labels_and_time_must_do() -> None:
    one = cluster(1, "pod=a", cosines=[0.9])

    found = score(one, probe("pod=a"))

    assert (found.text, found.evidence_text, found.nearest) == (0.0, 0.0, ())
    assert found.confidence > SETTINGS.threshold
    assert score(cluster(2), probe(vector=FIRST)).evidence_text == 0.0
    assert rank(probe(), [], background(), SETTINGS) == []


def test_a_score_does_not_depend_on_candidates_that_did_not_move_lately() -> None:
    many = [cluster(n, f"pod={n}", cosines=[n / 30]) for n in range(1, 30)]
    recent = many[:5]
    asked = probe("pod=9", vector=FIRST)

    together = {s.cluster_id: s for s in rank(asked, many, background(*recent), SETTINGS)}

    for one in many[5:]:
        few = rank(asked, [*recent, one], background(*recent), SETTINGS)
        (found,) = (s for s in few if s.cluster_id == one.id)
        assert found.confidence == together[one.id].confidence
        assert found.evidence == together[one.id].evidence


def test_the_weight_of_text_is_taken_from_the_labels() -> None:
    one = cluster(1, "pod=a", cosines=[0.8])
    asked = probe("pod=a", vector=FIRST)

    def found(weight: float) -> Score:
        settings = ClusteringSettings(text_weight=weight)
        return rank(asked, [one], background(one), settings)[0]

    assert found(0.0).evidence_text == 0.0
    assert found(1.0).evidence_labels == 0.0
    assert found(1.0).evidence_text == pytest.approx(2 * found(0.5).evidence_text)


# -- what holds clusters apart -----------------------------------------------------------------------

NS_A, NS_B = token("ns", "a"), token("ns", "b")


def test_what_holds_clusters_apart_everywhere_else_keeps_like_texts_apart() -> None:
    """Alike in text and at once: only where namespaces tell problems apart are two of them two."""
    others = [cluster(n, token("ns", str(n))) for n in range(3, 20)]
    alike = cluster(1, NS_B, cosines=[1.0])
    held = {NS_A: 1}

    def confidence(constancy: float) -> float:
        asked = probe(NS_A, vector=FIRST, constancy={"ns": constancy})
        return score(alike, asked, *others, holders=held).confidence

    assert confidence(0.5) > SETTINGS.threshold > confidence(0.999)
    least = probe(NS_A, vector=FIRST, constancy={"ns": 1 - 1e-12})
    assert score(alike, least, *others, holders=held).evidence_labels == pytest.approx(
        LABELS_AGAINST + DIFFER_AGAINST
    )


def test_only_a_label_that_both_have_with_no_value_in_common_differs() -> None:
    asked = probe(NS_A, constancy={"ns": 0.99})
    other = cluster(9, NS_B)

    without, mixed = cluster(1, token("pod", "p")), cluster(2, NS_A, NS_B)

    assert score(without, asked, other).evidence_labels == LABELS_AGAINST
    assert score(mixed, asked, other).evidence_labels == LABELS_FOR
    assert score(other, asked, without).evidence_labels < LABELS_AGAINST - 4


def test_the_label_that_differs_the_most_counts_and_not_how_many_do() -> None:
    pod_a, pod_b = token("pod", "a"), token("pod", "b")
    constancy = {"ns": 0.99, "pod": 0.2}

    both = score(cluster(1, NS_B, pod_b), probe(pod_a, NS_A, constancy=constancy))
    one = score(cluster(1, NS_B), probe(NS_A, constancy=constancy))

    assert both.evidence_labels == one.evidence_labels


def test_a_value_that_all_others_have_differs_from_none() -> None:
    asked = probe(NS_A, constancy={"ns": 0.99})

    def differs(accepting: int, holders: int) -> list[float]:
        background = Background(accepting, {NS_A: holders}, [], 1.0)
        return [difference.says for difference in differences([NS_A], asked, background)]

    assert differs(100, 1) == [pytest.approx(math.log(0.01 / (1 - 1.01 / 100)))]
    assert differs(100, 99) == []
    assert differs(9, 9) == []


# -- names, company and habit ------------------------------------------------------------------------


def test_likeness_tells_the_less_the_more_other_problems_had_the_name() -> None:
    told = [rarity(seen, 100.0) for seen in (0.0, 1.0, 10.0, 100.0, 1000.0)]

    assert told == sorted(told, reverse=True)
    assert (told[0], told[-1]) == (1.0, 0.0)
    assert rarity(-1.0, 100.0) == 1.0


def test_known_company_speaks_for_a_cluster_up_to_a_bound() -> None:
    asked_of: list[list[int]] = []

    def company(said: float) -> Callable[[Iterable[int]], tuple[float, int]]:
        def of(others: Iterable[int]) -> tuple[float, int]:
            asked_of.append(list(others))
            return said, 1

        return of

    one = cluster(1, cosines=[0.5, 0.4], onsets=[0, 0])
    some, much = (score(one, probe(company=company(said))) for said in (1.5, 99.0))

    assert (some.evidence_together, much.evidence_together) == (1.5, TOGETHER_FOR)
    assert score(one, probe()).evidence_together == 0.0
    assert asked_of[0] == [1, 2]


def test_the_cluster_that_waits_for_an_alert_is_judged_by_when_it_was_to_come() -> None:
    """Neither by text nor by labels, which are its own."""
    home = cluster(1, NS_A, cosines=[0.1])
    home.only, home.patience = f"{1:08x}{0:08x}", 10**12
    habit = Habit(gaps=20.0, gap_sum=20 * 600.0, alone=5.0)

    soon, late = (
        score(home, probe(NS_B, vector=FIRST, onset=gap, habit=habit, fingerprint=home.only))
        for gap in (600, 60_000)
    )

    assert soon.evidence == soon.evidence_habit
    assert soon.evidence_habit > 0 > late.evidence_habit
    assert soon.confidence > SETTINGS.threshold > late.confidence
    at_once = probe(onset=0, habit=habit, fingerprint=home.only)
    assert score(home, at_once, new_rate=1e-9).evidence_habit == TIME_FOR


def test_another_alert_that_is_held_against_a_waiting_cluster_is_judged_as_any() -> None:
    """As one is that an operator tied to it."""
    home = cluster(1, NS_A, cosines=[0.1])
    home.only, home.patience = "f1", 10**12

    stranger = score(home, probe(NS_A, vector=FIRST, fingerprint="f2"))

    assert stranger.evidence_habit == 0.0
    assert stranger.evidence_text < 0.0 < stranger.evidence_labels
