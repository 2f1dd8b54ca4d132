"""A test's end becomes a result, and pytest is told in its own terms: pass, failure, error or skip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from upgate.base.errors import Inconclusive, NotAllRight
from upgate.battery.check import Check, Judgement, declaration
from upgate.battery.inputs import NAMES
from upgate.judge.gate import Gate
from upgate.judge.outcome import conclude, result, with_severity
from upgate.plugin.state import CHECK, JUDGEMENT, RESULT, UNSELECTED
from upgate.profile.problems import nearest
from upgate.results import CheckResult, Finding

if TYPE_CHECKING:
    from upgate.profile import Profile

#: What the body of a plain pytest function raises to say that something is wrong.
WRONG = (AssertionError, pytest.fail.Exception)


def has_no_entries(item: pytest.Item) -> bool:
    """The test for the entries of a part of the profile that is empty."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("external", item) is None


def declare(items: Sequence[pytest.Item], gate: Gate) -> None:
    """Read the declarations of all tests, in the profile's terms. No two get the same id: one result would be lost."""
    taken: set[str] = set()
    for item in items:
        check = with_severity(named(item), gate.profile.checks)
        item.stash[UNSELECTED] = why_unselected(check, gate)
        id = own_id(item, check.id)
        check = item.stash[CHECK] = replace(check, id=f"{id} ({item.nodeid})" if id in taken else id)
        taken.add(check.id)
        mark(item, check.id.partition(".")[0])
        item.extra_keyword_matches.add(check.id)
        if check.monitor:
            item.add_marker("monitor")
        gate.after[check.id] = check.after


def mark(item: pytest.Item, subject: str) -> None:
    """Let -m select the test by its subject, also by one that is not in the catalogue."""
    item.config.addinivalue_line("markers", f"{subject}: checks on this subject")
    item.add_marker(subject)


def named(item: pytest.Item) -> Check:
    """What a test declares; one for an entry of the profile has the entry's id, a plain one that of its file and name."""
    place = [item.path.stem.removeprefix("test_"), getattr(getattr(item, "cls", None), "__name__", "")]
    fallback = ".".join(filter(None, [*place, item.name.removeprefix("test_")]))
    check = declaration(getattr(item, "function", None), fallback)  # type: ignore[arg-type]
    return replace(check, id=item.callspec.params["external"].id) if "{name}" in check.id else check  # type: ignore[attr-defined]


def own_id(item: pytest.Item, id: str) -> str:
    """The id of this very test: a check with parameters is several."""
    function, callspec = getattr(item, "function", None), getattr(item, "callspec", None)
    several = callspec and hasattr(function, "__check__") and "external" not in callspec.params
    return f"{id}[{callspec.id}]" if several else id


def why_unselected(check: Check, gate: Gate) -> str:
    """Why the profile does not ask for this check. Empty where it does."""
    if gate.profile.checks.get(check.id) == "off":
        return "switched off by the profile's checks:"
    return "" if says(gate.profile, check.expects) else f"the profile says nothing under {check.expects}:"


def says(profile: Profile, path: str) -> bool:
    """The profile says something under this path, or one of those with `or` between them; what groups say counts."""
    return any(map(bool, chain.from_iterable(values(profile, each) for each in path.split(" or "))))


def values(profile: Profile, path: str) -> list[Any]:
    """What stands under this path: of the profile, and of each group that a part of it has."""
    parts: list[Any] = [profile]
    for key in filter(None, path.split(".")):
        owners = [owner for part in parts for owner in (part, *getattr(part, "groups", ()))]
        parts = [getattr(owner, key.replace("-", "_"), None) for owner in owners]
    return parts


def conclude_body(item: pytest.Item, gate: Gate) -> None:
    """Raise what the judgement comes to. Raises NotAllRight, Inconclusive."""
    check = item.stash[CHECK]
    judgement = item.stash.get(JUDGEMENT, None) or Judgement(check)
    if not hasattr(item.function, "__check__"):  # type: ignore[attr-defined]
        judgement.look_at(0 if judgement.examined else 1, "tests")
    empty = check.id in gate.profile.expect.may_be_empty
    concluded = conclude(judgement, gate.profile.waivers, may_be_empty=empty, monitoring=gate.options.monitor)
    item.stash[RESULT] = concluded
    if concluded.outcome == "failed":
        raise NotAllRight("\n".join(f"{each.object}: {each.observed}" for each in concluded.active))
    if concluded.outcome == "inconclusive":
        raise Inconclusive(concluded.reason)


