"""All that steers the core, in the sections in which the configuration has it."""

from __future__ import annotations

from dataclasses import dataclass

from receiver.core.clusters import ClusteringSettings
from receiver.core.heartbeat import HeartbeatSettings
from receiver.core.identity import IdentitySettings
from receiver.core.index import IndexSettings
from receiver.core.memory import MemorySettings
from receiver.core.severity import SeveritySettings
from receiver.core.storms import StormSettings


@dataclass(frozen=True)
class CoreSettings:
    """The settings that steer the core."""

    identity: IdentitySettings = IdentitySettings()
    severity: SeveritySettings = SeveritySettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    index: IndexSettings = IndexSettings()
    clustering: ClusteringSettings = ClusteringSettings()
    storms: StormSettings = StormSettings()
    memory: MemorySettings = MemorySettings()
