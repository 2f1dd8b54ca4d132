"""Plain test functions beside the checks: how one ended becomes a result like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from msgspec import structs

from upgate.base.errors import Inconclusive
from upgate.base.text import nearest
from upgate.battery.check import Check, declaration, with_severity
from upgate.battery.inputs import names
from upgate.battery.judgement import Judgement
from upgate.battery.selection import why_unselected
from upgate.judge.gate import Gate
from upgate.judge.judge import conclude_on
from upgate.judge.outcome import conclude, result
from upgate.plugin.items import RESULT, mark_item, present
from upgate.plugin.state import CHECK
from upgate.results import CheckResult

#: What a function has judged, by the inputs that it took as fixtures.
JUDGEMENT: pytest.StashKey[Judgement] = pytest.StashKey()
#: What the body of a plain pytest function raises to say that something is wrong.
WRONG = (AssertionError, pytest.fail.Exception)
#: What ends the whole run.
ENDING = (KeyboardInterrupt, pytest.exit.Exception)


def declare(items: Sequence[pytest.Item], gate: Gate) -> None:
    """Read what functions declare. No two tests get the same id: one result would be lost."""
    taken: set[str] = set()
    for item in items:
        check = item.stash[CHECK] if CHECK in item.stash else declared_check(item, gate)
        item.stash[CHECK] = check = replace(check, id=f"{check.id} ({item.nodeid})") if check.id in taken else check
        taken.add(check.id)
        gate.after[check.id] = check.after


def declared_check(item: pytest.Item, gate: Gate) -> Check:
    """What a function declares; a plain one has the id of its file and name, one with parameters that of its case."""
    function, callspec = getattr(item, "function", None), getattr(item, "callspec", None)
    place = [item.path.stem.removeprefix("test_"), getattr(getattr(item, "cls", None), "__name__", "")]
    fallback = ".".join(filter(None, [*place, item.name.removeprefix("test_")]))
    check = declaration(function, fallback) if function else Check(fallback, "critical", f"{fallback} can be judged.")
    if callspec and check.id != fallback:
        check = replace(check, id=f"{check.id}[{callspec.id}]")
    mark_item(item, check)
    return with_severity(check, gate.profile.checks)


def skip_unselected(item: pytest.Item, gate: Gate) -> None:
    """What the profile does not select is skipped, visibly."""
    if reason := why_unselected(item.stash[CHECK], gate.profile):
        pytest.skip(reason)


def conclude_body(item: pytest.Item, gate: Gate) -> None:
    """A body that ran to its end has judged. Raises NotAllRight, Inconclusive."""
    check = item.stash[CHECK]
    judgement = item.stash.get(JUDGEMENT, None) or Judgement(check)
    if not hasattr(item.function, "__check__"):  # type: ignore[attr-defined]
        judgement.look_at(0 if judgement.examined else 1, "tests")
    item.stash[RESULT] = conclude_on(gate.evidence, judgement)
    present(item.stash[RESULT])


def judged(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """What this phase of a test comes to."""
    before = item.stash.get(RESULT, None)
    if report.when == "teardown" and before:
        return after_teardown(before, crashed_result(item, call, report))
    concluded = before or from_exception(item, call, report)
    if hasattr(report, "wasxfail"):
        return expected(concluded, report)
    if report.failed and call.excinfo is None:
        return failed_result(item.stash[CHECK], str(report.longrepr))
    return concluded


def from_exception(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """The result of a test whose body did not come to its own conclusion."""
    check = item.stash[CHECK]
    problem = call.excinfo.value if call.excinfo else None
    if problem is None:
        return result(check, "passed", examined=1, noun="tests")
    if isinstance(problem, pytest.skip.Exception) or (report.when == "setup" and hasattr(report, "wasxfail")):
        return result(check, "skipped", str(problem))
    if isinstance(problem, Inconclusive):
        return result(check, "inconclusive", str(problem))
    if isinstance(problem, WRONG) and report.when == "call":
        return failed_result(check, str(problem))
    return crashed_result(item, call, report)


def failed_result(check: Check, observed: str) -> CheckResult:
    """The result of a test that says: this is not right."""
    judgement = Judgement(check)
    judgement.fail(observed)
    return conclude(judgement, ())


def expected(concluded: CheckResult, report: pytest.TestReport) -> CheckResult:
    """A failure that xfail announced is waived, with its reason; that it could not look stays as it is."""
    if concluded.outcome not in ("failed", "warned"):
        return concluded
    reason = f"expected to fail: {report.wasxfail.removeprefix('reason: ') or 'marked xfail'}"
    findings = tuple(structs.replace(each, waived=each.waived or reason) for each in concluded.findings)
    return structs.replace(concluded, outcome="waived", findings=findings)


def after_teardown(before: CheckResult, after: CheckResult) -> CheckResult:
    """A teardown broke: what was found stays found, but nothing is called judged."""
    outcome = "failed" if before.outcome == "failed" else "inconclusive"
    reason = "; ".join(filter(None, (before.reason, after.reason)))
    return structs.replace(before, outcome=outcome, reason=reason)


def crashed_result(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """The result of a test that crashed: the cluster may be all right or not."""
    said = call.excinfo and " ".join(call.excinfo.exconly().split())
    if name := getattr(call.excinfo and call.excinfo.value, "argname", ""):
        said = f"there is no input or fixture called {name}{nearest(name, names())}"
    words = f"the check itself broke in its {report.when}: {said} ({crash_location(item, call)})"
    return result(item.stash[CHECK], "inconclusive", words)


def crash_location(item: pytest.Item, call: pytest.CallInfo[None]) -> str:
    """The last line of the test's own folder that an unexpected error came through; else the test itself."""
    entries = list(call.excinfo.traceback) if call.excinfo else []
    own = [(Path(each.path), each.lineno) for each in entries if item.path.parent in Path(each.path).parents]
    path, line = own[-1] if own else (item.path, item.location[1] or 0)
    here = item.config.invocation_params.dir
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{line + 1}"


def run_again(item: pytest.Function) -> CheckResult:
    """Run a function once more, outside of pytest's own loop: what it comes to in this round."""
    again = copy_of(item)
    if phase(again, "setup").passed:
        phase(again, "call")
    phase(again, "teardown", nextitem=None)
    return again.stash[RESULT]


def phase(item: pytest.Item, when: Literal["setup", "call", "teardown"], **more: object) -> pytest.TestReport:
    """One phase of a test, as pytest runs and reports it."""
    hook = partial(getattr(item.ihook, f"pytest_runtest_{when}"), item=item, **more)
    call = pytest.CallInfo.from_call(hook, when=when, reraise=ENDING)
    return item.ihook.pytest_runtest_makereport(item=item, call=call)


def copy_of(item: pytest.Function) -> pytest.Function:
    """The same test made again: pytest's own tests can be run only once."""
    collector, name = item.parent, item.originalname
    if not isinstance(collector, pytest.Module | pytest.Class):
        raise TypeError(f"{item.nodeid} is in no module or class")
    function = getattr(collector.obj, name)
    made = collector.ihook.pytest_pycollect_makeitem(collector=collector, name=name, obj=function)
    (again,) = (each for each in made if each.name == item.name)
    again.stash[CHECK] = item.stash[CHECK]
    return again
