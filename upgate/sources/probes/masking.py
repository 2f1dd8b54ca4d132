"""Which parts of a URL may be shown, and which texts in a URL or in headers are credentials."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from urllib.parse import SplitResult, quote, quote_plus, unquote, urlsplit

from upgate.base.redaction import HIDDEN

#: The values of a query.
VALUES = re.compile(r"=[^&]*")
CREDENTIAL = re.compile(
    r"authorization|cookie|token|secret|password|passwd|signature|session|(^|-)(auth|key)(-|$)|api-?key", re.I
)


def shown_url(url: str) -> str:
    """The URL without user, password and fragment, and without the values of its query."""
    parts = _split(url)
    query = VALUES.sub(f"={HIDDEN}", parts.query)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="").geturl()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "(not a URL)", "", "")


def secrets_of(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The credentials in a URL and in headers, in each form in which an answer may repeat them."""
    user, _, password = _split(url).netloc.rpartition("@")[0].partition(":")
    yield from (password, unquote(password))
    yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode() if password else ""
    for pair in _split(url).query.split("&"):
        value = pair.partition("=")[2]
        yield from (value, unquote(value))
    for value in (value for name, value in headers.items() if CREDENTIAL.search(name)):
        yield from (value, value.rpartition(" ")[2])


@cache
def forms(secret: str) -> frozenset[str]:
    """A secret in the forms in which an answer may repeat it: plain, in a URL, in JSON, in HTML, or quoted by Python."""
    return frozenset(
        {
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            escape(secret),
            repr(secret)[1:-1],
            json.dumps(secret)[1:-1],
        }
    )


def is_credential(name: str) -> bool:
    """Whether a header or form field of this name usually holds a credential."""
    return bool(CREDENTIAL.search(name))
