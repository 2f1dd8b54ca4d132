"""One sample of one target: what is sent, over which connection, and what comes of it in the gate's own words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from upgate.base.addresses import is_ip_with_zone
from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Attempt, Certificate, Elapsed, Failure
from upgate.facts.certificates import read_certificate
from upgate.sources.probes.answers import Answer
from upgate.sources.probes.bodies import MOST_BODY, decoded_body
from upgate.sources.probes.failures import classify
from upgate.sources.probes.http import REDIRECTS, Report, compare_answer
from upgate.sources.probes.judging import judge_attempt
from upgate.sources.probes.reach import Reach
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch, host_and_port
from upgate.watch.clock import clock_seconds
from upgate.watch.exchange import Broken, Exchange
from upgate.watch.resolving import Names
from upgate.watch.wording import any_certificate, worded_request

read_certificate_once: Callable[[bytes], Certificate] = lru_cache(maxsize=512)(read_certificate)


class Verdict(Exception):
    """What a sample comes to, where that is not good. `ours`: nothing is known of the target."""

    def __init__(self, why: str, *, ours: bool = False, overdue: bool = False) -> None:
        super().__init__(why)
        self.why, self.ours, self.overdue = why, ours, overdue


@dataclass
class Asker:
    """Asks one target, again and again, over new connections or over one that it keeps."""

    target: ProbeTarget
    names: Names
    trust: Trust
    kept: bool = False
    insecure: bool = False
    #: Seconds that this process was too busy so far.
    lag: Callable[[], float] = lambda: 0.0
    _idle: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.target.url)
        self._scheme, self._host = self.target.scheme, parts.hostname or ""
        self._port = parts.port or {"http": 80, "https": 443}.get(self._scheme, 0)
        self._is_http = self._scheme in ("http", "https")
        self._tls = self._scheme in ("https", "tls") or (not self._is_http and self._wants_certificate)
        self._request = worded_request(self.target, kept=self.kept) if self._is_http else b""
        self._goal = self.target.address or self._host
        #: The addresses that may be connected to; it takes longer to tell than to connect.
        self._allowed: set[str] = set()
        self._fixed = [self._goal] if is_ip_with_zone(self._goal) else []

    @property
    def _wants_certificate(self) -> bool:
        return self.target.tls_days is not None or bool(self.target.ca)

    async def ask(self) -> None:
        """One sample. Raises Verdict for whatever is not good."""
        attempt = OneSample(self, clock_seconds(), self.lag())
        try:
            async with asyncio.timeout(self.target.timeout):
                await attempt.exchange()
        except Exception as problem:  # any error is classified, as in the gate
            attempt.failure = self._classified(problem, attempt)
        finally:
            attempt.let_go()
        attempt.judge()

    def _classified(self, problem: Exception, attempt: OneSample) -> Failure:
        if isinstance(problem, Broken):
            return problem.failure
        seen = Watch(self.lag, lambda: None, Reach(self.target))
        seen.phase, seen.host = attempt.phase, self.target.server_name or self._host
        return classify(problem, seen)

    def take_idle(self) -> Exchange | None:
        """A kept connection that still stands."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.over:
                return connection
        return None

    def keep(self, connection: Exchange) -> None:
        """Keep a connection for the next request; one is enough."""
        if self._idle:
            connection.close()
        else:
            self._idle.append(connection)

    async def addresses(self) -> list[str]:
        """Where to connect to. Raises OSError where the name does not resolve."""
        return self._fixed or await self.names.addresses(self._goal)

    def allow(self, address: str) -> None:
        """An address that a probe may connect to. Raises Refused for any other."""
        if address not in self._allowed:
            reach = Reach(self.target)
            reach.go(self._goal)
            reach.connect(address)
            self._allowed.add(address)

    def context(self) -> ssl.SSLContext | None:
        """The TLS settings; None for plain connections. Raises Inconclusive where a file cannot be used."""
        if not self._tls:
            return None
        if self.insecure:
            return any_certificate()
        target = self.target
        return self.trust.context(target.ca, target.client_certificate, target.client_key, False)


