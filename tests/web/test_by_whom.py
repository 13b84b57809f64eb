"""Who gave an operator's command is logged and kept with it, by a name and never by a secret."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from receiver.core.requests import UpdateRequest
from receiver.store import DATABASE_NAME, check
from receiver.web.tokens import short_names
from tests.builders import body
from tests.support.credentials import basic, bearer, hashed
from tests.web.conftest import Client, Start
from tests.web.test_regroup import told
from tests.web.test_tls import Folder

FIRST, SECOND = "f" * 20, "s" * 20
ANNA = basic("anna", "of anna")


async def give_every_command(client: Client, headers: dict[str, str]) -> list[Any]:
    """Merge, take that back, split and say something; return the events of these commands."""
    await client.call(
        "POST",
        "/api/v1/webhook",
        data=body(told("Disk", 1), told("Disk", 2), told("Pod", 3, starts=90_000)),
        headers=headers,
    )
    await client.settled()

    async def ask(method: str, path: str, document: object = None) -> Any:
        status, answer = await client.call(
            method, f"/api/v1/{path}", json=document, headers=headers
        )
        assert status == 200, answer
        return answer

    await ask("POST", "clusters/1/merge", {"into": 2})
    (merge,) = (await ask("GET", "events?type=operator_command"))["items"]
    await ask("POST", f"undo/{merge['seq']}")
    members = (await ask("GET", "clusters/3"))["members"]
    await ask("POST", "clusters/3/split", {"fingerprints": [members[0]["fingerprint"]]})
    for _ in range(2):
        # The second changes nothing.
        await ask("PATCH", "clusters/2", {"note": "n-o-t-e"})
    events: list[Any] = (await ask("GET", "events?type=operator_command"))["items"]
    return events


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int, int, str]]:
    lines = [vars(r) for r in caplog.records if r.getMessage() == "an operator's command"]
    return [(line["command"], line["cluster"], line["seq"], line["by"]) for line in lines]


@pytest.fixture
def guarded(tmp_path: Path) -> list[str]:
    (tmp_path / "operator.token").write_text(f"# of nobody any more\n{FIRST}\n{SECOND}\n")
    (tmp_path / "web.yml").write_text(json.dumps({"basic_auth_users": {"anna": hashed("of anna")}}))
    return [
        f"web.operator_token_files={json.dumps([str(tmp_path / 'operator.token')])}",
        f"web.config_file={json.dumps(str(tmp_path / 'web.yml'))}",
        "web.operator_users=[anna]",
        "web.anonymous_roles=[webhook]",
    ]


@pytest.mark.parametrize(
    ("headers", "name"),
    [(bearer(FIRST), "operator.token:2"), (bearer(SECOND), "operator.token:3"), (ANNA, "anna")],
)
async def test_each_command_says_by_whom(
    start: Start,
    guarded: list[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    headers: dict[str, str],
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with start(*guarded) as client:
        events = await give_every_command(client, headers)
        core = client.app.config.core

    assert [e["command"] for e in events] == ["merge", "undo", "split", "update"]
    assert {e["reason"] for e in events} == {f"by {name}"}
    assert logged(caplog) == [(e["command"], e["cluster_id"], e["seq"], name) for e in events]
    # A replay of the journal gives the same, so it has the names, too.
    found = {each.name: each.good for each in check(tmp_path / "data" / DATABASE_NAME, core)}
    assert found["replay"] is True
    for secret in (FIRST, SECOND, "of anna", headers["Authorization"].split()[1], "n-o-t-e"):
        assert secret not in caplog.text


async def test_of_anybody_there_is_nothing_to_say(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    events = await give_every_command(client, {})

    assert [e.get("reason") for e in events] == [None] * 4
    assert [line[-1] for line in logged(caplog)] == [""] * 4


async def test_files_of_the_same_name_are_told_apart(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    paths = [tmp_path / folder / "operator.token" for folder in ("t1", "t2")]
    for path, token in zip(paths, (FIRST, SECOND), strict=True):
        path.parent.mkdir()
        path.write_text(token)
    files = json.dumps([str(path) for path in paths])
    async with start(
        f"web.operator_token_files={files}",
        f"web.read_token_files={files}",
        "web.anonymous_roles=[webhook]",
    ) as client:
        await client.post(body(told("Disk", 1)))
        await client.settled()
        for token in (FIRST, SECOND):
            note = {"note": token[0]}
            await client.call("PATCH", "/api/v1/clusters/1", json=note, headers=bearer(token))

    assert [line[-1] for line in logged(caplog)] == ["t1/operator.token:1", "t2/operator.token:1"]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/a/x"], ["x"]),
        (["/a/x", "/a/y"], ["x", "y"]),
        (["/a/t/x", "/b/t/x", "/a/x"], ["a/t/x", "b/t/x", "a/x"]),
        (["x", "a/x", "/x"], ["x", "a/x", "/x"]),
    ],
)
def test_a_name_is_as_short_as_tells_it_apart(paths: list[str], names: list[str]) -> None:
    assert short_names(map(Path, paths)) == {
        Path(path): name for path, name in zip(paths, names, strict=True)
    }


async def test_a_certificate_is_a_name(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    folder = Folder(tmp_path)
    told = folder.write(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.crt")
    context = folder.client()
    folder.ca.issue_cert("ops.example", common_name="ops").configure_cert(context)
    async with (
        start(told) as client,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session,
    ):
        client.session = session
        events = await give_every_command(client, {})

    assert {e["reason"] for e in events} == {"by certificate:ops"}


async def test_who_hangs_up_has_given_it_all_the_same(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """The line is written where the command is done, not where it is answered."""
    caplog.set_level(logging.INFO)
    await client.post(body(told("Disk", 1)))
    await client.settled()
    future = client.app.worker.command(UpdateRequest(1, {"pinned": True}), "anna")
    await client.until(future.done)

    assert [line[-1] for line in logged(caplog)] == ["anna"]
