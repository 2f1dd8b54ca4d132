"""The real command in a process of its own, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from tests.apiserver import EmbeddedCluster
from upgate.base.threads import concurrently

REPOSITORY = Path(__file__).parents[1]
#: Short enough for tests, long enough for two busy cores.
TIMEOUTS = {"connect-timeout": "1s", "read-timeout": "1s", "deadline": "3s"}
LIMIT = 60


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    code: int
    out: str
    reports: Path
    #: Wall time in seconds.
    seconds: float
    #: The profile's folder, where baseline and history are; the reports of a partial run are in a folder of it.
    home: Path = Path()

    @cached_property
    def results(self) -> dict[str, Any]:
        """`results.json`."""
        path = self.reports / "results.json"
        assert path.exists(), f"no results.json, exit code {self.code}:\n{self.out}"
        return msgspec.json.decode(path.read_bytes())

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each check."""
        return {check["id"]: check["outcome"] for check in self.results["checks"]}

    def ids(self, outcome: str) -> set[str]:
        """The checks with this outcome."""
        return {id for id, said in self.outcomes.items() if said == outcome}

    def check(self, id: str) -> dict[str, Any]:
        """The result of one check."""
        return next(check for check in self.results["checks"] if check["id"] == id)

    @property
    def reasons(self) -> set[str]:
        """Why checks could not be judged."""
        return {check["reason"] for check in self.results["checks"] if check["outcome"] == "inconclusive"}

    @property
    def cases(self) -> dict[str, ET.Element]:
        """The testcases of `junit.xml` by their names."""
        return {case.get("name", ""): case for case in ET.parse(self.reports / "junit.xml").iter("testcase")}

    @property
    def rounds(self) -> list[dict[str, Any]]:
        """The lines of `rounds.jsonl`."""
        return [msgspec.json.decode(line) for line in (self.reports / "rounds.jsonl").read_bytes().splitlines()]

    def whole(self) -> Run:
        """Itself, after a look at what must hold of every run: whole files, all of one mind, and no traceback."""
        assert "Traceback" not in self.out, self.out
        assert "INTERNALERROR" not in self.out, self.out
        assert self.results["exit_code"] == self.code
        assert len(self.cases) == len(self.results["checks"])
        assert (self.reports / "report.html").read_text().rstrip().endswith("</html>")
        assert not list(self.reports.glob(".*"))
        return self

    def texts(self) -> str:
        """Everything that it said and wrote."""
        import gzip

        texts = [self.out]
        for path in filter(Path.is_file, self.reports.rglob("*")):
            data = path.read_bytes()
            texts.append((gzip.decompress(data) if path.suffix == ".gz" else data).decode(errors="replace"))
        return "\n".join(texts)


def profile(folder: Path, text: str = "", *, name: str = "here", **cluster: Any) -> Path:
    """Write a profile with this cluster; short timeouts, where it is a live one."""
    folder.mkdir(parents=True, exist_ok=True)
    timeouts = {} if {"embedded", "snapshot"} & cluster.keys() else TIMEOUTS
    document = {key: str(value) for key, value in {**timeouts, **cluster}.items()}
    path = folder / f"{name}.yaml"
    path.write_text(f"cluster: {msgspec.json.encode(document).decode()}\n{text}")
    return path


def profile_of(cluster: EmbeddedCluster, folder: Path, text: str = "", **timeouts: str) -> Path:
    """Write a profile that leads to an embedded cluster of this process."""
    folder.mkdir(parents=True, exist_ok=True)
    return profile(folder, text, kubeconfig=cluster.kubeconfig(folder / "kubeconfig"), **timeouts)


def command(profile: Path | str | None, reports: Path, *arguments: object) -> list[str]:
    """The command line; what is not an option is a path to collect from, after the battery's own."""
    named = [f"--profile={profile}"] if profile else []
    return [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        *named,
        f"--reports={reports}",
        *map(str, arguments),
    ]


def run(profile: Path | str | None, *arguments: object, reports: Path | None = None, **environ: str) -> Run:
    """Run the battery to its end."""
    return started(profile, *arguments, reports=reports, **environ).ended()


def runs(**calls: Callable[[], Run]) -> dict[str, Run]:
    """Several runs, as many at once as the machine has cores."""
    return concurrently(calls, workers=os.cpu_count() or 2)


@dataclass
class Running:
    """A run that goes on."""

    process: subprocess.Popen[str]
    reports: Path
    began: float
    log: Path

    @property
    def out(self) -> str:
        """What it has said so far, without colours."""
        return re.sub("\x1b\\[[0-9;]*m", "", self.log.read_text(errors="replace"))

    def until(self, true: Callable[[], object], seconds: float = LIMIT) -> Running:
        """Wait until something is true, while it runs."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited {seconds} s in vain:\n{self.out}"
            assert self.process.poll() is None, f"it has ended with {self.process.returncode}:\n{self.out}"
            time.sleep(0.02)
        return self

    def interrupted(self, *, group: bool = False) -> Run:
        """Press Ctrl-C; a terminal sends it to the whole group. The time is that from then on."""
        self.began = time.monotonic()
        (os.killpg if group else os.kill)(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> Run:
        """Wait for its end."""
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        seconds = time.monotonic() - self.began
        run = Run(self.process.returncode, self.out, said_folder(self.out) or self.reports, seconds, self.reports)
        self.log.unlink()
        return run


def said_folder(out: str) -> Path | None:
    """Where a run says that its reports are."""
    said = re.search(r"^reports: (.+)/ \(report\.html, ", out, re.MULTILINE)
    return Path(said[1]) if said else None


def hear_ctrl_c() -> None:
    """Whoever runs the tests in the background of a script has told all their children to ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(profile: Path | str | None, *arguments: object, reports: Path | None = None, **environ: str) -> Running:
    """Start the battery, its reports beside its profile unless said otherwise."""
    reports = reports or Path(profile or ".").parent / "reports"
    handle, log = tempfile.mkstemp(prefix="run-")
    process = subprocess.Popen(
        command(profile, reports, *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "COLUMNS": "200", **environ},
        stdin=subprocess.DEVNULL,
        stdout=handle,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )
    os.close(handle)
    return Running(process, reports, time.monotonic(), Path(log))
