"""CronJobs, and whether each ran when it was due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.cron import Schedule, parsed, zone_named
from upgate.facts.jobs import Job
from upgate.facts.meta import LONG_AGO, Fact, KubernetesObject, ManagedMeta, Time

#: Kubernetes' own parser looks no further for a time.
LOOK_BACK = timedelta(days=5 * 366)
#: The local times that there are, UTC first; a zone may have changed its offset by an hour since.
OFFSETS: tuple[tzinfo, ...] = (UTC, *(timezone(timedelta(minutes=15 * each)) for each in range(-48, 57) if each))
SUMMER = timedelta(hours=1)
#: No time of a cluster is later: one that is could not be told in another zone.
FAR_AHEAD = datetime(9000, 1, 1, tzinfo=UTC)
#: So many of the latest CronJobs tell the local time of their controller.
ENOUGH = 50


class CronJobSpec(Fact):
    """`spec` of a CronJob."""

    schedule: str = ""
    time_zone: str | None = None
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = "Allow"
    suspend: bool | None = None


class CronJobStatus(Fact):
    """`status` of a CronJob."""

    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None


class CronJob(KubernetesObject):
    """https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"""

    metadata: ManagedMeta
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()

    @property
    def runs(self) -> bool:
        """It is to make Jobs: neither suspended nor being deleted."""
        return not (self.spec.suspend or self.metadata.deletion_timestamp)

    @property
    def schedule(self) -> Schedule:
        """Its schedule. Raises ValueError for one that cannot be read."""
        return parsed(self.spec.schedule)

    @property
    def zone(self) -> str:
        """The time zone that it names, in a field of its own or in its schedule; empty where it names none."""
        return self.spec.time_zone or self.schedule.zone

    @property
    def settled_since(self) -> datetime:
        """Since when it has been as it is: no time before that counts."""
        times = (self.metadata.creation_timestamp, self.metadata.changed, self.status.last_schedule_time)
        return max(filter(None, times), default=LONG_AGO)

    @property
    def last_run(self) -> str:
        """When its latest Job was due, in words."""
        last = self.status.last_schedule_time
        return f"its latest Job was scheduled for {last:%Y-%m-%dT%H:%M:%SZ}" if last else "it never created a Job"

    def shows_local_time(self) -> bool:
        """The time of its latest Job tells which local time its controller has: it names no zone, and was not changed since."""
        last = self.status.last_schedule_time
        if last is None or last < self.settled_since or not LONG_AGO < last < FAR_AHEAD:
            return False
        try:
            return not (self.zone or self.schedule.every)
        except ValueError:
            return False


class Timetables:
    """When CronJobs were due, and what their Jobs were doing then."""

    needs = ("cronjobs", "jobs")

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._jobs = grouped((job for job in lists["jobs"] if job.cron_job), lambda job: job.schedule)
        self._local = local_time(lists["cronjobs"])

    def missed(self, cronjob: CronJob, moment: datetime, grace: timedelta) -> str:
        """The latest time that it was due and no Job was made for. Empty where none was missed. Raises ValueError."""
        due = self._due(cronjob, moment - grace)
        if due is None or self._excused(cronjob, due, moment, grace):
            return ""
        return f"no Job was created for {due:%Y-%m-%dT%H:%M:%SZ}; {cronjob.last_run}"

    def _due(self, cronjob: CronJob, until: datetime) -> datetime | None:
        """When it was due last, if that was after its latest Job, and since it has been as it is."""
        zone = zone_named(cronjob.zone) if cronjob.zone else self._local
        slack = SUMMER if zone is not UTC and not cronjob.zone else timedelta(0)
        after = max(min(cronjob.settled_since, until), until - LOOK_BACK) + slack
        return cronjob.schedule.latest(after, until, zone) if after < until else None

    def _excused(self, cronjob: CronJob, due: datetime, moment: datetime, grace: timedelta) -> bool:
        """Its policy forbids two Jobs at a time, one was at work then, and there is no time left, or was little, for the next."""
        if cronjob.spec.concurrency_policy != "Forbid":
            return False
        ends = [end for end in self._ends(cronjob, moment) if end >= due]
        deadline = cronjob.spec.starting_deadline_seconds
        too_late = deadline is not None and bool(ends) and (max(ends) - due).total_seconds() > deadline
        return too_late or any(moment - end < grace for end in ends)

    def _ends(self, cronjob: CronJob, moment: datetime) -> Iterator[datetime]:
        """When its Jobs were over; those that are at work are now. The latest of them may be gone already."""
        jobs: list[Job] = self._jobs.get((cronjob.namespace, cronjob.metadata.uid), [])
        yield from (job.ended or moment for job in jobs)
        if last := cronjob.status.last_successful_time:
            yield last


def local_time(cronjobs: list[CronJob]) -> tzinfo:
    """The local time of their controller, by which those run that name no zone: the one that most of their times fit, or UTC.

    On k3s, and with a time zone in its pod, it is not UTC.
    """
    shown = [(each.status.last_schedule_time or LONG_AGO, each) for each in cronjobs if each.shows_local_time()]
    latest = sorted(shown, key=lambda each: each[0], reverse=True)[:ENOUGH]
    fits = {zone: sum(each.schedule.names(time, zone) for time, each in latest) for zone in zones_for(latest)}
    return max(fits, key=lambda zone: fits[zone])


def zones_for(shown: list[tuple[datetime, CronJob]]) -> tuple[tzinfo, ...]:
    """The zones to try: UTC alone where it fits them all."""
    return OFFSETS[:1] if all(each.schedule.names(time, UTC) for time, each in shown) else OFFSETS
