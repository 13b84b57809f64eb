"""Plays the scenario into an Alertmanager that is there already, for stacks that are not the demo's own."""

from __future__ import annotations

import asyncio
import sys

import aiohttp

from receiver.core.settings import ConfigError
from receiver.demo.alertmanager import Alertmanager
from receiver.demo.interrupt import Interrupted, signals, unless
from receiver.demo.pace import Pace, now
from receiver.demo.prometheus import Pair
from receiver.demo.scenario import DURATION, build_scenario

_TICK = 5.0
"""Scenario seconds from one look at what is due to the next."""

_LEAST_SECONDS = 3.0
_DEADLINE_SECONDS = 15.0
_INTERRUPTED = 130
"""What a shell reports of a command ended by Ctrl-C."""


async def load(url: str, *, seconds: float) -> int:
    """Tell the Alertmanager at *url* the whole scenario, in about *seconds*, and return the exit code.

    Raises:
        ConfigError: *seconds* is too short.
        DemoError: The Alertmanager does not answer, or refuses.
    """
    if not _LEAST_SECONDS <= seconds < float("inf"):
        raise ConfigError(f"--seconds: got {seconds:g}, expected at least {_LEAST_SECONDS:g}")
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_SECONDS)
    with signals() as stop:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            pace = Pace(now(), DURATION / seconds)
            pair = Pair(build_scenario(), pace, Alertmanager(url.rstrip("/"), "", session))
            print(
                f"telling {url} {DURATION / 60:.0f} minutes of a site in {seconds:g} s", flush=True
            )
            try:
                await unless(stop, _tell(pair, pace))
            except Interrupted:
                print("interrupted", file=sys.stderr)
                return _INTERRUPTED
    print(f"told: {pair.posted} alerts, repeats included", flush=True)
    return 0


async def _tell(pair: Pair, pace: Pace) -> None:
    while pace.now < DURATION or not pair.finished:
        await pair.tick()
        await asyncio.sleep(max(0.02, pace.real(_TICK)))
