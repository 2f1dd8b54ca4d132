"""One command, from its start to its end: wall seconds, and the peak memory of all its processes together."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

#: Seconds between two looks at the memory.
INTERVAL = 0.02


class Measured(NamedTuple):
    """What one run took."""

    seconds: float
    #: Bytes: the sum over all its processes of what each holds, shared pages counted in parts.
    peak: int
    exit_code: int


def measure(command: list[str]) -> Measured:
    """Run it to its end; its output is thrown away."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak, over = [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(process.pid, peak, over))
    watcher.start()
    code = process.wait()
    seconds = time.monotonic() - started
    over.set()
    watcher.join()
    return Measured(seconds, peak[0], code)


def watch(pid: int, peak: list[int], over: threading.Event) -> None:
    """Keep the largest sum that is seen until it is over."""
    while not over.wait(INTERVAL):
        peak[0] = max(peak[0], sum(held(each) for each in family(pid)))


def family(pid: int) -> list[int]:
    """The process and all below it."""
    members, todo = [], [pid]
    while todo:
        members.append(current := todo.pop())
        todo += [int(child) for child in read(f"/proc/{current}/task/{current}/children").split()]
    return members


def held(pid: int) -> int:
    """The bytes that it holds in memory (PSS, or RSS where the kernel tells no PSS)."""
    for line in read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def read(path: str) -> str:
    """A file of /proc; empty when the process has just ended."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
