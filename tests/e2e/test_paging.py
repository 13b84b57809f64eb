"""The closed loop with the real Prometheus and Alertmanager: who is paged, how often, and with us dead.

Rules and routes are those that we ship, with shorter times and our addresses put in, nothing else.
"""

from __future__ import annotations

import os
import re
import signal
import time
from itertools import cycle

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakePrometheus
from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.stubs import Pager, Site, site_rules
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

STORM = 500
ONSET_SECONDS = 10
"""What `offset 3m` becomes: so long a storm's clusters are its own."""

SHORTER_RULES = (
    ("interval: 15s", "interval: 1s"),
    ("[2m]", "[6s]"),
    ("for: 2m", "for: 6s"),
    ("offset 3m", f"offset {ONSET_SECONDS}s"),
    ("offset 1m", "offset 3s"),
)
SHORTER_ROUTES = (
    (r"group_wait: 30s", "group_wait: 1s"),
    (r"group_interval: \w+", "group_interval: 1s"),
)
SUMMARIES = {
    "DatabaseDown": "the primary does not accept connections",
    "QueryErrors": "queries of the application fail",
    "PodNotReady": "a container does not pass its probe",
    "HighLatency": "requests take several seconds",
    # Each lone critical is a trouble of its own.
    "CertificateExpired": "TLS handshakes are refused, not valid any more",
    "DiskFull": "no space is left on the volume of the mail archive",
    "QueueStuck": "no consumer has taken a message for an hour",
    "BackupMissing": "last night nothing was written to the vault",
    "ClockWrong": "tokens are refused, NTP has lost its peers",
}


def routes(receiver: ReceiverProcess, pager: Pager) -> str:
    """Return the shipped configuration of Alertmanager for this test."""
    text = (REPOSITORY / "alertmanager" / "alertmanager.yml").read_text()
    text = text.replace("http://stormcell:9783", receiver.url)
    text = re.sub(r"http://(pager|chat)\.example:8080", pager.url, text)
    for times, shorter in SHORTER_ROUTES:
        text, count = re.subn(times, shorter, text)
        assert count, times
    return text


def rules() -> dict[str, str]:
    """Return the shipped rules for this test, and those of a site."""
    text = (REPOSITORY / "rules" / "stormcell.yml").read_text()
    for times, shorter in SHORTER_RULES:
        assert times in text
        text = text.replace(times, shorter)
    return {"stormcell.yml": text, "site.yml": site_rules(SUMMARIES)}


def storm() -> list[dict[str, str]]:
    """Return what breaks in the storm: one namespace, four rules, two severities."""
    names = list(SUMMARIES)[:4]
    critical = names[:2]
    return [
        {
            "what": name,
            "severity": "critical" if name in critical else "warning",
            "namespace": "shop",
            "pod": f"shop-{number}",
        }
        for number, name in zip(range(STORM), cycle(names))
    ]


class Bell:
    """Watches the pager from one moment to the next."""

    def __init__(self, pager: Pager) -> None:
        self._pager = pager
        self._heard: set[str] = set()

    def rung(self, *, ours: str = "") -> list[str]:
        """Return the keys of the pages since the last `reset`: raw ones, or those of our alert *ours*."""
        found = []
        for key in list(self._pager.pages):
            labels = self._pager.pages[key]["groupLabels"]
            if key not in self._heard and labels.get("alertname", "") == ours:
                found.append(key)
        return found

    def reset(self) -> None:
        """Forget what has rung."""
        self._heard = set(self._pager.pages)


def test_a_storm_is_two_pages_and_a_lone_critical_one_whatever_becomes_of_us(
    receiver: ReceiverProcess,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    pager: Pager,
    site: Site,
) -> None:
    alertmanager = start_alertmanager(receiver, configuration=routes(receiver, pager))
    start_prometheus(
        targets={"stormcell": receiver.port, "site": site.port},
        alertmanagers=[alertmanager.port],
        rules=rules(),
    )
    bell = Bell(pager)

    def lone_critical(what: str, namespace: str, when: str, *, rings: str = "") -> None:
        """Break *what* in *namespace* and assert that it rings once, as raw page or as *rings*."""
        bell.reset()
        began = time.monotonic()
        critical = {"severity": "critical", "namespace": namespace, "pod": "ingress-0"}
        site.breaks([{"what": what, **critical}])
        (key,) = wait_until(f"a lone critical to ring ({when})", lambda: bell.rung(ours=rings))
        print(f"{when}: rang after {pager.pages[key]['at'] - began:.1f} s")
        # Twice what a cluster takes through Prometheus to the pager: nothing else is on its way.
        time.sleep(4)
        assert len(bell.rung()) + len(bell.rung(ours="StormcellNewClusterInStorm")) == 1, when

    lone_critical("CertificateExpired", "calm", "in calm")

    bell.reset()
    began = time.monotonic()
    site.breaks(storm())
    wait_until("a page of the storm", lambda: bell.rung(ours="StormcellStorm"))
    wait_until("all of it to be received", lambda: receiver.received(outcome="new") >= STORM + 1)
    time.sleep(ONSET_SECONDS + 2)
    for key, page in pager.pages.items():
        if page["at"] > began:
            text = page["commonAnnotations"].get("summary", "")
            print(f"page {page['groupLabels']} after {page['at'] - began:.1f} s: {text}")
            assert len(pager.alerts[key]) in (1, STORM // 2)
    assert (len(bell.rung()), len(bell.rung(ours="StormcellStorm"))) == (1, 1)
    assert len(pager.pages) == 3, "the lone one and two of the storm"

    lone_critical("DiskFull", "elsewhere", "in mid-storm, elsewhere")
    lone_critical(
        "QueueStuck", "shop", "in the storm's own namespace", rings="StormcellNewClusterInStorm"
    )

    os.kill(receiver.pid, signal.SIGSTOP)
    lone_critical("ClockWrong", "hung", "with Stormcell hung")
    receiver.kill()
    lone_critical("BackupMissing", "dead", "with Stormcell killed")
    wait_until("its death to page", lambda: "StormcellDown" in pager.names())