def begin(item: pytest.Item) -> None:
    """Forget what an earlier round said. What the profile does not select is skipped, visibly."""
    item.stash[RESULT] = item.stash[JUDGEMENT] = None  # type: ignore[assignment]
    if reason := item.stash.get(UNSELECTED, ""):
        pytest.skip(reason)


def attach_result(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Put the result on the report of the phase that decides: a set-up that did not pass, the body, a torn teardown."""
    if report.when != "call" and report.passed:
        return
    concluded = msgspec.structs.replace(judged(item, call, report), duration=call.duration)
    if report.failed and concluded.outcome == "warned":
        report.outcome = "passed"  # pytest's -x must not stop at a warning
    if report.failed:
        report.longrepr = concluded.reason or str(call.excinfo.value if call.excinfo else "")
    report.upgate = {"result": msgspec.to_builtins(concluded), "after": list(item.stash[CHECK].after)}  # type: ignore[attr-defined]
    item.stash[RESULT] = concluded


def judged(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """What this phase of a test comes to."""
    before = item.stash.get(RESULT, None)
    if report.when == "teardown" and before:
        return torn(before, broken(item, call, report))
    concluded = before or from_exception(item, call, report)
    if hasattr(report, "wasxfail"):
        return expected(concluded, report)
    if report.failed and call.excinfo is None:
        return wrong(item.stash[CHECK], str(report.longrepr))
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
        return wrong(check, str(problem))
    return broken(item, call, report)


def wrong(check: Check, observed: str) -> CheckResult:
    """The result of a plain test that says: this is not right."""
    object = f"Check/{check.id}"
    finding = Finding(
        object=object, observed=observed or "assertion failed", expected=check.title, severity=check.severity
    )
    return result(check, "failed" if check.severity == "critical" else "warned", "", 1, "tests", (finding,))


def expected(concluded: CheckResult, report: pytest.TestReport) -> CheckResult:
    """A failure that xfail announced is waived, with its reason; that nobody could look stays as it is."""
    if concluded.outcome not in ("failed", "warned"):
        return concluded
    reason = f"expected to fail: {report.wasxfail.removeprefix('reason: ') or 'marked xfail'}"  # type: ignore[attr-defined]
    findings = tuple(msgspec.structs.replace(each, waived=each.waived or reason) for each in concluded.findings)
    return msgspec.structs.replace(concluded, outcome="waived", findings=findings)


def torn(before: CheckResult, after: CheckResult) -> CheckResult:
    """A teardown broke: what was found stays found, but nothing is called judged."""
    outcome = "failed" if before.outcome == "failed" else "inconclusive"
    reason = "; ".join(filter(None, (before.reason, after.reason)))
    return msgspec.structs.replace(before, outcome=outcome, reason=reason)


def broken(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> CheckResult:
    """The result of a test that crashed: the cluster may be all right or not, nobody knows."""
    said = call.excinfo and " ".join(call.excinfo.exconly().split())
    if name := getattr(call.excinfo and call.excinfo.value, "argname", ""):
        said = f"there is no noun or fixture called {name}{nearest(name, NAMES)}"
    words = f"the check itself broke in its {report.when}: {said} ({where(item, call)})"
    return result(item.stash[CHECK], "inconclusive", words)


def where(item: pytest.Item, call: pytest.CallInfo[None]) -> str:
    """The last line of the test's own folder that an unexpected error came through; else the test itself."""
    entries = list(call.excinfo.traceback) if call.excinfo else []
    own = [(Path(each.path), each.lineno) for each in entries if item.path.parent in Path(each.path).parents]
    path, line = own[-1] if own else (item.path, item.location[1] or 0)
    here = item.config.invocation_params.dir
    return f"{path.relative_to(here) if path.is_relative_to(here) else path}:{line + 1}"
