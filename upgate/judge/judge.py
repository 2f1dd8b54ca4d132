"""The one verb: a check is judged on the evidence."""

from __future__ import annotations

from upgate.base.errors import Inconclusive, LeftOut
from upgate.battery.check import Check, with_severity
from upgate.battery.evidence import Evidence
from upgate.battery.inputs import Inputs
from upgate.battery.judgement import Judgement, line_of_error
from upgate.battery.selection import why_not_compared, why_unselected
from upgate.judge.announced import announced_changes
from upgate.judge.comparing import known_marked
from upgate.judge.outcome import conclude, result, waivers_in_force
from upgate.results import CheckResult


def judge(check: Check, evidence: Evidence) -> CheckResult:
    """What the check comes to on this evidence. Pure: it reads no clock, file or network, and never raises an Exception."""
    check = with_severity(check, evidence.profile.checks)
    if reason := why_unselected(check, evidence.profile) or why_not_compared(check, evidence.baseline):
        return result(check, "skipped", reason)
    judgement = Judgement(check)
    try:
        check.function(**Inputs(evidence, judgement).taken())
    except LeftOut as reason:
        return result(check, "skipped", str(reason))
    except Inconclusive as gap:
        judgement.gaps.append(str(gap))
    except AssertionError as wrong:
        judgement.fail(str(wrong))
    except Exception as problem:  # a check that breaks has not judged: whatever it is, that is never green
        judgement.gaps.append(crash_reason(problem, check))
    return conclude_on(evidence, judgement)


def conclude_on(evidence: Evidence, judgement: Judgement) -> CheckResult:
    """What a judgement comes to with this profile, at the moment of this snapshot."""
    waivers = waivers_in_force(evidence.profile.waivers, evidence.snapshot.taken.date())
    waivers += announced_changes(evidence.profile.changes.allow)
    may_be_empty = judgement.check.id in evidence.profile.expect.may_be_empty
    judgement.findings = known_marked(judgement.check.id, judgement.findings, evidence)
    return conclude(
        judgement,
        waivers,
        may_be_empty=may_be_empty,
        monitoring=evidence.monitoring,
        only_new=evidence.profile.gate.only_new,
    )


def crash_reason(problem: Exception, check: Check) -> str:
    """Why a check that raised an unexpected error could not judge, with the last line of its own folder."""
    return f"the check itself broke: {type(problem).__name__}: {' '.join(str(problem).split())} ({line_of_error(problem, check)})"
