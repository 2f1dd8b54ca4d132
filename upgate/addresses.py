"""What may be taken for an address where a cluster, a host or a file names one: an IP address or a DNS name, and nothing else.

Whoever has one kubelet's credential writes its node's addresses: a query, a port, a blank or a line break in one of them would
become a part of a command or of a URL.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

#: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names; `_` is in use, too.
LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
DNS_NAME = re.compile(rf"{LABEL}(\.{LABEL})*\.?", re.ASCII)
LONGEST_NAME = 254


def is_address(text: str) -> bool:
    """An IPv4 or IPv6 address without brackets and zone, or a DNS name."""
    if len(text) > LONGEST_NAME:
        return False
    return is_ip(text) or bool(DNS_NAME.fullmatch(text))


def is_ip(text: str) -> bool:
    """An IPv4 or IPv6 address without brackets and zone."""
    try:
        return bool(ip_address(text)) and "%" not in text
    except ValueError:
        return False
