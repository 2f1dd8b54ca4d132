"""One answer over HTTP: connect, send, follow redirects if asked, read as much of the body as judging needs.

It does not use httpx.AsyncClient, which needs a third more CPU time and whose redirects keep all headers but Authorization.
Headers, cookies, bodies and client certificates are not sent to another origin, and each hop's address is checked first.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec

from upgate import __version__
from upgate.base.text import one_line_excerpt
from upgate.sources.probes import bodies
from upgate.sources.probes.answers import Answer, compare
from upgate.sources.probes.cookies import Jars
from upgate.sources.probes.masking import is_credential, shown_url
from upgate.sources.probes.proxies import proxy_for
from upgate.sources.probes.searching import search_all
from upgate.sources.probes.target import UPGRADE, ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch

MOST_REDIRECTS = 10
#: Headers that are kept of every answer: browsers and clients behave otherwise without them, and a baseline has them.
MATTERING = (
    *("strict-transport-security", "content-security-policy", "x-frame-options", "x-content-type-options"),
    *("access-control-allow-origin", "content-type"),
)
#: Limits for the header fields of an answer and the length of a redirect's URL; h11 limits all headers to 100 KiB.
MOST_HEADERS, LONGEST_LOCATION = 500, 8_000
#: Characters of a header, or of a redirect's URL, that are kept.
LONGEST_KEPT = 300
#: A WebSocket begins as HTTP.
SOCKETS = {"ws": "http", "wss": "https"}
HEADERS = {"User-Agent": f"upgate/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
REDIRECTS = {301, 302, 303, 307, 308}


class Hop(msgspec.Struct, frozen=True):
    """One request on the way to the answer."""

    method: str
    url: httpx.URL
    headers: dict[str, str]
    content: bytes
    #: The request goes to the origin for which the target's credentials are meant.
    home: bool = True


class Report(msgspec.Struct):
    """What is known of the answer so far; the answer may end at any point."""

    status: int | None = None
    http_version: str = ""
    location: str = ""
    headers: dict[str, str] = {}
    seen: tuple = ()
    excerpt: str = ""
    hops: tuple[str, ...] = ()
    asked: str = ""


async def probe_http(target: ProbeTarget, trust: Trust, watch: Watch, report: Report) -> None:
    """Fill the report. Raises what httpx and the network raise."""
    answer = await exchange(target, trust, watch, report, Jars())
    await search_all(target.patterns, answer, watch)
    compare_answer(target, answer, report)


def compare_answer(target: ProbeTarget, answer: Answer, report: Report) -> None:
    """Add to the report how the answer compares with the expectations, without the target's secrets."""
    answer.mask = target.mask
    report.location = one_line_excerpt(target.mask(shown_url(answer.location)), LONGEST_KEPT) if answer.location else ""
    report.headers = _wanted_headers(target, answer)
    report.seen = tuple(compare(expected, answer) for expected in target.expectations)
    if not target.accepts(report.status or 0):
        report.excerpt = answer.beginning


async def exchange(
    target: ProbeTarget, trust: Trust, watch: Watch, report: Report, cookies: Jars, *, led: bool = False
) -> Answer:
    """The last answer; cookies of all answers are put into the jars. `led`: the host comes from an answer."""
    hop = _first(target)
    for number in range(MOST_REDIRECTS + 1):
        report.asked = _shown(target, hop) if number else ""
        watch.reach.go(_goal(target, hop), redirected=led or number > 0)
        async with _answer(target, hop, trust, watch, cookies) as response:
            onward = _location(hop, response)
            if not (target.follow and onward):
                return await _read(response, hop, onward, report)
        report.hops += (_shown(target, hop),)
        hop = _next(hop, onward, response.status_code)
    raise httpx.TooManyRedirects(f"more than {MOST_REDIRECTS} redirects")


def _first(target: ProbeTarget) -> Hop:
    url = httpx.URL(target.url)
    if target.scheme not in SOCKETS:
        return Hop(target.method, url, target.headers, target.content)
    return Hop("GET", url.copy_with(scheme=SOCKETS[target.scheme]), target.headers | UPGRADE, b"")


def _shown(target: ProbeTarget, hop: Hop) -> str:
    return one_line_excerpt(target.mask(shown_url(str(hop.url))), LONGEST_KEPT)


def _goal(target: ProbeTarget, hop: Hop) -> str:
    """The host to connect to."""
    return (target.address if hop.home else "") or hop.url.host


