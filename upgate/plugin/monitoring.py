"""--monitor: one round at a time, and what follows from it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from upgate.base.errors import UsageError
from upgate.base.redaction import redact_results
from upgate.judge.gate import Gate
from upgate.monitor import delivery, history, round, storage
from upgate.plugin.options import as_usage_error
from upgate.reports.cleaning import cleaned
from upgate.results import EXIT_CODES, Results


def lock_round(gate: Gate) -> None:
    """Make sure that this is the only round in this folder of reports. Raises pytest.exit.Exception, pytest.UsageError."""
    as_usage_error(lambda: check_monitoring(gate))
    if not gate.only_one(gate.options.home / round.LOCK):
        gate.left_out = True
        pytest.exit(
            f"another round with --monitor is at work in {gate.options.home}: this one looked at nothing. "
            "If that is there often, run it less often, or choose other --reports",
            returncode=EXIT_CODES["inconclusive"],
        )


def check_monitoring(gate: Gate) -> None:
    """See whether the history is this profile's, and alerts could be sent. Raises UsageError."""
    belongs(gate.options.home / history.FILE, gate.profile.name)
    if gate.profile.monitor.notify:
        delivery.check_recipients(gate.options.home / history.FILE, gate.profile.monitor.notify)


def belongs(path: Path, name: str) -> None:
    """See that no other profile's rounds are in it: alerts would come and go by both. Raises UsageError."""
    if not path.exists():
        return
    with suppress(storage.Unusable), storage.reading(path) as db:  # the round will say so
        if not storage.belongs_to(db, name):
            raise UsageError(
                f"{path} is the history of another profile than {name}: give each profile its own --reports. "
                f"If the profile was renamed, move the file away, or back: a new one begins"
            )


def follow(gate: Gate, results: Results) -> Results:
    """Let everything follow from a round; the results with notes of what could not be done."""
    options = gate.options
    monitored = round.Monitored(
        gate.profile,
        cleaned(results),
        gate.snapshot,
        options.home,
        str(Path(options.part, "report.html")),
        fail_on_warnings=options.fail_on_warnings,
    )
    notes = round.follow_round(monitored)
    return redact_results(msgspec.structs.replace(results, notes=(*results.notes, *notes)), gate.profile.secrets)
