"""`python -m tests.e2e.compare`: all faults of the end-to-end tests on one cluster, as kubectl shows and as upgate tells them.

A fault counts as shown by kubectl where one of the commands that one runs after an upgrade prints a line about it that is not as
it should be; as told by upgate where all of its findings are there. The table is that of docs/comparison.md.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.battery import LATE, Battery, Run, difference, named
from tests.e2e.cluster import RealCluster
from tests.e2e.conftest import make_healthy
from tests.e2e.faults import CATALOGUE, FAULTS, Fault, make_all

ALL = [*FAULTS, *CATALOGUE]
#: What one looks at, and how a line looks that is as it should be.
LOOKED_AT = {
    "nodes": r"\S+ +Ready ",
    "pods --all-namespaces": r"\S+ +\S+ +((\d+)/\2 +Running|\S+ +Completed)",
    "deployments,statefulsets --all-namespaces": r"\S+ +\S+ +(\d+)/\1 ",
    "daemonsets --all-namespaces": r"\S+ +\S+ +(\d+) +\1 +\1 ",
    "jobs --all-namespaces": r"\S+ +\S+ +(Complete|Suspended) ",
    "persistentvolumeclaims --all-namespaces": r"\S+ +\S+ +Bound ",
    "persistentvolumes": r"\S+ +\S+ +\S+ +\S+ +(Bound|Available) ",
    "namespaces": r"\S+ +Active ",
    "apiservices": r"\S+ +\S+ +True ",
    "ingresses --all-namespaces": r"\S+ +\S+ +\S+ +\S+ +\d+\.\S+ ",
    "services --all-namespaces": r"(?!.*<pending>)",
}


def main() -> None:
    """Make all faults, look at them in both ways, and print a table."""
    cluster = RealCluster()
    try:
        cluster.start()
        make_healthy(cluster)
        before = {*strange_lines(cluster)}
        make_all(cluster, ALL)
        time.sleep(LATE + 2)
        shown = [line for line in strange_lines(cluster) if line not in before]
        with tempfile.TemporaryDirectory() as folder:
            run = Battery(Path(folder), cluster.kubeconfig).run("--since=1m", allow=["secrets"])
            report(shown, run)
    finally:
        cluster.stop()


def strange_lines(cluster: RealCluster) -> Iterator[str]:
    """What kubectl prints that is not as it should be."""
    for what, right in LOOKED_AT.items():
        lines = cluster.kubectl("get", *what.split(), "--no-headers").splitlines()
        yield from (f"{what.split()[0]}: {line}" for line in lines if not re.match(right, line))


def report(shown: list[str], run: Run) -> None:
    """A line for each fault, and the sums."""
    print("| fault | kubectl get | upgate |\n|---|---|---|")
    for fault in ALL:
        told = "; ".join(sorted({each.partition(":")[0] for each in fault.roots}))
        print(f"| {fault.name} | {'yes' if is_shown(fault, shown) else ''} | {told if is_told(fault, run) else 'NO'} |")
    both = sum(is_shown(each, shown) for each in ALL), sum(is_told(each, run) for each in ALL)
    print(f"\nof {len(ALL)} faults kubectl get shows {both[0]}, in {len(shown)} lines; upgate tells {both[1]}")
    print(f"findings {len(run.findings)}, of which {len(run.roots)} are causes")
    surplus = [each for each in run.findings if not any(fault.is_about(each["object"]) for fault in ALL)]
    print(f"about something else: {[named(each) for each in surplus]}; exit code {run.code}")


def is_shown(fault: Fault, lines: list[str]) -> bool:
    """A line names the fault's namespace, or one of its objects."""
    return any(re.search(rf"\b{re.escape(fault.name)}\b", line) for line in lines)


def is_told(fault: Fault, run: Run) -> bool:
    """All that is expected of it was found."""
    about = [named(each) for each in run.findings if fault.is_about(each["object"]) and not each["because"]]
    return not difference(about, fault.roots)[0]


if __name__ == "__main__":
    main()
