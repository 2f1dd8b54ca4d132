"""The Jobs that CronJobs make: which of them count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.jobs import Job
from upgate.facts.meta import LONG_AGO


class Schedules:
    """The Jobs of CronJobs: what counts is the latest of each."""

    needs = ("jobs",)
    helped_by = ("cronjobs",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        scheduled = grouped((job for job in lists["jobs"] if job.cron_job), lambda job: job.schedule)
        self._latest = {uid: max(jobs, key=lambda job: job.made) for uid, jobs in scheduled.items()}
        self._succeeded = {
            (each.namespace, each.metadata.uid): each.status.last_successful_time or LONG_AGO
            for each in lists.get("cronjobs", ())
        }
        over = {uid: [job for job in jobs if job.over] for uid, jobs in scheduled.items()}
        self._latest_over = {uid: max(jobs, key=lambda job: job.made) for uid, jobs in over.items() if jobs}

    def count(self, job: Job) -> bool:
        """It is the latest of its CronJob, or the latest that is over; one without a CronJob speaks for itself."""
        return any(job is each for each in (self._latest.get(job.schedule, job), self._latest_over.get(job.schedule)))

    def follow(self, job: Job) -> bool:
        """Its CronJob runs the next one already."""
        return self._latest.get(job.schedule, job) is not job

    def unredeemed(self, job: Job) -> bool:
        """Its CronJob says that no Job has succeeded since this one was made: one that still runs makes nothing good."""
        last = self._succeeded.get(job.schedule)
        return last is not None and last < job.made[0]
