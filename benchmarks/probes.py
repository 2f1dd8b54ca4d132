"""`python -m benchmarks.probes`: 1,000 endpoints that answer after `--delay` seconds may take 1.3 times what one takes.

Also how much later than the server meant an answer seems to us: what this process itself adds to a latency.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from statistics import median

from upgate.base.errors import Inconclusive
from upgate.sources.probes import Attempt, ProbeTarget, attempt_all, judge_attempt

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def main() -> int:
    """Measure, print one line, and say by the exit code whether the bound holds."""
    options = _options()
    with _server(options.delay) as port:
        targets = [_target(number, port, options.delay) for number in range(options.endpoints)]
        attempt_all(targets[:1])
        began = time.monotonic()
        attempts = attempt_all(targets)
        seconds = time.monotonic() - began
    wrong = sum(map(_is_wrong, targets, attempts))
    took = sorted(attempt.elapsed.total for attempt in attempts)
    print(
        f"{len(targets)} endpoints in {seconds:.2f} s, {seconds / options.delay:.2f} times the delay of {options.delay} s;"
        f" seen as median {median(took):.3f} s, slowest {took[-1]:.3f} s; {wrong} wrong"
    )
    return 0 if seconds <= 1.3 * options.delay and not wrong else 1


def _is_wrong(target: ProbeTarget, attempt: Attempt) -> bool:
    """Not as expected, or this machine was too busy to say."""
    try:
        return bool(judge_attempt(target, attempt))
    except Inconclusive:
        return True


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=1000)
    parser.add_argument("--delay", type=float, default=5.0, help="seconds")
    return parser.parse_args()


def _target(number: int, port: int, delay: float) -> ProbeTarget:
    url = f"http://127.0.{number // 250}.{number % 250 + 1}:{port}/"
    return ProbeTarget(id=f"external.{number}", url=url, timeout=10 * delay, within=1.5 * delay)


class _server:  # noqa: N801 - reads as a function
    def __init__(self, delay: float) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_serve, args=(theirs, delay), daemon=True)

    def __enter__(self) -> int:
        self._process.start()
        return self._ours.recv()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve(pipe, delay: float) -> None:
    asyncio.run(_slow(pipe, delay))


async def _slow(pipe, delay: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(delay)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=4096)  # noqa: S104 - all of 127.0.0.0/8
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
