"""Where pytest's objects keep ours. Imported with pytest itself, also for `pytest --help`: it imports nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from upgate.battery.check import Check, Judgement
    from upgate.judge.gate import Gate
    from upgate.results import CheckResult

GATE: pytest.StashKey[Gate] = pytest.StashKey()
CHECK: pytest.StashKey[Check] = pytest.StashKey()
JUDGEMENT: pytest.StashKey[Judgement] = pytest.StashKey()
RESULT: pytest.StashKey[CheckResult] = pytest.StashKey()
#: Why the profile does not select a check; empty where it does.
UNSELECTED: pytest.StashKey[str] = pytest.StashKey()
#: A check, and why the profile does not select it.
Declared = tuple["Check", str]


def gate_of(config: pytest.Config) -> Gate | None:
    """The run's gate; None in runs that are not about the battery."""
    return config.stash.get(GATE, None)


def is_worker(config: pytest.Config) -> bool:
    """This process works for another one (pytest-xdist)."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """This process only distributes the tests to workers of pytest-xdist."""
    return config.pluginmanager.hasplugin("dsession")


def declared(items: Iterable[pytest.Item]) -> dict[str, Declared]:
    """What the tests declare, by node id."""
    return {item.nodeid: (item.stash[CHECK], item.stash[UNSELECTED]) for item in items if CHECK in item.stash}


def needs_of(items: Iterable[pytest.Item]) -> set[str]:
    """The lists that the selected checks ask for, by the names of their fixtures."""
    from upgate.facts.relations import lists_for

    selected = (item for item in items if not item.stash.get(UNSELECTED, ""))
    return lists_for(name for item in selected for name in getattr(item, "fixturenames", ()))


def are_brief(items: Iterable[pytest.Item]) -> bool:
    """All the selected checks can be judged from a brief look."""
    return all(item.stash[CHECK].monitor for item in items if not item.stash.get(UNSELECTED, ""))
