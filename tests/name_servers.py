"""A real DNS server on loopback, over UDP and TCP, that knows as much as a test gives it."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

#: (name, type) → the records; a name that is in no pair does not exist.
Zone = Mapping[tuple[str, str], list[str]]


class NameServer:
    """Answers by its zone; remembers what it was asked."""

    def __init__(self, zone: Zone, *, rcode: str = "NOERROR", silent: bool = False, **how: bool) -> None:
        self.zone, self.rcode, self.silent = zone, rcode, silent
        self.short, self.garbled = how.get("short", False), how.get("garbled", False)
        self.asked: list[str] = []
        self.port = 0

    def answer(self, wire: bytes, *, udp: bool) -> bytes | None:
        """The answer to one question. `short` cuts it over UDP, as servers do with what is long."""
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind} {'UDP' if udp else 'TCP'}")
        if self.silent:
            return None
        if self.garbled:
            return wire[:2] + b"nonsense"
        reply = dns.message.make_response(query)
        if self.short and udp:
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        known = any(each == name for each, _ in self.zone)
        reply.set_rcode(dns.rcode.from_text(self.rcode if known or self.rcode != "NOERROR" else "NXDOMAIN"))
        self.add(reply, name, kind)
        return reply.to_wire()

    def add(self, reply: Any, name: str, kind: str) -> None:
        """The records of a name, behind its alias where it has one."""
        if kind != "CNAME" and (alias := self.zone.get((name, "CNAME"))):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "CNAME", *alias))
            name = alias[0].rstrip(".")
        if records := self.zone.get((name, kind)):
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *records))


class Udp(socketserver.BaseRequestHandler):
    """One datagram."""

    def handle(self) -> None:
        wire, sock = self.request
        if answer := self.server.names.answer(wire, udp=True):
            sock.sendto(answer, self.client_address)


class Tcp(socketserver.BaseRequestHandler):
    """One connection with one question: two bytes of length before each message."""

    def handle(self) -> None:
        length = int.from_bytes(self.request.recv(2), "big")
        if answer := self.server.names.answer(self.request.recv(length), udp=False):
            self.request.sendall(len(answer).to_bytes(2, "big") + answer)


def of_family(base: type[socketserver.BaseServer], host: str) -> type[socketserver.BaseServer]:
    """The server for addresses like this one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return type(base.__name__, (base,), {"address_family": family, "daemon_threads": True})


@contextmanager
def resolving(zone: Zone, host: str = "127.0.0.1", **behaviour: Any) -> Iterator[NameServer]:
    """A name server on one free port, UDP and TCP."""
    names = NameServer(zone, **behaviour)
    with ExitStack() as stack:
        tcp = stack.enter_context(of_family(socketserver.ThreadingTCPServer, host)((host, 0), Tcp))
        names.port = tcp.server_address[1]
        udp = stack.enter_context(of_family(socketserver.ThreadingUDPServer, host)((host, names.port), Udp))
        for server in (tcp, udp):
            server.names = names  # type: ignore[attr-defined]
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield names
