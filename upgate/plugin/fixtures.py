"""Every noun as a fixture. Fixtures look things up; bodies judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from upgate.base.errors import UsageError
from upgate.battery.check import Judgement
from upgate.battery.inputs import NAMES, Nouns
from upgate.plugin.state import CHECK, JUDGEMENT, gate_of


@pytest.fixture
def nouns(request: pytest.FixtureRequest) -> Nouns:
    """The nouns of this check."""
    gate = gate_of(request.config)
    if gate is None:
        raise UsageError(
            f"the noun of a check needs a run of the battery: name its environment with --profile ({request.node.name})"
        )
    judgement = request.node.stash[JUDGEMENT] = Judgement(request.node.stash[CHECK])
    callspec = getattr(request.node, "callspec", None)
    return Nouns(gate, judgement, callspec and callspec.params.get("external"))


def fixture(name: str) -> Callable[..., Any]:
    """The fixture of one noun."""

    @pytest.fixture(name=name)
    def noun(request: pytest.FixtureRequest, nouns: Nouns) -> Any:
        return nouns[name]

    return noun


for _name in NAMES:
    globals()[f"noun_{_name}"] = fixture(_name)
