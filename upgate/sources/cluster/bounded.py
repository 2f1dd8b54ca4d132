"""The bytes of one answer, bounded in size and time: a server, or a proxy before it, may send without end."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from typing import Any

from upgate.base.waiting import Deadline

#: Bytes of one page, unpacked. A thousand pods have about 10 MB; a page that is larger is asked for with fewer objects.
PAGE_BYTES = 16 * 2**20
#: Bytes of every other answer: a version, a review, the health endpoints with all their lines.
SMALL_BYTES = 2**20
#: Bytes that are read of an error: its message comes early.
ERROR_BYTES = 2**16
CHUNK = 2**18
#: A list has far more text than commas: what is denser unfolds to a hundred times its size in memory.
DENSE = 8


class TooLarge(Exception):
    """The answer is larger than it may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the answer is larger than {most / 2**20:g} MiB")


def read_body(response: Any, most: int) -> bytes | bytearray:
    """The body, unpacked. Raises TooLarge, ValueError for an encoding that was not asked for, OSError where it breaks off."""
    if not 200 <= response.status < 300:
        return beginning(response, ERROR_BYTES)
    body = bytearray()  # grows in place: parts that are joined at the end need twice the memory
    for part in unpacked(response, most):
        body += part
        if len(body) > most:
            response.close()
            raise TooLarge(most)
    return body


def beginning(response: Any, most: int) -> bytes:
    """No more than the first bytes of the body."""
    body = b""
    for part in unpacked(response, most):
        body += part
        if len(body) >= most:
            response.close()
            break
    return body[:most]


def unpacked(response: Any, most: int) -> Iterator[bytes]:
    """The body in parts, none of which is larger than the bound. Raises ValueError, OSError."""
    match response.headers.get("Content-Encoding", "").strip().lower():
        case "" | "identity":
            return body_chunks(response)
        case "gzip":
            return gunzipped(body_chunks(response), most)
        case other:
            response.close()
            raise ValueError(f"its answer is encoded as {other[:40]!r}, which was not asked for")


def body_chunks(response: Any) -> Iterator[bytes]:
    """The body as it comes."""
    while part := response.read(CHUNK, decode_content=False):
        yield part


def gunzipped(parts: Iterator[bytes], most: int) -> Iterator[bytes]:
    """What was packed with gzip. Raises OSError where that is damaged or cut off."""
    unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        for part in parts:
            yield unzip.decompress(part, most + 1)
            while unzip.unconsumed_tail:
                yield unzip.decompress(unzip.unconsumed_tail, most + 1)
    except zlib.error as problem:
        raise OSError(f"its gzip is damaged ({problem})") from problem
    if not unzip.eof:
        raise OSError("it broke off in the middle of its answer")


def is_dense(body: bytes | bytearray) -> bool:
    """It is large, and has so many commas that it cannot be a list of objects."""
    return len(body) > SMALL_BYTES and body.count(b",") > len(body) // DENSE


class cut_off_after:  # noqa: N801 - reads as a sentence: with cut_off_after(deadline, response)
    """Ends a response that is still being read when the deadline comes: a server that drips bytes passes every read timeout."""

    def __init__(self, deadline: Deadline, response: Any) -> None:
        self._timer = threading.Timer(deadline.remaining, self._cut, [response])
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()

    @staticmethod
    def _cut(response: Any) -> None:
        sock: socket.socket | None = getattr(response.connection, "sock", None)
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
