"""Which addresses a probe may connect to if the profile does not name the host.

Tenants write the hosts of Ingresses, kubelets write the addresses of nodes, and any server can redirect: none of them may send
this machine's requests to itself, to its link or to the metadata service of its cloud. The check is made for the address
of the connection: name servers are controlled by others, and their answers may change at any time.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from upgate.sources.probes.target import ProbeTarget

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Networks that are not public, by kind; the first network with an address decides the kind.
#: https://www.iana.org/assignments/iana-ipv4-special-registry/ and its IPv6 counterpart; the metadata services of AWS (also of
#: its containers), Google, Azure, Alibaba and Oracle.
NOWHERE = {
    "metadata": (
        *("169.254.169.254/32", "169.254.169.253/32", "169.254.169.123/32", "169.254.170.0/24", "169.254.0.23/32"),
        *(
            "fd00:ec2::/32",
            "fd20:ce::/64",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "192.0.0.192/32",
            "192.0.0.170/31",
        ),
    ),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": ("240.0.0.0/4",),
}
#: The same as numbers: IP version, first and last address, and kind.
RANGES = [
    (network.version, int(network.network_address), int(network.broadcast_address), kind)
    for kind, networks in NOWHERE.items()
    for network in map(ip_network, networks)
]
#: IPv6 networks that embed an IPv4 address, and the position of its last bit: IPv4-mapped and -compatible, NAT64, 6to4.
WITH_IPV4 = [
    (ip_network(network), shift)
    for network, shift in {
        "::ffff:0:0/96": 0,
        "::/96": 0,
        "64:ff9b::/96": 0,
        "64:ff9b:1::/48": 0,
        "2002::/16": 80,
    }.items()
]
#: Names of this machine.
LOCAL_NAMES = ("localhost", "localhost.localdomain")


class Refused(OSError):
    """The probe does not connect to this address. The text says why; `by_redirect`: a server redirected to it."""

    def __init__(self, words: str, by_redirect: bool) -> None:
        super().__init__(words)
        self.words, self.by_redirect = words, by_redirect


class Reach:
    """Which addresses one attempt may connect to: those that the profile names, and for redirects those of the same kind."""

    def __init__(self, target: ProbeTarget) -> None:
        self._allowed = networks(target.allow_addresses)
        self._by_cluster = target.named_by_cluster
        #: The kinds of the addresses that the profile names.
        self._own: set[str] = set()
        #: The current request follows a redirect.
        self.redirected = False
        self._host = ""

    def go(self, host: str, *, redirected: bool = False) -> None:
        """The next connection is for this host. Raises Refused if the host itself is a refused address."""
        self._host, self.redirected = host, redirected
        if literal := as_address(host):
            self.connect(literal)

    def connect(self, address: str) -> None:
        """The next connection goes to this address. Raises Refused."""
        kind = reserved_kind(address, self._allowed)
        if not kind or (kind in self._own and self.redirected):
            return
        if self.redirected or self._by_cluster or not self._is_meant(kind):
            raise Refused(self._words(address, kind), self.redirected)
        self._own.add(kind)

    def _is_meant(self, kind: str) -> bool:
        """An address in the profile is allowed; a name may resolve to this machine, but to no other refused address."""
        return kind == "loopback" or self._host in LOCAL_NAMES or bool(as_address(self._host))

    def _words(self, address: str, kind: str) -> str:
        where = address if self._host in (address, "") else f"{self._host} is {address}"
        told = "an answer named it" if self.redirected else "the profile does not name this address"
        return f"{where}, {_article(kind)} {kind} address: {told}; allow-addresses of the entry can allow it"


def reserved_kind(address: str, allowed: Sequence[Network] = ()) -> str:
    """The kind of an address that is not public; empty for public addresses and for those that are allowed."""
    for ip in _meanings(ip_address(address.partition("%")[0])):
        if not any(ip in network for network in allowed):
            version, number = ip.version, int(ip)
            for of, first, last, kind in RANGES:
                if of == version and first <= number <= last:
                    return kind
    return ""


def as_address(host: str) -> str:
    """The address that a host spells in any form that the system's resolver reads: 127.1, 0x7f000001, 2130706433; else empty."""
    try:
        return str(ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host)) if host and not host[-1].isspace() else ""
    except (OSError, UnicodeError, ValueError):
        return ""


@cache
def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks of these texts, which the profile has validated."""
    return tuple(ip_network(each, strict=False) for each in texts)


def _meanings(ip: Address) -> Iterator[Address]:
    """The address, or the IPv4 address that it embeds."""
    if ip.version == 4:
        yield ip
        return
    inner = [(int(ip) >> shift) & 0xFFFFFFFF for network, shift in WITH_IPV4 if ip in network]
    if not inner or int(ip) <= 1:
        yield ip
    else:
        yield from (IPv4Address(each) for each in inner)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
