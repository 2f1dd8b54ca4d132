"""HTTP answers of a tenant who means us harm: bombs, floods, drips and lies. Each is what one connection sends."""

from __future__ import annotations

import gzip
import itertools
import socket
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress

Behaviour = Callable[[socket.socket], None]
MIB = 1 << 20


def answering(*parts: bytes | Iterable[bytes]) -> Behaviour:
    """Read a request, send these parts as long as they are taken, and hang up."""

    def behave(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.settimeout(10)
            connection.recv(65536)
            for part in parts:
                for piece in [part] if isinstance(part, bytes) else part:
                    connection.sendall(piece)
        connection.close()

    return behave


def head(*lines: str, status: str = "200 OK") -> bytes:
    """Status line and headers."""
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode("latin-1")


def whole(body: bytes, *lines: str) -> Behaviour:
    """An answer of known length."""
    return answering(head(f"Content-Length: {len(body)}", *lines), body)


def zeros(mebibytes: int) -> bytes:
    """So many MiB of zeros, packed: a thousandth of that."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(bytes(MIB)) for _ in range(mebibytes)] + [packer.flush()])


def bombs() -> dict[str, Behaviour]:
    """What unpacks, or goes on, without end."""
    once = zeros(512)
    twice = gzip.compress(once, 9)
    ended = gzip.compress(b"ok")
    return {
        "gzip": whole(once, "Content-Encoding: gzip"),
        "gzip-gzip": whole(twice, "Content-Encoding: gzip, gzip"),
        "gzip-twice-said": whole(twice, "Content-Encoding: gzip", "Content-Encoding: gzip"),
        "deflate": whole(zlib.compress(bytes(64 * MIB), 9), "Content-Encoding: deflate"),
        "br": whole(b"\x8b" * 1000, "Content-Encoding: br"),
        "gzip-and-more": answering(head("Content-Encoding: gzip"), ended, itertools.repeat(bytes(MIB), 2000)),
        "endless": answering(head(), itertools.repeat(bytes(MIB), 4000)),
        "long-header": answering(b"HTTP/1.1 200 OK\r\nX: ", itertools.repeat(b"x" * MIB, 1000)),
        "many-headers": answering(head(*(f"X-{number}: y" for number in range(7000))), b"ok"),
        "many-cookies": whole(b"ok", *(f"Set-Cookie: c{number}=v; Path=/" for number in range(3000))),
        "continues": answering(itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 2000, 20_000)),
        "tiny-chunks": answering(head("Transfer-Encoding: chunked"), itertools.repeat(b"1\r\nx\r\n" * 10_000, 300)),
        "long-chunk-size": answering(head("Transfer-Encoding: chunked"), itertools.repeat(b"0" * MIB, 500)),
        "deep-json": whole(b"[" * MIB),
        "long-number": whole(b'{"a": ' + b"9" * 500_000 + b"}"),
        "idna": whole(b"xn--" + b"a" * (MIB - 4), "Content-Type: text/plain; charset=idna"),
        "surrogates": whole(b"+2AA-" * 1000, "Content-Type: text/plain; charset=utf-7"),
        "nul-charset": whole(b"ok", "Content-Type: text/plain; charset=utf\x018"),
        "long-location": answering(head("Location: /" + "a" * 90_000, "Content-Length: 0", status="302 Found")),
        "no-http": answering(bytes(range(256)) * 4096),
    }


def redirecting(place: str) -> Behaviour:
    """Send everybody there."""
    return answering(head(f"Location: {place}", "Content-Length: 0", status="302 Found"))
