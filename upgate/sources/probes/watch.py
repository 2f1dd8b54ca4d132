"""The progress of one attempt: its phase and when that began, its address and certificate.

httpcore calls `Watch` at the start and end of each of its steps: https://www.encode.io/httpcore/extensions/#trace
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

from upgate.facts.attempts import Elapsed
from upgate.sources.probes.reach import Reach

Phase = Literal["name", "dns", "connect", "proxy", "tls", "answer", "body"]

#: The attempt of the current task: name lookups happen deep inside httpx.
current: ContextVar[Watch] = ContextVar("current")

STEPS: dict[str, Phase] = {
    "connection.connect_tcp.started": "connect",
    "connection.start_tls.started": "tls",
    "proxy.start_tls.started": "tls",
    "http11.receive_response_headers.started": "answer",
    "http2.receive_response_headers.started": "answer",
    "http11.receive_response_body.started": "body",
    "http2.receive_response_body.started": "body",
}


class Watch:
    """Follows the phases of one attempt."""

    def __init__(self, lag: Callable[[], float], asked: Callable[[], None], reach: Reach) -> None:
        #: Which addresses this attempt may connect to.
        self.reach = reach
        self.phase: Phase = "connect"
        #: The host to connect to.
        self.host = ""
        self.addresses: list[str] = []
        self.port: int | None = None
        self.certificate: bytes | None = None
        #: The current connection goes to a proxy, and reaches the target only after CONNECT.
        self.by_proxy = False
        #: The proxy has not accepted CONNECT yet: its answers are its own.
        self.behind_connect = False
        #: Called when the request is sent: from then on only the server takes time.
        self._asked = asked
        #: When the first connection began: the time before, for loading certificate authorities, does not count.
        self._began: float | None = None
        self._spent: dict[str, float] = {}
        self._stream: Any = None
        #: Seconds that this process was delayed so far, and when this attempt began.
        self._lag, self._lag_before = lag, 0.0
        #: The deadline of the attempt, and the seconds in which it was paused.
        self.deadline: asyncio.Timeout | None = None
        self._paused = 0.0

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        step, _, state = event.rpartition(".")
        self.behind_connect = self.behind_connect and event != "proxy.start_tls.started"
        if self.behind_connect and step.startswith("http11."):
            return
        self.phase = STEPS.get(event, self.phase)
        if state == "started":
            self._step(step, info)
        if state == "complete":
            self._done(step, info.get("return_value"))

    def begin(self) -> None:
        """Start the clock, unless it runs already."""
        if self._began is None:
            self._began, self._lag_before = time.monotonic(), self._lag()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Pause the attempt's clock and deadline while this process works on the answer."""
        began, lag = time.monotonic(), self._lag()
        deadline, until = self.deadline, self.deadline and self.deadline.when()
        if deadline:
            deadline.reschedule(None)
        try:
            yield
        finally:
            took = time.monotonic() - began
            self._paused, self._lag_before = self._paused + took, self._lag_before + self._lag() - lag
            if deadline and until is not None:
                deadline.reschedule(until + took)

    async def abandon(self) -> None:
        """Close the connection: httpcore 1.0 leaves it open if a handshake is cancelled."""
        if self._stream:
            await self._stream.aclose()

    def resolving(self) -> None:
        """A name lookup begins."""
        self.phase, self.addresses = "name", []

    def resolved(self, addresses: list[str], seconds: float) -> None:
        """The name lookup is over."""
        self.addresses = list(dict.fromkeys(addresses))
        self._spent["name"] = seconds
        self.phase = "connect"

    def answered(self, seconds: float) -> None:
        """A name server has answered the attempt's question."""
        self._spent["name"] = seconds

    @property
    def address(self) -> str:
        """The `address:port` that answered, or those that were tried; with a proxy, the proxy's."""
        return " and ".join(host_and_port(address, self.port) for address in self.addresses)

    def elapsed(self) -> Elapsed:
        """Seconds spent so far, by phase."""
        connect = self._spent.get("connect_tcp")
        if connect is not None:
            connect -= self._spent.get("name", 0.0)
        total = self._since_begin()
        return Elapsed(
            name=self._spent.get("name"),
            connect=connect,
            tls=self._spent.get("start_tls"),
            first_byte=self._spent.get("first_byte"),
            total=total,
            ours=min(total, self._lag() - self._lag_before),
        )

    def _since_begin(self) -> float:
        return 0.0 if self._began is None else time.monotonic() - self._began - self._paused

    def _step(self, step: str, info: dict[str, Any]) -> None:
        self._since = time.monotonic()
        self.begin()
        if step == "connection.connect_tcp":
            self.host, self.port, self.certificate = info["host"], info["port"], None
            self.addresses = [self.host]
        if step.endswith("start_tls"):
            self.host = info["server_hostname"]
        if step.endswith("receive_response_headers"):
            self._asked()

    def _done(self, step: str, value: Any) -> None:
        name = step.partition(".")[2]
        self._spent[name] = time.monotonic() - self._since
        if step == "connection.connect_tcp":
            self._stream = value
            self.addresses = [value.get_extra_info("server_addr")[0]]
            self.phase = "proxy" if self.by_proxy else "answer"
        if name == "receive_response_headers":
            self._spent["first_byte"] = self._since_begin()
        if step == ("proxy.start_tls" if self.by_proxy else "connection.start_tls"):
            self.certificate = value.get_extra_info("ssl_object").getpeercert(binary_form=True)


def host_and_port(host: str, port: int | None) -> str:
    """`10.0.0.1:80`, `[::1]:80`; the host alone if there is no port."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
