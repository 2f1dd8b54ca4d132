"""pytest-xdist: the controller looks once, before its workers start; they read the same snapshot."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from upgate.battery import Check
from upgate.facts.relations import lists_for
from upgate.gate import Gate
from upgate.plugin import options, progress
from upgate.plugin.state import CHECK, gate_of
from upgate.profile.known import battery, test_files

SNAPSHOT, SELECTED = "upgate_snapshot", "upgate_selected"


def look_first(config: pytest.Config, gate: Gate) -> None:
    """Look at all that the battery may ask for: which checks are selected, only the workers will know."""
    files = test_files([battery(), *options.paths(config)])
    progress.look(config, gate, lists_for(names_in(files)))
    gate.save()


def names_in(files: list[Path]) -> Iterator[str]:
    """The names of all parameters of all functions in these files: a fixture is asked for by its name."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.FunctionDef):
                yield from (argument.arg for argument in node.args.args)


def tell(node: Any) -> None:
    """Tell a worker where the snapshot is."""
    gate = gate_of(node.config)
    if gate:
        node.workerinput[SNAPSHOT] = str(gate.snapshot_path)


def prepare(config: pytest.Config, gate: Gate) -> None:
    """In a worker: take the controller's snapshot."""
    gate.saved = Path(config.workerinput[SNAPSHOT])  # type: ignore[attr-defined]
    gate.baseline = gate.load_baseline()


def hand_over(session: pytest.Session) -> None:
    """In a worker: tell which checks were selected, so that none of them is lost when a worker dies."""
    selected = {
        item.nodeid: (item.stash[CHECK].id, item.stash[CHECK].severity) for item in session.items if CHECK in item.stash
    }
    session.config.workeroutput[SELECTED] = selected  # type: ignore[attr-defined]


def learn(node: Any) -> None:
    """In the controller: remember which checks a worker was given."""
    gate = gate_of(node.config)
    selected = getattr(node, "workeroutput", {}).get(SELECTED, {})
    if gate:
        gate.selected |= {id: Check(id, severity, id, "", "") for id, severity in selected.values()}
