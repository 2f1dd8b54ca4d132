"""pytest-xdist: the controller looks once, while its workers start; they read the same snapshot."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from upgate.battery.check import Check
from upgate.facts.relations import lists_for
from upgate.judge.gate import Gate
from upgate.plugin import options, progress
from upgate.plugin.state import Declared, declared, gate_of
from upgate.profile.known import battery, parse, test_files
from upgate.reports.writing import write_whole

SNAPSHOT, DECLARED = "upgate_snapshot", "upgate_declared"
#: Seconds that interrupted workers have to end by themselves; pytest-xdist gives them ten.
HURRY = 0.5


def look_first(config: pytest.Config, gate: Gate) -> None:
    """Look at all that the battery may ask for: which checks are selected, only the workers know."""
    files = test_files([battery(), *options.paths(config)])
    progress.look(config, gate, lists_for(names_in(files)))
    gate.save()


def names_in(files: list[Path]) -> Iterator[str]:
    """The names of all parameters of all functions in these files: a fixture is asked for by its name."""
    for file in files:
        for node in ast.walk(parse(file)):
            if isinstance(node, ast.FunctionDef):
                yield from (argument.arg for argument in node.args.args)


def tell(node: Any) -> None:
    """Tell a worker where the snapshot will be, and where to say what it was given."""
    gate = gate_of(node.config)
    if gate:
        node.workerinput[SNAPSHOT] = str(gate.snapshot_path)
        node.workerinput[DECLARED] = str(gate.folder / f"{node.gateway.id}.json")


def prepare(config: pytest.Config, gate: Gate) -> None:
    """In a worker: take the controller's snapshot."""
    gate.saved = Path(config.workerinput[SNAPSHOT])  # type: ignore[attr-defined]
    gate.baseline = gate.load_baseline()


def hand_over(session: pytest.Session) -> None:
    """In a worker: tell which checks were selected, so that none of them is lost when a worker dies."""
    path = Path(session.config.workerinput[DECLARED])  # type: ignore[attr-defined]
    write_whole(path, msgspec.json.encode(declared(session.items)))


def hurry(config: pytest.Config) -> None:
    """In the controller: whoever pressed Ctrl-C does not wait for a check that hangs."""
    config.pluginmanager.get_plugin("dsession").nodemanager.EXIT_TIMEOUT = HURRY


def handed_over(gate: Gate) -> dict[str, Declared]:
    """In the controller: the checks that workers were given, by node id."""
    decode = msgspec.json.Decoder(dict[str, tuple[Check, str]]).decode
    return {id: each for path in sorted(gate.folder.glob("*.json")) for id, each in decode(path.read_bytes()).items()}
