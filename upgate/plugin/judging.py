"""A test's end becomes a result, and pytest is told in its own terms: pass, failure, error or skip."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

import msgspec
import pytest

from upgate.battery import Judgement, declaration
from upgate.conclude import conclude, result, with_severity
from upgate.errors import Inconclusive, NotAllRight
from upgate.gate import Gate
from upgate.plugin.state import CHECK, JUDGEMENT, RESULT, UNSELECTED
from upgate.verdict import CheckResult, Finding


def has_no_entries(item: pytest.Item) -> bool:
    """The test for the entries of a part of the profile that is empty."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("external", item) is None


def declare(item: pytest.Item, gate: Gate) -> None:
    """Read the test's declaration, in the profile's terms."""
    function: Any = getattr(item, "function", None)
    fallback = f"{item.path.stem.removeprefix('test_')}.{item.name.removeprefix('test_')}"
    check = declaration(function, fallback)
    if "{name}" in check.id:
        check = replace(check, id=item.callspec.params["external"].id)  # type: ignore[attr-defined]
    check = with_severity(check, gate.profile.checks)
    item.stash[CHECK] = check
    item.stash[UNSELECTED] = why_unselected(check, gate)
    item.add_marker(check.id.partition(".")[0])
    gate.after[check.id] = check.after


def why_unselected(check: Any, gate: Gate) -> str:
    """Why the profile does not ask for this check. Empty where it does."""
    if gate.profile.checks.get(check.id) == "off":
        return "switched off by the profile's checks:"
    wanted = reduce(
        lambda value, key: getattr(value, key.replace("-", "_"), None),
        filter(None, check.expects.split(".")),
        gate.profile,
    )
    return "" if wanted else f"the profile says nothing under {check.expects}:"


def conclude_body(item: pytest.Item, gate: Gate) -> None:
    """Raise what the judgement comes to. Raises NotAllRight, Inconclusive."""
    check = item.stash[CHECK]
    judgement = item.stash.get(JUDGEMENT, None) or Judgement(check)
    if not hasattr(item.function, "__check__"):  # type: ignore[attr-defined]
        judgement.look_at(0 if judgement.examined else 1, "tests")
    concluded = conclude(judgement, gate.profile.waivers, may_be_empty=check.id in gate.profile.expect.may_be_empty)
    item.stash[RESULT] = concluded
    if concluded.outcome == "failed":
        raise NotAllRight("\n".join(f"{each.object}: {each.observed}" for each in concluded.active))
    if concluded.outcome == "inconclusive":
        raise Inconclusive(concluded.reason)


def attach_result(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Put the result on the report of the phase that decides: a set-up that did not pass, the body, a torn teardown."""
    if report.when != "call" and report.passed:
        return
    concluded = item.stash.get(RESULT, None) if report.when == "call" else None
    concluded = concluded or from_exception(item, call, report)
    if report.failed:
        report.longrepr = concluded.reason or str(call.excinfo.value if call.excinfo else "")
    concluded = msgspec.structs.replace(concluded, duration=call.duration)
    report.upgate = {"result": msgspec.to_builtins(concluded), "after": list(item.stash[CHECK].after)}  # type: ignore[attr-defined]
    item.stash[RESULT] = concluded


def from_exception(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """The result of a test that did not run to its end."""
    check = item.stash[CHECK]
    problem = call.excinfo.value if call.excinfo else None
    if isinstance(problem, pytest.skip.Exception):
        return result(check, "skipped", str(problem))
    if isinstance(problem, Inconclusive):
        return result(check, "inconclusive", str(problem))
    if isinstance(problem, AssertionError) and report.when == "call":
        finding = Finding(object=f"Check/{check.id}", observed=str(problem) or "assertion failed", expected=check.title)
        return result(check, "failed" if check.severity == "critical" else "warned", findings=(finding,))
    return result(check, "inconclusive", f"the check itself broke in its {report.when}: {where(call)}")


def where(call: pytest.CallInfo[None]) -> str:
    """An unexpected error and the line that it came from."""
    if call.excinfo is None:
        return "no error was raised"
    crash = call.excinfo.traceback[-1]
    return f"{call.excinfo.exconly()} ({crash.path}:{crash.lineno + 1})"
