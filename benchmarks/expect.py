"""`python -m benchmarks expect`: an entry of `resources:` over 10,000 custom resources may take 3 s, process start to exit.

A local API server serves the cluster of the demo, and Applications of Argo CD as large as real ones (3 KB); one
in a thousand is not healthy. Measured are the check alone (`-k expect`) and the whole battery with and without it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import yaml

from benchmarks.measuring import measure
from tests.apiserver import EmbeddedCluster
from tests.apiserver.world import world
from upgate.sources.demo.recording import Recording, shipped

LIMIT = 3.0
KIND = "argoproj.io/v1alpha1/applications"
CONDITIONS = ['status.health.status == "Healthy"', 'status.sync.status == "Synced"']


def main(arguments: list[str]) -> int:
    """Measure, print one line each, and say by the exit code whether the limit holds."""
    options = parsed(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="upgate-bench-") as name,
        EmbeddedCluster(cluster_of(options.objects)) as cluster,
    ):
        folder = Path(name)
        kubeconfig = cluster.kubeconfig(folder / "kubeconfig")
        with_it, without = command(folder, kubeconfig, "with", CONDITIONS), command(folder, kubeconfig, "without", [])
        alone = took("expect alone", [*with_it, "-k", "expect"], options.rounds)
        took("the battery with it", with_it, options.rounds)
        took("the battery without", without, options.rounds)
    return 0 if alone <= LIMIT else 1


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks expect")
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(arguments)


def application(number: int) -> dict[str, Any]:
    """One application; one in a thousand is degraded."""
    name = f"app-{number:05}"
    resources = [{"kind": "Deployment", "name": f"{name}-{each}", "status": "Synced"} for each in range(40)]
    health = "Degraded" if number % 1000 == 999 else "Healthy"
    meta = {"name": name, "namespace": f"team-{number % 50}", "uid": name, "creationTimestamp": "2026-01-01T00:00:00Z"}
    status = {"health": {"status": health}, "sync": {"status": "Synced"}, "resources": resources}
    spec = {"source": {"repoURL": "https://git.example.com/shop", "path": name}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": meta,
        "spec": spec,
        "status": status,
    }


def cluster_of(number: int) -> Recording:
    """The demo's cluster with so many applications."""
    demo = shipped("healthy")
    more = world({"recorded": demo.recorded, KIND: [application(each) for each in range(number)]})
    return msgspec.structs.replace(demo, lists=demo.lists | more.lists, discovery=demo.discovery | more.discovery)


def command(folder: Path, kubeconfig: Path, name: str, conditions: list[str]) -> list[str]:
    """The battery, with these conditions on every application."""
    entry = {"name": "apps", "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "that": conditions}
    path = folder / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump({"cluster": {"kubeconfig": str(kubeconfig)}, "resources": [entry] if conditions else []})
    )
    return [sys.executable, "-m", "pytest", f"--profile={path}", f"--reports={folder / name}"]


def took(what: str, command: list[str], rounds: int) -> float:
    """The median of its wall seconds, printed."""
    before = processor_seconds()
    measured = [measure(command) for _ in range(rounds)]
    seconds, peak = median(each.seconds for each in measured), max(each.peak for each in measured) / 2**20
    busy, codes = (processor_seconds() - before) / rounds, sorted({each.exit_code for each in measured})
    print(f"{what:20} {seconds:6.2f} s, of a processor {busy:5.2f} s  {peak:5.0f} MiB peak  exit {codes}")
    return seconds


def processor_seconds() -> float:
    """What all commands so far took of a processor: a busy machine does not change it by much."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
