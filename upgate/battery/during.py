"""What `upgate watch` recorded during the upgrade, as checks judge it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive, LeftOut, UsageError
from upgate.baseline import cluster_uid
from upgate.battery.judgement import Judgement, Subjects
from upgate.snapshot import Snapshot
from upgate.watch.account import load_timeline
from upgate.watch.budgets import budget_words, over_budget, unproven
from upgate.watch.services import ServiceAway, nodes_vanished, seen_by_watch, services_away
from upgate.watch.timeline import Outage, Timeline, TimelineEvent, TimelineTarget, without_before

if TYPE_CHECKING:
    from upgate.profile.watching import BudgetedEntry, DisruptionBudget

#: So long a Service may have no ready endpoint.
SERVICE_SECONDS = 30.0
#: Outages that one finding names.
NAMED = 3


def recorded_timeline(path: Path) -> Timeline | str | None:
    """The record that lies there; why it cannot be used; None where there is none."""
    try:
        return load_timeline(path) if path.exists() else None
    except UsageError as problem:
        return str(problem)


def usable_record(recorded: Timeline | str | None, snapshot: Snapshot, since: datetime) -> Timeline:
    """The record of this upgrade, from the reference time on. Raises LeftOut where there is none, and Inconclusive."""
    if recorded is None:
        raise LeftOut("nothing was recorded during the upgrade: run `upgate watch` beside it")
    if isinstance(recorded, str):
        raise Inconclusive(recorded)
    if is_foreign(recorded, snapshot):
        raise Inconclusive(f"disruption.jsonl is the record of another cluster, {recorded.server}: remove it")
    if recorded.end < since:
        raise LeftOut(
            f"the record of `upgate watch` ended on {recorded.end:%Y-%m-%d %H:%M} UTC, before the reference time"
        )
    return without_before(recorded, since)


def is_foreign(recorded: Timeline, snapshot: Snapshot) -> bool:
    """It is of another cluster: by the UID of kube-system, or where that is not known by the API server's URL."""
    uid = cluster_uid(snapshot)
    if uid and recorded.cluster:
        return uid != recorded.cluster
    return bool(recorded.server and snapshot.server) and recorded.server != snapshot.server


@dataclass(frozen=True)
class DisruptedTarget:
    """One target of an entry, and how long it was away."""

    measured: TimelineTarget
    budget: DisruptionBudget

    @property
    def ref(self) -> str:
        """The URL or `host:port`."""
        return self.measured.target

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.measured.name}

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """Seconds in all, and at a time."""
        spans = (self.budget.total, self.budget.longest)
        return tuple(each.total_seconds() if each is not None else None for each in spans)  # type: ignore[return-value]

    @property
    def over(self) -> str:
        """For how much longer than it may it was away, and when; empty where it was not."""
        said = over_budget(self.measured, *self.limits)
        return f"{said}: {told_outages(self.measured.worst.outages)}" if said else ""

    @property
    def allowed(self) -> str:
        """The budget."""
        return budget_words(*self.limits)

    @property
    def gap(self) -> str:
        """Why it cannot be said that it was within its budget; empty where it can."""
        return "" if self.over else unproven(self.measured, *self.limits)


def told_outages(outages: list[Outage]) -> str:
    """The longest of them, each with its reason and what explains it."""
    longest = sorted(outages, key=lambda each: -each.seconds)[:NAMED]
    words = [
        f"{each.seconds:.1f} s at {each.start:%H:%M:%S} UTC ({each.because or each.why})"
        for each in sorted(longest, key=lambda each: each.start)
    ]
    return ", ".join(words) + (f", and {len(outages) - NAMED} more" if len(outages) > NAMED else "")


def disrupted_targets(timeline: Timeline, entry: BudgetedEntry, judgement: Judgement) -> Subjects[DisruptedTarget]:
    """The targets of an entry, as far as they were measured."""
    of_entry = [each for each in timeline.targets if each.name == entry.name or each.name.startswith(f"{entry.name}[")]
    found = [DisruptedTarget(each, entry.budget) for each in of_entry]
    judgement.gaps += [f"{each.measured.name}: {each.gap}" for each in found if each.gap]
    return Subjects("targets", [each for each in found if not each.gap], judgement)


@dataclass(frozen=True)
class Disruption:
    """Something that users of a Service or of a node's pods may have felt."""

    ref: str
    said: str

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        _, _, rest = self.ref.partition("/")
        namespace, _, name = rest.rpartition("/")
        return {"name": name, "namespace": namespace, "kind": self.ref.partition("/")[0].lower()}


def disruptions(timeline: Timeline, judgement: Judgement) -> Subjects[Disruption]:
    """What was wrong with Services and nodes; all that the watch saw is counted as looked at."""
    found = [*long_away(services_away(timeline)), *map(vanished, nodes_vanished(timeline))]
    services, nodes = seen_by_watch(timeline)
    if not services + nodes:
        judgement.gaps.append("the watch saw no Service and no node: it may not list them, or could not")
    judgement.gaps += watch_gaps(timeline)
    return Subjects("Services and nodes", found, judgement, right=max(0, services + nodes - len(found)))


def long_away(times: Iterator[ServiceAway]) -> Iterator[Disruption]:
    """The Services that had no ready endpoint for too long."""
    for each in times:
        if each.seconds > SERVICE_SECONDS and not each.excused:
            until = ", and had none when the watch ended" if each.ongoing else ""
            yield Disruption(each.ref, f"{each.what} for {each.seconds:.0f} s from {each.start:%H:%M:%S} UTC{until}")


def vanished(event: TimelineEvent) -> Disruption:
    """A node that was deleted with pods."""
    return Disruption(event.object, f"{event.what} at {event.at:%H:%M:%S} UTC")


def watch_gaps(timeline: Timeline) -> list[str]:
    """Lists that could not be watched to the end."""
    return [event.what for event in timeline.events if event.object == "Watch" and event.details.get("unseen")]


def timeline_of_run(
    recorded: Timeline | str | None, snapshot: Snapshot | None, since: datetime | None
) -> Timeline | None:
    """The record of this upgrade; None where there is none that can be used, which `disruption.*` says."""
    if snapshot is None or since is None:
        return None
    try:
        return usable_record(recorded, snapshot, since)
    except (LeftOut, Inconclusive):
        return None


def recorded_notes(timeline: Timeline, budgeted: set[str]) -> list[str]:
    """What the record says of targets without a budget, a sentence each."""
    away = [each for each in timeline.targets if each.worst.outages and each.name.partition("[")[0] not in budgeted]
    return [
        f"while the upgrade ran, {each.name} was away for {each.worst.outage_seconds:.1f} s: "
        f"{told_outages(each.worst.outages)}"
        for each in away
    ]
