"""What a setting changes, as it is shown; and that the model is asked for each text once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from receiver import cli, replay
from receiver.config import Config, load
from receiver.embedding.hashing import HashingEmbedder
from receiver.replay import remembering
from tests.builders import EMBEDDER, START, entry

TOLD = "the disk of the database is full and writes to it fail"


class Counting(HashingEmbedder):
    """The hashing embedder, which notes what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        return super().embed(texts)


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """Four alerts of one kind within a minute, one of another much later."""
    rows: list[dict[str, Any]] = [
        entry("DiskFull", starts=n * 15, labels={"alertname": "DiskFull", "pod": f"p{n}"})
        | {"annotations": {"summary": TOLD}, "t": START / 1e9 + n * 15, "truth": "disk"}
        for n in range(4)
    ]
    rows.append(
        entry("Zebra", starts=9000, labels={"alertname": "Zebra", "zoo": "z"})
        | {"annotations": {"summary": "stripes"}, "t": START / 1e9 + 9000, "truth": "zebra"}
    )
    path = tmp_path / "stream.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def difference(stream: Path, *overrides: str) -> replay.Difference:
    before = replay.run([stream], Config(), EMBEDDER)
    after = replay.run([stream], load(None, overrides), EMBEDDER)
    return replay.Difference(before, after, overrides)


def test_the_document_has_both_sides_and_what_becomes_of_clusters(stream: Path) -> None:
    found = difference(stream, "clustering.threshold=1").document()

    assert found["set"] == ["clustering.threshold=1"]
    assert found["before"]["ledger"]["clusters"] == 2
    assert found["after"]["ledger"]["clusters"] == 5
    assert (found["before"]["scores"]["score"], found["after"]["scores"]["f1"]) == (1.0, 0.0)
    assert found["counts"] == {
        "appeared": 0,
        "vanished": 0,
        "merged": 0,
        "split": 1,
        "resized": 0,
        "same": 1,
    }
    (change,) = found["changes"]
    assert (change["change"], change["alerts"]) == ("split", 4)
    assert [c["alerts"] for c in change["before"] + change["after"]] == [4, 1, 1, 1, 1]
    assert change["before"][0]["title"] == "Disk full in 4 pods"
    assert found["between"]["pairs"] == {"before": 6, "after": 0, "both": 0}
    assert found["between"]["changed_company"] == 4
    json.dumps(found)


def test_the_table_names_what_changes(stream: Path) -> None:
    lines = list(difference(stream, "clustering.threshold=1").table())

    assert lines[0] == "what clustering.threshold=1 changes:"
    assert lines[1].split() == ["before", "after"]
    assert ["clusters", "2", "5"] in [line.split() for line in lines]
    assert "score by truth                 1.000       0.286" in lines
    assert any(
        line.startswith("4 of 5 alerts are with mostly others, 1 with exactly the same")
        for line in lines
    )
    assert lines[-6] == "clusters: 0 appeared, 0 vanished, 0 merged, 1 split, 0 resized, 1 same"
    assert lines[-5].startswith("  split     1 (4) Disk full in 4 pods")
    assert [line[:18] for line in lines[-4:]] == [f"          → {n} (1) " for n in (1, 2, 3, 4)]


def test_a_setting_that_changes_nothing_says_so(stream: Path) -> None:
    lines = list(difference(stream, "clustering.resolve_after=60").table())

    assert lines[-1].endswith("0 resized, 2 same")


def test_of_much_that_changes_the_rest_is_counted(
    stream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.replay.difference._NAMED", 3)
    monkeypatch.setattr("receiver.replay.difference._SHOWN", 0)
    assert (
        list(difference(stream, "clustering.threshold=1").table())[-1] == "  split     and 1 more"
    )
    monkeypatch.setattr("receiver.replay.difference._SHOWN", 1)
    assert (
        list(difference(stream, "clustering.threshold=1").table())[-1] == "          → and 1 more"
    )


def test_another_input_is_not_compared(stream: Path) -> None:
    before = replay.run([stream], Config(), EMBEDDER)
    stream.write_text(stream.read_text() * 2)
    after = replay.run([stream], Config(), EMBEDDER)

    with pytest.raises(replay.ReplayError, match=r"the input changed between the two runs"):
        replay.Difference(before, after, [])


def test_a_text_is_embedded_once_for_both_runs(stream: Path) -> None:
    counting = Counting()
    embedder = replay.Remembering(counting)
    first = replay.run([stream], Config(), embedder)
    second = replay.run([stream], load(None, ["clustering.threshold=1"]), embedder)

    assert len(counting.asked) == len(set(counting.asked)) == 2
    assert len(first.lines) == len(second.lines) == 5


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MAX_TEXTS", 1)
    counting = Counting()
    embedder = replay.Remembering(counting)
    for _ in range(2):
        assert np.array_equal(embedder.embed(["a", "b", "a"]), EMBEDDER.embed(["a", "b", "a"]))

    assert counting.asked == ["a", "b", "b"]


class TestCommand:
    MODEL = "--set=embedding.backend=hashing"

    def run(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
        assert cli.run(["replay", self.MODEL, *map(str, arguments)]) == 0
        return capsys.readouterr().out

    def test_set_shows_what_it_changes(
        self, stream: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        change = "--set=clustering.threshold=1"
        shown = self.run(capsys, stream, change)
        document = json.loads(self.run(capsys, stream, change, "--format=json"))

        assert "1 split" in shown
        assert document["diff"]["set"] == ["clustering.threshold=1"]
        assert (
            document["ledger"]["clusters"] == document["diff"]["after"]["ledger"]["clusters"] == 5
        )

    @pytest.mark.parametrize("arguments", [(), ("--set=clustering.threshold=1", "--no-diff")])
    def test_without_anything_to_compare_nothing_is(
        self, stream: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
    ) -> None:
        assert "clusters: 0 appeared" not in self.run(capsys, stream, *arguments)
        assert "diff" not in json.loads(self.run(capsys, stream, "--format=json", *arguments))

    def test_lines_are_those_of_the_overridden_setting_and_nothing_else(
        self, stream: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shown = self.run(capsys, stream, "--format=jsonl", "--set=clustering.threshold=1")
        found = [json.loads(line) for line in shown.splitlines()]

        assert [x["cluster"] for x in found] == [1, 2, 3, 4, 5]
        assert list(found[0]) == [
            *("line", "fingerprint", "startsAt", "assigned", "cluster", "confidence")
        ]
