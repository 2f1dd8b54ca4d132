"""Name lookups that do not block others: each runs in its own thread, and the caller limits how long it waits.

asyncio's default executor has six threads on a machine with two cores, and the loop waits for it at its end: one dead name
server would delay all other probes and the run.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

from upgate.sources.probes.watch import current


class Unresolved(Exception):
    """The name server answered that the record does not exist."""


class Loop(asyncio.SelectorEventLoop):
    """An event loop that looks up names in this way."""

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> list[tuple]:
        """As socket.getaddrinfo; passes the addresses to the current attempt."""
        watch, began = current.get(), time.monotonic()
        watch.resolving()
        found = await _lookup(self, host, port, hints)
        watch.resolved([address[4][0] for address in found], time.monotonic() - began)
        return found

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As asyncio's. Every TCP connection of a probe is opened here, to the address that its name resolved to."""
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
