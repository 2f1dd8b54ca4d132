"""`upgate watch` as a command: what it leaves, also when it is killed, and what the gate makes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faulty_server import FaultyServer, faulty_server
from upgate.watch.reading import WatchRecord, load_record

REPOSITORY = Path(__file__).parents[1]
PROFILE = """
cluster: {{embedded: healthy}}
external:
  - {{name: shop, url: "http://127.0.0.1:{port}/", timeout: 500ms, budget: 30s}}
watch: {{interval: 100ms}}
"""


def upgate(*arguments: str) -> list[str]:
    """The command."""
    return [sys.executable, "-m", "upgate", *arguments]


def environment() -> dict[str, str]:
    """With this checkout's package."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY)}


@contextmanager
def watching(folder: Path, server: FaultyServer, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A watch that has begun to measure; whoever is killed leaves no sampler behind."""
    (folder / "prod.yaml").write_text(PROFILE.format(port=server.port))
    command = upgate("watch", "--profile=./prod.yaml", "--reports=reports", *more)
    process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 180
        while not measured(folder):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


def measured(folder: Path) -> float:
    """Until when the record goes, in seconds."""
    path = folder / "reports" / "disruption.jsonl"
    return load_record(path)[-1].until if path.exists() else 0.0


def recorded(folder: Path) -> WatchRecord:
    """The last watch of the record."""
    return load_record(folder / "reports" / "disruption.jsonl")[-1]


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_watch_that_is_killed_loses_a_second_at_most(tmp_path: Path) -> None:
    """kill -9 during an outage: the record knows the outage up to a second before, and the samplers end by themselves."""
    with faulty_server() as server, watching(tmp_path, server) as process:
        samplers = children(process.pid)
        server.be("refuse")
        time.sleep(2.5)
        before = measured(tmp_path)
        time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert measured(tmp_path) > before
        assert any(run.state == "down" and run.count > 15 for run in recorded(tmp_path).open)
        deadline = time.monotonic() + 10
        while any(
            Path(f"/proc/{each}/cmdline").exists() and Path(f"/proc/{each}/cmdline").read_bytes() for each in samplers
        ):
            assert time.monotonic() < deadline, "a sampler outlived its watch"
            time.sleep(0.1)


def test_a_sampler_that_dies_is_replaced(tmp_path: Path) -> None:
    """What it would have sampled is not measured, and then sampling goes on."""
    with faulty_server() as server, watching(tmp_path, server) as process:
        for each in children(process.pid):
            os.kill(each, signal.SIGKILL)
        died = measured(tmp_path)
        deadline = time.monotonic() + 30
        while measured(tmp_path) < died + 2 or not any(run.end for run in recorded(tmp_path).runs):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert [
        run for run in recorded(tmp_path).runs if run.state == "unmeasured" and run.why == "the sampling process ended"
    ]
    assert not [run for run in recorded(tmp_path).runs if run.state == "down"]


def test_a_watch_ends_when_it_is_told_to_and_the_gate_reads_its_record(tmp_path: Path) -> None:
    """--until-file, the summary, the timeline in each format, and the check of the budget."""
    flag = tmp_path / "done"
    with faulty_server() as server:
        with watching(tmp_path, server, f"--until-file={flag}") as process:
            server.be("wrong")
            time.sleep(1)
            server.be("ok")
            time.sleep(1)
            flag.touch()
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "shop: away for " in said
        assert recorded(tmp_path).ended
        record = str(tmp_path / "reports" / "disruption.jsonl")
        told = {
            format: subprocess.run(
                upgate("timeline", f"--format={format}", record), env=environment(), capture_output=True
            )
            for format in ("json", "html", "text", "junit")
        }
        assert all(each.returncode == 0 and each.stdout for each in told.values())
        assert json.loads(told["json"].stdout)["targets"][0]["outages"][0]["why"].startswith("status 500")
        gate = upgate("run", "--profile=./prod.yaml", "--reports=reports", "--since=1h", "-m", "disruption")
        subprocess.run(gate, cwd=tmp_path, env=environment(), capture_output=True)
        results = json.loads((tmp_path / "reports" / "partial" / "results.json").read_text())
        outcomes = {each["id"]: each["outcome"] for each in results["checks"]}
        assert outcomes["disruption.shop"] == "passed"
        assert outcomes["disruption.services"] == "inconclusive"  # the demo's API server cannot be watched


def test_two_watches_do_not_share_a_record(tmp_path: Path) -> None:
    """The second one says so, and does nothing."""
    with faulty_server() as server, watching(tmp_path, server):
        second = subprocess.run(
            upgate("watch", "--profile=./prod.yaml", "--reports=reports"),
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
        )
    assert second.returncode == 4
    assert "another upgate watch" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--interval=1ms",), "must be from 100ms to 1m"),
        (("--for=soon",), "not a duration"),
        (("--profile=nowhere",), "there is no profile nowhere"),
    ],
)
def test_a_wrong_call_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 4, and what is wrong."""
    (tmp_path / "prod.yaml").write_text(PROFILE.format(port=1))
    given = ("--profile=./prod.yaml", *arguments)
    done = subprocess.run(upgate("watch", *given), cwd=tmp_path, env=environment(), capture_output=True, text=True)
    assert done.returncode == 4
    assert words in done.stderr
