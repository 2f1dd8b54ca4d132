"""The cookies of a journey. They are sent to their origin only: domain and path as in RFC 6265, and the same port.

Cookies have no port, but a server on another port of the same host is another origin. A cookie that was received over TLS is
only sent over TLS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from http.cookiejar import Cookie

import httpx

PORTS = {"http": 80, "https": 443}
#: Cookies of one answer, and characters of each: https://www.rfc-editor.org/rfc/rfc6265#section-6.1
MOST_COOKIES, LONGEST_COOKIE = 50, 4096


class Jars:
    """Cookies by scheme and port; each jar matches the domain."""

    def __init__(self) -> None:
        self._jars: defaultdict[tuple[str, int], httpx.Cookies] = defaultdict(httpx.Cookies)

    def keep(self, response: httpx.Response) -> None:
        """The cookies of an answer. A cookie from port 80 may be sent to port 443, which adds TLS."""
        cookies = [each for each in response.headers.get_list("set-cookie") if len(each) <= LONGEST_COOKIE]
        if not cookies:
            return
        for place in {scheme_and_port(response.request.url), *upgraded(response.request.url)}:
            few = httpx.Response(
                response.status_code, headers=[("set-cookie", each) for each in cookies[:MOST_COOKIES]]
            )
            few.request = response.request
            self._jars[place].extract_cookies(few)

    def send(self, request: httpx.Request) -> None:
        """The cookies for this request."""
        if jar := self._jars.get(scheme_and_port(request.url)):
            jar.set_cookie_header(request)

    def value(self, name: str) -> str | None:
        """The value of the cookie with this name, or None."""
        return next((cookie.value for cookie in self if cookie.name == name), None)

    def __iter__(self) -> Iterator[Cookie]:
        return (cookie for jar in self._jars.values() for cookie in jar.jar)


def scheme_and_port(url: httpx.URL) -> tuple[str, int]:
    """Scheme and port."""
    return url.scheme, url.port or PORTS.get(url.scheme, 0)


def upgraded(url: httpx.URL) -> list[tuple[str, int]]:
    """The same host with TLS."""
    return [("https", 443)] if scheme_and_port(url) == ("http", 80) else []
