"""What may be taken for an address where a cluster, a host or a file names one: an IP address or a DNS name, and nothing else.

Whoever has one kubelet's credential writes its node's addresses: a query, a port, a blank or a line break in one of them would
become a part of a command or of a URL.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

#: https://www.rfc-editor.org/rfc/rfc1123#page-13, and the form of all names in Kubernetes' objects:
#: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DNS_NAME = re.compile(rf"{LABEL}(?:\.{LABEL})*", re.ASCII)
LONGEST_NAME = 253
#: What a resolver reads as an IPv4 address, too: 2130706433, 0x7f.1, 127.1.
NUMBERS = re.compile(r"(?:0[xX][0-9A-Fa-f]*|\d+)(?:\.(?:0[xX][0-9A-Fa-f]*|\d+))*", re.ASCII)


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address without brackets and zone, or a DNS name."""
    return is_ip(text) or is_dns_name(text)


def is_dns_name(text: str) -> bool:
    """A name of RFC 1123 that nothing takes for a number."""
    return len(text) <= LONGEST_NAME and bool(DNS_NAME.fullmatch(text)) and not NUMBERS.fullmatch(text)


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address without brackets; also without a zone, which is a name of an interface of one machine alone."""
    return "%" not in text and is_ip_with_zone(text)


def is_ip_with_zone(text: str) -> bool:
    """The same, or an IPv6 address with a zone: a person may write one for the machine that the profile is used on."""
    try:
        return len(text) <= LONGEST_NAME and bool(ip_address(text))
    except ValueError:
        return False


def canonical_address(text: str) -> str:
    """One spelling of all that lead to the same place: IPv4 in IPv6, a name in capitals, or with a dot at its end."""
    if not is_ip(text):
        return text.rstrip(".").lower()
    address = ip_address(text)
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)
