"""A second look with a database: the members come from it, and the journal gives the same again."""

from __future__ import annotations

from pathlib import Path

from receiver.core.evolution import Event
from receiver.core.model import Input, Members
from receiver.store import Database
from tests.builders import Site, alert, engine, settings
from tests.core.test_looks import sighted

WRONG = settings(threshold=0.0)


def play(directory: Path, *, restart: bool) -> tuple[list[Event], list[Event]]:
    """Return the events of a wrong cluster that is split, and those of its journal run again."""
    database, site = Database(directory), Site(WRONG)

    def commit(inputs: list[Input], events: list[Event]) -> None:
        changes = site.engine.drain()
        database.commit(inputs, events, changes, text_id=site.engine.text_id)

    for n in range(16):
        disk, before = n < 8, len(site.events)
        where, axes = ("db", {0: 1.0, 2 + n: 0.2}) if disk else ("shop", {1: 1.0, 2 + n: 0.2})
        starts = n if disk else 400 + n
        sighted(site, starts, alert(f"X{n}", starts=starts, namespace=where), axes)
        commit(site.inputs[-1:], site.events[before:])
        asked = site.engine.take_asked()
        if restart:
            database.close()
            database, site.engine = Database(directory), engine(WRONG)
            restored = database.restore(WRONG.clustering.stability_window)
            assert restored is not None
            site.engine.restore(restored)
        for cluster_id in asked:
            given = Members(site.engine.counters.clock, cluster_id, database.members(cluster_id))
            commit([given], site.feed([given]))
    again = engine(WRONG).step(database.inputs())
    database.close()
    return site.events, again


def test_a_split_is_the_same_after_restarts_and_when_the_journal_is_run_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    steady, again = play(tmp_path / "one", restart=False)
    restarted, _ = play(tmp_path / "other", restart=True)

    assert [e.type.value for e in steady].count("cluster_split") == 1
    assert [e.to_json() for e in steady] == [e.to_json() for e in again]
    assert [e.to_json() for e in steady] == [e.to_json() for e in restarted]
