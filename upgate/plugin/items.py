"""A check as pytest sees it: an item that is named by its id and presents what the engine judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from upgate.base.errors import Inconclusive, NotAllRight
from upgate.battery.check import Check
from upgate.battery.inputs import names
from upgate.judge.gate import Gate
from upgate.judge.options import PREFLIGHT
from upgate.judge.outcome import result
from upgate.plugin.state import CHECK, gate_of
from upgate.results import CheckResult

#: Marks that only pytest understands: a function that carries one is an ordinary test of pytest's.
PYTEST_MARKS = ("skip", "skipif", "xfail", "parametrize", "usefixtures")
RESULT: pytest.StashKey[CheckResult] = pytest.StashKey()


class CheckItem(pytest.Item):
    """One check. Its body presents the result of the engine, in pytest's terms."""

    def __init__(self, *, check: Check, **more: Any) -> None:
        super().__init__(**more)
        self.stash[CHECK] = check
        mark_item(self, check)
        self.extra_keyword_matches.add(check.function.__name__)

    def runtest(self) -> None:
        """Judge the check, if it has no result yet from a round, or as a cause of another. Raises NotAllRight, Inconclusive."""
        gate, check = gate_of(self.config), self.stash[CHECK]
        if gate is None:
            raise Inconclusive("a check needs a run of the battery")
        judged = with_causes(check, gate, self.session.items)
        self.stash[RESULT] = judged
        present(judged)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: Any) -> str:
        """The findings, or the reason; the stack has nothing to add."""
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the check is written, and what it is called."""
        return self.path, int(self.stash[CHECK].place.rpartition(":")[2]) - 1, self.name


def with_causes(check: Check, gate: Gate, items: Iterable[pytest.Item]) -> CheckResult:
    """What the check comes to. A failure that follows from what is only not yet right is not yet a failure either.

    For that the checks that explain it are judged now, as far as they are selected; each of them is judged once.
    """
    own = judged_once(check, gate)
    if own.outcome != "failed":
        return own
    others = {item.stash[CHECK].id: item.stash[CHECK] for item in items if isinstance(item, CheckItem)}
    asked = explaining(check, others)
    results = [judged_once(each, gate) for each in asked]
    return gate.relate(results, {each.id: each.after for each in asked})[0]


def explaining(check: Check, others: Mapping[str, Check]) -> list[Check]:
    """The check, those of the others that explain it, those that explain them, and so on."""
    asked = {check.id: check}
    todo = [check]
    while todo:
        named = [others[id] for id in todo.pop().after if id in others and id not in asked]
        asked.update({each.id: each for each in named})
        todo += named
    return list(asked.values())


def judged_once(check: Check, gate: Gate) -> CheckResult:
    """What the engine says, or has said of this look already."""
    return gate.results.get(check.id) or judged_by_engine(check, gate)


def judged_by_engine(check: Check, gate: Gate) -> CheckResult:
    """What the engine says; words of pytest's own in the body of a check mean what they mean in any test."""
    try:
        return gate.judge(check)
    except pytest.skip.Exception as skipped:
        said = result(check, "skipped", str(skipped))
    except pytest.fail.Exception as failed:
        said = result(
            check, "inconclusive", f"the check called pytest.fail(): {failed}. Say what is wrong with .all() or assert"
        )
    gate.add(said)
    return said


def present(judged: CheckResult) -> None:
    """Tell pytest what a result is. Raises NotAllRight, Inconclusive, or what skips a test."""
    if judged.outcome == "failed":
        raise NotAllRight("\n".join(f"{each.object}: {each.observed}" for each in judged.active))
    if judged.outcome == "inconclusive":
        raise Inconclusive(judged.reason)
    if judged.outcome == "skipped":
        pytest.skip(judged.reason)


def mark_item(item: pytest.Item, check: Check) -> None:
    """Let -m select a test by its subject, also by one that is not in the catalogue, and -k by its id."""
    item.config.addinivalue_line("markers", f"{check.subject}: checks on this subject")
    item.add_marker(check.subject)
    item.extra_keyword_matches.add(check.id)
    if check.monitor:
        item.add_marker("monitor")
    if check.preflight:
        item.add_marker(PREFLIGHT)


def collect(collector: pytest.Collector, function: object, gate: Gate) -> list[pytest.Item] | None:
    """The items of a check that the engine can judge by itself; None for whatever needs pytest's own machinery."""
    check: Check | None = getattr(function, "__check__", None)
    if check is None or not isinstance(collector, pytest.Module) or needs_pytest(collector, function, check.inputs):
        return None
    made = gate.as_asked(check).for_entries(gate.profile)
    return [CheckItem.from_parent(collector, name=each.id, check=each) for each in made]


def needs_pytest(collector: pytest.Collector, function: object, inputs: Iterable[str]) -> bool:
    """The function takes fixtures, or it or its file carries a mark with which pytest changes how tests are run."""
    marks = [*getattr(function, "pytestmark", ()), *collector.iter_markers()]
    return not {*inputs} <= {*names()} or any(each.name in PYTEST_MARKS for each in marks)
