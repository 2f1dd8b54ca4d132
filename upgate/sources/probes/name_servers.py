"""The records of a name at a name server; the only user of dnspython."""

from __future__ import annotations

import asyncio
import socket
import time

import dns.asyncquery
import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

from upgate.base.errors import Inconclusive
from upgate.sources.probes.asking import canonical
from upgate.sources.probes.hints import is_with_port
from upgate.sources.probes.names import Unresolved
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.watch import Watch


async def records(target: ProbeTarget, watch: Watch) -> list[str]:
    """The records of the wanted type, after following aliases; over UDP, or TCP if the answer is too long.

    Raises Unresolved, Inconclusive, and what the network raises.
    """
    kind = dns.rdatatype.from_text(target.record or "A")
    query = dns.message.make_query(_name(watch.host), kind)
    watch.addresses, watch.port = await _server(target.resolver)
    watch.phase, began = "dns" if target.resolver else "name", time.monotonic()
    answer, _ = await dns.asyncquery.udp_with_fallback(query, watch.addresses[0], port=watch.port)
    watch.answered(time.monotonic() - began)
    if answer.rcode() != dns.rcode.NOERROR:
        raise Unresolved(f"{watch.host} does not resolve: {watch.address} answered {dns.rcode.to_text(answer.rcode())}")
    if not isinstance(answer, dns.message.QueryMessage):
        raise dns.exception.FormError("the answer is not a response to a query")
    found = answer.resolve_chaining().answer
    if found is None:
        raise Unresolved(f"{watch.host} has no {dns.rdatatype.to_text(kind)} record, says {watch.address}")
    return [canonical(record_text(record)) for record in found]


def record_text(record: dns.rdata.Rdata) -> str:
    """The record as profiles write it: the strings of a TXT record as one text."""
    if isinstance(record, TXTBase):
        return b"".join(record.strings).decode(errors="replace")
    return record.to_text()


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except dns.exception.DNSException as problem:
        raise Unresolved(f"{text} is not a valid name ({problem})") from problem


async def _server(resolver: str) -> tuple[list[str], int]:
    """Address and port of the name server: the entry's, or the first of this machine. Raises Inconclusive."""
    if not resolver:
        return [_own()], 53
    host, _, port = resolver.rpartition(":") if is_with_port(resolver) else (resolver, "", "53")
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    except socket.gaierror as problem:
        raise Inconclusive(f"the name server {resolver} does not resolve ({problem.strerror})") from problem
    return [str(found[0][4][0])], int(port)


def _own() -> str:
    try:
        return str(dns.resolver.Resolver().nameservers[0])
    except dns.exception.DNSException as problem:
        raise Inconclusive(f"this machine has no DNS server configured: {problem}") from problem
