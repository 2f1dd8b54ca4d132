"""Values of a profile that are addresses or credentials: URLs, ports, proxies, name servers, credentials.

No message quotes the value: it may hold what a `${VAR}` stood for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from upgate.base.addresses import is_ip_with_zone
from upgate.profile.quantities import NAME, check_regex, set_only, some

HOST_AND_PORT = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(\d{1,5}|\{\w+\})")
#: What a probe for each node, ingress or load balancer fills in; journeys name their captured values likewise.
PLACEHOLDER = re.compile(r"\{\w+\}")
#: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors, as far as equality goes.
KEY = r"[A-Za-z0-9][\w./-]*"
LABELS = re.compile(rf"!?{KEY}|{KEY}\s*(!=|==|=)\s*[\w.-]*", re.ASCII)
#: Of DNS, so with underscores, and an optional dot at the end; in any script.
HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
#: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
BLANK = re.compile(r"\s")
CAPTURES = ("json", "header", "cookie", "regex")


def url_with(*schemes: str) -> Callable[[str], str]:
    """What checks that a text is a URL of one of these schemes."""

    def check(value: str) -> str:
        try:
            parts = urlsplit(PLACEHOLDER.sub("1", value))
            usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError as problem:
            raise ValueError(f"not a URL: {problem}") from None
        if not usable or BLANK.search(value):
            raise ValueError(f"not a URL such as {schemes[0]}://shop.example.com/healthz")
        return value

    return check


def check_host_and_port(value: str) -> str:
    """`host:port`. Raises ValueError."""
    match = HOST_AND_PORT.fullmatch(value)
    if not match or (match[2].isdigit() and not 1 <= int(match[2]) <= 65535):
        raise ValueError("not of the form host:port, such as db.example.com:5432 or [2001:db8::1]:5432")
    return value


def check_host_name(value: str) -> str:
    """An address without brackets, or a name. Raises ValueError."""
    if not is_ip_with_zone(value) and not HOST_NAME.fullmatch(PLACEHOLDER.sub("1", value)):
        raise ValueError("not an address or a name alone, such as 10.0.0.1, 2001:db8::1 or shop.example.com")
    return value


def check_header_name(value: str) -> str:
    """A token of HTTP. Raises ValueError."""
    if not HEADER.fullmatch(value):
        raise ValueError("not the name of a header such as X-Request-Id")
    return value


def check_closed(value: str) -> str:
    """`host:port` or a URL. Raises ValueError."""
    return url_with("https", "http")(value) if "://" in value else check_host_and_port(value)


def check_proxy(value: str) -> str:
    """A URL or `none`. Raises ValueError."""
    return value if value == "none" else url_with("http", "https")(value)


def check_resolver(value: str) -> str:
    """An address or name, with a port if it is not 53. Raises ValueError."""
    return value if is_ip_with_zone(value) or NAME.fullmatch(value) else check_host_and_port(value)


def check_labels(value: str) -> str:
    """A label selector as kubectl has it, without sets. Raises ValueError."""
    if not all(LABELS.fullmatch(part.strip()) for part in value.split(",")):
        raise ValueError("not a label selector such as pool=edge, zone!=a or !spot")
    return value


def check_capture(value: str) -> str:
    """Where a value is found in an answer. Raises ValueError."""
    source, _, what = value.partition(":")
    if source not in CAPTURES or not what:
        raise ValueError(f"not of the form {', '.join(f'{each}:…' for each in CAPTURES)}; such as json:token")
    if source == "regex":
        check_regex(what)
    return value


def check_credentials(value: str) -> str:
    """`user:password`. Raises ValueError."""
    if not value.partition(":")[0] or ":" not in value:
        raise ValueError("not of the form user:password")
    return value


def check_network(value: str) -> str:
    """An address or a network. Raises ValueError."""
    try:
        ip_network(value)
    except ValueError:
        raise ValueError("not an address or a network such as 127.0.0.0/8 or fd00:ec2::254") from None
    return value


HeaderName = Annotated[str, AfterValidator(check_header_name)]
Headers = Annotated[dict[HeaderName, str], BeforeValidator(set_only)]
HostName = Annotated[str, AfterValidator(check_host_name)]
Url = Annotated[str, AfterValidator(url_with("https", "http"))]
SocketUrl = Annotated[str, AfterValidator(url_with("wss", "ws", "https", "http"))]
HostAndPort = Annotated[str, AfterValidator(check_host_and_port)]
Closed = Annotated[str, AfterValidator(check_closed)]
Resolver = Annotated[str, AfterValidator(check_resolver)]
LabelSelector = Annotated[str, AfterValidator(check_labels)]
Capture = Annotated[str, AfterValidator(check_capture)]
Credentials = Annotated[str, AfterValidator(check_credentials)]
Proxy = Annotated[str, AfterValidator(check_proxy)]
Network = Annotated[str, AfterValidator(check_network)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(some, json_schema_input_type=Network | tuple[Network, ...])]
