"""The body of an answer: a bounded part of it, decoded within the same bound, and as text."""

from __future__ import annotations

import asyncio
import codecs
import re
import zlib
from itertools import count
from typing import NamedTuple

import httpx

#: Bytes that are read of a body, after decompression.
MOST_BODY = 1 << 20
#: Pieces of a body that are read without a pause: a server may send it byte by byte.
MOST_AT_ONCE = 100
#: How zlib unpacks each coding: https://docs.python.org/3/library/zlib.html#zlib.decompressobj
WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: Charsets of texts, as Python calls them. Others can be slow to decode (idna), or give text that cannot be encoded (utf-7).
CHARSETS = re.compile(
    r"utf-8|utf-16(-[bl]e)?|utf-32(-[bl]e)?|ascii|iso8859-\d+|latin-1|cp125\d|koi8-[ru]|gb2312|gbk|gb18030|big5|euc_(jp|kr)"
    r"|shift_jis|iso2022_jp"
)


class Body(NamedTuple):
    """What was read of a body."""

    text: str = ""
    #: The body was longer than this.
    cut: bool = False
    #: Why it cannot be read; empty if it can.
    unread: str = ""


async def bounded_body(response: httpx.Response) -> Body:
    """At most MOST_BODY bytes. Raises httpx.DecodingError if the body is not encoded as Content-Encoding says."""
    codings = codings_of(response)
    if codings and (len(codings) > 1 or codings[0] not in WINDOWS):
        return Body(unread=f"it has Content-Encoding {', '.join(codings)[:80]}, which was not asked for")
    unpack = Unpacked(WINDOWS[codings[0]]) if codings else Plain()
    body, chunks = bytearray(), count(1)
    async for chunk in response.aiter_raw():
        if next(chunks) % MOST_AT_ONCE == 0:
            await asyncio.sleep(0)  # all pieces may have arrived already: let other tasks and the clock run
        body += unpack(chunk, MOST_BODY + 1 - len(body))
        if len(body) > MOST_BODY or unpack.ended:
            break
    return Body(decoded_body(response, bytes(body[:MOST_BODY])), len(body) > MOST_BODY)


def codings_of(response: httpx.Response) -> list[str]:
    """The content codings of the body, in the order in which they were applied."""
    said = (each.strip().lower() for each in response.headers.get("content-encoding", "").split(","))
    return [each for each in said if each not in ("", "identity")]


class Plain:
    """Bytes without a content coding."""

    ended = False

    def __call__(self, data: bytes, most: int) -> bytes:
        """At most so many of them."""
        return data[:most]


class Unpacked:
    """Compressed bytes, decompressed as far as needed."""

    def __init__(self, window: int) -> None:
        self._window, self._zlib = window, zlib.decompressobj(window)
        self._begun = False

    @property
    def ended(self) -> bool:
        """The compressed data is complete; bytes after it are ignored."""
        return self._zlib.eof

    def __call__(self, data: bytes, most: int) -> bytes:
        """At most so many bytes. Raises httpx.DecodingError."""
        try:
            found = self._zlib.decompress(data, most)
        except zlib.error as error:
            if self._begun or self._window != WINDOWS["deflate"]:
                raise httpx.DecodingError(str(error)) from error
            self._begun, self._zlib = True, zlib.decompressobj(-self._window)  # as browsers do: raw deflate
            return self(data, most)
        self._begun = True
        return found


def decoded_body(response: httpx.Response, body: bytes) -> str:
    """The body as text, by the charset that the answer names, or UTF-8; invalid bytes become U+FFFD."""
    return body.decode(charset_of(response), errors="replace")


def charset_of(response: httpx.Response) -> str:
    """The charset that the answer names; UTF-8 if it names none, or one that is not supported."""
    try:
        name = codecs.lookup(response.charset_encoding or "utf-8").name
    except (LookupError, ValueError):
        return "utf-8"
    return name if CHARSETS.fullmatch(name) else "utf-8"
