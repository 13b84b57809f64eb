"""The contract of `stormcell replay`, line by line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from receiver import cli, replay
from receiver.config import Config
from receiver.core.timestamps import render
from tests.builders import EMBEDDER, START, at, body, entry

OPEN = "0001-01-01T00:00:00Z"


def line(name: str = "DiskFull", t: float | None = 0, **changed: Any) -> dict[str, Any]:
    """Return a line as in the labelled streams."""
    told = entry(name, starts=t or 0, labels={"alertname": name, "node": "n1"}) | changed
    return told if t is None else {"t": START / 1e9 + t} | told


def play(tmp_path: Path, *lines: Any) -> replay.Replay:
    path = tmp_path / "stream.jsonl"
    text = "".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines)
    path.write_text(text)
    return replay.run([path], Config(), EMBEDDER)


def printed(played: replay.Replay) -> list[dict[str, Any]]:
    return [json.loads(text) for text in replay.jsonl(played)]


def test_one_line_comes_out_for_each_firing_line_in_order(tmp_path: Path) -> None:
    played = play(
        tmp_path,
        line("A", 0),
        line("A", 60, status="resolved", endsAt=render(at(60))),
        line("B", 70, fingerprint="ignored", truth="x", extra={"a": 1}),
    )
    first, second = printed(played)

    assert (first["line"], second["line"]) == (1, 3)
    assert list(first) == ["line", "fingerprint", "startsAt", "assigned", "cluster", "confidence"]
    assert first["assigned"] == first["cluster"] == 1
    assert second["fingerprint"] != "ignored"
    assert second["startsAt"] == render(at(70))
    assert 0 <= second["confidence"] <= 1


def test_blank_lines_count_and_print_nothing(tmp_path: Path) -> None:
    assert [x["line"] for x in printed(play(tmp_path, "", line("A"), "", line("B")))] == [2, 4]


def test_repeats_print_their_episodes_cluster(tmp_path: Path) -> None:
    other = {"alertname": "Zebra", "animal": "z"}
    played = play(
        tmp_path,
        line("A", 0),
        line("Zebra", 1, labels=other, annotations={"summary": "stripes"}),
        line("A", 5, startsAt=render(at(0))),
        line("A", 9, startsAt=render(at(-50))),
    )
    found = printed(played)

    assert [x["cluster"] for x in found] == [1, 2, 1, 1]
    assert played.engine.counters.outcomes["firing.refresh"] == 2


def test_each_line_repeated_in_place_gives_the_same_clusters(tmp_path: Path) -> None:
    lines = [line(name, n * 50, endsAt=render(at(n * 50))) for n, name in enumerate("ABCABC")]

    once = printed(play(tmp_path, *lines))
    twice = printed(play(tmp_path, *(x for one in lines for x in (one, one))))

    assert [x["cluster"] for x in twice[::2]] == [x["cluster"] for x in once]
    assert [x["cluster"] for x in twice[1::2]] == [x["cluster"] for x in once]


def test_what_is_refused_prints_null_and_an_error(tmp_path: Path) -> None:
    played = play(tmp_path, "no json", "[1]", {"status": "firing", "labels": {}}, line("A"))
    found = printed(played)

    assert [(x["assigned"], x["cluster"], "error" in x) for x in found] == [
        (None, None, True),
        (None, None, True),
        (None, None, True),
        (1, 1, False),
    ]
    assert "labels: got {}" in found[2]["error"]
    assert played.refused == 3


def test_an_end_is_revealed_by_the_clock_only(tmp_path: Path) -> None:
    """Up to its end an alert fires, whatever its line tells of the end."""
    alike: dict[str, Any] = {"annotations": {"summary": "the disk is full and writes to it fail"}}
    first = line("A", 0, endsAt=render(at(100)), **alike)
    early = play(tmp_path, first, line("B", 99, **alike))
    (cluster,) = early.engine.live.by_id.values()
    assert cluster.firing == 2

    late = play(tmp_path, first, line("B", 101, **alike))
    (cluster,) = late.engine.live.by_id.values()
    assert cluster.firing == 1


def test_an_end_before_the_start_is_no_end(tmp_path: Path) -> None:
    played = play(tmp_path, line("A", 10, endsAt=render(at(5))), line("B", 500))

    assert "resolved.resolved" not in played.engine.counters.outcomes


def test_of_overlapping_episodes_each_ends_at_its_own_end(tmp_path: Path) -> None:
    played = play(
        tmp_path,
        line("A", 100, endsAt=render(at(250))),
        line("A", 200, endsAt=render(at(5000))),
        line("Zebra", 1000, labels={"alertname": "Zebra"}, annotations={}),
    )

    assert played.engine.counters.outcomes.get("resolved.resolved") is None
    assert played.engine.episodes[played.lines[0].fingerprint or ""].fires


def test_a_later_end_told_in_a_repeat_counts(tmp_path: Path) -> None:
    played = play(
        tmp_path,
        line("A", 0, endsAt=render(at(50))),
        line("A", 10, startsAt=render(at(0)), endsAt=render(at(500))),
        line("Zebra", 100, labels={"alertname": "Zebra"}, annotations={}),
    )

    assert played.engine.episodes[played.lines[0].fingerprint or ""].fires


def test_a_line_older_than_its_alerts_episode_prints_that_episodes_cluster(tmp_path: Path) -> None:
    ended = {"status": "resolved", "endsAt": render(at(60)), "startsAt": render(at(0))}
    played = play(
        tmp_path, line("A", 0), line("A", 60, **ended), line("A", 70, startsAt=render(at(-9)))
    )

    assert [x["cluster"] for x in printed(played)] == [1, 1]


def test_time_is_t_and_never_falls_and_startsat_without_it(tmp_path: Path) -> None:
    played = play(
        tmp_path, line("A", 100), line("B", 50), line("C", None, startsAt=render(at(120)))
    )
    times = [e.time for e in played.events if e.type == "alert_assigned"]

    assert times == [at(100), at(100), at(120)]


def test_webhook_bodies_and_gz_and_several_files(tmp_path: Path) -> None:
    packed, plain = tmp_path / "a.jsonl.gz", tmp_path / "b.jsonl"
    with gzip.open(packed, "wt") as file:
        file.write(body(entry("A"), {"status": "firing"}, entry("B")).decode())
    plain.write_text(json.dumps(line("C", 5)) + "\n")

    played = replay.run([packed, plain], Config(), EMBEDDER)
    found = printed(played)

    assert [(x["line"], x.get("alert"), x["file"]) for x in found] == [
        (1, 0, str(packed)),
        (1, 1, str(packed)),
        (1, 2, str(packed)),
        (1, None, str(plain)),
    ]
    assert played.notifications == 2


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "x.gz"
    bad.write_bytes(b"not gzip")

    with pytest.raises(replay.ReplayError, match=r"x\.gz: cannot be read"):
        replay.run([bad], Config(), EMBEDDER)


def test_the_report_has_ledger_and_scores(tmp_path: Path) -> None:
    alike: dict[str, Any] = {"annotations": {"summary": "the disk is full and writes to it fail"}}
    told = play(tmp_path, line("A", 0, truth="x", **alike), line("B", 1, truth="x", **alike))
    plain = play(tmp_path, line("A", 0))

    assert replay.report(told)["ledger"] == {
        "notifications": 2,
        "alerts": 2,
        "episodes": 2,
        "clusters": 1,
        "storms": 0,
    }
    assert replay.report(told)["scores"]["score"] == 1.0
    assert "scores" not in replay.report(plain)


def test_storms_are_told_in_report_and_table(tmp_path: Path) -> None:
    labels = [{"alertname": "PodDown", "pod": f"p{n}", "app": "shop"} for n in range(40)]
    lines = [line("PodDown", n, labels=told) for n, told in enumerate(labels)]
    played = play(tmp_path, *lines, line("Later", 3600))

    report, table = replay.report(played), list(replay.table(played))

    assert report["ledger"]["storms"] == 1
    (storm,) = report["storms"]
    assert (storm["state"], storm["episodes"], len(storm["cluster_ids"])) == ("ended", 40, 1)
    assert table[-1] == (
        "storm 1: 2026-01-01 00:00:29, 40 new alerts in 1 clusters, at most 20 times the usual"
    )


def test_the_table_shows_the_largest_first(tmp_path: Path) -> None:
    names = [f"N{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(60)]
    lines = [
        line(
            name,
            n * 2000,
            labels={"alertname": name},
            annotations={},
            startsAt=render(at(n * 2000)),
        )
        for n, name in enumerate(names)
    ]
    text = list(replay.table(play(tmp_path, *lines, line(names[-1], 118_010)), limit=10))

    assert text[1].split()[:2] == ["60", "2"]
    assert text[-1] == "    and 50 more clusters with 50 alerts"


def test_a_title_is_that_which_it_has_once_it_is_no_longer_provisional(tmp_path: Path) -> None:
    played = play(
        tmp_path,
        *(
            line("DiskFull", n, labels={"alertname": "DiskFull", "pod": f"p{n}", "node": "n1"})
            for n in range(4)
        ),
    )
    (shown,) = list(replay.table(played))[1:]

    assert shown.endswith("Disk full on node n1, 4 pods")
    assert max(event.time for event in played.events) == at(3)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["no json"], "1 line was refused: line 1: not JSON"),
        (
            [{"status": "firing", "labels": {}}, "[1]"],
            "2 lines were refused; the first: line 1: labels",
        ),
    ],
)
def test_why_a_line_was_refused_is_told_beside_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[Any], told: str
) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    code = cli.run(["replay", "--set", "embedding.backend=hashing", "--no-diff", str(path)])

    assert code == 1
    assert told in capsys.readouterr().err
