"""What a name resolves to, for the programs of this machine."""

from __future__ import annotations

import asyncio
import socket

from upgate.probes.answers import Answer, compare
from upgate.probes.http import Report
from upgate.probes.target import Target
from upgate.probes.trust import Trust
from upgate.probes.watch import Watch


async def ask(target: Target, trust: Trust, watch: Watch, report: Report) -> None:
    """Resolve the name. Raises socket.gaierror."""
    watch.host = target.url.removeprefix("dns://")
    watch.begin()
    await asyncio.get_running_loop().getaddrinfo(watch.host, None, type=socket.SOCK_STREAM)
    answer = Answer({}, ", ".join(sorted(watch.addresses)))
    report.seen = tuple(compare(expected, answer, target.mask) for expected in target.expectations)
