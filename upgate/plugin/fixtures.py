"""Every input as a fixture, for plain test functions. Fixtures look things up; bodies judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from upgate.base.errors import UsageError
from upgate.battery.inputs import Inputs
from upgate.battery.judgement import Judgement
from upgate.plugin.functions import JUDGEMENT
from upgate.plugin.state import CHECK, gate_of


def plugin(names: Iterable[str]) -> ModuleType:
    """A plugin of pytest's with one fixture for each input: pytest looks for fixtures in modules."""
    module = ModuleType("upgate.plugin.inputs")
    vars(module).update({"inputs": inputs, **{f"input_{name}": fixture(name) for name in names}})
    return module


@pytest.fixture
def inputs(request: pytest.FixtureRequest) -> Inputs:
    """The inputs of this test."""
    gate = gate_of(request.config)
    if gate is None:
        raise UsageError(f"the inputs of {request.node.name} need a run of the battery: pass --profile=NAME")
    callspec = getattr(request.node, "callspec", None)
    entry = callspec and callspec.params.get("external")
    judgement = request.node.stash[JUDGEMENT] = Judgement(replace(request.node.stash[CHECK], entry=entry))
    return Inputs(gate.evidence, judgement)


def fixture(name: str) -> Callable[..., Any]:
    """The fixture of one input."""

    @pytest.fixture(name=name)
    def looked_up(inputs: Inputs) -> Any:
        return inputs[name]

    return looked_up
