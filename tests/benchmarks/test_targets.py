from __future__ import annotations

from benchmarks import targets
from benchmarks.targets import TARGETS, Limit, Target, Verdict


def _verdict(what: str, figures: dict[str, float]) -> Verdict:
    return next(v for v in targets.check(figures) if v.target.what.startswith(what))


def test_a_target_is_met_when_all_its_limits_hold() -> None:
    verdict = _verdict("restart", {"restart.accepts_s": 0.9, "restart.clusters_s": 5.0})

    assert verdict.met is True
    assert verdict.measured == "accepts 0.9 s, clusters 5.0 s"
    assert verdict.textbook_met is None


def test_one_limit_that_does_not_hold_settles_it() -> None:
    assert _verdict("restart", {"restart.accepts_s": 1.1}).met is False


def test_what_was_not_measured_in_full_is_not_judged() -> None:
    assert _verdict("restart", {"restart.accepts_s": 0.1}).met is None
    assert _verdict("restart", {}).measured == ""


def test_the_textbook_is_judged_apart() -> None:
    verdict = _verdict("resident", {"memory.rest_mb": 310.0, "memory.peak_mb": 450.0})

    assert (verdict.met, verdict.textbook_met) == (False, True)


def test_a_figure_may_be_asked_to_be_large() -> None:
    limit = Limit("a.b", ">=", 2.0, "{:.0f}")

    assert (limit.holds({"a.b": 2.0}), limit.holds({"a.b": 1.9}), limit.holds({})) == (
        True,
        False,
        None,
    )


def test_each_requirement_has_a_line() -> None:
    rows = targets.rows(targets.check({}))

    assert len(rows) == 1 + len(TARGETS)
    assert {row[2] for row in rows[1:]} == {"not measured"}


def test_a_figure_is_found_under_its_benchmark() -> None:
    documents = [
        {"benchmark": "a", "figures": {"x": 1.0}},
        {"benchmark": "b", "figures": {"x": 2.0}},
    ]

    assert targets.flat(documents) == {"a.x": 1.0, "b.x": 2.0}


def test_what_asks_nothing_is_not_met() -> None:
    assert targets._all((), {}) is None
    assert Target("w", "a", ()).textbook == ""
