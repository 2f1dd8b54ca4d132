"""`make bench`: the battery, a round of monitoring, curl and kubectl on one big cluster, in turn, in one run.

    KUBECONFIG=… python -m benchmarks [--rounds 3] [--kubectl]

`python -m benchmarks day` and `history` measure continuous monitoring, `expect` the conditions of a profile on 10,000 custom
resources; they need no cluster.

What is compared: `pytest --profile=…` from process start to exit; the same with `-m monitor --monitor`; curl fetching
the same lists one after the other, which is the limit; and with --kubectl `kubectl get pods -A -o json`. Wall seconds and
the peak memory of all processes of a command are medians of the rounds; the machine may be noisy, so read the ratios.
"""

from __future__ import annotations

import argparse
import base64
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import yaml

from benchmarks.measuring import Measured, measure
from upgate.facts.kinds import KINDS

#: An agent for which the API server does not pretty-print.
AGENT = "upgate-bench"


class Access(NamedTuple):
    """A kubeconfig's server and client certificate, as files for curl."""

    server: str
    arguments: list[str]


def main() -> None:
    """Measure, and print a table."""
    if sys.argv[1:2] in (["day"], ["history"], ["expect"]):
        sys.exit(import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:]))
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="upgate-bench-") as name:
        folder = Path(name)
        whole = battery(folder, options.kubeconfig)
        commands = {"battery": whole, "round": [*whole, "-m", "monitor", "--monitor"]}
        commands["curl"] = curl(access(folder, options.kubeconfig))
        if options.kubectl:
            commands["kubectl"] = ["kubectl", "--kubeconfig", options.kubeconfig, "get", "pods", "-A", "-o", "json"]
        rounds = [{name: measure(command) for name, command in commands.items()} for _ in range(options.rounds)]
    report(rounds)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG"), required="KUBECONFIG" not in os.environ)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kubectl", action="store_true", help="kubectl too: minutes on a big cluster")
    return parser.parse_args()


def battery(folder: Path, kubeconfig: str) -> list[str]:
    """The whole battery on that cluster."""
    profile = folder / "bench.yaml"
    profile.write_text(yaml.safe_dump({"cluster": {"kubeconfig": str(Path(kubeconfig).resolve())}}))
    return [sys.executable, "-m", "pytest", f"--profile={profile}", f"--reports={folder / 'reports'}"]


def curl(access: Access) -> list[str]:
    """One curl that fetches every list of the battery, one after the other."""
    command = ["curl", "--silent", "--fail", "--user-agent", AGENT, *access.arguments]
    for kind in KINDS.values():
        query = f"?fieldSelector={kind.field_selector}" if kind.field_selector else ""
        command += ["--output", os.devnull, f"{access.server}{kind.path}{query}"]
    return command


def access(folder: Path, kubeconfig: str) -> Access:
    """What curl needs to log in as the kubeconfig's first user, by certificate."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    secrets = {
        "--cacert": cluster["certificate-authority-data"],
        "--cert": user["client-certificate-data"],
        "--key": user["client-key-data"],
    }
    arguments = []
    for option, data in secrets.items():
        path = folder / option.strip("-")
        path.write_bytes(base64.b64decode(data))
        arguments += [option, str(path)]
    return Access(cluster["server"], arguments)


def report(rounds: list[dict[str, Measured]]) -> None:
    """The medians, and the ratio to curl round by round."""
    for name in rounds[0]:
        seconds = median(lambda each, name=name: each[name].seconds, rounds)
        ratio = median(lambda each, name=name: each[name].seconds / each["curl"].seconds, rounds)
        peak = max(each[name].peak for each in rounds) / 2**20
        codes = sorted({each[name].exit_code for each in rounds})
        print(f"{name:8} {seconds:7.2f} s  {ratio:5.2f} times curl  {peak:6.0f} MiB peak  exit {codes}")


def median(value: Callable[[dict[str, Measured]], float], rounds: list[dict[str, Measured]]) -> float:
    """The median over all rounds."""
    return statistics.median(map(value, rounds))


if __name__ == "__main__":
    main()