@asynccontextmanager
async def _answer(
    target: ProbeTarget, hop: Hop, trust: Trust, watch: Watch, cookies: Jars
) -> AsyncIterator[httpx.Response]:
    pinned = target.address if hop.home else ""
    proxy = None if pinned else proxy_for(hop.url.scheme, hop.url.host, target.proxy)
    watch.by_proxy, watch.behind_connect = proxy is not None, proxy is not None and hop.url.scheme == "https"
    request = _request(hop, pinned, watch, cookies)
    async with _transport(target, hop, trust, proxy) as transport:
        response = await transport.handle_async_request(request)
        response.request = request
        if watch.by_proxy and response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            raise httpx.ProxyError(f"{response.status_code} {response.reason_phrase}")
        try:
            _check_headers(response)
            cookies.keep(response)
            yield response
        finally:
            await response.aclose()


def _check_headers(response: httpx.Response) -> None:
    number = len(response.headers.raw)
    if number > MOST_HEADERS:
        raise httpx.RemoteProtocolError(f"{number} header fields, more than {MOST_HEADERS}")


def _transport(target: ProbeTarget, hop: Hop, trust: Trust, proxy: str | None) -> httpx.AsyncHTTPTransport:
    """Opens a new connection for each request: a reused one would hide how long connecting takes.

    Without httpx.AsyncClient, which needs a third more CPU time and has its own rules for redirects and the environment.
    """
    identity = (target.client_certificate, target.client_key) if hop.home else ("", "")
    context = trust.context(target.ca, *identity, target.http2)
    return httpx.AsyncHTTPTransport(verify=context, http2=target.http2, proxy=proxy, trust_env=False)


def _request(hop: Hop, pinned: str, watch: Watch, cookies: Jars) -> httpx.Request:
    """Without a timeout: look.py limits the time of the whole attempt."""
    headers = httpx.Headers({**HEADERS, **_credentials(hop.url)})
    headers.update(hop.headers)
    request = httpx.Request(
        hop.method, hop.url, headers=headers, content=hop.content or None, extensions={"trace": watch}
    )
    cookies.send(request)
    if pinned:
        request.extensions["sni_hostname"] = hop.url.host
        request.url = hop.url.copy_with(host=pinned)
    return request


def _credentials(url: httpx.URL) -> dict[str, str]:
    """The Authorization header for `user:password@` in a URL."""
    if not url.userinfo:
        return {}
    return {"Authorization": "Basic " + b64encode(f"{url.username}:{url.password}".encode()).decode()}


async def _read(response: httpx.Response, hop: Hop, onward: httpx.URL | None, report: Report) -> Answer:
    report.status, report.http_version = response.status_code, response.http_version
    body = await bodies.bounded_body(response)
    return Answer(response.headers, body.text, str(onward or ""), body.cut, body.unread, foreign=not hop.home)


def _wanted_headers(target: ProbeTarget, answer: Answer) -> dict[str, str]:
    wanted = [*MATTERING, *(expected.of for expected in target.expectations if expected.about == "header")]
    return {
        name: one_line_excerpt(target.mask(answer.headers[name]), LONGEST_KEPT)
        for name in wanted
        if name in answer.headers and not (is_credential(name) or answer.foreign)
    }


def _location(hop: Hop, response: httpx.Response) -> httpx.URL | None:
    location = response.headers.get("location")
    if response.status_code not in REDIRECTS or location is None:
        return None
    if len(location) > LONGEST_LOCATION:
        raise httpx.RemoteProtocolError(f"redirects to a URL of {len(location)} characters")
    try:
        return hop.url.join(location)
    except (httpx.InvalidURL, ValueError) as error:
        wrong = one_line_excerpt(str(error))
    # Raised without a cause: the cause reads as if our own URL were invalid.
    raise httpx.RemoteProtocolError(f"redirects to something that is not a URL ({wrong})")


def _next(hop: Hop, url: httpx.URL, status: int) -> Hop:
    """https://fetch.spec.whatwg.org/#http-redirect-fetch, and credentials are sent only to the origin they are meant for."""
    if url.scheme not in SOCKETS.values():
        raise httpx.RemoteProtocolError(f"redirects to {shown_url(str(url))}, which is neither http nor https")
    as_get = status == 303 or (status in (301, 302) and hop.method == "POST")
    method, content = ("GET", b"") if as_get and hop.method != "HEAD" else (hop.method, hop.content)
    if _is_same_origin(hop.url, url):
        return Hop(method, url.copy_with(userinfo=hop.url.userinfo), hop.headers, content, hop.home)
    if content:
        raise httpx.RemoteProtocolError(f"redirects a {method} with its body to another origin, {shown_url(str(url))}")
    return Hop(method, url, {}, b"", home=False)


def _is_same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """The same origin, or the same host with TLS."""
    origins = [(url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)) for url in (one, other)]
    upgraded = one.host == other.host and [(url[0], url[2]) for url in origins] == [("http", 80), ("https", 443)]
    return origins[0] == origins[1] or upgraded
