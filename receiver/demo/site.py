"""The made-up shop that the demo watches: its services, where their pods run, its databases."""

from __future__ import annotations

import random
from dataclasses import dataclass

CLUSTER = "shop-eu1"

NODES = {
    "worker-a1": "eu1-a",
    "worker-a2": "eu1-a",
    "worker-b1": "eu1-b",
    "worker-b2": "eu1-b",
    "worker-c1": "eu1-c",
    "worker-c2": "eu1-c",
}
"""Zone by node."""

_PAGE = "bcdfghjklmnpqrstvwxz2456789"
"""What Kubernetes draws the random ends of pod names from."""


@dataclass(frozen=True, slots=True)
class Service:
    """Something that a team runs as a number of pods."""

    name: str
    namespace: str
    team: str
    replicas: int
    port: int


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod and where it runs."""

    name: str
    service: Service
    node: str
    instance: str


SERVICES = (
    Service("web", "shop", "storefront", 16, 8080),
    Service("cart", "shop", "storefront", 10, 8080),
    Service("checkout", "shop", "orders", 14, 8080),
    Service("payments", "shop", "payments", 12, 8443),
    Service("shipping", "shop", "orders", 8, 8080),
    Service("catalog", "shop", "discovery", 12, 8080),
    Service("search", "search", "discovery", 14, 9200),
    Service("recommend", "search", "discovery", 8, 8080),
)


@dataclass(frozen=True)
class Site:
    """All services with their pods."""

    services: dict[str, Service]
    pods: dict[str, tuple[Pod, ...]]

    def on(self, node: str) -> list[Pod]:
        """Return the pods on *node*."""
        return [pod for pods in self.pods.values() for pod in pods if pod.node == node]


def build(rng: random.Random) -> Site:
    """Return the site, its names drawn from *rng*."""
    pods: dict[str, tuple[Pod, ...]] = {}
    nodes = list(NODES)
    place = 0
    for service in SERVICES:
        revision = f"{rng.getrandbits(36):09x}"
        placed = []
        for _ in range(service.replicas):
            end = "".join(rng.choices(_PAGE, k=5))
            node = nodes[place % len(nodes)]
            address = f"10.42.{place % len(nodes)}.{20 + place // len(nodes)}:{service.port}"
            placed.append(Pod(f"{service.name}-{revision}-{end}", service, node, address))
            place += 1
        pods[service.name] = tuple(placed)
    return Site({service.name: service for service in SERVICES}, pods)
