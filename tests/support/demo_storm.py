"""Plays the demo's scenario to a receiver that runs already and wants a token; for the plugin's harness.

`settings` prints the settings that a receiver needs to keep step, `play` plays. The scenario, its senders
and the pace are the demo's; only the receiver is another process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import typing
from dataclasses import fields

import aiohttp

from receiver.config import Config
from receiver.core.settings import Seconds
from receiver.demo.direct import Direct
from receiver.demo.pace import Pace, faster, now
from receiver.demo.prometheus import Pair
from receiver.demo.scenario import DURATION, build_scenario

_GROUP_WAIT, _GROUP_INTERVAL, _TICK = 10.0, 40.0, 5.0
"""Scenario seconds, as in the demo."""


def settings(seconds: float) -> dict[str, str]:
    """Return the settings, by `section.key`, for a scenario that takes *seconds*."""
    config, _ = faster(Config(), DURATION / seconds)
    found = {}
    for section in ("clustering", "storms"):
        part = getattr(config, section)
        hints = typing.get_type_hints(type(part))
        for name in (field.name for field in fields(part) if hints[field.name] is Seconds):
            found[f"{section}.{name}"] = f"{getattr(part, name):.6f}"
    return found


async def play(url: str, token: str, seconds: float) -> None:
    """Post the scenario's webhooks to the receiver at *url* over *seconds*."""
    speed = DURATION / seconds
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        sender = Direct(
            session,
            f"{url}/api/v1/webhook",
            wait=_GROUP_WAIT / speed,
            interval=_GROUP_INTERVAL / speed,
        )
        pace = Pace(now(), speed)
        pair = Pair(build_scenario(), pace, sender)
        while not (pair.finished and pace.now >= DURATION):
            await pair.tick()
            await asyncio.sleep(min(0.25, max(0.02, pace.real(_TICK))))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["settings", "play"])
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--url")
    parser.add_argument("--token")
    given = parser.parse_args()
    if given.what == "settings":
        print(json.dumps(settings(given.seconds)))
    else:
        asyncio.run(play(given.url, given.token, given.seconds))


if __name__ == "__main__":
    main()
