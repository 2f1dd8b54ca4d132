"""What a sampling process is told: which targets, when, and for whom."""

from __future__ import annotations

import msgspec

from upgate.sources.probes.proxies import proxy_for
from upgate.sources.probes.target import ProbeTarget

#: Processes share the samples: one core makes about 10,000 plain ones a second, and a TLS handshake costs as much as ten.
PER_PROCESS, HANDSHAKE = 3000, 10
#: What is asked without the gate's own probe, which needs twenty times the CPU time.
QUICK = ("http", "https", "tcp", "tls")


class SamplingJob(msgspec.Struct, frozen=True, kw_only=True):
    """One series of one process."""

    number: int
    target: ProbeTarget
    #: Over a kept connection.
    kept: bool
    #: Its first slot, in seconds after the start of the watch.
    phase: float
    #: Take any certificate: the kubeconfig says so.
    insecure: bool = False


class SamplingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """All that one process samples."""

    #: The start of the watch, by `clock_seconds`.
    start: float
    interval: float
    jobs: list[SamplingJob]
    #: All of it is asked by the gate's own probe.
    thorough: bool = False


def is_quick(target: ProbeTarget) -> bool:
    """A plain request that needs no more than one connection, and no search of what came back."""
    if target.scheme not in QUICK or target.steps or target.follow or target.http2 or target.patterns or target.closed:
        return False
    if any(each.about == "versions" for each in target.expectations):
        return False
    return target.scheme in ("tcp", "tls") or not proxied(target)


def proxied(target: ProbeTarget) -> bool:
    """The entry, or this machine's environment, names an HTTP proxy for it."""
    host = target.url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return not target.address and proxy_for(target.scheme, bare_host(host), target.proxy) is not None


def bare_host(authority: str) -> str:
    """The host of `host:port` or `[address]:port`."""
    return authority[1:].partition("]")[0] if authority.startswith("[") else authority.partition(":")[0]


def keeps_connections(target: ProbeTarget) -> bool:
    """It can also be asked over a connection that is kept: plain HTTP/1.1 requests."""
    return is_quick(target) and target.scheme in ("http", "https")


def orders(jobs: list[SamplingJob], start: float, interval: float, cores: int) -> list[SamplingOrder]:
    """The jobs of each process: as many processes as the samples need, and one for what takes long."""
    quick = [job for job in jobs if is_quick(job.target)]
    slow = [job for job in jobs if not is_quick(job.target)]
    load = sum(HANDSHAKE if is_tls(job) else 1 for job in quick) / interval
    number = max(1, min(cores, round(load / PER_PROCESS + 0.49)))
    shares = [quick[index::number] for index in range(number)]
    made = [SamplingOrder(start=start, interval=interval, jobs=share) for share in shares if share]
    thorough = [SamplingOrder(start=start, interval=interval, jobs=slow, thorough=True)] if slow else []
    return [*made, *thorough]


def is_tls(job: SamplingJob) -> bool:
    """Each of its samples needs a handshake."""
    return job.target.scheme in ("https", "tls") and not job.kept
