"""Jobs: what failed for good, and what fails again and again while retries are left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from upgate.base.text import counted, duration
from upgate.facts.backends import grouped
from upgate.facts.containers import ContainerStatus, Terminated
from upgate.facts.failure_policy import FailurePolicy
from upgate.facts.lingering import kept_running
from upgate.facts.meta import LONG_AGO, Condition, Fact, KubernetesObject, Time, condition
from upgate.facts.pods import SHUTDOWN, Pod

Lists = Mapping[str, list[Any]]
#: So many failures without a success are more than a hiccup; so long after the first of them they are an outage.
FAILURES, GRACE = 3, timedelta(minutes=10)
#: A Job that has not begun after so long has no quota, no node or no volume; what is slow at other times begins before.
BEGINS = timedelta(hours=1)
#: A Job that failed so long before the reference time says nothing of what happened since.
LITTER = timedelta(days=1)
#: The longest pause of a Job's controller between two pods, and some time for it.
BACKOFF = timedelta(minutes=15)
OWN_CONTROLLER = "kubernetes.io/job-controller"
#: The kubelet's longest pause between two runs: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy
LONGEST_BACKOFF = timedelta(minutes=5)
#: Reasons of DisruptionTarget that are not the pod's own fault: a drain, a preemption, a taint, a node that is gone.
#: https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
DISRUPTED = ("EvictionByEvictionAPI", "PreemptionByScheduler", "DeletionByTaintManager", "DeletionByPodGC")


class JobSpec(Fact):
    """`spec` of a Job."""

    suspend: bool = False
    backoff_limit: int = 6
    #: Who runs it, where that is not Kubernetes' own controller: https://kubernetes.io/docs/concepts/workloads/controllers/job/
    managed_by: str = ""
    pod_failure_policy: FailurePolicy | None = None


class JobStatus(Fact):
    """`status` of a Job. What is absent is 0."""

    start_time: Time | None = None
    completion_time: Time | None = None
    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    #: Indexes that have used up their own retries, as text: `1,3-5`.
    failed_indexes: str = ""
    conditions: list[Condition] | None = None


class Job(KubernetesObject):
    """https://kubernetes.io/docs/concepts/workloads/controllers/job/"""

    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    @property
    def over(self) -> bool:
        """It has completed or failed, or is about to as soon as its pods are gone."""
        return bool(self.failure) or any(self._has(each) for each in ("Complete", "SuccessCriteriaMet"))

    @property
    def ended(self) -> datetime | None:
        """When it was over; None while it is not. One that failed has no completionTime."""
        said = [each.last_transition_time for each in self.status.conditions or () if each.is_true]
        return max(filter(None, [self.status.completion_time, *said]), default=LONG_AGO) if self.over else None

    @property
    def under_way(self) -> bool:
        """It is to run pods now: neither over, suspended, nor being deleted."""
        return not (self.over or self.spec.suspend or self.metadata.deletion_timestamp)

    @property
    def failure(self) -> str:
        """Why it has failed for good. FailureTarget says so while its last pods are still going."""
        failed = next((each for each in ("Failed", "FailureTarget") if self._has(each)), None)
        return str(condition(self.status.conditions, failed)) if failed else ""

    def failed_long_before(self, since: datetime) -> bool:
        """It is litter: it failed more than a day before that, and no CronJob runs it again."""
        ended = self.ended or LONG_AGO
        return bool(self.failure) and not self.cron_job and LONG_AGO < ended < since - LITTER

    @property
    def lost_indexes(self) -> str:
        """The indexes that are not retried any more, while others are at work. Empty where there are none."""
        lost = self.status.failed_indexes if self.under_way else ""
        return f"indexes {lost} have failed for good" if lost else ""

    @property
    def cron_job(self) -> str:
        """The UID of the CronJob that it belongs to, made by its schedule or by hand; empty where there is none."""
        return next((each.uid for each in self.metadata.owner_references or () if each.kind == "CronJob"), "")

    @property
    def schedule(self) -> tuple[str, str]:
        """Its CronJob: namespace and UID, for an owner is always in the object's own namespace."""
        return self.namespace, self.cron_job

    @property
    def made(self) -> tuple[datetime, str]:
        """What Jobs are ordered by."""
        return self.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC), self.name

    def _has(self, type: str) -> bool:
        return condition(self.status.conditions, type).is_true