@dataclass
class OneSample:
    """One sample while it is made."""

    asker: Asker
    began: float
    lag: float
    phase: Any = "connect"
    address: str = ""
    connection: Exchange | None = None
    failure: Failure | None = None

    async def exchange(self) -> None:
        """Connect where there is no kept connection, ask, and read the answer. Raises what the network raises, and Broken."""
        asker = self.asker
        self.connection = asker.take_idle() if asker.kept else None
        if self.connection:
            try:
                return await self._ask_over(self.connection)
            except Broken as problem:
                if not problem.early:
                    raise
        # RFC 9112, section 9.3.1: a server may close a kept connection at any time, and clients then ask once more.
        self.connection = await self._connected()
        if asker._is_http:
            await self._ask_over(self.connection)
        return None

    async def _ask_over(self, connection: Exchange) -> None:
        self.phase = "answer"
        await connection.ask(self.asker._request, head=self.asker.target.method == "HEAD")

    async def _connected(self) -> Exchange:
        """A new connection to the first address that accepts one. Raises OSError, Refused, Inconclusive."""
        asker, problem = self.asker, OSError("no address")
        self.phase = "name"
        for address in await asker.addresses():
            asker.allow(address)
            self.phase, self.address = "connect", host_and_port(address, asker._port)
            try:
                return await self._connect(address)
            except (ConnectionError, OSError) as refused:
                problem = refused
        raise problem

    async def _connect(self, address: str) -> Exchange:
        asker, loop = self.asker, asyncio.get_running_loop()
        _, connection = await loop.create_connection(Exchange, address, asker._port)
        self.connection = connection  # it is closed, whatever happens in the handshake
        if context := asker.context():
            self.phase, name = "tls", asker.target.server_name or asker._host
            plain = connection.transport
            connection.transport = await loop.start_tls(plain, connection, context, server_hostname=name) or plain
        return connection

    def let_go(self) -> None:
        """Keep the connection where that is wanted and possible; else close it."""
        connection = self.connection
        if connection is None:
            return
        if self.asker.kept and not connection.over and not self.failure:
            self.asker.keep(connection)
        else:
            connection.close()

    def judge(self) -> None:
        """Compare what came back with what is expected, as the gate does. Raises Verdict."""
        target, took = self.asker.target, clock_seconds() - self.began
        if not self.failure and self._plainly_good(took):
            return
        ours = self.asker.lag() - self.lag
        attempt = self._attempt(took, ours)
        try:
            wrong = judge_attempt(target, attempt)
        except Inconclusive as reason:
            raise Verdict(str(reason), ours=True) from reason
        if wrong:
            kind = self.failure.kind if self.failure else ""
            overdue = kind.endswith("timeout") or "in time" in (self.failure.words if self.failure else "")
            raise Verdict("; ".join(each.observed for each in wrong), overdue=overdue or kind == "reset")

    def _plainly_good(self, took: float) -> bool:
        target = self.asker.target
        if target.expectations or target.tls_days is not None or (target.within is not None and took > target.within):
            return False
        return not self.asker._is_http or target.accepts(self.connection.status if self.connection else 0)

    def _attempt(self, took: float, ours: float) -> Attempt:
        target, report = self.asker.target, Report()
        if not self.failure and self.asker._is_http and self.connection:
            report.status, report.http_version = self.connection.status, "HTTP/1.1"
            compare_answer(target, self._answer(self.connection), report)
        failure = self.failure and Failure(self.failure.kind, target.mask(self.failure.words))
        return Attempt(
            id=target.id,
            target=target.shown,
            started=datetime.now(UTC),
            elapsed=Elapsed(total=took, ours=min(ours, took)),
            address=self.address,
            failure=failure,
            status=report.status,
            location=report.location,
            headers=report.headers,
            seen=report.seen,
            excerpt=report.excerpt,
            certificate=self._certificate(),
        )

    def _answer(self, connection: Exchange) -> Answer:
        response = httpx.Response(connection.status, headers=connection.headers)
        body = bytes(connection.body[:MOST_BODY])
        location = response.headers.get("location", "") if connection.status in REDIRECTS else ""
        onward = urljoin(self.asker.target.url, location) if location else ""
        text = decoded_body(response, body)
        return Answer(response.headers, text, onward, len(connection.body) > MOST_BODY)

    def _certificate(self) -> Certificate | None:
        held = (
            self.connection.transport.get_extra_info("ssl_object")
            if self.connection and self.connection.transport
            else None
        )
        der = held.getpeercert(binary_form=True) if held and self.asker.target.tls_days is not None else None
        return read_certificate_once(der) if der else None
