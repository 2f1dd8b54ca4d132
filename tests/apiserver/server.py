"""The sockets of the tests' API server: TLS, what was asked, and the faults that happen on the way."""

from __future__ import annotations

import os
import socket
import ssl
import struct
from typing import Any

from tests.apiserver.faults import Fault, Plan, spoil
from upgate.sources.demo.api import Api, Request
from upgate.sources.demo.server import Handler, LoopbackServer
from upgate.sources.demo.statuses import Reply


class FaultyServer(LoopbackServer):
    """A fault that hangs does not keep it from closing either."""

    def __init__(self, api: Api, token: str, plan: Plan, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(api, token, port, FaultyHandler)
        self._tls = tls
        self.plan = plan
        self.asked: list[Request] = []

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection. TLS begins in its own thread, with the first read."""
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address


class FaultyHandler(Handler):
    """One connection, with the faults that are due."""

    server: FaultyServer

    def answer(self, request: Request) -> None:
        """Keep what was asked, and answer with the faults that are due."""
        self.server.asked.append(request)
        faults = self.server.plan.due(request, self.server.api.target(request.path))
        reply = self.reply_to(request)
        for fault in faults:
            reply = spoil(fault, request, reply)
        self._deliver(reply, {fault.kind: fault for fault in faults})

    def _deliver(self, reply: Reply, faults: dict[str, Fault]) -> None:
        if "latency" in faults:
            self.server.closing.wait(faults["latency"].seconds)
        if "hang" in faults:
            self.server.closing.wait()
        if "reset" in faults or self.server.closing.is_set():
            return self._reset()
        body = self.send_head(reply)
        if "drip" in faults:
            return self._drip(body, faults["drip"].seconds)
        halfway = len(body) // 2 if {"reset-in-body", "cut-body"} & faults.keys() else len(body)
        self.wfile.write(body[:halfway])
        self.wfile.flush()
        if "reset-in-body" in faults:
            return self._reset()
        self.close_connection = self.close_connection or "cut-body" in faults
        return None

    def _drip(self, body: bytes, pause: float) -> None:
        """One byte at a time."""
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if self.server.closing.wait(pause):
                return self._reset()
        return None

    def _reset(self) -> None:
        """End the connection with RST instead of FIN: no lingering, and closed before http.server does it."""
        self.close_connection = True
        self.server.connections.discard(self.connection)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
