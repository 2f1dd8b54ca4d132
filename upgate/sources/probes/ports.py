"""A TCP port, its certificate if the profile asks for it, and the TLS versions that it accepts."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from urllib.parse import urlsplit

import httpcore

from upgate.base.errors import Inconclusive
from upgate.sources.probes.answers import Answer, compare
from upgate.sources.probes.http import Report
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch

VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
#: Our own OpenSSL does not support the version: whether the server does is unknown.
OURS = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE")


async def probe_port(target: ProbeTarget, trust: Trust, watch: Watch, report: Report) -> None:
    """Connect; nothing is sent. Raises what httpcore and the network raise."""
    parts = urlsplit(target.url)
    host, port = target.address or parts.hostname or "", parts.port or 0
    watch.reach.go(host)
    await watch("connection.connect_tcp.started", {"host": host, "port": port})
    stream = await httpcore.AnyIOBackend().connect_tcp(host, port)
    await watch("connection.connect_tcp.complete", {"return_value": stream})
    if target.scheme == "tls" or target.tls_days is not None or target.ca:
        name = target.server_name or parts.hostname or ""
        await _handshake(stream, name, target, trust, watch)
        await _versions(name, target, watch, report)


async def _handshake(
    stream: httpcore.AsyncNetworkStream, host: str, target: ProbeTarget, trust: Trust, watch: Watch
) -> None:
    context = trust.context(target.ca, target.client_certificate, target.client_key, False)
    await watch("connection.start_tls.started", {"server_hostname": host})
    stream = await stream.start_tls(context, server_hostname=host)
    await watch("connection.start_tls.complete", {"return_value": stream})
    await stream.aclose()


async def _versions(name: str, target: ProbeTarget, watch: Watch, report: Report) -> None:
    """If the profile expects TLS versions: one handshake with each version."""
    if not target.expectations:
        return
    accepted = await asyncio.gather(*(_accepts(VERSIONS[each], name, watch) for each in VERSIONS))
    answer = Answer(
        {}, ", ".join(version for version, yes in zip(VERSIONS, accepted, strict=True) if yes), mask=target.mask
    )
    report.seen = tuple(compare(expected, answer) for expected in target.expectations)


async def _accepts(version: ssl.TLSVersion, name: str, watch: Watch) -> bool:
    """The server accepts this TLS version. Raises OSError if it cannot be reached, Inconclusive if we cannot offer it."""
    _, plain = await asyncio.open_connection(watch.addresses[0], watch.port)
    try:
        await plain.start_tls(_only(version), server_hostname=name)
        return True
    except ssl.SSLError as refused:
        if refused.reason in OURS:
            raise Inconclusive(f"this machine's OpenSSL does not speak {version.name.replace('_', '.')}") from refused
        return False
    except ConnectionError:
        return False
    finally:
        plain.transport.abort()


def _only(version: ssl.TLSVersion) -> ssl.SSLContext:
    """A client for this version only, which verifies nothing; security level 0 allows the ciphers of old versions."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are offered on purpose
        context.minimum_version = context.maximum_version = version
    return context
