"""What the reports say: every sentence that two formats share is worded here once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from upgate.reports.cleaning import one_line
from upgate.results import CheckResult, Finding, Outcome, Results, Verdict

#: So many findings of one check are shown at once; after that people count instead of reading.
FIRST = 10

COMMANDS = ("kubectl ", "curl ", "openssl ", "ssh ", "journalctl ", "crictl ", "istioctl ", "upgate ", "dig ", "nc ")

MEANINGS: dict[Outcome, str] = {
    "failed": "the cluster is wrong",
    "inconclusive": "could not be judged, so not a pass",
    "warned": "worth a look, does not stop the upgrade",
    "waived": "wrong, and accepted in the profile",
    "passed": "as it should be",
    "skipped": "the profile does not ask for it",
}
UNJUDGED: dict[Outcome, str] = {"inconclusive": "not judged", "skipped": "not asked"}
NEXT_STEPS: dict[Verdict, str] = {
    "clear": "go on",
    "not clear": "stop, roll back or repair",
    "inconclusive": "see why, and run again",
}


def verdict(results: Results) -> str:
    """The verdict and what to do next: what people act on."""
    return f"{results.verdict.upper()} — {next_step(results)}"


def next_step(results: Results) -> str:
    """What to do next; a rollout that was not waited for yet is waited for first."""
    open = [*results.having("failed"), *results.having("inconclusive")]
    waiting = results.rounds == 1 and open and all(map(is_unfinished, open))
    return "not finished yet, run again with --settle=10m" if waiting else NEXT_STEPS[results.verdict]


def is_unfinished(check: CheckResult) -> bool:
    """All that is wrong is a rollout under way."""
    return bool(check.roots) and all(finding.transitional for finding in check.roots)


def counts(results: Results) -> str:
    """How many checks had each outcome, and with a baseline how many findings are new."""
    said = ", ".join(f"{number} {outcome}" for outcome, number in results.count().items()) or "no check was run"
    return "; ".join(filter(None, [said, new_and_known(results)]))


def new_and_known(results: Results) -> str:
    """How many findings are new, and how many were there before the upgrade; empty without a baseline, or any finding."""
    with_ = results.baseline
    if with_ is None or not (with_.new or with_.known):
        return ""
    return f"{with_.new:,} new, {with_.known:,} {KNOWN}"


def cluster(results: Results) -> str:
    """Which cluster was judged, and how much of it was seen."""
    seen = results.cluster
    sizes = (size(seen.nodes, "nodes"), size(seen.pods, "pods"))
    return ", ".join((seen.server or "server unknown", seen.version or "version unknown", *sizes))


def size(number: int | None, noun: str) -> str:
    return f"{noun} not seen" if number is None else f"{number:,} {noun}"


def when(results: Results) -> str:
    """When the cluster was looked at, for how long, and since when changes count."""
    seconds = (results.finished - results.started).total_seconds()
    rounds = f"{results.rounds} rounds in {span(seconds)}" if results.rounds > 1 else f"took {span(seconds)}"
    since = f", changes since {to_the_second(results.reference)}" if results.reference else ""
    return f"{to_the_second(results.started)}, {rounds}{since}{seen_from(results)}"


def seen_from(results: Results) -> str:
    """Where the probes from outside were made, if the run named it."""
    return f", probed from {one_line(results.vantage)}" if results.vantage else ""


def utc(time: datetime) -> datetime:
    """The time in UTC and whole seconds; a time without a zone is UTC already."""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    return aware.astimezone(UTC).replace(microsecond=0)


def rfc3339(time: datetime) -> str:
    return utc(time).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_the_second(time: datetime) -> str:
    return utc(time).strftime("%Y-%m-%d %H:%M:%S UTC")


def span(seconds: float) -> str:
    """A duration as people say it: `0.004s`, `4.2s`, `3m10s`, `2h05m`."""
    if seconds < 60:
        return f"{round(seconds, 3):.3g}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def denominator(check: CheckResult) -> str:
    """How much is wrong, and of how much: `3 of 412 pods`."""
    wrong = len({finding.object for finding in check.active or check.findings})
    if not wrong:
        return UNJUDGED.get(check.outcome) or size(check.examined, check.noun)
    if wrong > check.examined:
        return f"{wrong:,} found"
    return f"{wrong:,} of {check.examined:,} {check.noun}"


def check_headline(check: CheckResult) -> str:
    """The check's result in one line, for lists and for CI systems that show only a first line."""
    told = sorted(check.roots or check.active or check.findings, key=lambda each: each.known)
    if not told:
        return one_line(check.reason) or denominator(check)
    more = f" (and {len(told) - 1:,} more)" if len(told) > 1 else ""
    aside = " — not finished yet" if told[0].transitional else f" — {KNOWN}" if told[0].known else ""
    return f"{denominator(check)}: {one_line(told[0].object)}: {fact(told[0])}{aside}{more}"


