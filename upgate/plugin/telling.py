"""What people and pipelines are told: pytest's counts, the reports, the exit code."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from upgate.battery import Check
from upgate.gate import Gate
from upgate.plugin.state import CHECK
from upgate.verdict import CheckResult, Outcome, Results

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


class Telling:
    """Keeps results as they come in, and tells them at the end; registered in the process that the user started."""

    def __init__(self, config: pytest.Config, gate: Gate) -> None:
        self._config = config
        self._gate = gate
        self._interrupted = False
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
            check = Check(report.nodeid, "critical", report.nodeid, "", "")
            self._gate.not_judged(check, str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Our outcomes, in pytest's progress and counts."""
        attached = getattr(report, "upgate", None)
        if not attached:
            return None
        outcome: Outcome = attached["result"]["outcome"]
        return outcome, LETTERS[outcome], outcome.upper()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected holds checks that nobody judged."""
        if report.failed:
            self._gate.notes.append(
                f"{report.nodeid} cannot be collected: {str(report.longrepr).strip().splitlines()[-1]}"
            )

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Tell Ctrl-C from pytest's own stops."""
        self._interrupted = not isinstance(excinfo.value, pytest.Session.Interrupted)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and answer with our exit code. After a usage error nothing is touched."""
        if exitstatus == pytest.ExitCode.USAGE_ERROR:
            return
        self._note_unjudged(session)
        results = self._gate.finish()
        code = results.exit_code if self._ours(exitstatus) else int(exitstatus)
        self._results = msgspec.structs.replace(results, exit_code=code)
        self._write(self._results)
        session.exitstatus = code

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What is wrong, and where the reports are."""
        if self._results is None:
            return
        from upgate.reports.terminal import render_terminal

        writer = terminalreporter._tw
        terminalreporter.section("upgate")
        terminalreporter.write(render_terminal(self._results, colour=writer.hasmarkup, width=writer.fullwidth))
        terminalreporter.write_line(f"reports: {self._gate.options.reports}/ (report.html, junit.xml, results.json)")

    def _ours(self, exitstatus: int) -> bool:
        """Our verdict decides: pytest ran to its end, or stopped itself (-x) with something judged."""
        stopped_itself = (
            exitstatus == pytest.ExitCode.INTERRUPTED and not self._interrupted and bool(self._gate.results)
        )
        return exitstatus in OURS or stopped_itself

    def _note_unjudged(self, session: pytest.Session) -> None:
        """Every selected check is told of, also when the run was broken off."""
        reason = "interrupted before it was judged" if self._interrupted else "the run ended before it was judged"
        for check in [
            *self._gate.selected.values(),
            *(item.stash[CHECK] for item in session.items if CHECK in item.stash),
        ]:
            self._gate.not_judged(check, reason)
        if self._interrupted:
            self._gate.notes.append("the run was interrupted: this is what was judged until then")

    def _write(self, results: Results) -> None:
        from upgate.reports.writing import write_reports

        self._gate.save()
        write_reports(results, self._gate.options.reports, self._gate.options.fail_on_warnings)


def keep(gate: Gate, attached: dict[str, Any]) -> None:
    """Keep a result that came with a report, and which checks explain it."""
    result = msgspec.convert(attached["result"], CheckResult)
    gate.after[result.id] = attached["after"]
    gate.add(result)
