"""pytest-xdist: the controller looks once, while its workers start; they read the same snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from upgate.base.files import write_whole
from upgate.judge.gate import Gate
from upgate.plugin import progress
from upgate.plugin.reporting import unjudged
from upgate.plugin.state import gate_of
from upgate.results import CheckResult

SNAPSHOT, GIVEN = "upgate_snapshot", "upgate_given"
#: Seconds that interrupted workers have to end by themselves; pytest-xdist gives them ten.
HURRY = 0.5


def look_for_workers(config: pytest.Config, gate: Gate) -> None:
    """Look at all that the profile's checks may ask for: which of them are selected, only the workers know."""
    progress.look_with_progress(config, gate, gate.registry.inputs(gate.profile))
    gate.save()


def configure_worker(node: Any) -> None:
    """Tell a worker where the snapshot will be, and where to say what it was given."""
    gate = gate_of(node.config)
    if gate:
        node.workerinput[SNAPSHOT] = str(gate.snapshot_path)
        node.workerinput[GIVEN] = str(gate.folder / f"{node.gateway.id}.json")


def prepare_worker(config: pytest.Config, gate: Gate) -> None:
    """In a worker: take the controller's snapshot."""
    gate.saved = Path(config.workerinput[SNAPSHOT])  # type: ignore[attr-defined]
    gate.baseline = gate.load_baseline()


def hand_over(session: pytest.Session, gate: Gate) -> None:
    """In a worker: tell which checks were selected, so that none of them is lost when a worker dies."""
    path = Path(session.config.workerinput[GIVEN])  # type: ignore[attr-defined]
    write_whole(path, msgspec.json.encode(unjudged(session.items, gate)))


def hurry(config: pytest.Config) -> None:
    """In the controller: whoever pressed Ctrl-C does not wait for a check that hangs."""
    if session := config.pluginmanager.get_plugin("dsession"):
        session.nodemanager.EXIT_TIMEOUT = HURRY


def handed_over(gate: Gate) -> dict[str, CheckResult]:
    """In the controller: the checks that workers were given, by node id, as results of checks that were not judged."""
    decode = msgspec.json.Decoder(dict[str, CheckResult]).decode
    return {id: each for path in sorted(gate.folder.glob("*.json")) for id, each in decode(path.read_bytes()).items()}
