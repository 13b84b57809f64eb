"""The demo's table, and the screen that shows it."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest

from receiver.demo.pace import Pace, now, rfc3339
from receiver.demo.screen import Screen
from receiver.demo.table import cell_width, clock, columns, cut, draw, shown
from receiver.demo.view import Ledger

SHAPE = columns(lambda cluster: float(cluster["opened"]))


def cluster(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "state": "growing",
        "severity": "critical",
        "size": 10,
        "firing": 9,
        "opened": 83.0,
        "title": "PostgresDown in service payments-db",
    } | changes


def test_a_table_has_a_heading_and_a_line_for_each_cluster() -> None:
    lines = draw([cluster(1), cluster(2)], SHAPE, width=100, rows=10, colour=False)

    assert lines[0].split() == ["id", "state", "severity", "size", "firing", "opened", "title"]
    assert [line.split()[0] for line in lines[1:]] == ["1", "2"]
    assert lines[1].endswith("01:23  PostgresDown in service payments-db")


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_no_line_is_wider_than_the_table(width: int) -> None:
    wide = cluster(7, title="データベース " * 30, severity="x" * 50, size=10**9)
    lines = draw([cluster(1), wide], SHAPE, width=width, rows=10, colour=False)

    assert max(cell_width(line) for line in lines) <= width


def test_columns_stand_under_each_other() -> None:
    lines = draw([cluster(1), cluster(1234, size=7)], SHAPE, width=100, rows=10, colour=False)
    at = lines[0].index("title")

    assert all(line[at - 1] == " " and line[at] != " " for line in lines)


def test_nothing_in_an_alert_can_steer_the_terminal() -> None:
    evil = cluster(1, title="a\x1b[2Jb\nc\r\x9b\u202ed\x00", severity="\x1b[31m")
    (_, line) = draw([evil], SHAPE, width=100, rows=10, colour=False)

    assert line.isprintable()


def test_only_colour_brings_escape_codes() -> None:
    (_, critical, unknown, over) = draw(
        [cluster(1), cluster(2, severity="page"), cluster(3, state="resolved")],
        SHAPE,
        width=100,
        rows=10,
        colour=True,
    )

    assert critical.startswith("\x1b[31m")
    assert critical.endswith("\x1b[0m")
    assert unknown.isprintable()
    assert over.startswith("\x1b[2m")


def test_what_does_not_fit_is_counted() -> None:
    many = [cluster(i, size=i) for i in range(1, 21)] + [cluster(21, state="merged", size=99)]
    lines = draw(many, SHAPE, width=100, rows=5, colour=False)

    assert [c["id"] for c in shown(many, 5)] == [16, 17, 18, 19, 20]
    assert lines[-1] == "  … and 15 smaller or over"


def test_live_clusters_are_shown_before_those_over() -> None:
    over, live = cluster(1, state="resolved", size=500), cluster(2, size=1)

    assert shown([over, live], 1) == [live]


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…")],
)
def test_a_cut_text_fits(text: str, width: int, expected: str) -> None:
    assert cut(text, width) == expected


def test_the_clock_shows_minutes_and_seconds() -> None:
    assert [clock(0), clock(59.6), clock(1380), clock(-3)] == ["00:00", "01:00", "23:00", "00:00"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def in_api(number: int) -> dict[str, Any]:
    return cluster(number) | {"opened_at": rfc3339(now() - timedelta(seconds=1))}


def test_a_terminal_is_redrawn_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    screen = Screen(out, Pace(now() - timedelta(seconds=5), 20.0))
    screen.show([in_api(1)], Ledger(1, 2, 1, 1), 0)
    first = out.getvalue()
    screen.show([in_api(1), in_api(2)], Ledger(2, 4, 2, 2), 0)
    second = out.getvalue()[len(first) :]

    assert first.count("\n") == 4
    assert second.startswith("\x1b[4F")
    assert "\x1b[31m" not in out.getvalue()
    assert screen.due(0.6)
    assert not screen.due(0.7)


def test_elsewhere_there_is_a_snapshot_now_and_then_without_escape_codes() -> None:
    out = io.StringIO()
    screen = Screen(out, Pace(now() - timedelta(seconds=5), 20.0))
    screen.show([in_api(1)], Ledger(1, 2, 1, 1), 3)

    assert "\x1b" not in out.getvalue()
    assert "1 firings → 1 clusters, 3 pending" in out.getvalue()
    assert [screen.due(at) for at in (9.0, 10.5, 11.0, 21.0)] == [False, True, False, True]
