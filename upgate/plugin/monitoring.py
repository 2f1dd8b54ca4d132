"""--monitor: one round at a time, and what follows from it."""

from __future__ import annotations

import msgspec
import pytest

from upgate.gate import Gate
from upgate.monitor import delivery, history, round
from upgate.plugin.options import usable
from upgate.redaction import without_secrets
from upgate.reports.cleaning import cleaned
from upgate.verdict import EXIT_CODES, Results


def begin(gate: Gate) -> None:
    """Make sure that this is the only round in this folder of reports. Raises pytest.exit.Exception, pytest.UsageError."""
    usable(lambda: check(gate))
    if not gate.only_one(gate.options.reports / round.LOCK):
        gate.left_out = True
        pytest.exit(
            f"another round with --monitor is at work in {gate.options.reports}: this one looked at nothing. "
            "If that is there often, run it less often, or choose other --reports",
            returncode=EXIT_CODES["inconclusive"],
        )


def check(gate: Gate) -> None:
    """See whether alerts could be sent. Raises UsageError."""
    if gate.profile.monitor.notify:
        delivery.check(gate.options.reports / history.FILE, gate.profile.monitor.notify)


def follow(gate: Gate, results: Results) -> Results:
    """Let everything follow from a round; the results with notes of what could not be done."""
    options = gate.options
    monitored = round.Monitored(
        gate.profile, cleaned(results), gate.snapshot, options.reports, fail_on_warnings=options.fail_on_warnings
    )
    notes = round.run(monitored)
    return without_secrets(msgspec.structs.replace(results, notes=(*results.notes, *notes)), gate.profile.secrets)
