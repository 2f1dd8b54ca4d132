"""Makes a target of an entry of the profile and one of its locations."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec

from upgate.profile.external import METHODS, PLACES
from upgate.sources.probes.places import ProbeLocation
from upgate.sources.probes.target import Expectation, ProbeStep, ProbeTarget

if TYPE_CHECKING:
    from upgate.profile.external import External
    from upgate.profile.external import JourneyStep as ProfileStep

#: A placeholder for a word of the location.
WORD = re.compile(r"\{(\w+)\}")
#: The answer to the key of UPGRADE, by RFC 6455.
ACCEPTED = Expectation("header", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept")
#: Without redirects: a page redirects users who are not logged in to the login.
SUCCESS = dict.fromkeys(("GET", "HEAD"), tuple(range(200, 300)))


def target_at(entry: External, place: ProbeLocation, secrets: Sequence[str]) -> ProbeTarget | None:
    """What to ask there. None if the entry uses a word that this location does not have, such as a host."""
    words = Words(place.words)
    if entry.each and lacks(entry, words):
        return None
    url = words.in_url(entry_url(entry))
    password = (entry.basic or "").partition(":")[2]
    return ProbeTarget(
        id=f"{entry.id}[{place.name}]" if place.name else entry.id,
        url=url,
        named_by_cluster=entry.each is not None,
        secrets=(*secrets, *filter(None, [password])),
        **request_fields(entry, words),
        **expectation_fields(entry, url, words),
        **connection_fields(entry, words),
    )


def request_fields(entry: External, words: Words) -> dict[str, Any]:
    """What is sent, and how often."""
    return {
        "method": entry.method,
        "headers": {name: words(value) for name, value in headers_of(entry).items()},
        "steps": tuple(step_of(step, words) for step in entry.journey or ()),
        "record": entry.record or "",
        "follow": entry.follow,
        "attempts": entry.attempts,
        "timeout": entry.timeout.total_seconds(),
    }


def expectation_fields(entry: External, url: str, words: Words) -> dict[str, Any]:
    """What the answer must be."""
    return {
        "status": (101,) if entry.websocket else entry.status or (),
        "expectations": tuple(expectations(entry, url, words)),
        "within": entry.within.total_seconds() if entry.within else None,
        "tls_days": entry.tls_days,
        "closed": entry.closed is not None,
    }


def connection_fields(entry: External, words: Words) -> dict[str, Any]:
    """How the target is reached, and which certificates count."""
    return {
        "ca": entry.ca or "",
        "client_certificate": entry.client_certificate or "",
        "client_key": entry.client_key or "",
        "proxy": entry.proxy or "",
        "resolver": entry.resolver or "",
        "address": words(entry.address or ""),
        "server_name": words(entry.server_name or ""),
        "allow_addresses": entry.allow_addresses,
        "http2": entry.http2,
    }


def lacks(entry: External, words: Words) -> bool:
    """The entry uses a word of its `each` that this location does not have, in something that it sends or expects."""
    sent = [entry.url, entry.tcp, entry.tls, entry.dns, entry.websocket, entry.closed, entry.address, entry.server_name]
    texts = [*filter(None, sent), *entry.headers.values(), *(entry.resolves_to or ())]
    texts += [entry.location or "", entry.body or "", *entry.header.values()]
    for step in entry.journey or ():
        texts += [request_of(step)[1], *step.headers.values()]
    named = set(WORD.findall(" ".join(words(text) for text in texts)))
    return not named.isdisjoint(PLACES[entry.each or ""])


class Words:
    """Replaces the words of a location in the texts of an entry; other braces are left unchanged."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    def __call__(self, text: str) -> str:
        """The text with its words replaced."""
        return WORD.sub(lambda match: self._words.get(match[1], match[0]), text)

    def in_url(self, text: str) -> str:
        """A URL with its words replaced, IPv6 addresses in brackets."""
        bracketed = {word: f"[{value}]" if is_ipv6(value) else value for word, value in self._words.items()}
        return Words(bracketed)(text)


def is_ipv6(text: str) -> bool:
    """An IPv6 address without brackets."""
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def entry_url(entry: External) -> str:
    """The URL that is asked; its scheme says how."""
    if entry.websocket:
        return "ws" + entry.websocket.removeprefix("ws").removeprefix("http")
    if entry.journey:
        return request_of(entry.journey[0])[1]
    for scheme in ("dns", "tls", "tcp"):
        if said := getattr(entry, scheme):
            return f"{scheme}://{said}"
    place = entry.closed or ""
    return entry.url or (place if "://" in place else f"tcp://{place}")


def headers_of(entry: External) -> dict[str, str]:
    """The headers to send, including credentials."""
    basic = {"Authorization": "Basic " + b64encode((entry.basic or "").encode()).decode()} if entry.basic else {}
    bearer = {"Authorization": f"Bearer {entry.bearer}"} if entry.bearer else {}
    return {**entry.headers, **basic, **bearer}


def step_of(step: ProfileStep, words: Words) -> ProbeStep:
    """One request of a journey."""
    method, url = request_of(step)
    return ProbeStep(
        method=method,
        url=words.in_url(url),
        headers={name: words(value) for name, value in step.headers.items()},
        form=dict(step.form),
        json="" if step.json_body is None else as_json(step.json_body),
        status=step.status or SUCCESS.get(method, ()),
        expectations=(Expectation("contains", step.body),) if step.body else (),
        capture=dict(step.capture),
    )


def request_of(step: ProfileStep) -> tuple[str, str]:
    """The method and the URL of a step: the profile checked that there is exactly one."""
    return next((method.upper(), url) for method in METHODS if (url := getattr(step, method)))


def expectations(entry: External, url: str, words: Words) -> Iterator[Expectation]:
    """What the answer must hold."""
    if entry.websocket:
        yield ACCEPTED
    if entry.resolves_to:
        yield Expectation("resolves", ", ".join(sorted(canonical(words(each)) for each in entry.resolves_to)))
    if entry.versions:
        yield Expectation("versions", ", ".join(sorted(entry.versions)))
    if entry.body:
        yield Expectation("contains", words(entry.body))
    if entry.matches:
        yield Expectation("matches", entry.matches)
    if entry.location:
        yield Expectation("location", urljoin(url, words.in_url(entry.location)))
    yield from (Expectation("json", as_json(value), path) for path, value in entry.json_values.items())
    yield from (Expectation("header", words(value), name) for name, value in entry.header.items())


def canonical(text: str) -> str:
    """A record in one spelling: `2001:DB8::0` and `2001:db8::` are equal, and the quotes of a zone file are removed."""
    try:
        return str(ip_address(text))
    except ValueError:
        return text.strip('"').rstrip(".").lower() or text


def as_json(value: Any) -> str:
    """A JSON value as text, always the same for the same value."""
    return msgspec.json.encode(value, order="deterministic").decode()
