from __future__ import annotations

from typing import Any

import pytest

from receiver.core.errors import SenderError
from receiver.core.model import OperatorCommand, Recall, Tick
from receiver.core.operator import MAX_NOTE, read_update
from receiver.core.titles import MAX_BYTES
from tests.builders import Site, alert, at, settings

WHOLE: dict[str, Any] = {
    "title": "Database",
    "pinned": True,
    "acked_by": "Ann",
    "note": "on it\nsince 3",
}


def tell(site: Site, seconds: float, cluster_id: int = 1, **update: Any) -> list[dict[str, Any]]:
    """Let an operator say *update* of a cluster; return what happened."""
    command = OperatorCommand(at(seconds), cluster_id, read_update(update))
    return [event.to_json() for event in site.feed([command])]


def test_every_field_is_read() -> None:
    assert read_update(WHOLE) == WHOLE
    assert read_update({"note": " x \n", "acked_by": " Ann "}) == {"note": "x", "acked_by": "Ann"}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], r"body: got \[\], expected an object"),
        ({}, "body: got {}, expected at least one of title, pinned"),
        ({"severity": "x"}, "'severity': unknown field, expected one of title"),
        ({"pinned": 1}, "pinned: got 1, expected true or false"),
        ({"title": None}, "title: got null, expected one line of text"),
        ({"title": "a\nb"}, 'title: got "a.nb", expected one line of text'),
        ({"title": "\u202eevil"}, "expected one line of text without control or bidi"),
        ({"title": "ä" * (MAX_BYTES // 2 + 1)}, "expected at most 120 bytes"),
        ({"acked_by": "x" * 101}, "acked_by: .* expected at most 100 characters"),
        ({"note": "x" * (MAX_NOTE + 1)}, "note: .* expected a text of at most 4000 characters"),
        ({"note": "a\0b"}, 'note: got "a.u0000b", expected a text without NUL and lone surr'),
        (
            {"note": "\ud800"},
            r"note: got .*ud800.*, expected a text without NUL and lone surrogates",
        ),
        ({"note": 3}, "note: got 3, expected a text"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(document: object, message: str) -> None:
    with pytest.raises(SenderError, match=message):
        read_update(document)


def test_a_command_is_told_with_what_was_before() -> None:
    site = Site()
    site.receive(0, alert())

    told, renamed = tell(site, 5, **WHOLE)

    assert (told["type"], told["command"], told["cluster_id"]) == ("operator_command", "update", 1)
    assert told["set"] == WHOLE
    assert told["was"] == {"title": "Disk full", "pinned": False, "acked_by": "", "note": ""}
    assert (renamed["type"], renamed["title"]) == ("cluster_renamed", "Database")


def test_what_changes_nothing_does_not_move_the_clock() -> None:
    """The journal does not have it: with the clock moved, a replay would tell other times."""
    site = Site()
    site.receive(0, alert())
    tell(site, 5, note="known")

    assert tell(site, 60, note="known") == []
    assert tell(site, 60, cluster_id=99, note="unknown") == []
    told = site.receive(50, alert(node="n2"))[0]

    assert told.time == at(50)


def test_saying_it_again_changes_nothing() -> None:
    site = Site()
    site.receive(0, alert())
    tell(site, 5, **WHOLE)

    assert tell(site, 6, **WHOLE) == []


def test_an_operators_title_stays_until_it_is_taken_back() -> None:
    site = Site(settings(threshold=0.0))
    site.receive(0, alert(node="n1"), alert(node="n2"))
    tell(site, 1, title="Mine")
    site.receive(200, *(alert("PodDown", node=f"n{n}") for n in range(9)))
    kept = site.engine.live.by_id[1].title

    back = tell(site, 201, title="")

    assert kept == "Mine"
    assert [e["type"] for e in back] == ["operator_command", "cluster_renamed"]
    assert site.engine.live.by_id[1].title == "Disk full, pod down on 9 nodes"


def test_to_claim_the_title_that_is_there_keeps_it() -> None:
    site = Site(settings(threshold=0.0))
    site.receive(0, alert(node="n1"))

    claimed = tell(site, 1, title=site.engine.live.by_id[1].title)
    site.receive(200, *(alert("PodDown", node=f"n{n}") for n in range(9)))

    assert [e["type"] for e in claimed] == ["operator_command"]
    assert site.engine.live.by_id[1].title == "Disk full on node n1"


def test_a_command_to_a_cluster_nobody_knows_is_ignored() -> None:
    assert tell(Site(), 0, note="x") == []


def test_what_is_due_before_a_command_happens_before_it() -> None:
    site = Site(settings(growing_for=60.0, proven_size=1))
    site.receive(0, alert())

    happened = [e["type"] for e in tell(site, 100, note="x")]

    assert happened == ["cluster_state_changed", "operator_command"]


def test_a_cluster_that_is_over_can_be_recalled_and_edited() -> None:
    site = Site(settings(resolve_after=10.0))
    site.receive(0, alert())
    site.receive(1, alert(ends=1))
    cluster = site.cluster_of(alert())
    site.feed([Tick(at(60))])
    site.engine.drain()
    site.engine.forget()
    before = tell(site, 61, note="x")

    site.engine.step([Recall(edited=[cluster])])
    (told,) = tell(site, 62, note="it was DNS")
    renamed = tell(site, 63, title="DNS")
    kept = tell(site, 64, title="")

    assert before == []
    assert (told["cluster_id"], told["set"]) == (1, {"note": "it was DNS"})
    assert [e["type"] for e in renamed] == ["operator_command", "cluster_renamed"]
    assert [e["type"] for e in kept] == ["operator_command"]
    assert [c.note for c in site.engine.drain().clusters] == ["it was DNS"]
