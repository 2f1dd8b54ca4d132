"""What a round leaves for others to read: metrics and the status page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upgate.monitor.round import Monitored


def publish_metrics(round: Monitored) -> Iterable[str]:
    """For Prometheus, where the profile asks for it."""
    from upgate.monitor.metrics import publish

    return publish(round.results, round.profile, round.snapshot, round.past)


def write_status_page(round: Monitored) -> Iterable[str]:
    """For people. Raises UsageError where it cannot be written."""
    from upgate.monitor.statuspage import write_status

    return write_status(round.results, round.past, round.reports, round.report)
