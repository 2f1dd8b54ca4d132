"""Name lookups that do not block others: each runs in its own thread, and the caller limits how long it waits.

asyncio's default executor has six threads on a machine with two cores, and is waited for at the end of the loop: one dead name
server would delay every other probe, and the run.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

from upgate.sources.probes.watch import current


class Unresolved(Exception):
    """The name server has answered, and has no such record."""


class Loop(asyncio.SelectorEventLoop):
    """An event loop with such name lookups."""

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> list[tuple]:
        """As socket.getaddrinfo; tells the current attempt which addresses there are."""
        watch, began = current.get(), time.monotonic()
        watch.resolving()
        found = await _lookup(self, host, port, hints)
        watch.resolved([address[4][0] for address in found], time.monotonic() - began)
        return found

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As asyncio's. Every TCP connection of a probe comes by here, with the address that its name resolved to."""
        watch = current.get()
        if not watch.by_proxy:
            watch.reach.connect(address[0])
        await super().sock_connect(sock, address)


def _lookup(
    loop: asyncio.AbstractEventLoop, host: Any, port: Any, hints: dict[str, int]
) -> asyncio.Future[list[tuple]]:
    answer = loop.create_future()
    threading.Thread(target=_resolve, args=(loop, answer, host, port, hints), daemon=True).start()
    return answer


def _resolve(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future, host: Any, port: Any, hints: dict[str, int]
) -> None:
    try:
        found = socket.getaddrinfo(host, port, **hints)
    except (OSError, UnicodeError) as error:
        _tell(loop, answer, answer.set_exception, error)
    else:
        _tell(loop, answer, answer.set_result, found)


def _tell(loop: asyncio.AbstractEventLoop, answer: asyncio.Future, tell: Any, what: Any) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: answer.done() or tell(what))
