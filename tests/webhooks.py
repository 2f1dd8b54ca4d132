"""A receiver of alerts on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Webhook(ThreadingHTTPServer):
    """Keeps what it is sent, by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, Any]] = []
        #: The paths that answer with an error, and that error.
        self.broken: dict[str, int] = {}
        #: Path → the path that it redirects to.
        self.moved: dict[str, str] = {}

    def url(self, path: str, scheme: str = "http") -> str:
        """Where a path is."""
        return f"{scheme}://127.0.0.1:{self.server_address[1]}{path}"

    def at(self, path: str) -> list[Any]:
        """What arrived at a path."""
        return [body for where, body in self.received if where == path]


class Handler(BaseHTTPRequestHandler):
    """Takes JSON, or nothing."""

    server: Webhook

    def do_POST(self) -> None:
        """Take a message, unless this path is broken."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        moved = self.server.moved.get(self.path)
        code = 302 if moved else self.server.broken.get(self.path, 200)
        if code == 200:
            self.server.received.append((self.path, msgspec.json.decode(body) if body else None))
        self.send_response(code)
        if moved:
            self.send_header("Location", moved)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the base class calls it so

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def webhook() -> Iterator[Webhook]:
    """A receiver, as long as it is needed."""
    with Webhook() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
