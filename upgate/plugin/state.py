"""Where pytest's objects keep ours. Imported with pytest itself, also for `pytest --help`: it imports nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from upgate.battery.check import Check
    from upgate.judge.gate import Gate

GATE: pytest.StashKey[Gate] = pytest.StashKey()
CHECK: pytest.StashKey[Check] = pytest.StashKey()


def gate_of(config: pytest.Config) -> Gate | None:
    """The run's gate; None in runs that are not about the battery."""
    return config.stash.get(GATE, None)


def is_worker(config: pytest.Config) -> bool:
    """This process works for another one (pytest-xdist)."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """This process only distributes the tests to workers of pytest-xdist."""
    return config.pluginmanager.hasplugin("dsession")


def selected(items: Iterable[pytest.Item], gate: Gate) -> list[pytest.Item]:
    """The tests that the profile asks for, and that have something to compare with if they compare."""
    from upgate.battery.selection import why_not_compared, why_unselected

    declared = [(item, item.stash[CHECK]) for item in items if CHECK in item.stash]
    asked = [each for each in declared if not why_unselected(each[1], gate.profile)]
    return [item for item, check in asked if gate.options.save_baseline or not why_not_compared(check, gate.baseline)]


def inputs_of(items: Iterable[pytest.Item], gate: Gate) -> set[str]:
    """Whatever these tests take, as far as the profile allows it: inputs of checks, and fixtures of functions."""
    from upgate.battery.registry import allowed_inputs

    taken = {name for item in items for name in (*item.stash[CHECK].inputs, *getattr(item, "fixturenames", ()))}
    return allowed_inputs(taken, gate.profile)


def are_brief(items: Iterable[pytest.Item]) -> bool:
    """All these tests can be judged from a brief look."""
    return all(item.stash[CHECK].monitor for item in items)
