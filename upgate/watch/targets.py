"""What a watch samples: every entry of `external:`, and the API server itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from upgate.snapshot import Snapshot
from upgate.sources.probes.explaining import Whereabouts
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.targets import probe_targets
from upgate.watch.grid import spread_phases
from upgate.watch.plan import SamplingJob, keeps_connections
from upgate.watch.record import API_SERVER_NAME, SampledSeries

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.sources.cluster.connection import Connection

#: Any answer to who we are not is an answer: 401 and 403 come from an API server that works.
ANSWERS = (200, 401, 403)


class WatchedTarget(NamedTuple):
    """One target, sampled over one kind of connection."""

    series: SampledSeries
    target: ProbeTarget
    insecure: bool = False

    @property
    def kept(self) -> bool:
        """Over a connection that is kept."""
        return self.series.connection == "kept"


def watched_targets(profile: Profile, snapshot: Snapshot) -> list[WatchedTarget]:
    """The targets of all entries, over new connections, and over kept ones where that makes a difference."""
    whereabouts = Whereabouts(snapshot)
    found: list[WatchedTarget] = []
    for entry in profile.external:
        for target in probe_targets([entry], snapshot, profile.secrets, profile.scope.namespaces):
            services = [] if entry.control else whereabouts.serving(reached_at(target))
            series = SampledSeries(
                name=entry.name + target.id.removeprefix(entry.id),
                target=target.shown,
                control=entry.control,
                service=services[0] if len(services) == 1 else "",
                total=allowed_seconds(entry.budget.total if entry.budget else None),
                longest=allowed_seconds(entry.budget.longest if entry.budget else None),
            )
            found += over_connections(series, target)
    return found


def allowed_seconds(time: timedelta | None) -> float | None:
    """The seconds of a budget; None where there is none."""
    return None if time is None else time.total_seconds()


def reached_at(target: ProbeTarget) -> str:
    """The URL of the place that is connected to: that of `address`, where the entry has one and its host is no name."""
    return target.url.removeprefix("tcp://").removeprefix("tls://")


def over_connections(series: SampledSeries, target: ProbeTarget, *, insecure: bool = False) -> Iterator[WatchedTarget]:
    """The target over new connections, and over kept ones if it can be asked so."""
    yield WatchedTarget(series, target, insecure)
    if keeps_connections(target):
        yield WatchedTarget(replace(series, connection="kept"), target, insecure)


def api_server_target(connection: Connection) -> list[WatchedTarget]:
    """The API server's /readyz, as anyone may ask for it: without what we log in with."""
    configuration = connection.configuration
    target = ProbeTarget(
        id=f"watch.{API_SERVER_NAME}",
        url=f"{connection.server.rstrip('/')}/readyz",
        status=ANSWERS,
        timeout=5.0,
        ca=configuration.ssl_ca_cert or "",
        server_name=getattr(configuration, "tls_server_name", None) or "",
        proxy=configuration.proxy or "none",
    )
    series = SampledSeries(name=API_SERVER_NAME, target=target.shown)
    return list(over_connections(series, target, insecure=not configuration.verify_ssl))


def sampling_jobs(targets: list[WatchedTarget], interval: float) -> list[SamplingJob]:
    """The jobs of the targets, spread over the interval."""
    phases = spread_phases(len(targets), interval)
    return [
        SamplingJob(number=number, target=each.target, kept=each.kept, phase=phase, insecure=each.insecure)
        for number, (each, phase) in enumerate(zip(targets, phases, strict=True))
    ]
