"""The rules and the configurations of Alertmanager that we ship: with a test's addresses, and sped up.

Nothing else of them is changed.
"""

from __future__ import annotations

import re

import yaml

from tests.support.processes import REPOSITORY

_LEAST_MS = 1000
"""Below it a scrape, an evaluation or a flush on a busy machine is not over when the next begins."""

_UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000}
_IN_RULES = re.compile(r"(\[|\binterval: |\bfor: |\boffset )(\d+)([smh])\b")
_IN_ROUTES = re.compile(r"(\bgroup_wait: |\bgroup_interval: |\brepeat_interval: )(\d+)([smh])\b")
_RULES = REPOSITORY / "rules" / "stormcell.yml"
_ROUTES = REPOSITORY / "alertmanager"


def shipped_rules(speed: float = 1) -> str:
    """Return the rules, all their times divided by *speed*."""
    return _faster(_IN_RULES, _RULES.read_text(encoding="utf-8"), speed)


def shipped_routes(file: str, *, stormcell: str, pager: str, speed: float = 1) -> str:
    """Return the configuration in *file*, all its times divided by *speed*.

    Args:
        file: Its path in alertmanager/.
        stormcell: Address of the receiver.
        pager: Address of what stands for pager and chat.
        speed: 1 is as shipped.
    """
    text = (_ROUTES / file).read_text(encoding="utf-8").replace("http://stormcell:9783", stormcell)
    text = re.sub(r"http://(pager|chat)\.example:8080", pager, text)
    return _faster(_IN_ROUTES, text, speed)


def waits() -> dict[str, str]:
    """Return group_wait and group_interval of what pages in alertmanager.yml, as shipped."""
    route = yaml.safe_load((_ROUTES / "alertmanager.yml").read_text(encoding="utf-8"))["route"]
    children = route["routes"]
    raw = next(r for r in children if r.get("matchers") == ['severity="critical"'])
    ours = next(r for r in children if r.get("matchers") == ['origin="stormcell"'])
    return {
        f"{time} of {what}": found[time]
        for what, found in (("raw criticals", raw), ("what Stormcell says", ours))
        for time in ("group_wait", "group_interval")
    }


def faster(duration: str, speed: float) -> str:
    """Return *duration* ("30s") divided by *speed*, in milliseconds; 0 stays 0, nothing falls below 1 s."""
    return _faster(re.compile(r"()(\d+)([smh])\b"), duration, speed)


def _faster(times: re.Pattern[str], text: str, speed: float) -> str:
    def shorter(found: re.Match[str]) -> str:
        before, count, unit = found.groups()
        asked = int(count) * _UNITS_MS[unit]
        return f"{before}{max(min(asked, _LEAST_MS), round(asked / speed))}ms"

    changed, count = times.subn(shorter, text)
    assert count, times.pattern
    return changed
