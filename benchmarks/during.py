"""`python -m benchmarks.during`: samples per core, and the error of the measured outage, beside blackbox_exporter and curl.

A server on loopback refuses connections at known times. It is sampled by upgate's own sampling processes (200 targets, ten
times a second, over new and kept connections), by a loop of curl, and by blackbox_exporter (Debian:
prometheus-blackbox-exporter), which is asked as Prometheus would, ten times a second: it has no clock of its own.
"""

from __future__ import annotations

import argparse
import http.client
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from upgate.base.waiting import Deadline
from upgate.sources.probes.target import ProbeTarget
from upgate.watch.clock import clock_seconds
from upgate.watch.grid import spread_phases
from upgate.watch.plan import SamplingJob, orders
from upgate.watch.sampler import SamplerProcess

PORT, EXPORTER = 18097, "127.0.0.1:18098"
#: Seconds after the start at which connections are refused, and for how long.
OUTAGES = ((5.0, 1.0), (9.0, 2.5), (15.0, 0.7))
LASTS = 19.0
INTERVAL = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


def serve(start: float) -> None:
    """Answer 200, but for the outages."""
    import asyncio

    import uvloop

    class Answering(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport
            clients.add(self)

        def connection_lost(self, problem):
            clients.discard(self)

        def data_received(self, data):
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" * data.count(b"\r\n\r\n"))

    clients: set[Answering] = set()

    async def days() -> None:
        loop = asyncio.get_running_loop()
        for begins, lasts in (*OUTAGES, (LASTS * 10, 0.0)):
            server = await loop.create_server(Answering, "127.0.0.1", PORT, backlog=4096)
            await asyncio.sleep(start + begins - clock_seconds())
            server.close()
            for client in [*clients]:
                client.transport.abort()
            await asyncio.sleep(start + begins + lasts - clock_seconds())

    uvloop.run(days())


def rest(seconds: float) -> None:
    """Wait so long."""
    Deadline(LASTS * 2).rest(seconds)


def cpu(*pids: int) -> float:
    """Seconds of CPU time of these processes and of their children that have ended."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each) for stat in fields for each in stat[11:15]) / TICKS or 1e-9


def memory(*pids: int) -> float:
    """MiB that these processes hold."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def by_upgate(start: float, number: int) -> None:
    """Our own sampling processes."""
    target = ProbeTarget(id="t", url=f"http://127.0.0.1:{PORT}/", status=(200,), timeout=5.0)
    phases = spread_phases(2 * number, INTERVAL)
    jobs = [
        SamplingJob(number=place, target=replace(target, id=f"t{place}"), kept=bool(place % 2), phase=phase)
        for place, phase in enumerate(phases)
    ]
    processes = [SamplerProcess(order) for order in orders(jobs, start, INTERVAL, os.cpu_count() or 1)]
    pids = [each.pid for each in processes]
    rest(start + LASTS - clock_seconds())
    used, held = cpu(*pids), memory(*pids)
    for each in processes:
        each.stop()
    beats = [beat for each in processes for beat in each.beats()]
    runs = [run for beat in beats for run in beat.runs if run.state == "down" and run.end and not run.series % 2]
    made = sum(sum(beat.good) for beat in beats) + sum(run.count for beat in beats for run in beat.runs)
    missed = sum(1 for beat in beats for run in beat.runs if run.state == "unmeasured")
    report(f"upgate, {number} targets", [(run.start, run.end or 0.0) for run in runs], made, used)
    print(f"  {held:.0f} MiB in {len(pids)} processes; {missed} gaps in which this machine was too busy to sample")


def in_turn(name: str, start: float, ask: Callable[[], bool], used: Callable[[], float], pause: float) -> None:
    """Ask again and again, and tell the outages."""
    spans: list[tuple[float, float]] = []
    since, made = None, 0
    while (now := clock_seconds() - start) < LASTS:
        good, made = ask(), made + 1
        if not good and since is None:
            since = now
        elif good and since is not None:
            spans, since = [*spans, (since, now)], None
        rest(now + pause - (clock_seconds() - start))
    report(name, spans, made, used())


def report(name: str, spans: list[tuple[float, float]], made: int, used: float) -> None:
    """One line: samples, CPU time of each, and how far the outages are from the truth."""
    true = [
        min((abs((end - begin) - lasts), begin, end) for begins, lasts in OUTAGES if begin - 1 < begins < begin + 1)[0]
        for begin, end in spans
        if any(begin - 1 < begins < begin + 1 for begins, _ in OUTAGES)
    ]
    worst = f"{max(true) * 1000:.0f} ms" if true else "none found"
    print(
        f"{name}: {made} samples, {used / made * 1e6:.0f} µs of CPU each; {len(spans)} outages, largest error {worst}"
    )


def main() -> None:
    """Measure one after the other, against the same outages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.during", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--targets", type=int, default=200)
    options = parser.parse_args()
    measured(lambda start: by_upgate(start, options.targets))
    measured(
        lambda start: in_turn(
            "loop of curl, 1 target", start, ask_curl, lambda: os.times()[2] + os.times()[3], INTERVAL
        )
    )
    if exporter := shutil.which("prometheus-blackbox-exporter"):
        measured(lambda start: by_exporter(exporter, start))
    else:
        print("blackbox_exporter is not installed", file=sys.stderr)


def measured(work: Callable[[float], None]) -> None:
    """Run it beside a server of its own."""
    start = clock_seconds() + 3.0
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(start,), daemon=True)
    server.start()
    try:
        work(start)
    finally:
        server.kill()
        server.join()


def ask_curl() -> bool:
    """One curl; its CPU time is that of our children."""
    command = ["curl", "-s", "-o", "/dev/null", "-m", "1", f"http://127.0.0.1:{PORT}/"]
    return subprocess.run(command, check=False).returncode == 0


def by_exporter(binary: str, start: float) -> None:
    """blackbox_exporter, asked for one target."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        config.write("modules: {http_2xx: {prober: http, timeout: 1s}}\n")
        config.flush()
        command = [binary, f"--config.file={config.name}", f"--web.listen-address={EXPORTER}"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            threading.Event().wait(0.7)
            in_turn("blackbox_exporter, 1 target", start, ask_exporter, lambda: cpu(process.pid), INTERVAL)
        finally:
            process.kill()
            process.wait()


def ask_exporter() -> bool:
    """One probe."""
    connection = http.client.HTTPConnection(EXPORTER, timeout=5)
    connection.request("GET", f"/probe?module=http_2xx&target=http://127.0.0.1:{PORT}/")
    return b"\nprobe_success 1" in connection.getresponse().read()


if __name__ == "__main__":
    main()
