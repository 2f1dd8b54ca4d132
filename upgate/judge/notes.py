"""What a reader should know beside the checks: forgeable answers, what was left out, waivers to renew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from upgate.baseline import limits_of
from upgate.judge.announced import overdue_announcements
from upgate.judge.outcome import ending, expired, unused
from upgate.results import CheckResult

if TYPE_CHECKING:
    from upgate.judge.gate import Gate

#: Nodes that are named at most.
FEW = 10


def notes_of_run(gate: Gate, checks: Sequence[CheckResult]) -> tuple[str, ...]:
    """All notes of a run, one sentence each."""
    from upgate.profile.sending import in_plain_text  # it needs pydantic, and `pytest --help` must not

    on_the_way = (*why_forgeable(gate), *in_plain_text(gate.profile))
    return (
        *on_the_way,
        *gate.notes,
        *baseline_limits(gate),
        *said_of_probe(gate),
        *windows_nodes(gate),
        *during_upgrade(gate),
        *waivers_to_change(gate, checks),
    )


def waivers_to_change(gate: Gate, checks: Sequence[CheckResult]) -> list[str]:
    """The waivers of the profile that have expired, match nothing, or end soon; announced changes that did not happen."""
    waivers = gate.profile.waivers
    today = gate.snapshot.taken.date() if gate.snapshot else gate.started.date()
    unmatched = overdue_announcements(gate.profile.changes.allow, checks)
    return [*expired(waivers, today), *unused(waivers, checks), *ending(waivers, today), *unmatched]


def why_forgeable(gate: Gate) -> list[str]:
    """Why the answers may have been changed on the way. The embedded cluster runs in this process."""
    return gate.snapshot.forgeable if gate.snapshot and not gate.profile.cluster.embedded else []


def baseline_limits(gate: Gate) -> list[str]:
    """What the comparison with the baseline cannot say."""
    return limits_of(gate.baseline, gate.snapshot) if gate.baseline and gate.snapshot else []


def during_upgrade(gate: Gate) -> list[str]:
    """What `upgate watch` recorded of targets that have no budget."""
    from upgate.battery.during import recorded_notes

    return recorded_notes(gate.timeline, {each.name for each in gate.profile.budgets}) if gate.timeline else []


def said_of_probe(gate: Gate) -> list[str]:
    """What was created in the cluster, and which nodes were not asked on purpose."""
    probed = gate.snapshot.probed if gate.snapshot else None
    if probed is None:
        return []
    left_out = probed.left_out
    more = [f"the probe left out {len(left_out) - FEW} more nodes"] if len(left_out) > FEW else []
    return [*probed.made, *left_out[:FEW], *more]


def windows_nodes(gate: Gate) -> list[str]:
    """The machines that are left out on purpose."""
    from upgate.sources.hosts.targets import left_out

    return left_out(gate.profile.hosts, gate.snapshot) if gate.snapshot else []
