"""--settle: rounds of looking and judging; only the last one is told to pytest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from _pytest.runner import runtestprotocol

from upgate.base.waiting import Deadline
from upgate.judge.gate import Gate
from upgate.plugin import progress
from upgate.plugin.state import are_brief, needs_of
from upgate.plugin.telling import keep
from upgate.results import decide

Reports = list[tuple[pytest.Item, list[pytest.TestReport]]]


def run(session: pytest.Session, gate: Gate, settle: timedelta) -> None:
    """Rounds until enough of them in a row are clear, or the time is over. Ctrl-C tells the last whole round."""
    deadline = Deadline(settle.total_seconds())
    reports: Reports = []
    seen = None
    try:
        while True:
            reports, seen = one_round(session, gate, deadline), gate.snapshot
            if gate.settling.settled or not wait(session, gate, deadline):
                break
    finally:
        gate.snapshot = seen or gate.snapshot
        tell(gate, reports)
    if not gate.settling.settled:
        gate.notes.append(
            f"{gate.settling.streak} of {gate.options.clean} clean rounds in a row when the time was over"
        )


def one_round(session: pytest.Session, gate: Gate, deadline: Deadline) -> Reports:
    """Look again, and judge all checks again."""
    told = not gate.settling.rounds
    progress.look(session.config, gate, needs_of(session.items), told=told, brief=are_brief(session.items))
    following: Sequence[pytest.Item | None] = [*session.items[1:], None]
    reports = [
        (item, runtestprotocol(item, log=False, nextitem=next))
        for item, next in zip(session.items, following, strict=True)
    ]
    for _, phases in reports:
        for report in phases:
            if attached := getattr(report, "upgate", None):
                keep(gate, attached)
    remember(gate, deadline.elapsed)
    return reports


def remember(gate: Gate, elapsed: float) -> None:
    """Add the round to the history, and to rounds.jsonl."""
    checks = gate.checks()
    verdict = decide(checks, fail_on_warnings=gate.options.fail_on_warnings)
    for check in gate.settling.add(checks, verdict, elapsed):
        gate.add(check)
    gate.write_round(verdict, elapsed)


def wait(session: pytest.Session, gate: Gate, deadline: Deadline) -> bool:
    """Rest until the next round; False when there is no time for one."""
    settling, options = gate.settling, gate.options
    pending = settling.waits_for(list(gate.results.values()))
    what = f"waiting for {pending}" if pending else "clear"
    so_far = f"round {settling.rounds}, {deadline.elapsed:.0f} of {deadline.seconds:.0f} s"
    progress.say(session.config, f"{so_far}: {what}; {settling.streak} of {options.clean} clean rounds")
    return deadline.rest(options.every.total_seconds())


def tell(gate: Gate, reports: Reports) -> None:
    """Tell pytest of a round, as if it had been the only one; the gate knows more of it, from the rounds before."""
    results = dict(gate.results)
    for item, phases in reports:
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in phases:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    gate.results.update(results)
