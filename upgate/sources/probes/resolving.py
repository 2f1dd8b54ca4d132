"""What a name resolves to: by this machine's resolver, or by the name server of the entry."""

from __future__ import annotations

import asyncio
import socket

from upgate.sources.probes.answers import Answer, compare
from upgate.sources.probes.http import Report
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch


async def probe_name(target: ProbeTarget, trust: Trust, watch: Watch, report: Report) -> None:
    """Resolve the name. Raises socket.gaierror, Unresolved, and what the network raises."""
    watch.host = target.url.removeprefix("dns://")
    watch.begin()
    if target.resolver or target.record:
        from upgate.sources.probes import name_servers  # imports dnspython

        found = await name_servers.records(target, watch)
    else:
        await asyncio.get_running_loop().getaddrinfo(watch.host, None, type=socket.SOCK_STREAM)
        found = watch.addresses
    answer = Answer({}, ", ".join(sorted(found)), mask=target.mask)
    report.seen = tuple(compare(expected, answer) for expected in target.expectations)
