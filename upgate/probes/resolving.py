"""What a name resolves to: for the programs of this machine, or at a name server that the entry names."""

from __future__ import annotations

import asyncio
import socket
import time

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from upgate.errors import Inconclusive
from upgate.probes.answers import Answer, compare
from upgate.probes.asking import canonical
from upgate.probes.hints import is_with_port
from upgate.probes.http import Report
from upgate.probes.target import Target
from upgate.probes.trust import Trust
from upgate.probes.watch import Watch, current


class Unresolved(Exception):
    """The name server has answered, and has no such record."""


async def ask(target: Target, trust: Trust, watch: Watch, report: Report) -> None:
    """Resolve the name. Raises socket.gaierror, Unresolved, and what the network raises."""
    watch.host = target.url.removeprefix("dns://")
    watch.begin()
    if target.resolver or target.record:
        found = await _at_a_server(target, watch)
    else:
        await asyncio.get_running_loop().getaddrinfo(watch.host, None, type=socket.SOCK_STREAM)
        found = watch.addresses
    answer = Answer({}, ", ".join(sorted(found)))
    report.seen = tuple(compare(expected, answer, target.mask) for expected in target.expectations)


async def _at_a_server(target: Target, watch: Watch) -> list[str]:
    """The records of the wanted type, aliases followed. DNS over UDP, and over TCP where the answer is too long for that."""
    kind = dns.rdatatype.from_text(target.record or "A")
    query = dns.message.make_query(_name(watch.host), kind)
    watch.addresses, watch.port = await _server(target.resolver)
    watch.phase, began = "dns" if target.resolver else "name", time.monotonic()
    answer, _ = await dns.asyncquery.udp_with_fallback(query, watch.addresses[0], port=watch.port)
    watch.answered(time.monotonic() - began)
    if answer.rcode() != dns.rcode.NOERROR:
        raise Unresolved(f"{watch.host} does not resolve: {watch.address} answered {dns.rcode.to_text(answer.rcode())}")
    records = answer.resolve_chaining().answer
    if records is None:
        raise Unresolved(f"{watch.host} has no {dns.rdatatype.to_text(kind)} record, says {watch.address}")
    return [canonical(record.to_text()) for record in records]


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException as problem:
        raise Unresolved(f"{text} is not a valid name ({problem})") from problem


async def _server(resolver: str) -> tuple[list[str], int]:
    """Address and port of the name server: the entry's, or the first of this machine."""
    if not resolver:
        return [_own()], 53
    host, _, port = resolver.rpartition(":") if is_with_port(resolver) else (resolver, "", "53")
    found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    current.get().phase = "connect"
    return [found[0][4][0]], int(port)


def _own() -> str:
    try:
        return str(dns.resolver.Resolver().nameservers[0])
    except dns.exception.DNSException as problem:
        raise Inconclusive(f"this machine names no DNS server: {problem}") from problem
