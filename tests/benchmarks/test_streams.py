from __future__ import annotations

from benchmarks import streams


def row(t: float, name: str, status: str = "firing") -> streams.Row:
    return {"t": t, "status": status, "labels": {"alertname": name}}


def test_a_shuffle_delays_each_line_by_up_to_five_seconds_and_is_drawn_by_its_seed() -> None:
    rows = streams.numbered([row(float(i), f"A{i}") for i in range(50)])

    moved = streams.shuffled(rows, 1)

    assert sorted(r["number"] for r in moved) == list(range(50))
    assert [r["number"] for r in moved] != list(range(50))
    assert all(0.0 <= r["t"] - r["number"] < 5.0 for r in moved)
    assert [r["t"] for r in moved] == sorted(r["t"] for r in moved)
    assert moved == streams.shuffled(rows, 1) != streams.shuffled(rows, 2)


def test_messages_of_one_alert_do_not_overtake_each_other() -> None:
    statuses = ["firing", "resolved"] * 10
    rows = streams.numbered([row(0.1 * i, "A", status) for i, status in enumerate(statuses)])

    for seed in range(10):
        assert [r["number"] for r in streams.shuffled(rows, seed)] == list(range(20))


def test_each_line_is_repeated_in_its_place() -> None:
    a, b = row(0.0, "A"), row(1.0, "B")

    assert streams.repeated([a, b]) == [a, a, b, b]


def test_only_firing_lines_are_grouped() -> None:
    assert streams.firing([row(0.0, "A"), row(1.0, "A", "resolved")]) == [row(0.0, "A")]
