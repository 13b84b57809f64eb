"""Holds what the receiver kept against what the scenario fired. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core import identity
from receiver.core.scores import Agreement, agreement
from receiver.demo.scenario import WATCHDOG, Scenario


@dataclass(frozen=True)
class Sent:
    """One alert of the scenario, all its firings together."""

    incident: str
    firing: bool


@dataclass(frozen=True)
class Verdict:
    """How the receiver did.

    Attributes:
        sent: Alerts of the scenario.
        lost: Those of them that the receiver does not have.
        wrong: Those it has in another state than the scenario left them in.
        contents: Firings by true incident, by cluster id.
        agreement: Of clusters and incidents, over all firings kept; None if there is none.
    """

    sent: int
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    contents: Mapping[int, Mapping[str, int]]
    agreement: Agreement | None

    @property
    def complete(self) -> bool:
        """Whether every alert was kept, and is known to fire or not as it does."""
        return not self.lost and not self.wrong


def expected(scenario: Scenario, drop_labels: tuple[str, ...]) -> dict[str, Sent]:
    """Return what the receiver must have when all of *scenario* is told, by fingerprint.

    Args:
        scenario: What is sent.
        drop_labels: Labels that the receiver leaves out of an alert's identity.
    """
    sent = {}
    for firing in sorted(scenario.firings, key=lambda firing: firing.at):
        if firing.incident != WATCHDOG:
            key = identity.fingerprint(identity.without(firing.labels, drop_labels))
            sent[key] = Sent(firing.incident, firing.until is None)
    return sent


def judge(
    sent: Mapping[str, Sent],
    episodes: Sequence[Mapping[str, Any]],
    clusters: Iterable[Mapping[str, Any]],
) -> Verdict:
    """Compare *episodes* and *clusters*, as the API gives them, with what was *sent*."""
    into = {c["id"]: c["merged_into"] for c in clusters if c["merged_into"] is not None}
    kept = {episode["fingerprint"] for episode in episodes}
    firing = {e["fingerprint"] for e in episodes if e["state"] == "firing"}
    truth, found = [], []
    contents: dict[int, Counter[str]] = {}
    for episode in episodes:
        alert, cluster = sent.get(episode["fingerprint"]), episode["cluster_id"]
        if alert is None or cluster is None:
            continue
        while cluster in into:
            cluster = into[cluster]
        truth.append(alert.incident)
        found.append(cluster)
        contents.setdefault(cluster, Counter())[alert.incident] += 1
    return Verdict(
        sent=len(sent),
        lost=tuple(key for key in sent if key not in kept),
        wrong=tuple(k for k, a in sent.items() if k in kept and a.firing != (k in firing)),
        contents=contents,
        agreement=agreement(truth, found) if truth else None,
    )
