"""Decoders are made while other threads decode."""

from __future__ import annotations

import subprocess
import sys

from tests.running import REPOSITORY

RACE = """
import sys, threading
from upgate.base.decoders import decoder
from upgate.facts.kinds import KINDS

sys.setswitchinterval(1e-6)
together = threading.Barrier(12)

def decode(first):
    together.wait()
    for kind in (*list(KINDS.values())[first::12], *KINDS.values()):
        decoder(kind.type).decode(b'{"metadata": {"name": "x", "labels": {"a": "b"}}}')

threads = [threading.Thread(target=decode, args=(number,)) for number in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_all_make_decoders_do_no_harm():
    """Twelve threads that make the decoders of all kinds at once, and use them: no process dies of it."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", RACE], cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
