"""`results.json`: the results for scripts and dashboards."""

from __future__ import annotations

import msgspec

from upgate.base.errors import UsageError
from upgate.reports.cleaning import cleaned
from upgate.reports.words import utc
from upgate.results import CheckResult, Results


def render_json(results: Results) -> bytes:
    """The results as JSON: times in UTC and whole seconds, durations in seconds and whole milliseconds."""
    plain = cleaned(results)
    timed = msgspec.structs.replace(
        plain,
        started=utc(results.started),
        finished=utc(results.finished),
        reference=results.reference and utc(results.reference),
        baseline=results.baseline and msgspec.structs.replace(results.baseline, taken=utc(results.baseline.taken)),
        checks=tuple(map(rounded, plain.checks)),
    )
    return msgspec.json.format(msgspec.json.encode(timed), indent=2) + b"\n"


def rounded(check: CheckResult) -> CheckResult:
    """The check with its durations in whole milliseconds."""
    clear_after = None if check.clear_after is None else round(check.clear_after, 3)
    return msgspec.structs.replace(check, duration=round(check.duration, 3), clear_after=clear_after)


def load_json(data: bytes, name: str = "results.json") -> Results:
    """The results in a `results.json`; raises UsageError where it is corrupt or something else."""
    try:
        return msgspec.json.decode(data, type=Results)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name} cannot be read as results of upgate: {error}. Run the battery again to write it."
        ) from error
