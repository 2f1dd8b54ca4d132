"""The sockets of the demo's API server: HTTP/1.1 with kept connections."""

from __future__ import annotations

import gzip
import socket
import sys
import threading
from contextlib import suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from upgate.sources.demo.api import ANONYMOUS, USER, Api, Request
from upgate.sources.demo.statuses import Reply, unauthorized

#: The API server packs answers from this size on, in bytes.
WORTH_PACKING = 128 * 1024


class LoopbackServer(ThreadingHTTPServer):
    """Listens on loopback. A client that stays does not keep it from closing."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, token: str, port: int = 0, handler: type[Handler] | None = None) -> None:
        super().__init__(("127.0.0.1", port), handler or Handler)
        self.api = api
        self.token = token
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # it may have ended already
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is not our concern; anything else is a defect of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    #: Without these two every answer on a kept connection waits 40 ms for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def handle_any(self) -> None:
        """Any method: read the request, and answer it."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.answer(Request(self.command, url.path, query, self._user() or "", self.headers.get("Accept", "")))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def answer(self, request: Request) -> None:
        """Send the answer to a request."""
        body = self.send_head(self.reply_to(request))
        self.wfile.write(body)
        self.wfile.flush()

    def reply_to(self, request: Request) -> Reply:
        """The reply; 401 for a token that was never issued."""
        return self.server.api.answer(request) if request.user else unauthorized()

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""

    def version_string(self) -> str:
        return "upgate-embedded"

    def _user(self) -> str | None:
        """Who asks; None for a token that was never issued."""
        said = self.headers.get("Authorization")
        if not said:
            return ANONYMOUS
        return USER if said == f"Bearer {self.server.token}" else None

    def send_head(self, reply: Reply) -> bytes:
        """Send status and headers; return the body as it goes over the wire."""
        self.send_response_only(reply.status)
        self.send_header("Date", format_datetime(self.server.api.now.replace(microsecond=0), usegmt=True))
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Cache-Control", "no-cache, private")
        body = reply.body
        if len(body) >= WORTH_PACKING and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        for name, value in {**reply.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        return body
