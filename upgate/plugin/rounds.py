"""--settle, as pytest runs it: each round judges all items of the session."""

from __future__ import annotations

from functools import partial

import pytest

from upgate.judge.gate import Gate
from upgate.judge.settle import settle
from upgate.plugin import functions, progress
from upgate.plugin.items import CheckItem, judged_by_engine
from upgate.plugin.state import CHECK, are_brief, inputs_of, selected


def run_rounds(session: pytest.Session, gate: Gate) -> None:
    """All rounds; pytest's own loop then presents the results of the last one."""
    settle(gate, lambda: one_round(session, gate), partial(progress.write_line, session.config))


def one_round(session: pytest.Session, gate: Gate) -> None:
    """Look again, and judge all items again."""
    asked = selected(session.items, gate)
    told = not gate.settling.rounds
    progress.look_with_progress(session.config, gate, inputs_of(asked, gate), told=told, brief=are_brief(asked))
    for item in session.items:
        if isinstance(item, CheckItem):
            judged_by_engine(item.stash[CHECK], gate)
        elif isinstance(item, pytest.Function):
            gate.add(functions.run_again(item))