class Failures(NamedTuple):
    """Failed attempts since a moment."""

    times: int
    first: datetime
    #: The longest of them that is known.
    longest: timedelta


class Retries:
    """How the pods of Jobs do."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        owned = (pod for pod in lists["pods"] if pod.of_job)
        self._by_job = grouped(owned, lambda pod: (pod.namespace, pod.metadata.controller.uid))

    def of(self, job: Job) -> list[Pod]:
        """The pods of a Job that is under way."""
        return self._by_job.get((job.namespace, job.metadata.uid), []) if job.under_way else []

    def fail(self, job: Job, since: datetime) -> str:
        """Its pods fail again and again since then without a success, retries left or not. Else empty."""
        count = sum(each.times for each in self._failures(job, since))
        if count < FAILURES or self._succeeded(job, since):
            return ""
        return f"{counted(count, 'failure')} of its pods without a success"

    def unbegun(self, job: Job, moment: datetime) -> str:
        """None of its pods could be made or exists, or none gets a node, for more than an hour. Else empty."""
        # Its controller writes when it started: where that is away, only its creation tells.
        started, pods = job.status.start_time or job.metadata.creation_timestamp, self.of(job)
        foreign = job.spec.managed_by not in ("", OWN_CONTROLLER) and not job.status.start_time
        if not job.under_way or foreign or started is None or moment - started < BEGINS:
            return ""
        if not pods and not (job.status.active or job.status.failed or job.status.succeeded):
            return f"no pod was made for {duration(moment - started)}"
        if (
            job.status.active
            and job.spec.managed_by in ("", OWN_CONTROLLER)
            and not any(ended_lately(pod, moment) for pod in pods)
        ):
            return f"its status counts {counted(job.status.active, 'active pod')}, of which 0 exist"
        waits = [pod for pod in pods if pod.status.phase == "Pending" and pod.scheduled and not pod.scheduled.is_true]
        waits = [pod for pod in waits if not pod.spec.scheduling_gates and pod.age(moment) >= BEGINS]
        return (
            f"no pod gets a node: {waits[0].scheduled}" if 0 < len(waits) == max(job.status.active, len(pods)) else ""
        )

    def held(self, job: Job, moment: datetime) -> str:
        """A container of it has ended for good, and others keep its pod from ending for more than an hour. Else empty."""
        return next(filter(None, (kept_running(pod, moment) for pod in self.of(job) if pod.active)), "")

    def grave(self, job: Job, since: datetime, moment: datetime) -> bool:
        """It has failed for good; or it has been failing for ten minutes, and no present attempt has outlived the failures.

        Failures that its policy ignores do not count: it retries them on purpose.
        """
        failures = self._failures(job, since, counting=True) if self.fail(job, since) else []
        failures = failures if sum(each.times for each in failures) >= FAILURES else []
        first = min((each.first for each in failures), default=moment)
        longest = max((each.longest for each in failures), default=timedelta(0))
        return bool(job.failure) or (moment - first >= GRACE and not self._lives(job, moment, longest))

    def words(self, job: Job, since: datetime, moment: datetime) -> str:
        """What is wrong with a Job that is under way, and what failed last."""
        return "; ".join(
            filter(
                None,
                (
                    self.fail(job, since),
                    self.unbegun(job, moment),
                    job.lost_indexes,
                    self.held(job, moment),
                    self.last(job, moment),
                ),
            )
        )

    def last(self, job: Job, moment: datetime) -> str:
        """What the latest of these failures was. Empty where it has none."""
        crashes = filter(None, (pod.crash(moment) for pod in self.of(job) if pod.active))
        ended = [(pod.ended_at, pod.end) for pod in self.of(job) if pod.status.phase == "Failed" and pod.ended_at]
        return next(crashes, "") or max(ended, default=(None, ""))[1]

    def _failures(self, job: Job, since: datetime, *, counting: bool = False) -> list[Failures]:
        policy = job.spec.pod_failure_policy if counting else None
        pods = [pod for pod in self.of(job) if not (policy and policy.ignores(pod))]
        return [each for pod in pods for each in (*failed_attempt(pod, since), *failed_runs(pod, since))]

    def _succeeded(self, job: Job, since: datetime) -> bool:
        pods = [pod for pod in self.of(job) if pod.status.phase == "Succeeded"]
        new = job.status.start_time is not None and job.status.start_time >= since
        return any(not pod.ended_at or pod.ended_at >= since for pod in pods) or (new and job.status.succeeded > 0)

    def _lives(self, job: Job, moment: datetime, longest: timedelta) -> bool:
        """A pod of it has run for longer than ten minutes, and for twice the time after which the others failed."""
        running = (pod for pod in self.of(job) if pod.status.phase == "Running" and not pod.terminating)
        return any(up_for(pod, moment) > max(GRACE, 2 * longest) for pod in running)


def ended_lately(pod: Pod, moment: datetime) -> bool:
    """It is there, or has ended within the time in which its Job makes the next one, or at a time that is not known."""
    return not pod.done or pod.ended_at is None or moment - pod.ended_at < BACKOFF


def up_for(pod: Pod, moment: datetime) -> timedelta:
    """How long it has been ready, or else how long the latest of its containers has run; none for one that crashes."""
    if pod.ready.is_true:
        return pod.ready_for(moment)
    starts = [each.now.running.started_at for each in pod.statuses if each.now.running]
    return timedelta(0) if pod.crash(moment) else moment - max(filter(None, starts), default=moment)


def failed_attempt(pod: Pod, since: datetime) -> Iterator[Failures]:
    """A pod that failed since then by its own fault: drains, preemptions and shutdowns of nodes are not."""
    target = condition(pod.status.conditions, "DisruptionTarget")
    disrupted = pod.status.reason in SHUTDOWN or (target.is_true and target.reason in DISRUPTED)
    # One that its node refused has no end: it failed as soon as it was made.
    ended = pod.ended_at or pod.metadata.creation_timestamp
    if pod.status.phase == "Failed" and not disrupted and ended and ended >= since:
        runs = [end.duration for each in pod.statuses if (end := each.now.terminated) and end.duration]
        yield Failures(1, ended, max(runs, default=timedelta(0)))


def failed_runs(pod: Pod, since: datetime) -> Iterator[Failures]:
    """The failed runs of containers that are started again in the same pod, sidecars aside: those never end by themselves."""
    made = pod.metadata.creation_timestamp or since
    for status in pod.statuses if pod.active else ():
        end = status.now.terminated or status.last_end
        failed = end is not None and end.exit_code != 0 and end.finished_at is not None and end.finished_at >= since
        if end and failed and pod.policy_of(status) != "Always":
            yield _runs(status, end, since, made)


def _runs(status: ContainerStatus, end: Terminated, since: datetime, made: datetime) -> Failures:
    """All of a new pod. Of an older one at least as many as fit in, if all took as long as the last and the longest pause."""
    lasted = end.duration or timedelta(0)
    cycle = max(status.cycle or lasted + LONGEST_BACKOFF, timedelta(seconds=1))
    last = end.finished_at or since
    runs = status.restart_count + (0 if status.now.running else 1)
    count = runs if made >= since else min(runs, (last - since) // cycle + 1)
    # No further back than the pod goes: counts and times may be anything, and their product has no bounds.
    life = max(last - made, timedelta(0))
    back = min(max(count - 1, 0), life // cycle + 1)
    return Failures(count, last - min(back * cycle, life), lasted)
