"""The proxy of a request: the entry's own, or the environment's as curl and Go read it.

NO_PROXY lists names, suffixes, addresses and networks; loopback is never proxied: https://pkg.go.dev/golang.org/x/net/http/httpproxy
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network


def proxy_for(scheme: str, host: str, own: str = "", environment: Mapping[str, str] = os.environ) -> str | None:
    """The proxy's URL, or None to connect directly."""
    if own:
        return None if own == "none" else own
    proxy = _variable(environment, f"{scheme}_proxy") or _variable(environment, "all_proxy")
    return proxy if proxy and not _bypassed(host, _variable(environment, "no_proxy")) else None


def _variable(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name) or environment.get(name.upper(), "")


def _bypassed(host: str, no_proxy: str) -> bool:
    entries = [entry.strip() for entry in no_proxy.lower().split(",") if entry.strip()]
    return _is_loopback(host) or any(_covers(entry, host.lower()) for entry in entries)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _covers(entry: str, host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host) in ip_network(entry, strict=False)
    name = entry.removeprefix("*").removeprefix(".")
    return entry == "*" or host == name or host.endswith(f".{name}")
