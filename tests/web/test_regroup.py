"""Merge, split and undo over HTTP, as an operator gives them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import body, entry
from tests.web.conftest import Client, Start


def told(name: str, number: int, **changed: Any) -> dict[str, Any]:
    labels = {"alertname": name, name.lower(): f"{name}-{number}"}
    return entry(labels=labels, annotations={"summary": f"all of {name} is broken"}, **changed)


async def ask(client: Client, path: str, document: Any = None) -> tuple[int, Any]:
    return await client.call("POST", f"/api/v1/{path}", json=document)


async def last_command(client: Client) -> Any:
    events = await client.items("/api/v1/events?limit=1000")
    return [e for e in events if e["type"] == "operator_command"][-1]


async def names(client: Client, cluster_id: int) -> list[str]:
    _, cluster = await client.get(f"/api/v1/clusters/{cluster_id}")
    return [member["labels"]["alertname"] for member in cluster["members"]]


@pytest.fixture
async def pair(client: Client) -> Client:
    """Cluster 1 of two disks, cluster 2 of a pod far later."""
    await client.post(body(told("Disk", 1), told("Disk", 2), told("Pod", 3, starts=90_000)))
    await client.settled()
    assert await names(client, 1) == ["Disk", "Disk"]
    assert await names(client, 2) == ["Pod"]
    return client


async def fingerprints(client: Client, cluster_id: int) -> list[str]:
    _, cluster = await client.get(f"/api/v1/clusters/{cluster_id}")
    return [member["fingerprint"] for member in cluster["members"]]


async def test_a_merged_id_answers_with_the_survivor(pair: Client) -> None:
    status, survivor = await ask(pair, "clusters/1/merge", {"into": 2})
    _, found = await pair.get("/api/v1/clusters/1")
    _, stats = await pair.get("/api/v1/stats")
    command = await last_command(pair)

    assert (status, survivor["id"], survivor["size"], survivor["firing"]) == (200, 2, 3, 3)
    assert (found["id"], found["lineage"]["merged_from"]) == (2, [1])
    assert [(c["kind"], c["seq"], c["from"], c["into"]) for c in found["constraints"]] == [
        ("must_link", command["seq"], 1, 2)
    ]
    assert found["constraints"][0]["alerts"] == 3
    assert (stats["constraints"]["must_link"], stats["live_clusters"]) == (1, 1)
    (gone,) = await pair.items("/api/v1/clusters?state=merged")
    assert (gone["id"], gone["merged_into"], gone["resolved_at"]) == (1, 2, gone["closed_at"])


async def test_what_was_merged_already_is_said_to_be(pair: Client) -> None:
    await pair.post(body(told("Net", 3, starts=90_000)))
    await pair.settled()
    await ask(pair, "clusters/1/merge", {"into": 2})
    words = {}
    for gone, into in ((1, 2), (2, 1), (1, 1), (3, 2), (1, 3)):
        _, answer = await ask(pair, f"clusters/{gone}/merge", {"into": into})
        words[gone, into] = answer.get("error", {}).get("message")

    one = "cluster 1 was merged into cluster 2 already"
    assert words[1, 2] == words[2, 1] == one
    assert words[1, 1] == "cluster 2 cannot be merged with itself"
    assert words[3, 2] is None
    assert words[1, 3] == "clusters 1 and 3 were merged into cluster 2 already"


async def test_a_merge_undone_is_a_cluster_of_its_own_again_under_a_new_id(pair: Client) -> None:
    await ask(pair, "clusters/1/merge", {"into": 2})
    command = await last_command(pair)
    await pair.post(body(told("Disk", 9)))
    await pair.settled()
    status, undone = await ask(pair, f"undo/{command['seq']}")
    again, refused = await ask(pair, f"undo/{command['seq']}")
    undo, of_undo = await ask(pair, f"undo/{undone['seq']}")

    assert (status, undone["undone"]) == (200, command["seq"])
    assert [c["id"] for c in undone["clusters"]] == [2, 3]
    assert undone["clusters"][1]["split_from"] == 2
    assert await names(pair, 3) == ["Disk", "Disk"]
    # What came since stays.
    assert await names(pair, 2) == ["Pod", "Disk"]
    _, found = await pair.get("/api/v1/clusters/2")
    assert (found["constraints"], found["lineage"]["split_into"]) == ([], [3])
    assert (again, refused["error"]["code"]) == (409, "conflict")
    assert f"undone already (event {undone['seq']})" in refused["error"]["message"]
    assert (undo, "an undo itself" in of_undo["error"]["message"]) == (409, True)


async def test_a_split_is_told_from_both_sides_and_undone(pair: Client) -> None:
    one, _ = await fingerprints(pair, 1)
    status, done = await ask(pair, "clusters/1/split", {"fingerprints": [one]})
    command = await last_command(pair)
    _, refused = await ask(pair, "clusters/3/merge", {"into": 1})
    _, constraints = await pair.get("/api/v1/clusters/3")
    _, undone = await ask(pair, f"undo/{command['seq']}")

    assert status == 200
    assert (done["cluster"]["id"], done["cluster"]["size"]) == (1, 1)
    assert (done["new"]["id"], done["new"]["split_from"]) == (3, 1)
    assert f"(event {command['seq']}, clusters 1 and 3)" in refused["error"]["message"]
    assert [c["kind"] for c in constraints["constraints"]] == ["cannot_link"]
    assert [(c["id"], c["size"]) for c in undone["clusters"]] == [(1, 2)]
    assert await names(pair, 3) == ["Disk", "Disk"]


async def test_what_was_merged_is_undone_before_it_is_split(pair: Client) -> None:
    (pod,) = await fingerprints(pair, 2)
    await ask(pair, "clusters/2/merge", {"into": 1})
    status, refused = await ask(pair, "clusters/2/split", {"fingerprints": [pod]})

    assert (status, refused["error"]["code"]) == (409, "conflict")
    assert "undo that first" in refused["error"]["message"]


async def test_fields_are_as_they_were_unless_they_were_changed_since(pair: Client) -> None:
    async def say(**update: Any) -> int:
        status, _ = await pair.call("PATCH", "/api/v1/clusters/1", json=update)
        assert status == 200
        seq: int = (await last_command(pair))["seq"]
        return seq

    first = await say(title="Ours", note="a", pinned=True)
    _, undone = await ask(pair, f"undo/{first}")
    (back,) = undone["clusters"]
    # The title is the one it would have by itself, and that has moved on.
    assert [back[k] for k in ("title", "note", "pinned")] == ["Disk", "", False]

    own = await say(title="Ours")
    await say(title="Mine")
    assert (await ask(pair, f"undo/{own}"))[0] == 409
    none = await say(title="")
    _, undone = await ask(pair, f"undo/{none}")
    assert undone["clusters"][0]["title"] == "Mine"
    noted = await say(note="b")
    await say(note="c")
    status, refused = await ask(pair, f"undo/{noted}")
    assert (status, refused["error"]["message"]) == (409, "note was changed since")

    await ask(pair, "clusters/1/merge", {"into": 2})
    status, refused = await ask(pair, f"undo/{none}")
    assert (status, "undone already" in refused["error"]["message"]) == (409, True)
    status, refused = await ask(pair, f"undo/{noted}")
    assert refused["error"]["message"] == "cluster 1 was merged into 2 since"


async def test_of_what_is_over_only_the_demand_is_taken_back(start: Start) -> None:
    async with start("clustering.resolve_after=0s") as client:
        await client.post(body(told("Disk", 1), told("Disk", 2), told("Pod", 3, starts=90_000)))
        await client.settled()
        one, _ = await fingerprints(client, 1)
        await ask(client, "clusters/2/merge", {"into": 1})
        merged = (await last_command(client))["seq"]
        ended = {"status": "resolved", "endsAt": "2026-01-03T00:00:00Z"}
        over = [told("Disk", 1), told("Disk", 2), told("Pod", 3, starts=90_000)]
        await client.post(body(*(alert | ended for alert in over)))
        await client.settled()
        status, undone = await ask(client, f"undo/{merged}")
        _, stats = await client.get("/api/v1/stats")
        refused, told_why = await ask(client, "clusters/1/split", {"fingerprints": [one]})

    assert (status, [c["size"] for c in undone["clusters"]]) == (200, [3])
    assert stats["constraints"]["must_link"] == 0
    assert (refused, told_why["error"]["code"]) == (409, "conflict")


async def test_undoing_a_split_of_what_is_one_again_or_over(start: Start) -> None:
    async with start("clustering.resolve_after=0s", "clustering.max_split_members=3") as client:
        await client.post(body(*(told("Disk", n) for n in range(3))))
        await client.settled()
        one, *_ = await fingerprints(client, 1)
        await ask(client, "clusters/1/split", {"fingerprints": [one]})
        split = (await last_command(client))["seq"]
        ended = {"status": "resolved", "endsAt": "2026-01-03T00:00:00Z"}
        await client.post(body(told("Disk", 0) | ended))
        await client.settled()
        _, undone = await ask(client, f"undo/{split}")
        assert [(c["id"], c["size"]) for c in undone["clusters"]] == [(1, 2)]

        await client.post(body(told("Disk", 7), told("Disk", 8)))
        await client.settled()
        status, refused = await ask(client, "clusters/1/split", {"fingerprints": [one]})
        assert (status, "clustering.max_split_members" in refused["error"]["message"]) == (
            409,
            True,
        )


async def test_constraints_and_undo_survive_a_restart(start: Start) -> None:
    async with start() as client:
        await client.post(body(told("Disk", 1), told("Pod", 3, starts=90_000)))
        await client.settled()
        await ask(client, "clusters/2/merge", {"into": 1})
        seq = (await last_command(client))["seq"]
    async with start() as client:
        _, found = await client.get("/api/v1/clusters/1")
        _, undone = await ask(client, f"undo/{seq}")

    assert [c["seq"] for c in found["constraints"]] == [seq]
    assert [(c["id"], c["size"]) for c in undone["clusters"]] == [(1, 1), (3, 1)]


async def groups(client: Client) -> list[list[str]]:
    """Return the alerts of each live cluster, by name."""
    clusters = await client.items("/api/v1/clusters")
    return sorted([await names(client, cluster["id"]) for cluster in clusters])


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "merges",
    [((2, 1), (3, 1)), ((2, 1), (1, 3)), ((1, 2), (3, 2)), ((1, 2), (2, 3))],
    ids=lambda merges: ", ".join(f"{gone} into {into}" for gone, into in merges),
)
async def test_two_merges_one_upon_the_other_are_undone_in_any_order(
    start: Start, merges: tuple[tuple[int, int], ...], order: tuple[int, int], restarts: bool
) -> None:
    apart = [["Cert", "Cert"], ["Disk", "Disk"], ["Pod", "Pod"]]
    seqs: list[int] = []
    async with start() as client:
        for number, name in enumerate(("Disk", "Pod", "Cert")):
            starts = 90_000 * number
            await client.post(body(told(name, 1, starts=starts), told(name, 2, starts=starts)))
            await client.settled()
        assert await groups(client) == apart
        for gone, into in merges:
            assert (await ask(client, f"clusters/{gone}/merge", {"into": into}))[0] == 200
            seqs.append((await last_command(client))["seq"])
        if not restarts:
            for number in order:
                assert (await ask(client, f"undo/{seqs[number]}"))[0] == 200
    for number in order if restarts else ():
        async with start() as client:
            assert (await ask(client, f"undo/{seqs[number]}"))[0] == 200
    async with start() as client:
        assert await groups(client) == apart
        _, stats = await client.get("/api/v1/stats")

    assert stats["constraints"] == stats["constraints"] | {"must_link": 0, "alerts_named": 0}


async def test_a_merge_of_what_is_left_holds_when_an_earlier_one_is_undone(pair: Client) -> None:
    """The cluster that another was merged with keeps it; what leaves has no part in that."""
    await pair.post(body(told("Cert", 4, starts=180_000)))
    await pair.settled()
    await ask(pair, "clusters/2/merge", {"into": 1})
    first = (await last_command(pair))["seq"]
    await ask(pair, "clusters/3/merge", {"into": 1})
    second = (await last_command(pair))["seq"]
    await ask(pair, f"undo/{first}")

    assert await groups(pair) == [["Disk", "Disk", "Cert"], ["Pod"]]
    _, kept = await pair.get("/api/v1/clusters/1")
    assert [(c["seq"], c["alerts"]) for c in kept["constraints"]] == [(second, 3)]
    _, left = await pair.get("/api/v1/clusters/4")
    assert left["constraints"] == []


SPLIT_THEN_MERGED = {
    "the part that left goes to strangers": (3, 2),
    "strangers go to the part that left": (2, 3),
    "the part that stayed goes to strangers": (1, 2),
    "strangers go to the part that stayed": (2, 1),
}


@pytest.mark.parametrize("first", ["merge", "split"])
@pytest.mark.parametrize(("gone", "into"), SPLIT_THEN_MERGED.values(), ids=SPLIT_THEN_MERGED.keys())
async def test_a_split_and_a_merge_of_a_part_are_undone_in_any_order(
    pair: Client, gone: int, into: int, first: str
) -> None:
    one, _ = await fingerprints(pair, 1)
    await ask(pair, "clusters/1/split", {"fingerprints": [one]})
    split = (await last_command(pair))["seq"]
    assert (await ask(pair, f"clusters/{gone}/merge", {"into": into}))[0] == 200
    merge = (await last_command(pair))["seq"]
    assert await groups(pair) != [["Disk", "Disk"], ["Pod"]]
    if first == "merge":
        assert (await ask(pair, f"undo/{merge}"))[0] == 200
        assert await groups(pair) == [["Disk"], ["Disk"], ["Pod"]]
    status, answer = await ask(pair, f"undo/{split}")
    if first == "split" and gone == 1:
        # Alone it would leave again, without what came back to it.
        assert (status, answer["error"]["message"]) == (
            409,
            f"what stayed in cluster 1 went to 2 since (event {merge}); undo that first",
        )
        await ask(pair, f"undo/{merge}")
        assert (await ask(pair, f"undo/{split}"))[0] == 200
    else:
        assert status == 200
        strangers = first == "split" and into == 1
        assert sorted(sorted(group) for group in await groups(pair)) == (
            [["Disk", "Disk", "Pod"]] if strangers else [["Disk", "Disk"], ["Pod"]]
        )
        if first == "split":
            assert (await ask(pair, f"undo/{merge}"))[0] == 200

    assert await groups(pair) == [["Disk", "Disk"], ["Pod"]]
    _, stats = await pair.get("/api/v1/stats")
    assert stats["constraints"]["alerts_named"] == 0


async def test_only_what_was_split_off_leaves_those_it_was_merged_with(pair: Client) -> None:
    one, _ = await fingerprints(pair, 1)
    await ask(pair, "clusters/1/split", {"fingerprints": [one]})
    split = (await last_command(pair))["seq"]
    await ask(pair, "clusters/3/merge", {"into": 2})
    status, undone = await ask(pair, f"undo/{split}")

    assert (status, [(c["id"], c["size"]) for c in undone["clusters"]]) == (200, [(2, 1), (1, 2)])
    assert (await names(pair, 1), await names(pair, 2)) == (["Disk", "Disk"], ["Pod"])
    told = await last_command(pair)
    assert (told["undoes"], told["from"], told["into"]) == (split, 2, 4)
    _, back = await pair.get("/api/v1/clusters/4")
    assert back["id"] == 1
