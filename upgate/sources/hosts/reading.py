"""Reads the output of a process, limited in time and size: a host may send without end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from selectors import EVENT_READ, DefaultSelector
from typing import IO, cast

from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline

#: Bytes of an answer, and of the error output of ssh and sudo. An ordinary host's has less than 200 KB; 10,000 sockets make 1 MB.
MOST, MOST_ERRORS = 4 * 2**20, 2**20
#: Bytes at a time.
CHUNK = 2**16


def read_output(process: subprocess.Popen[bytes], seconds: float) -> tuple[bytes, bytes]:
    """Its output and error output, after it has ended. Raises Inconclusive if it takes too long or writes too much."""
    out, errors, deadline = bytearray(), bytearray(), Deadline(seconds)
    with DefaultSelector() as selector:
        selector.register(cast("IO[bytes]", process.stdout), EVENT_READ, (out, MOST))
        selector.register(cast("IO[bytes]", process.stderr), EVENT_READ, (errors, MOST_ERRORS))
        for pipe, (text, most), chunk in pipe_chunks(selector, deadline):
            text += chunk
            if len(text) > most:
                raise Inconclusive(f"its answer has more than {most // 2**20} MiB")
            if not chunk:
                selector.unregister(pipe)
    try:
        process.wait(deadline.remaining)
    except subprocess.TimeoutExpired:
        raise Inconclusive(timeout_reason(deadline)) from None
    return bytes(out), bytes(errors)


def pipe_chunks(selector: DefaultSelector, deadline: Deadline) -> Iterator[tuple[int, tuple[bytearray, int], bytes]]:
    """The data of each pipe until all are closed; empty at the end of a pipe. Raises Inconclusive at the deadline."""
    while selector.get_map():
        if deadline.passed:
            raise Inconclusive(timeout_reason(deadline))
        for key, _ in selector.select(deadline.remaining):
            yield key.fd, key.data, os.read(key.fd, CHUNK)


def timeout_reason(deadline: Deadline) -> str:
    """The message for an answer that was not complete in time."""
    return f"its answer was not complete within {deadline.seconds:.0f} s"
