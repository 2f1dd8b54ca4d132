"""CronJobs."""

from __future__ import annotations

from upgate.facts.meta import Fact, KubernetesObject, ManagedMeta, Time


class CronJobSpec(Fact):
    """`spec` of a CronJob."""

    schedule: str = ""
    time_zone: str = ""
    starting_deadline_seconds: int | None = None
    concurrency_policy: str = "Allow"
    suspend: bool = False


class CronJobStatus(Fact):
    """`status` of a CronJob."""

    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None


class CronJob(KubernetesObject):
    """https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"""

    metadata: ManagedMeta
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()
