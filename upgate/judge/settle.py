"""--settle: rounds of looking and judging until enough of them in a row are clear, or the time is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from upgate.base.files import append_line
from upgate.base.redaction import redacted
from upgate.base.waiting import Deadline
from upgate.judge.gate import Gate
from upgate.results import Verdict, decide


def settle(gate: Gate, look_and_judge: Callable[[], object], announce: Callable[[str], None]) -> None:
    """Look and judge until enough rounds in a row are clear, or the time is over. The last complete round counts."""
    options, settling = gate.options, gate.settling
    deadline = Deadline(options.settle.total_seconds() if options.settle else 0)
    while True:
        with complete_rounds_only(gate):
            look_and_judge()
            note_round(gate, deadline.elapsed)
        if settling.settled:
            return
        announce(progress(gate, deadline))
        if not deadline.rest(options.every.total_seconds()):
            break
    gate.notes.append(f"{settling.streak} of {options.clean} clean rounds in a row when the time was over")


@contextmanager
def complete_rounds_only(gate: Gate) -> Iterator[None]:
    """A round that is broken off leaves what the one before it found."""
    snapshot, results = gate.snapshot, dict(gate.results)
    try:
        yield
    except BaseException:
        gate.snapshot, gate.results = snapshot or gate.snapshot, results
        raise


def note_round(gate: Gate, elapsed: float) -> None:
    """Add the round to the history of each check, and to rounds.jsonl."""
    checks = gate.checks()
    verdict = decide(checks, fail_on_warnings=gate.options.fail_on_warnings)
    for check in gate.settling.add(checks, verdict, elapsed):
        gate.add(check)
    write_round(gate, verdict, elapsed)


def write_round(gate: Gate, verdict: Verdict, elapsed: float) -> None:
    """Append a line to rounds.jsonl, on disk before the next round begins."""
    waiting = {each.id: [finding.object for finding in each.active] for each in gate.results.values() if each.active}
    line = {
        "round": gate.settling.rounds,
        "at": gate.seen.taken,
        "elapsed": round(elapsed, 3),
        "verdict": verdict,
        "clean": gate.settling.streak,
        "outcomes": Counter(each.outcome for each in gate.results.values()),
        "findings": waiting,
    }
    append_line(
        gate.options.reports / "rounds.jsonl",
        msgspec.json.encode(redacted(msgspec.to_builtins(line), gate.profile.secrets)),
    )


def progress(gate: Gate, deadline: Deadline) -> str:
    """How far it is: the round, the time, what is waited for, and how many rounds in a row were clear."""
    pending = gate.settling.waits_for(list(gate.results.values()))
    what = f"waiting for {pending}" if pending else "clear"
    so_far = f"round {gate.settling.rounds}, {deadline.elapsed:.0f} of {deadline.seconds:.0f} s"
    return f"{so_far}: {what}; {gate.settling.streak} of {gate.options.clean} clean rounds"
