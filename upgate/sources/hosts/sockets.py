"""Listening sockets, from ss or from /proc/net."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from upgate.facts.hosts import Socket
from upgate.sources.hosts.sections import Lines, field_values

#: States of listening sockets in /proc/net: LISTEN for TCP, CLOSE for UDP, which has no other.
LISTENING = {"tcp": "0A", "udp": "07"}
PORT = re.compile(r"\d{1,5}", re.ASCII)
#: An address and a port of /proc/net.
HEX = re.compile(r"([0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}):([0-9A-Fa-f]{4})")
OWNER = re.compile(r'users:\(\("([^"]+)"')


def sockets(lines: Lines) -> dict[str, object]:
    """The listening sockets; ss also gives their owner."""
    found = list(of_ss(lines)) or list(of_proc(lines))
    return {"sockets": tuple(sorted(set(found), key=lambda each: (each.port, each.protocol, each.address)))}


def of_ss(lines: Lines) -> Iterator[Socket]:
    """From the output of `ss -Hltnup`."""
    for columns in map(str.split, (" ".join(line[1:]) for line in lines if line[0] == "ss")):
        if len(columns) >= 6 and columns[0] in LISTENING and columns[1] in ("LISTEN", "UNCONN"):
            address, _, port = columns[4].rpartition(":")
            owner = OWNER.search(columns[-1])
            if PORT.fullmatch(port):
                yield Socket(
                    protocol=columns[0], address=bare_address(address), port=int(port), owner=owner[1] if owner else ""
                )


def bare_address(address: str) -> str:
    """The address without brackets and zone: `[::1%lo]` is ::1. Before iproute2 4.14 `::` also stood for IPv4."""
    return "*" if address == "::" else address.strip("[]").partition("%")[0]


def of_proc(lines: Lines) -> Iterator[Socket]:
    """From the tables of /proc/net, which do not show whether a socket at [::] accepts IPv4 too: nearly all do."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for local, state in (line.split(" ") for line in field_values(lines, table) if line.count(" ") == 1):
            match = HEX.fullmatch(local)
            if match and state == LISTENING[table[:3]]:
                yield Socket(protocol=table[:3], address=from_hex(match[1]), port=int(match[2], 16))


def from_hex(text: str) -> str:
    """An address of /proc/net: 32-bit words, each with its lowest byte first."""
    raw = b"".join(bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8))
    if len(raw) == 4:
        return str(IPv4Address(raw))
    return "*" if not any(raw) else str(IPv6Address(raw))
