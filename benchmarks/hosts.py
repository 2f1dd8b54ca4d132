"""100 hosts at 50 ms: how long one look at all of them takes, over a real sshd and over a stand-in for ssh.

    python -m benchmarks.hosts [--hosts 100] [--latency 0.05]

Every host is a port of one sshd on loopback (root), and every packet waits for the latency in a relay. The script runs on
its host, which takes it a moment: here it is run once, and every host then answers the same. Both ends of 100 handshakes
are still computed on this machine, so the same is measured with an `ssh` that waits as long as a handshake's round trips.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.sshd import MISSING, Sshd, free_ports, sshd
from tests.worlds import profile
from upgate.snapshot import Snapshot
from upgate.sources.hosts.looking import look_at_hosts
from upgate.sources.hosts.script import Asked, shell_command
from upgate.sources.hosts.targets import host_targets

#: Round trips from connecting to the first answer of a command: TCP, banners, key exchange, login by key, session.
ROUND_TRIPS = 9
#: Answers with the recorded answer, under the mark of the script that was sent.
ANSWER = """\
mark=$(echo "$command" | cut -d " " -f 2 | base64 -d | sed -n "s/^MARK=//p;1q")
exec sed "s/@mark@/$mark/" {recorded}
"""
BOUND = 10.0


def main() -> int:
    """Measure both, print a line for each, and say by the exit code whether the bound holds."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="upgate-bench-") as name:
        folder = Path(name)
        record(folder / "answer")
        seconds = [stand_in(folder, options)]
        if MISSING:
            print(f"not measured over a real sshd: {MISSING}")
        else:
            seconds.append(real(folder, options))
    return 0 if max(seconds) < BOUND else 1


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hosts", description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds of a round trip")
    return parser.parse_args()


def record(path: Path) -> None:
    """What this machine answers to the script, and how long that takes it."""
    wanted, moment = profile(hosts={"each": ["local://"]}), datetime.now(UTC)
    (target,) = host_targets(wanted.hosts, Snapshot(taken=moment))
    script = shell_command(target, Asked(moment - timedelta(hours=1)), "@mark@")
    began = time.monotonic()
    path.write_bytes(subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout)
    print(f"the script alone, on this machine: {time.monotonic() - began:.2f} s, {path.stat().st_size} bytes")


def stand_in(folder: Path, options: argparse.Namespace) -> float:
    """Seconds with an ssh that only waits before it runs the command here."""
    program = folder / "bin" / "ssh"
    program.parent.mkdir()
    answer = ANSWER.format(recorded=folder / "answer")
    program.write_text(f"#!/bin/sh\nsleep {ROUND_TRIPS * options.latency}\nfor command; do :; done\n{answer}")
    program.chmod(0o755)
    os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    try:
        return measured("a stand-in for ssh", [f"ssh://host-{number}" for number in range(options.hosts)], {})
    finally:
        program.unlink()


def real(folder: Path, options: argparse.Namespace) -> float:
    """Seconds over a real sshd behind a relay that holds each packet back."""
    with sshd(folder / "sshd", hosts=1) as server, relays(server, options) as ports:
        answer = ANSWER.format(recorded=folder / "answer")
        (server.folder / "enter").write_text(f'#!/bin/sh\ncommand="$SSH_ORIGINAL_COMMAND"\n{answer}')
        key = server.known_hosts.read_text().partition(" ")[2]
        server.known_hosts.write_text("".join(f"[127.0.0.1]:{port} {key}" for port in ports))
        known = {"key": str(server.key), "known-hosts": str(server.known_hosts)}
        seconds = measured("a real sshd here", [f"ssh://root@127.0.0.1:{port}" for port in ports], known)
        print(f"the other side of those: {processor_of_children(server.pid):.1f} s of processor")
        return seconds


def processor_of_children(pid: int) -> float:
    """Seconds that its children used, once they have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def measured(what: str, specs: list[str], keys: dict[str, str]) -> float:
    """Seconds of one look at all hosts, told."""
    wanted, moment = profile(hosts={"each": specs, **keys}), datetime.now(UTC)
    began, busy = time.monotonic(), os.times()
    seen = look_at_hosts(wanted, Snapshot(taken=moment), moment - timedelta(hours=1))
    seconds, after = time.monotonic() - began, os.times()
    used = sum(after[:4]) - sum(busy[:4])
    unseen = sorted({host.unseen for host in seen or () if host.unseen})
    print(
        f"{what}: {len(specs)} hosts in {seconds:.1f} s; {used:.1f} s of processor on this side; unseen: {unseen or 'none'}"
    )
    return BOUND if unseen else seconds


@contextmanager
def relays(server: Sshd, options: argparse.Namespace) -> Iterator[list[int]]:
    """As many ports as hosts, each of which leads to the server, half of the latency later in each direction."""
    ports = free_ports(options.hosts)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    for port in ports:
        serving = asyncio.start_server(relay(server.machines[0].port, options.latency / 2), "127.0.0.1", port)
        asyncio.run_coroutine_threadsafe(serving, loop).result()
    try:
        yield ports
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def relay(port: int, delay: float):
    """What takes a connection on to that port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError):
            await asyncio.gather(pass_on(reader, inner_writer, delay), pass_on(inner_reader, writer, delay))

    return take


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """All that comes, that much later."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    sys.exit(main())
