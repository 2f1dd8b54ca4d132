"""Probes all targets concurrently, within limits, so that they do not slow down each other."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.text import one_line_excerpt
from upgate.facts.attempts import Attempt, Failure
from upgate.sources.probes.judging import judge_attempt
from upgate.sources.probes.look import probe_once
from upgate.sources.probes.names import Loop
from upgate.sources.probes.reach import Reach
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch

#: Probes that resolve, connect or do a TLS handshake at a time: more would wait for this process and look slow.
STARTING = 16
#: Seconds after which a probe that is still starting no longer counts: a dead address must not delay the others.
HEAD_START = 0.1
#: Seconds between two attempts of one target.
PAUSE = 0.5
#: Seconds between two measurements of how long this process waits for the CPU, and the usual delay.
BEAT, USUAL_LAG = 0.02, 0.005
#: Seconds for all probes together; twice the time of the slowest target, if that is more.
TOGETHER = 300.0
#: Open files besides those of the probes.
OTHER_FILES = 256


def run_attempts(targets: list[ProbeTarget], vantage: str, limit: int) -> list[Attempt]:
    """Probe all targets; see `upgate.sources.probes.attempt_all`."""
    with ExitStack() as stack:
        stack.enter_context(_quiet_libraries())
        stack.enter_context(_undisturbed())
        stack.enter_context(_open_files(2 * min(limit, len(targets)) + OTHER_FILES))
        runner = stack.enter_context(asyncio.Runner(loop_factory=Loop))
        return runner.run(_all(targets, vantage, limit))


def deadline(targets: list[ProbeTarget]) -> float:
    """Seconds that all probes together may take."""
    return max([TOGETHER, *(2 * each.attempts * (each.timeout + PAUSE) for each in targets)])


async def _all(targets: list[ProbeTarget], vantage: str, limit: int) -> list[Attempt]:
    round_ = _Round(vantage, limit, deadline(targets))
    heartbeat = asyncio.create_task(round_.beat())
    attempts = await asyncio.gather(*map(round_.attempt, targets))
    heartbeat.cancel()
    return attempts


class _Round:
    """What the attempts of one run share."""

    def __init__(self, vantage: str, limit: int, seconds: float) -> None:
        self._vantage, self._trust = vantage, Trust()
        self._seconds, self._until = seconds, asyncio.get_running_loop().time() + seconds
        self._running, self._starting = asyncio.Semaphore(limit), asyncio.Semaphore(STARTING)
        self._lag = 0.0

    async def beat(self) -> None:
        """Sum up how long this process was too busy to notice an answer: that time is not the servers'."""
        while True:
            began = time.monotonic()
            await asyncio.sleep(BEAT)
            late = time.monotonic() - began - BEAT
            self._lag += late if late > USUAL_LAG else 0.0

    async def attempt(self, target: ProbeTarget) -> Attempt:
        """The attempt. A target that was not started in time, or whose probe crashed, was not looked at."""
        try:
            async with asyncio.timeout_at(self._until):
                return await self._attempts(target)
        except TimeoutError:
            return self._unseen(target, f"not done within the {self._seconds:g} s for all probes together")
        except Exception as error:  # the answer of one target must not stop the others
            return self._unseen(target, f"{type(error).__name__}: {error}")

    def _unseen(self, target: ProbeTarget, words: str) -> Attempt:
        failure = Failure("set-up", one_line_excerpt(target.mask(words)))
        now = datetime.now(UTC)
        return Attempt(id=target.id, target=target.shown, vantage=self._vantage, started=now, failure=failure)

    async def _attempts(self, target: ProbeTarget) -> Attempt:
        """Probe until nothing is wrong, at most `target.attempts` times; earlier problems are kept in the result."""
        earlier: list[str] = []
        while True:
            async with self._running:
                attempt = await self._paced(target)
            problems = _problems(target, attempt)
            if not problems or len(earlier) + 1 >= target.attempts:
                flaky_after = 0 if problems else len(earlier)
                return msgspec.structs.replace(attempt, earlier=tuple(earlier), flaky_after=flaky_after)
            earlier.append(problems)
            await asyncio.sleep(PAUSE)

    async def _paced(self, target: ProbeTarget) -> Attempt:
        await self._starting.acquire()
        release = once(self._starting.release)
        head_start = asyncio.get_running_loop().call_later(HEAD_START, release)
        try:
            return await probe_once(
                target, self._trust, Watch(lambda: self._lag, release, Reach(target)), self._vantage
            )
        finally:
            head_start.cancel()
            release()


def once(work: Callable[[], None]) -> Callable[[], None]:
    """The same function, which does nothing when it is called again."""
    left = [work]
    return lambda: left.pop()() if left else None


def _problems(target: ProbeTarget, attempt: Attempt) -> str:
    try:
        return "; ".join(
            f"{problem.observed}, expected {problem.expected}" for problem in judge_attempt(target, attempt)
        )
    except Inconclusive as error:
        return str(error)


@contextmanager
def _quiet_libraries() -> Iterator[None]:
    """httpx logs whole URLs, httpcore all headers: a log would contain credentials."""
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without garbage collection, and without httpcore's import of sniffio, eight times per request if it is not installed.

    1,000 requests: 0.7 s of this process instead of 0.9 s; measured by benchmarks/probes.py.
    """
    collecting, searching = gc.isenabled(), "sniffio" not in sys.modules and find_spec("sniffio") is None
    gc.disable()
    if searching:
        sys.modules["sniffio"] = None  # type: ignore[assignment]  # makes its import fail at once
    try:
        yield
    finally:
        if searching:
            del sys.modules["sniffio"]
        if collecting:
            gc.enable()


@contextmanager
def _open_files(number: int) -> Iterator[None]:
    """Raise the limit of open files to this number, or to the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = number if hard == resource.RLIM_INFINITY else min(number, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
