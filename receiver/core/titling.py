"""When a cluster's title changes: a few times while it takes shape, and once at most after that.

Who has read a title looks for it again. So it is provisional in the first two minutes; what it is then
stays, and is only corrected once, when it tells of half the cluster or less. An operator's stays anyway.
"""

from __future__ import annotations

from receiver.core.clusters import (
    TITLE_FORMS_AFTER,
    TITLE_SETTLES_AFTER,
    Cluster,
    ClusteringSettings,
    ClusterState,
)
from receiver.core.timestamps import nanoseconds

_OUTGROWN = 2
"""Times the members it was made from, at which a title that rests is no more that of the cluster."""

_FAR_OUTGROWN = 8
"""The same while members still come: the one correction is not for the middle of a storm, if it can
wait for the end."""


def first(cluster: Cluster, title: str, now: int, settings: ClusteringSettings) -> None:
    """Give the new *cluster* its first *title*, which is none of its changes."""
    cluster.title, cluster.titled_size, cluster.title_seen_at = title, cluster.size, now
    cluster.titled_at = now - nanoseconds(settings.rename_every)


def may_change(cluster: Cluster, now: int, settings: ClusteringSettings) -> bool:
    """Whether the title of *cluster* may change at *now*."""
    every = nanoseconds(settings.rename_every)
    named = cluster.live and cluster.state is not ClusterState.FORMING
    if not named or cluster.own_title or now - cluster.titled_at < every:
        return False
    if now == cluster.title_seen_at:
        # Once at a moment: after a restart, what was due at this one is due again.
        return False
    if cluster.title_seen_at is not None and cluster.size == cluster.titled_size:
        # Made of the same members, and whoever has read it looks for it again.
        return False
    if now < cluster.opened_at + TITLE_FORMS_AFTER:
        return False
    left = cluster.opened_at + TITLE_SETTLES_AFTER - now
    if left >= 0:
        # None so late that the last look, at the end of the two minutes, would come too soon after.
        return left == 0 or left >= every
    return not cluster.retitled and _is_outgrown(cluster, now, settings)


def _is_outgrown(cluster: Cluster, now: int, settings: ClusteringSettings) -> bool:
    rests = now >= cluster.joined_at + nanoseconds(settings.growing_for)
    return cluster.size >= (_OUTGROWN if rests else _FAR_OUTGROWN) * cluster.titled_size


def change(cluster: Cluster, title: str, now: int) -> bool:
    """Give *cluster* what its *title* is by now; return whether that is another than before."""
    cluster.titled_size, cluster.title_seen_at = cluster.size, now
    if title == cluster.title:
        return False
    cluster.title, cluster.titled_at = title, now
    cluster.retitled = now > cluster.opened_at + TITLE_SETTLES_AFTER
    return True


def regrouped(cluster: Cluster, *, by_operator: bool) -> None:
    """Let the title of *cluster* be that of a whole that is no more; an operator's word frees it."""
    cluster.titled_size, cluster.title_seen_at = 0, None
    cluster.retitled = cluster.retitled and not by_operator
