"""What people and pipelines are told: pytest's counts, the reports, the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from msgspec import structs

from upgate.base.errors import UsageError
from upgate.battery.check import Check
from upgate.battery.selection import why_unselected
from upgate.judge.gate import Gate
from upgate.judge.outcome import result
from upgate.plugin import functions, items
from upgate.plugin.state import CHECK, is_controller
from upgate.results import EXIT_CODES, CheckResult, Outcome, Results

LETTERS: dict[Outcome, str] = {
    "passed": ".",
    "failed": "F",
    "warned": "W",
    "inconclusive": "?",
    "waived": "w",
    "skipped": "s",
}
#: pytest's ways to end after which our verdict decides; the others keep pytest's exit code.
OURS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Reporting:
    """Keeps results as they come in, and reports them at the end; registered in the process that the user started."""

    def __init__(self, config: pytest.Config, gate: Gate) -> None:
        self._config = config
        self._gate = gate
        self._interrupted = False
        self._where = ""
        self._results: Results | None = None

    def quieten(self) -> None:
        """Our summary takes the place of pytest's: no tracebacks for findings."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            self._config.option.tbstyle, reporter.reportchars = "no", ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result that a report carries. A report without one tells of a worker that died."""
        if attached := getattr(report, "upgate", None):
            keep(self._gate, attached)
        elif report.failed:
            given = self._given_to_workers().get(report.nodeid) or not_judged(unknown(report.nodeid), "")
            self._gate.keep_unjudged(structs.replace(given, outcome="inconclusive", reason=str(report.longrepr)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Our outcomes, in pytest's progress and counts."""
        attached = getattr(report, "upgate", None)
        if not attached:
            return None
        outcome: Outcome = attached["result"]["outcome"]
        return outcome, LETTERS[outcome], outcome.upper()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected holds checks that were not judged."""
        if report.failed:
            reason = f"{report.nodeid} cannot be collected: {collection_error(report)}"
            self._gate.keep_unjudged(result(unknown(report.nodeid), "inconclusive", reason))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C and pytest.exit() from -x, which pytest and pytest-xdist tell by their own interrupts."""
        self._interrupted = type(excinfo.value) in (KeyboardInterrupt, pytest.exit.Exception)
        if self._interrupted and is_controller(self._config):
            from upgate.plugin import workers

            workers.hurry(self._config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and answer with our exit code. After a usage error nothing is touched."""
        if exitstatus == pytest.ExitCode.USAGE_ERROR or self._gate.left_out:
            return
        self._note_unjudged(session)
        problem = self._save()
        results = self._gate.finish()
        code = results.exit_code if self._ours(exitstatus) else int(exitstatus)
        self._results = structs.replace(results, exit_code=code)
        session.exitstatus = self._not_whole(self._results, problem) if problem else self._write_reports(self._results)
        if self._gate.options.monitor and self._ours(exitstatus) and not self._interrupted:
            self._follow(self._results)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What is wrong, and where the reports are."""
        if self._results is None:
            return
        from upgate.plugin import github, links
        from upgate.reports.terminal import render_terminal

        writer = terminalreporter._tw
        terminalreporter.section("upgate")
        report = links.report_for_links(terminalreporter, self._results, self._gate.options.reports)
        told = render_terminal(self._results, colour=writer.hasmarkup, width=writer.fullwidth, report=report)
        terminalreporter.write(told)
        terminalreporter.write_line(self._where)
        github.annotate(terminalreporter, self._results)

    def _follow(self, results: Results) -> None:
        """What follows from a monitoring round; the exit code is as it was. What could not be done is in the reports too."""
        from upgate.plugin import monitoring

        self._results = monitoring.follow(self._gate, results)
        if self._results.notes != results.notes:
            self._write_reports(self._results)

    def _ours(self, exitstatus: int) -> bool:
        """Our verdict decides: pytest ran to its end, or stopped itself (-x) with something judged."""
        stopped_itself = (
            exitstatus == pytest.ExitCode.INTERRUPTED and not self._interrupted and bool(self._gate.results)
        )
        return exitstatus in OURS or stopped_itself

    def _note_unjudged(self, session: pytest.Session) -> None:
        """Every selected check is told of, also when the run was broken off."""
        reason = "interrupted before it was judged" if self._interrupted else "the run ended before it was judged"
        given = {**self._given_to_workers(), **unjudged(session.items, self._gate)}
        for each in given.values():
            self._gate.keep_unjudged(each if each.reason else structs.replace(each, reason=reason))
        if self._interrupted:
            self._gate.notes.append("the run was interrupted: this is what was judged until then")

    def _given_to_workers(self) -> dict[str, CheckResult]:
        """What the workers were given, as results of checks that were not judged, by node id."""
        from upgate.plugin.workers import handed_over

        return handed_over(self._gate) if is_controller(self._config) else {}

    def _save(self) -> UsageError | None:
        """Save what was seen and the baseline; the problem, if that cannot be done."""
        try:
            self._gate.save()
            self._gate.save_baseline()
        except UsageError as problem:
            return problem
        return None

    def _write_reports(self, results: Results) -> int:
        """Write the reports; the exit code. A verdict that cannot be read later is not clear, but it is told here."""
        from upgate.plugin import github
        from upgate.reports.writing import write_reports

        options = self._gate.options
        try:
            write_reports(results, options.reports, options.fail_on_warnings, self._gate.timeline)
            github.write_step_summary(results)
        except UsageError as problem:
            return self._not_whole(results, problem)
        self._where = f"reports: {options.reports}/ (report.html, junit.xml, results.json, summary.md)"
        return results.exit_code

    def _not_whole(self, results: Results, problem: UsageError) -> int:
        self._where = f"ERROR: the reports are not whole. {problem}"
        return results.exit_code or EXIT_CODES["inconclusive"]


def unknown(nodeid: str) -> Check:
    """A critical check for what could not even be collected."""
    return Check(nodeid, "critical", f"{nodeid} can be judged.")


def not_judged(check: Check, unselected: str) -> CheckResult:
    """The result of a check that did not run: the reason is still to be said, where the profile asks for it."""
    return result(check, "skipped" if unselected else "inconclusive", unselected)


def unjudged(items: Iterable[pytest.Item], gate: Gate) -> dict[str, CheckResult]:
    """The items as results of checks that were not judged, by node id."""
    declared = {item.nodeid: item.stash[CHECK] for item in items if CHECK in item.stash}
    return {id: not_judged(check, why_unselected(check, gate.profile)) for id, check in declared.items()}


def attach(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Put the result on the report of the phase that decides: a set-up that did not pass, the body, a broken teardown."""
    if report.when != "call" and report.passed:
        return
    concluded = functions.judged(item, call, report)
    if not concluded.duration:
        concluded = structs.replace(concluded, duration=call.duration)
    if report.failed and concluded.outcome == "warned":
        report.outcome = "passed"  # pytest's -x must not stop at a warning
    if report.failed:
        report.longrepr = concluded.reason or str(call.excinfo.value if call.excinfo else "")
    report.upgate = {"result": msgspec.to_builtins(concluded), "after": list(item.stash[CHECK].after)}  # type: ignore[attr-defined]
    item.stash[items.RESULT] = concluded


def collection_error(report: pytest.CollectReport) -> str:
    """What pytest says of a file that it cannot collect, in one line: the errors, and the line that they came from."""
    lines = str(report.longrepr).strip().splitlines()
    errors = [line.removeprefix("E").strip() for line in lines if line.startswith("E  ")]
    places = [line.rpartition(": in ")[0] for line in lines if ": in " in line]
    return f"{' '.join(errors) or lines[-1]}{f' ({places[-1]})' if places else ''}"


def keep(gate: Gate, attached: dict[str, Any]) -> None:
    """Keep a result that came with a report, and which checks explain it."""
    kept = msgspec.convert(attached["result"], CheckResult)
    gate.after[kept.id] = attached["after"]
    gate.add(kept)
