"""Every call of openapi.json, and of the page, as every role there is, by token and by password."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest

from receiver.web import page
from receiver.web.openapi import PATH
from tests.support.credentials import basic, bearer, hashed
from tests.web.conftest import Client, Start

MAY: dict[str, set[str]] = {
    "nobody": set(),
    "webhook": {"webhook"},
    "read": {"read"},
    "operator": {"read", "operator"},
    # One may post and read: roles add up.
    "webhook and read": {"webhook", "read"},
}
ROLES = ("webhook", "read", "operator")


def calls() -> list[tuple[str, str, str | None]]:
    """Return method, path and role of each call: as openapi.json says, and the page's files."""
    document = json.loads(PATH.read_text(encoding="utf-8"))
    told = [
        (
            method.upper(),
            path,
            next(iter(item["security"][0].values()))[0] if item["security"] else None,
        )
        for path, methods in document["paths"].items()
        for method, item in methods.items()
        if method in ("get", "post", "patch", "put", "delete")
    ]
    return told + [("GET", path, None) for path, _ in page.handlers()]


def secret_of(name: str) -> str:
    return f"the secret of {name}".replace(" ", "-")


@pytest.fixture
def guarded(tmp_path: Path) -> list[str]:
    """Settings with a token for each role, and users for each."""
    told = ["web.enable_lifecycle=true"]
    users = {name: hashed(secret_of(name)) for name in MAY if name != "nobody"}
    users["nobody"] = hashed(secret_of("nobody"))
    config = tmp_path / "web.yml"
    config.write_text(json.dumps({"basic_auth_users": users}))
    told.append(f"web.config_file={json.dumps(str(config))}")
    for role in ROLES:
        path = tmp_path / f"{role}.token"
        path.write_text(secret_of(role) + "\n")
        told.append(f"web.{role}_token_files={json.dumps([str(path)])}")
        given = [name for name in users if role in name.split()]
        told.append(f"web.{role}_users={json.dumps(given)}")
    return told


async def status(client: Client, method: str, path: str, headers: dict[str, str]) -> int:
    for place, value in (("{id}", "1"), ("{fingerprint}", "abc"), ("{seq}", "1")):
        path = path.replace(place, value)
    data = b"{}" if method in ("POST", "PATCH") else None
    async with client.session.request(
        method, client.url + path, headers=headers, data=data
    ) as answer:
        assert answer.status != 401 or "Basic" in answer.headers["WWW-Authenticate"]
        return answer.status


async def test_every_call_as_every_role(start: Start, guarded: list[str]) -> None:
    """What a role may not do is refused: 401 to strangers, 403 to those who are known."""
    everything = calls()
    tried = 0
    async with start(*guarded) as client:
        for name, roles in MAY.items():
            known = [basic(name, secret_of(name))]
            if name in ROLES:
                known.append(bearer(secret_of(name)))
            for method, path, role in everything:
                for headers in known:
                    code = await status(client, method, path, headers)
                    tried += 1
                    if role is None or role in roles:
                        assert code not in (401, 403), (name, method, path, code)
                    else:
                        assert code == 403, (name, method, path, code)
        strangers = [
            {},
            basic("operator", "guessed"),
            basic("stranger", secret_of("operator")),
            bearer("guessed-guessed-guessed"),
            bearer(hashed("x")),
            {"Authorization": f"Digest {secret_of('operator')}"},
            {"Authorization": "Basic !"},
        ]
        for method, path, role in everything:
            for headers in strangers:
                code = await status(client, method, path, headers)
                tried += 1
                assert (code == 401) == (role is not None), (method, path, code, headers)

    assert {role for _, _, role in everything} == {None, *ROLES}
    assert tried > 400


async def test_the_stream_as_every_role(start: Start, guarded: list[str]) -> None:
    async with start(*guarded) as client:
        url = client.url + "/api/v1/stream"
        for name, roles in MAY.items():
            headers = basic(name, secret_of(name))
            if "read" in roles:
                async with client.session.ws_connect(url, headers=headers) as socket:
                    assert (await socket.receive_json(timeout=20))["type"] == "snapshot"
                continue
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.session.ws_connect(url, headers=headers)

            assert refused.value.status == 403
