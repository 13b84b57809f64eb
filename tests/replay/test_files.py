"""Files of every form that a replay reads."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from receiver import replay
from receiver.config import Config
from receiver.core.timestamps import render
from tests.builders import EMBEDDER, at, body, entry
from tests.core.test_engine_properties import CAPTURES

OPEN = "0001-01-01T00:00:00Z"


def play(*paths: Path) -> replay.Replay:
    return replay.run(paths, Config(), EMBEDDER)


def printed(played: replay.Replay) -> list[dict[str, Any]]:
    return [json.loads(text) for text in replay.jsonl(played)]


def kept(name: str, starts: float, **changed: Any) -> dict[str, Any]:
    """Return an alert as `/api/v2/alerts` lists it, taken at 1000 s."""
    return {
        **entry(name, starts=starts),
        "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
        "receivers": [{"name": "stormcell"}],
        "updatedAt": render(at(1000)),
        "endsAt": render(at(1240)),
    } | changed


class TestFolder:
    def test_bodies_are_read_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        (tmp_path / "2.json").write_bytes(body(entry("B", starts=5)))
        (tmp_path / "1.json.gz").write_bytes(gzip.compress(body(entry("A"))))
        (tmp_path / "README.md").write_text("{")
        played = play(tmp_path)

        assert [(x["file"][-9:], x["line"], x["alert"]) for x in printed(played)] == [
            ("1.json.gz", 1, 0),
            (str(tmp_path / "2.json")[-9:], 1, 0),
        ]
        assert (played.notifications, played.refused, played.remarks) == (2, 0, [])

    def test_json_that_holds_no_alerts_is_left_out_and_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes(body(entry("A")))
        (tmp_path / "index.json").write_text('[{"file": "a.json"}]')
        played = play(tmp_path)

        assert len(played.lines) == 1
        (remark,) = played.remarks
        assert remark.endswith("index.json: neither a webhook body nor alerts; it was left out")

    def test_what_is_no_json_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_bytes(body(entry("A"))[:50])

        assert [x["error"][:8] for x in printed(play(tmp_path))] == ["not JSON"]

    def test_one_without_any_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(replay.ReplayError, match=r"expected a --storage.path of Stormcell"):
            play(tmp_path)

    def test_the_captures_of_a_real_alertmanager_are_all_taken(self) -> None:
        played = play(CAPTURES[0].parent)

        assert (played.notifications, played.refused) == (len(CAPTURES), 0)
        assert [line.place["file"] for line in played.lines[:2]] == [str(c) for c in CAPTURES[:2]]


class TestBody:
    def test_its_alerts_arrive_together_when_the_latest_of_them_happened(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "body.json"
        over = entry("C", starts=1, status="resolved", endsAt=render(at(70)))
        path.write_bytes(body(entry("A", starts=60), entry("B", starts=2), over))
        played = play(path)

        assert [e.time for e in played.events if e.type == "alert_assigned"] == [at(70)] * 2

    def test_a_time_of_its_own_counts(self, tmp_path: Path) -> None:
        path = tmp_path / "body.json"
        path.write_bytes(body(entry("A", starts=60), t=at(90) / 1e9))

        assert play(path).events[0].time == at(90)

    def test_it_may_be_laid_out_for_people(self, tmp_path: Path) -> None:
        path = tmp_path / "body.json"
        path.write_text("\n" + json.dumps(json.loads(body(entry("A"), entry("B"))), indent=2))

        assert [(x["line"], x["alert"]) for x in printed(play(path))] == [(2, 0), (2, 1)]


class TestDump:
    def test_all_fire_until_they_had_ended_when_it_was_taken(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.json"
        silenced = {"state": "suppressed", "silencedBy": ["x"], "inhibitedBy": []}
        told = [
            kept("B", 500),
            kept("A", 0, status=silenced),
            kept("C", 20, updatedAt=render(at(900)), endsAt=render(at(800))),
        ]
        path.write_text(json.dumps(told, indent=1))
        played = play(path)
        found = printed(played)

        assert [(x["line"], x["alert"], x["startsAt"]) for x in found] == [
            (1, 0, render(at(500))),
            (1, 1, render(at(0))),
            (1, 2, render(at(20))),
        ]
        # They arrive in the order in which they began, not in that of the list.
        starts = [e.time for e in played.events if e.type == "alert_assigned"]
        assert starts == [at(0), at(20), at(500)]
        assert played.notifications == 1

    def test_one_a_line_is_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.jsonl"
        ended = kept("B", 5, endsAt=render(at(900)))
        path.write_text(
            "".join(json.dumps(a) + "\n" for a in (kept("A", 0), ended, kept("C", 950)))
        )
        played = play(path)

        assert [x.get("alert") for x in printed(played)] == [None] * 3
        fires = [line.episode.fires for line in played.lines if line.episode]
        assert fires == [True, False, True]

    def test_what_fires_for_days_does_not_become_stale(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.json"
        path.write_text(json.dumps([kept("A", -3 * 86400), kept("B", 900)]))

        assert "alert_stale" not in {event.type for event in play(path).events}

    def test_an_element_that_is_no_alert_is_refused_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.json"
        path.write_text(json.dumps([kept("A", 0), 7, kept("B", 0, updatedAt="?", endsAt=3)]))
        found = printed(play(path))

        assert ["error" in x for x in found] == [False, True, False]


class TestDocuments:
    def test_gzip_is_known_by_its_content_too(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.json"
        path.write_bytes(gzip.compress(json.dumps([kept("A", 0)]).encode()))

        assert len(play(path).lines) == 1

    def test_a_broken_first_line_does_not_hide_the_others(self, tmp_path: Path) -> None:
        path = tmp_path / "stream.jsonl"
        path.write_text('{"status": "fir\n\n' + json.dumps(entry("A")) + "\n")

        assert [(x["line"], "error" in x) for x in printed(play(path))] == [(1, True), (3, False)]

    def test_a_document_for_people_that_breaks_off_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "alerts.json"
        path.write_text(json.dumps([kept("A", 0)], indent=1)[:-20])

        with pytest.raises(replay.ReplayError, match=r"alerts.json: from line 1 on: not JSON"):
            play(path)

    def test_one_that_is_too_long_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("receiver.replay.documents.MAX_DOCUMENT", 2000)
        (tmp_path / "line").write_text("x" * 2001)
        (tmp_path / "laid_out").write_text("[\n" + "1,\n" * 1000)

        with pytest.raises(replay.ReplayError, match=r"a line is longer than 2000 characters"):
            play(tmp_path / "line")
        with pytest.raises(replay.ReplayError, match=r"laid_out: line 1: .*longer than 2000"):
            play(tmp_path / "laid_out")

    def test_nesting_without_end_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "deep"
        path.write_text("[" * 200_000 + "\n" + json.dumps(entry("A")) + "\n")

        assert ["error" in x for x in printed(play(path))] == [True, False]

    def test_another_database_is_no_input(self, tmp_path: Path) -> None:
        path = tmp_path / "other.db"
        path.write_bytes(b"SQLite format 3\0" + bytes(100))

        with pytest.raises(
            replay.ReplayError, match=r"a database, expected one named stormcell.db"
        ):
            play(path)

    def test_a_pipe_is_read_once(self) -> None:
        reading, writing = os.pipe()
        os.write(writing, json.dumps(entry("A")).encode() + b"\n")
        os.close(writing)
        sources = replay.open_sources([Path(f"/dev/fd/{reading}")])
        first = replay.run(sources, Config(), EMBEDDER)
        os.close(reading)

        assert len(first.lines) == 1
        with pytest.raises(
            replay.ReplayError, match=r"a pipe is read once; give a file, or --no-diff"
        ):
            replay.run(sources, Config(), EMBEDDER)
