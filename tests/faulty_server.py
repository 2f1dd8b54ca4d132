"""A server of a test that changes how it answers, and knows when it did: the truth that measured outages are compared with."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from upgate.watch.clock import clock_seconds

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WRONG = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"
#: Makes close() reset the connection.
AT_ONCE = struct.pack("ii", 1, 0)
#: Seconds in which a slow answer comes.
SLOW = 0.35


class FaultyServer:
    """Answers 200 `ok`, and otherwise as it is told: refuse, hang, reset, wrong (500), slow, cut (half an answer)."""

    def __init__(self) -> None:
        self.mode = "ok"
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._listening: socket.socket | None = None
        self._clients: set[socket.socket] = set()
        self._tasks: set[asyncio.Task] = set()

    def be(self, mode: str) -> float:
        """Answer in this way from now on; the moment, by the clock of watches."""
        done = threading.Event()
        moments: list[float] = []

        def change() -> None:
            self._change(mode)
            moments.append(clock_seconds())
            done.set()

        self._loop.call_soon_threadsafe(change)
        done.wait()
        return moments[0]

    def _change(self, mode: str) -> None:
        self.mode = mode
        if mode == "refuse":
            self._close()
        elif self._listening is None:
            self._listen()

    def _close(self) -> None:
        for each in [self._listening, *self._clients]:
            if each:
                with suppress(OSError):
                    self._loop.remove_reader(each)
                    each.close()
        self._listening, self._clients = None, set()

    def _listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=1024)
        self._listening.setblocking(False)
        self.port = self._listening.getsockname()[1]
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        if self._listening:
            client, _ = self._listening.accept()
            client.setblocking(False)
            self._clients.add(client)
            self._tasks.add(task := self._loop.create_task(self._serve(client)))
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, client: socket.socket) -> None:
        with suppress(OSError):
            while await self._loop.sock_recv(client, 65536):
                if not await self._answer(client):
                    break
        self._clients.discard(client)
        with suppress(OSError):
            client.close()

    async def _answer(self, client: socket.socket) -> bool:
        mode = self.mode
        if mode == "hang":
            return True
        if mode == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            return False
        if mode == "slow":
            await asyncio.sleep(SLOW)
        answer = {"wrong": WRONG, "cut": OK[:-1]}.get(mode, OK)
        await self._loop.sock_sendall(client, answer)
        return mode != "cut"

    def run(self) -> None:
        """Serve until the loop is stopped."""
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._close()

    def stop(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)


@contextmanager
def faulty_server() -> Iterator[FaultyServer]:
    """One that serves."""
    server = FaultyServer()
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    server.be("ok")
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
