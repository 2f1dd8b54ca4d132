"""Where facts come from: a live cluster, the demo, or a saved snapshot; probes from outside; the machines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate import snapshot as snapshots
from upgate.base.errors import Inconclusive
from upgate.facts.recorded.inventory import PUBLISHED
from upgate.facts.relations import HOSTS, MONITORED
from upgate.facts.whole import ObjectQuery, query_of
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.profile.parts import Cluster

Progress = Callable[[str, int, int], None]
#: What takes a snapshot: the nouns, who is told how far it is, and whether a brief look is enough.
Look = Callable[[Collection[str], Progress, bool], Snapshot]
#: The reference time of a snapshot that is taken at a moment.
Since = Callable[[datetime], datetime]


@contextmanager
def looking(profile: Profile, since: Since, vantage: str = "") -> Iterator[Look]:
    """What takes a snapshot of the profile's cluster, as often as it is called. Raises UsageError."""
    cluster = profile.cluster
    if cluster.snapshot:
        saved = snapshots.load_snapshot(Path(cluster.snapshot))
        yield lambda needs, progress, brief: saved
    elif cluster.embedded:
        with embedded(cluster.embedded) as kubeconfig:
            yield partial(look_further, profile, since, vantage, login_to(profile, kubeconfig))
    else:
        yield partial(look_further, profile, since, vantage, login_to(profile, cluster.kubeconfig))


def usable_cluster(cluster: Cluster) -> None:
    """See whether there is what the profile names: a snapshot, a kubeconfig, a context. No plugin is run. Raises UsageError."""
    from upgate.sources.cluster.login import usable_kubeconfig

    if cluster.snapshot:
        snapshots.load_snapshot(Path(cluster.snapshot))
    elif cluster.kubeconfig or cluster.context:
        usable_kubeconfig(cluster.kubeconfig, cluster.context)


@contextmanager
def embedded(state: str) -> Iterator[str]:
    """The embedded cluster in that state, and the kubeconfig that leads to it."""
    from upgate.sources.demo import EmbeddedCluster

    with EmbeddedCluster(state) as server, tempfile.TemporaryDirectory(prefix="upgate-") as folder:
        yield str(server.kubeconfig(Path(folder) / "kubeconfig"))


def login_to(profile: Profile, kubeconfig: str | None) -> Look:
    """Log in now, so that a kubeconfig that cannot be used is found before anything else; what looks is returned."""
    from upgate.sources.cluster.connection import Timeouts
    from upgate.sources.cluster.login import connect
    from upgate.sources.cluster.look import look_at_cluster

    cluster = profile.cluster
    seconds = (cluster.connect_timeout, cluster.read_timeout, cluster.deadline)
    patience = Timeouts(*(each.total_seconds() for each in seconds))
    try:
        login = connect(kubeconfig, cluster.context, patience)
    except Inconclusive as problem:
        return partial(unreachable, str(problem))
    look = partial(look_at_cluster, login, objects=objects_of(profile), conditions=profile.conditions)
    login.connection.api_servers = cluster.api_servers
    if profile.probe is None:
        return look
    from upgate.sources.inside.look import look_from_inside

    return partial(look_from_inside, profile.probe, profile.secrets, login.connection, look)


def objects_of(profile: Profile) -> list[ObjectQuery]:
    """The objects that the profile names, each query once."""
    return list(dict.fromkeys(query_of(each) for each in profile.resources))


def unreachable(reason: str, needs: Collection[str], progress: Progress, brief: bool) -> Snapshot:
    """A snapshot in which nothing could be looked at."""
    return Snapshot(taken=datetime.now(UTC), gaps=dict.fromkeys([*needs, "health", "version"], reason))


def look_further(
    profile: Profile, since: Since, vantage: str, look: Look, needs: Collection[str], progress: Progress, brief: bool
) -> Snapshot:
    """The cluster, from inside and outside, what its monitor knows, and then its machines, as far as checks ask for them."""
    from upgate.sources.hosts.targets import lists_for_hosts as needs_of_hosts

    asked = profile.hosts is not None and HOSTS in needs
    lists = {*needs} - {HOSTS, PUBLISHED, *MONITORED} | (needs_of_hosts(profile.hosts) if asked else set())
    snapshot = look_and_probe(profile, vantage, look, lists, progress, brief)
    snapshot = with_published(profile, with_monitor(profile, snapshot, needs), needs, vantage)
    if not asked:
        return snapshot
    from upgate.sources.hosts.looking import look_at_hosts as look_at_hosts

    hosts = look_at_hosts(profile, snapshot, since(snapshot.taken))
    progress("hosts", sum(not host.unseen for host in hosts or ()), 0)
    return replace(snapshot, hosts=hosts)


def with_published(profile: Profile, snapshot: Snapshot, needs: Collection[str], vantage: str) -> Snapshot:
    """The snapshot with what answers at the addresses that the cluster publishes, if a check compares that.

    Those of the embedded cluster were another's.
    """
    if PUBLISHED not in needs or profile.cluster.embedded:
        return snapshot
    from upgate.sources.probes.published import ask_published

    return replace(snapshot, published=ask_published(snapshot, profile.scope.namespaces, vantage))


def with_monitor(profile: Profile, snapshot: Snapshot, needs: Collection[str]) -> Snapshot:
    """The snapshot with what the profile's Prometheus says, if a check asks for it."""
    if profile.prometheus is None or not {*MONITORED} & {*needs}:
        return snapshot
    from upgate.sources.prometheus import look_at_prometheus

    return replace(snapshot, monitored=look_at_prometheus(profile.prometheus, needs, profile.secrets))


def look_and_probe(
    profile: Profile, vantage: str, look: Look, needs: Collection[str], progress: Progress, brief: bool
) -> Snapshot:
    """The cluster from inside, and then what the profile wants probed from outside."""
    if not profile.external:
        return look(needs, progress, brief)
    from upgate.sources.probes import attempt_all
    from upgate.sources.probes.targets import lists_for_probes as needs_outside
    from upgate.sources.probes.targets import probe_targets

    snapshot = look({*needs, *needs_outside(profile.external)}, progress, brief)
    wanted = probe_targets(profile.external, snapshot, profile.secrets, profile.scope.namespaces)
    return replace(snapshot, attempts=attempt_all(wanted, vantage=vantage))
