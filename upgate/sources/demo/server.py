"""The sockets of the embedded API server: HTTP/1.1 with kept connections, and the faults that happen on the way."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import struct
import threading
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from upgate.sources.demo.api import ANONYMOUS, USER, Api, Request
from upgate.sources.demo.faults import Fault, Plan, spoil
from upgate.sources.demo.statuses import Reply, unauthorized

#: The API server packs answers from this size on, in bytes.
WORTH_PACKING = 128 * 1024


class Server(ThreadingHTTPServer):
    """Listens on loopback. Neither a client that stays nor a fault that hangs keeps it from closing."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api: Api, plan: Plan, token: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self._tls = tls
        self.api = api
        self.plan = plan
        self.token = token
        self.asked: list[Request] = []
        self.closing = threading.Event()
        self.connections: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. TLS begins in its own thread, with the first read."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            end(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is its own affair; anything else is a defect of ours."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
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
        """Any method: read the request, answer it, with the faults that are due."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        request = Request(self.command, url.path, query, self._user() or "", self.headers.get("Accept", ""))
        self.server.asked.append(request)
        api = self.server.api
        faults = self.server.plan.due(request, api.target(request.path))
        reply = api.answer(request) if request.user else unauthorized()
        for fault in faults:
            reply = spoil(fault, request, reply)
        self._deliver(reply, {fault.kind: fault for fault in faults})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal: what was asked is kept in the server's list."""

    def version_string(self) -> str:
        return "upgate-embedded"

    def _user(self) -> str | None:
        """Who asks; None for a token that was never issued."""
        said = self.headers.get("Authorization")
        if not said:
            return ANONYMOUS
        return USER if said == f"Bearer {self.server.token}" else None

    def _deliver(self, reply: Reply, faults: dict[str, Fault]) -> None:
        if "latency" in faults:
            self.server.closing.wait(faults["latency"].seconds)
        if "hang" in faults:
            self.server.closing.wait()
        if "reset" in faults or self.server.closing.is_set():
            return self._reset()
        body = self._head(reply)
        if "drip" in faults:
            return self._drip(body, faults["drip"].seconds)
        halfway = len(body) // 2 if {"reset-in-body", "cut-body"} & faults.keys() else len(body)
        self.wfile.write(body[:halfway])
        self.wfile.flush()
        if "reset-in-body" in faults:
            return self._reset()
        self.close_connection = self.close_connection or "cut-body" in faults
        return None

    def _head(self, reply: Reply) -> bytes:
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

    def _drip(self, body: bytes, pause: float) -> None:
        """One byte at a time."""
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.closing.wait(pause):
                return self._reset()
        return None

    def _reset(self) -> None:
        """End the connection with RST instead of FIN: no lingering, and closed under the feet of http.server."""
        self.close_connection = True
        self.server.connections.discard(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


def end(connection: socket.socket) -> None:
    """Wake whoever reads from it; it may have ended by itself."""
    import contextlib

    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
