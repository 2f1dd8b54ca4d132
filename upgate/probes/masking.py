"""What may be shown of a URL, and of any text that a server or a library hands us."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, unquote, urlsplit

MASKED = "***"
#: Shorter values are words like `1` or `on`; masking them would garble every text.
SHORTEST_SECRET = 4
CREDENTIAL_HEADER = re.compile(
    r"authorization|cookie|token|secret|password|passwd|signature|session|(^|-)(auth|key)(-|$)|api-?key", re.I
)


class Mask:
    """Replaces each of some secret texts by `***`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        longest_first = sorted(known, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, text: str) -> str:
        return self._secrets.sub(MASKED, text) if self._secrets else text


def shown_url(url: str) -> str:
    """The URL without user, password and fragment, and without the values of its query."""
    parts = _split(url)
    query = re.sub(r"=[^&]*", f"={MASKED}", parts.query)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="").geturl()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "(not a URL)", "", "")


def secrets_of(url: str, headers: Mapping[str, str]) -> Iterator[str]:
    """The credentials in a URL and in headers, in each form in which they could come back to us."""
    user, _, password = _split(url).netloc.rpartition("@")[0].partition(":")
    yield from (password, unquote(password))
    yield b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode() if password else ""
    for pair in _split(url).query.split("&"):
        value = pair.partition("=")[2]
        yield from (value, unquote(value))
    for value in (value for name, value in headers.items() if CREDENTIAL_HEADER.search(name)):
        yield from (value, value.rpartition(" ")[2])


def is_credential(header: str) -> bool:
    """Whether this header usually holds a credential."""
    return bool(CREDENTIAL_HEADER.search(header))
