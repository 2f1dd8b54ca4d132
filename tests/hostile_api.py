"""API servers, or proxies before them, that answer without end, without sense or with too much: whole servers in a thread."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from upgate.facts import kinds as facts

REVIEW = {"status": {"userInfo": {"username": "me"}}}
#: The kind of each resource that is listed.
KINDS = {each.resource: each.type.__name__ for each in facts.KINDS.values()}
MEGABYTE = 2**20
#: What answers a request for a list: the handler, the kind and the query.
Answer = Callable[["Handler", str, dict[str, str]], None]


def page(kind: str, items: list[Any], token: str = "", **meta: Any) -> bytes:
    """One page as the API server writes it."""
    return json.dumps({"kind": f"{kind}List", "metadata": {"continue": token, **meta}, "items": items}).encode()


class Handler(BaseHTTPRequestHandler):
    """Lists come from the server's `answer`, all else is plain."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Who am I."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.whole(json.dumps(REVIEW).encode())

    def do_GET(self) -> None:
        """A list, the version or a health endpoint."""
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        resource = url.path.rpartition("/")[2]
        try:
            if resource in self.server.answers:
                self.server.answers[resource](self, KINDS.get(resource, ""), query)
            elif resource in KINDS:
                partial = "PartialObjectMetadata" in self.headers.get("Accept", "")
                self.server.answer(self, "PartialObjectMetadata" if partial else KINDS[resource], query)
            else:
                self.whole(b'{"gitVersion": "v1.36.3"}' if resource == "version" else b"[+]ping ok")
        except OSError:
            self.close_connection = True

    def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        """An answer with its length."""
        self.start(status, **headers, Content_Length=str(len(body)))
        self.wfile.write(body)

    def start(self, status: int = 200, **headers: str) -> None:
        """The head of an answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def stream(self, parts: Iterator[bytes], status: int = 200, **headers: str) -> None:
        """An answer in chunks."""
        self.start(status, **headers, Transfer_Encoding="chunked")
        for part in parts:
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")


@contextmanager
def serving(answer: Answer, **answers: Answer) -> Iterator[str]:
    """The URL of a server that answers lists so; `answers` are for single resources, and for version, readyz, livez."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.answer, server.answers = answer, answers
    thread = threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def empty(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """An empty list."""
    handler.whole(page(kind, []))


def endless_body(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A page that streams for ever."""
    item = json.dumps({"metadata": {"name": "x" * 200}}).encode() * 1000
    handler.stream(itertools.chain([page(kind, [])[:-2]], itertools.repeat(item)))


@cache
def bomb() -> bytes:
    """256 MB of zeros."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([packer.compress(bytes(MEGABYTE)) for _ in range(256)]) + packer.flush()


def packed(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A page of 256 MB in 1 MB."""
    handler.whole(bomb(), Content_Encoding="gzip")


def twice_packed(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """Packed twice, which the client unpacks twice."""
    handler.whole(gzip.compress(bomb()), Content_Encoding="gzip, gzip")


def same_token(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """Page after page, and always the same token."""
    handler.whole(page(kind, [{"metadata": {"name": "x"}}], "again"))


def other_tokens(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """Page after page, each with another token."""
    handler.whole(page(kind, [{"metadata": {"name": "x" * 250}}] * 1000, str(next(NUMBERS))))


@cache
def large(kind: str) -> bytes:
    """A page of 20 MB."""
    return page(kind, [{"metadata": {"name": "x", "labels": {"a": "x" * MEGABYTE}}}] * 20)


def never_shrinking(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """However few objects are asked for, 20 MB of them."""
    handler.whole(large(kind))


def dense(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """Fifteen million bytes of empty objects."""
    handler.whole(page(kind, [])[:-2] + b"{}," * (5 * MEGABYTE - 100) + b"{}]}")


def deep(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A million brackets in one object, and in the frame."""
    brackets = b"[" * MEGABYTE + b"]" * MEGABYTE
    handler.whole(page(kind, [])[:-2] + b'{"metadata": {"name": "x", "labels": ' + brackets + b"}}]}")


def deep_frame(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A million brackets where a name is wanted."""
    handler.whole(b'{"kind": ' + b"[" * MEGABYTE)


def odd_bytes(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A name that is not UTF-8."""
    handler.whole(page(kind, [{"metadata": {"name": "NAME"}}]).replace(b"NAME", b"\xff\xfe"))


def half_a_character(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A refusal with half a character, which cannot be written anywhere."""
    handler.whole(b'{"kind": "Status", "message": "\\ud800 no"}', 403)


def endless_error(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A refusal that streams for ever."""
    handler.stream(itertools.repeat(b"no " * 100_000), 403)


def endless_header(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A head that drips, byte by byte."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(600):
        handler.wfile.write(b"x")
        DRIP.wait(0.1)


def long_token(handler: Handler, kind: str, query: dict[str, str]) -> None:
    """A token that fits into no URL."""
    handler.whole(page(kind, [{"metadata": {"name": "x"}}], "x" * MEGABYTE))


NUMBERS = itertools.count(1)
DRIP = threading.Event()
HOSTILE = (
    endless_body,
    packed,
    twice_packed,
    same_token,
    other_tokens,
    never_shrinking,
    dense,
    deep,
    deep_frame,
    odd_bytes,
    half_a_character,
    endless_error,
    endless_header,
    long_token,
)
