"""What was measured of each entry of `external:` in one look: how much of it answered, and how fast."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from upgate.base.errors import Inconclusive
from upgate.sources.probes.targets import ProbedTarget, probed_entry

if TYPE_CHECKING:
    from upgate.profile import Profile
    from upgate.snapshot import Snapshot


class Measured(NamedTuple):
    """One entry, whatever number of endpoints it has (`each: node`)."""

    #: The id of its check: `external.shop`.
    id: str
    #: How many of its endpoints answer as expected, 0 to 1.
    availability: float
    #: Seconds until the slowest answer was complete; None without any answer.
    latency: float | None


def measured(profile: Profile, snapshot: Snapshot | None) -> Iterator[Measured]:
    """The entries that could be asked. What could not be looked at was neither up nor down, and is left out."""
    if snapshot is None:
        return
    for entry in profile.external:
        try:
            endpoints = probed_entry(entry, snapshot, profile.secrets, profile.scope.namespaces).endpoints
        except Inconclusive:
            continue
        if endpoints:
            yield measured_entry(entry.id, endpoints)


def measured_entry(id: str, endpoints: list[ProbedTarget]) -> Measured:
    """Several endpoints as one target."""
    answered = [each.attempt.elapsed.total for each in endpoints if each.attempt.failure is None]
    right = sum(not each.problems for each in endpoints)
    return Measured(id, right / len(endpoints), max(answered, default=None))
