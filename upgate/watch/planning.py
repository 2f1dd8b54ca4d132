"""From a profile to a watch that is ready to run: the login, what is to be sampled, and of which cluster."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.threads import in_background
from upgate.baseline import cluster_uid
from upgate.snapshot import Snapshot
from upgate.sources.cluster.watching import ListChange, ObjectWatch
from upgate.watch.clock import clock_seconds
from upgate.watch.record import API_SERVER_NAME, WatchBegin
from upgate.watch.running import RunningWatch
from upgate.watch.seen import watched_kinds
from upgate.watch.story import Story, tell_story
from upgate.watch.targets import WatchedTarget, api_server_target, watched_targets
from upgate.watch.writing import FILE

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.sources.cluster.connection import Connection
    from upgate.sources.cluster.login import Login

#: What tells where targets lead to, and which cluster this is.
NEEDED = ("nodes", "services", "endpointslices", "ingresses", "namespaces")


@dataclass(frozen=True)
class WatchPlan:
    """What a watch needs to know of its cluster."""

    login: Login | None
    snapshot: Snapshot
    #: Why the cluster cannot be watched; empty where it can.
    gap: str = ""


@contextmanager
def watch_plan(profile: Profile) -> Iterator[WatchPlan]:
    """Log in, and look once. A cluster that cannot be reached is a gap: targets are sampled all the same. Raises UsageError."""
    from upgate.sources.look import embedded

    cluster = profile.cluster
    if cluster.snapshot:
        raise UsageError("upgate watch needs a live cluster: this profile has cluster.snapshot")
    if cluster.embedded:
        with embedded(cluster.embedded) as kubeconfig:
            yield plan(profile, kubeconfig)
    else:
        yield plan(profile, cluster.kubeconfig)


def plan(profile: Profile, kubeconfig: str | None) -> WatchPlan:
    """The login, and a look at what tells where targets lead to. Raises UsageError."""
    from upgate.sources.cluster.connection import Timeouts
    from upgate.sources.cluster.login import connect
    from upgate.sources.cluster.look import look_at_cluster

    cluster = profile.cluster
    patience = (cluster.connect_timeout, cluster.read_timeout, cluster.deadline)
    try:
        login = connect(kubeconfig, cluster.context, Timeouts(*(each.total_seconds() for each in patience)))
    except Inconclusive as problem:
        return WatchPlan(
            None, Snapshot(taken=datetime.now(UTC), gaps=dict.fromkeys(NEEDED, str(problem))), str(problem)
        )
    return WatchPlan(login, look_at_cluster(login, NEEDED, lambda noun, have, left: None))


def ready_watch(profile: Profile, known: WatchPlan, home: Path, interval: timedelta) -> RunningWatch:
    """The watch of a profile. Raises UsageError where there is nothing to sample."""
    targets = all_targets(profile, known)
    if not targets:
        raise UsageError("nothing to watch: the profile has no external:, and the cluster cannot be reached")
    begin = WatchBegin(
        started=datetime.now(UTC),
        interval=interval.total_seconds(),
        profile=profile.name,
        server=known.snapshot.server,
        cluster=cluster_uid(known.snapshot),
        series=[each.series for each in targets],
    )
    return RunningWatch(home / FILE, begin, targets, clock_seconds())


def all_targets(profile: Profile, known: WatchPlan) -> list[WatchedTarget]:
    """Those of the profile, and the API server, unless an entry has its name."""
    targets = watched_targets(profile, known.snapshot)
    named = any(each.series.name == API_SERVER_NAME for each in targets)
    return [*targets, *([] if named or known.login is None else api_server_target(known.login.connection))]


def begin_story(connection: Connection, watch: RunningWatch) -> None:
    """Watch the cluster in threads, and put what happens into the record."""
    changes: queue.SimpleQueue[ListChange] = queue.SimpleQueue()
    behind = frozenset(each.series.service for each in watch.targets if each.series.service)
    in_background(tell_story, Story(behind), changes, lambda: watch.now, watch.happened.put)
    for kind in watched_kinds():
        in_background(ObjectWatch(connection, kind, changes.put).run)
