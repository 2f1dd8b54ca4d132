"""One probe of one target under one deadline: any error becomes part of the attempt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec

from upgate.facts.attempts import CERTIFICATE, Attempt, Certificate, Failure
from upgate.facts.certificates import read_certificate
from upgate.sources.probes import certificates, http, journeys, ports, resolving
from upgate.sources.probes.failures import classify
from upgate.sources.probes.http import Report
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch, current

#: By the URL's scheme; all others are HTTP, or are rejected by httpx.
ASK = {"tcp": ports.probe_port, "tls": ports.probe_port, "dns": resolving.probe_name}


async def probe_once(target: ProbeTarget, trust: Trust, watch: Watch, vantage: str) -> Attempt:
    """Probe the target once."""
    started, report, failure = datetime.now(UTC), Report(), None
    current.set(watch)
    try:
        async with asyncio.timeout(target.timeout) as watch.deadline:
            ask = journeys.probe_journey if target.steps else ASK.get(target.scheme, http.probe_http)
            await ask(target, trust, watch, report)
    except Exception as error:  # any error is classified and kept
        failure = classify(error, watch)
    except asyncio.CancelledError:  # the deadline of all probes together
        await watch.abandon()
        raise
    elapsed = watch.elapsed()
    await watch.abandon()
    return Attempt(
        id=target.id,
        target=target.shown,
        vantage=vantage,
        started=started,
        elapsed=elapsed,
        address="" if watch.by_proxy else watch.address,
        failure=failure and Failure(failure.kind, target.mask(failure.words)),
        certificate=await _certificate(watch, failure, target.timeout - elapsed.total),
        **msgspec.structs.asdict(report),
    )


async def _certificate(watch: Watch, failure: Failure | None, seconds: float) -> Certificate | None:
    der = watch.certificate
    if failure and failure.kind in CERTIFICATE and watch.addresses and watch.port and not watch.by_proxy:
        der = await certificates.fetch(watch.addresses[0], watch.port, watch.host, seconds)
    return read_certificate(der) if der else None
