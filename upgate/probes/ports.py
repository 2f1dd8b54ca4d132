"""A port that accepts, with TLS where its certificate is of interest."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpcore

from upgate.probes.http import Report
from upgate.probes.target import Target
from upgate.probes.trust import Trust
from upgate.probes.watch import Watch


async def ask(target: Target, trust: Trust, watch: Watch, report: Report) -> None:
    """Connect; nothing is sent. Raises what httpcore and the network raise."""
    parts = urlsplit(target.url)
    host, port = target.address or parts.hostname or "", parts.port or 0
    await watch("connection.connect_tcp.started", {"host": host, "port": port})
    stream = await httpcore.AnyIOBackend().connect_tcp(host, port)
    await watch("connection.connect_tcp.complete", {"return_value": stream})
    if target.tls_days is not None or target.ca:
        await _handshake(stream, parts.hostname or "", target, trust, watch)


async def _handshake(
    stream: httpcore.AsyncNetworkStream, host: str, target: Target, trust: Trust, watch: Watch
) -> None:
    context = trust.context(target.ca, target.client_certificate, target.client_key, False)
    await watch("connection.start_tls.started", {"server_hostname": host})
    stream = await stream.start_tls(context, server_hostname=host)
    await watch("connection.start_tls.complete", {"return_value": stream})
    await stream.aclose()
