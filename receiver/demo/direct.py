"""Posts the webhooks itself where no Alertmanager is installed: grouped and doubled alike.

Not an Alertmanager: no silences, no inhibition, no repeat_interval.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from receiver.core.identity import fingerprint
from receiver.demo.errors import DemoError
from receiver.demo.prometheus import PostedAlert, has_ended

_PEERS = ("http://alertmanager-0.shop.example:9093", "http://alertmanager-1.shop.example:9093")
"""Two that do not hear of each other: both notify of everything."""

_DEADLINE_SECONDS = 15.0
_GROUP_BY = ("alertname", "namespace")
_NO_TIME = "0001-01-01T00:00:00Z"


@dataclass
class _Group:
    """Alerts that are notified together.

    Attributes:
        labels: What they share.
        due: When it is next looked at, by the loop's clock.
        alerts: By fingerprint.
        told: Status last notified, by fingerprint.
    """

    labels: dict[str, str]
    due: float
    alerts: dict[str, PostedAlert] = field(default_factory=dict)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)


class Direct:
    """Groups alerts and posts notifications of them."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, *, wait: float, interval: float
    ) -> None:
        """Post to *url*: a new group after *wait* seconds, a changed one every *interval*."""
        self._session = session
        self._url = url
        self._wait = wait
        self._interval = interval
        self._groups: dict[tuple[str, ...], _Group] = {}

    async def post(self, alerts: list[PostedAlert]) -> None:
        """Take in *alerts*, then post the notifications that are due."""
        now = asyncio.get_running_loop().time()
        for alert in alerts:
            labels = {name: alert["labels"].get(name, "") for name in _GROUP_BY}
            group = self._groups.setdefault(
                tuple(labels.values()),
                _Group({k: v for k, v in labels.items() if v}, now + self._wait),
            )
            group.alerts[fingerprint(alert["labels"])] = alert
        bodies = []
        for group in self._groups.values():
            if group.due <= now:
                group.due = now + self._interval
                body = notification(group)
                if body is not None:
                    bodies.append(body)
        # All at once, as Alertmanager does; a group's next notification waits for all to be taken.
        bodies = [{**body, "externalURL": peer} for body in bodies for peer in _PEERS]
        await asyncio.gather(*(self._deliver(body) for body in bodies))

    async def _deliver(self, body: dict[str, Any]) -> None:
        """Post *body* until it is taken; 503 and a lost connection are tried again."""
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + _DEADLINE_SECONDS, 0.2
        while True:
            try:
                async with self._session.post(self._url, json=body) as response:
                    if response.status == 200:
                        return
                    said = f"{response.status} {(await response.text())[:300]}"
                    again = response.status >= 500
            except (aiohttp.ClientError, TimeoutError) as error:
                said, again = repr(error), True
            if not again or loop.time() + wait > deadline:
                raise DemoError(f"the receiver did not take a webhook: {said}")
            await asyncio.sleep(wait)
            wait *= 1.5


def notification(group: _Group) -> dict[str, Any] | None:
    """Return the webhook body on *group*, or None if nothing in it is new; it counts as told."""
    entries, states = [], {}
    for key, alert in list(group.alerts.items()):
        status = "resolved" if has_ended(alert) else "firing"
        if status == "resolved":
            del group.alerts[key]
            if key not in group.told:
                continue  # over before anybody was told of it: Alertmanager never sends such
        states[key] = (status, alert["startsAt"])
        entries.append({**alert, "status": status, "fingerprint": key})
        if status == "firing":
            entries[-1]["endsAt"] = _NO_TIME
    if states == group.told or not entries:
        return None
    group.told = {key: state for key, state in states.items() if state[0] == "firing"}
    key = ", ".join(f'{name}="{value}"' for name, value in group.labels.items())
    return {
        "version": "4",
        "receiver": "stormcell",
        "status": "firing" if group.told else "resolved",
        "alerts": entries,
        "groupLabels": group.labels,
        "commonLabels": _common([entry["labels"] for entry in entries]),
        "commonAnnotations": _common([entry["annotations"] for entry in entries]),
        "groupKey": f"{{}}:{{{key}}}",
        "truncatedAlerts": 0,
    }


def _common(maps: list[Any]) -> dict[str, str]:
    first, *others = maps
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


@contextlib.asynccontextmanager
async def direct(url: str, *, wait: float, interval: float) -> AsyncIterator[Direct]:
    """Post webhooks to *url* while the context lasts; *wait* and *interval* as in `Direct`."""
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Direct(session, url, wait=wait, interval=interval)
