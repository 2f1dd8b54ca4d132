"""The addresses of names, asked for in the background: a sample never waits for a lookup that another one has just made."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field

from upgate.base.threads import in_background
from upgate.watch.clock import clock_seconds

#: Seconds for which an answer counts. Clients keep answers for as long, or for longer.
FRESH = 1.0

Addresses = list[str]


@dataclass
class Names:
    """What names resolve to, for all samples of one process."""

    _known: dict[str, tuple[float, Addresses | OSError]] = field(default_factory=dict)
    _asked: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    async def addresses(self, host: str) -> Addresses:
        """Its addresses, in the system's order. Raises OSError as the system's resolver does."""
        moment, known = self._known.get(host, (float("-inf"), []))
        if clock_seconds() - moment > FRESH:
            await asyncio.shield(self._lookup(host))
            _, known = self._known[host]
        if isinstance(known, OSError):
            raise known
        return known

    def _lookup(self, host: str) -> asyncio.Future[None]:
        """The lookup that is under way, or a new one."""
        if host not in self._asked:
            self._asked[host] = asyncio.get_running_loop().create_future()
            in_background(self._resolve, asyncio.get_running_loop(), host)
        return self._asked[host]

    def _resolve(self, loop: asyncio.AbstractEventLoop, host: str) -> None:
        """In a thread: the system's resolver blocks."""
        answer: Addresses | OSError
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answer = list(dict.fromkeys(str(each[4][0]) for each in found))
        except OSError as problem:
            answer = problem
        except UnicodeError:
            answer = socket.gaierror(socket.EAI_NONAME, "not a valid name")
        loop.call_soon_threadsafe(self._learn, host, answer)

    def _learn(self, host: str, answer: Addresses | OSError) -> None:
        self._known[host] = (clock_seconds(), answer)
        self._asked.pop(host).set_result(None)
