"""A real HTTP/2 server on loopback, over TLS with ALPN."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import h2.config
import h2.connection
import h2.events

from tests.servers import accepting


def alpn(context: ssl.SSLContext) -> ssl.SSLContext:
    """The server's TLS, which agrees on HTTP/2."""
    context.set_alpn_protocols(["h2"])
    return context


@contextmanager
def serving_h2(context: ssl.SSLContext, body: bytes = b"ok over h2", status: str = "200") -> Iterator[int]:
    """The port of a server that answers every request with this body."""

    def behave(connection: socket.socket) -> None:
        threading.Thread(target=answer, args=(connection, context, body, status), daemon=True).start()

    with accepting(behave) as port:
        yield port


def answer(connection: socket.socket, context: ssl.SSLContext, body: bytes, status: str) -> None:
    """Serve one connection to its end."""
    with suppress(OSError), context.wrap_socket(connection, server_side=True) as stream:
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http.initiate_connection()
        stream.sendall(http.data_to_send())
        while data := stream.recv(65536):
            for event in http.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    http.send_headers(event.stream_id, [(":status", status), ("content-type", "text/plain")])
                    http.send_data(event.stream_id, body, end_stream=True)
            stream.sendall(http.data_to_send())