def fact(finding: Finding) -> str:
    """What was seen, and what should have been."""
    return one_line(finding.observed) + (f" — expected: {one_line(finding.expected)}" if finding.expected else "")


def is_command(hint: str) -> bool:
    """Whether a hint is there to be copied rather than read."""
    return hint.startswith(COMMANDS)


#: Of a finding that the baseline has too.
KNOWN = "known since before the upgrade"


def unfinished(rounds: int) -> str:
    """About a transitional finding."""
    return "not finished yet: --settle would wait for it" if rounds == 1 else "not finished when the time was up"


def more(number: int, where: str = "") -> str:
    return f"… and {number:,} more" + (f" in {where}" if where else "")


def consequences(labels: Sequence[str], first: int = 3) -> str:
    """What follows from a finding, named as far as one line goes."""
    rest = len(labels) - first
    return f"follows from this: {', '.join(map(one_line, labels[:first]))}" + (
        f", … and {rest:,} more" if rest > 0 else ""
    )


def cause(finding: Finding) -> str:
    return f"follows from {one_line(finding.because or '')}"


def nothing_wrong(results: Results) -> str:
    """In place of what is wrong."""
    waived = ", but for what the profile waives" if results.having("waived") else ""
    return f"Nothing was found{waived}." if results.checks else "No check was run."


def explained_elsewhere(number: int) -> str:
    return f"{number:,} that {'follows' if number == 1 else 'follow'} from findings of other checks"


def shortened_list(names: Sequence[str], first: int = 6) -> str:
    """The first names, and how many more there are."""
    rest = len(names) - first
    return ", ".join(names[:first]) + (f" and {rest} more" if rest > 0 else "")


def reasons(checks: Sequence[CheckResult]) -> dict[str, list[CheckResult]]:
    """The checks by their reason, so that each reason is shown once."""
    grouped: dict[str, list[CheckResult]] = {}
    for check in checks:
        grouped.setdefault(one_line(check.reason) or "no reason was given", []).append(check)
    return grouped


def check_record(check: CheckResult) -> str:
    """How the check went, for those who want to know it exactly."""
    parts = [check.severity, f"examined {size(check.examined, check.noun)}", f"took {span(check.duration)}"]
    parts += [f"clear after {span(check.clear_after)}"] if check.clear_after else []
    parts += ["flapped: clear in one round, not in a later one"] if check.flapped else []
    return "; ".join(parts)


def flapped(results: Results) -> str:
    """The checks that were clear in one round and not in a later one."""
    names = [check.id for check in results.checks if check.flapped]
    return f"Flapped (clear in one round, not in a later one): {', '.join(names)}" if names else ""


def settled(results: Results, first: int = 5) -> str:
    """What was not clear at first and took longest to become so, in a run with several rounds."""
    late = sorted((check for check in results.checks if check.clear_after), key=lambda it: -(it.clear_after or 0))
    names = [f"{check.id} after {span(check.clear_after or 0)}" for check in late]
    return f"Became clear: {shortened_list(names, first)}" if names else ""


def asides(results: Results) -> list[str]:
    """What is to be known beside the checks."""
    return [*filter(None, (flapped(results), settled(results))), *map(one_line, results.notes)]
