"""Jobs and CronJobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before
    from upgate.facts.cronjobs import CronJob, Timetables
    from upgate.facts.jobs import Job, Retries
    from upgate.facts.schedules import Schedules
    from upgate.profile.parts import Patience

SUSPENDED = "suspended; it was not suspended in the baseline"


@check(
    "jobs.failed",
    severity="critical",
    none_is_fine=True,
    monitor=True,
    after=("webhooks.alive", "control-plane.leases"),
)
def test_no_job_has_failed(
    jobs: Subjects[Job], schedules: Schedules, retries: Retries, since: datetime, now: datetime
) -> None:
    """No Job has failed, and none keeps failing.

    Three failed pods or runs since the reference time without a success are a warning, and after ten minutes a failure,
    however many retries are left. One of which no pod is made or gets a node within an hour is a warning, and so is one
    whose pod runs on an hour after one of its containers has ended: a sidecar keeps it. Of a CronJob the latest Job
    counts; while it still runs, the one before is a warning, unless the CronJob says that none has succeeded since.
    A Job of no CronJob that failed more than a day before the reference time is litter, and a warning.
    Look first: kubectl -n {namespace} describe job {name}; kubectl -n {namespace} logs job/{name} --all-containers
    """
    jobs.where(lambda job: not job.metadata.deletion_timestamp and schedules.count(job)).none(
        lambda job: (
            job.failure
            or retries.fail(job, since)
            or job.lost_indexes
            or retries.unbegun(job, now)
            or retries.held(job, now)
        ),
        observed=lambda job: job.failure or retries.words(job, since, now),
        expected="Complete",
        severity=lambda job: (
            None
            if retries.grave(job, since, now)
            and not job.failed_long_before(since)
            and (schedules.unredeemed(job) or not schedules.follow(job))
            else "warning"
        ),
        transitional=lambda job: schedules.follow(job) and not schedules.unredeemed(job),
    )


@check("cronjobs.on-time", severity="critical", none_is_fine=True, monitor=True, after=("control-plane.leases",))
def test_every_cronjob_is_on_time(
    cronjobs: Subjects[CronJob], timetables: Timetables, before: Before, patience: Patience, now: datetime
) -> None:
    """Every CronJob created a Job at its last scheduled time, and none was suspended since the baseline.

    A Job that is never created cannot fail: the backup is missing when it is needed. The controller makes up for a time
    that it missed, unless startingDeadlineSeconds has passed. With concurrencyPolicy Forbid a time is skipped while an
    earlier Job still runs.
    Look first: kubectl -n {namespace} describe cronjob {name}
    """
    present = cronjobs.where(lambda each: not each.metadata.deletion_timestamp)
    present.where(lambda each: each.runs or before.ran(each)).none(
        lambda each: timetables.missed(each, now, patience.cronjob_late) if each.runs else SUSPENDED,
        expected=lambda each: f"a Job within {duration(patience.cronjob_late)} of each time of {each.spec.schedule!r}",
    )
