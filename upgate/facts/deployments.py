"""Deployments."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.containers import at_most
from upgate.facts.meta import ManagedMeta, condition
from upgate.facts.workloads import PROGRESS, ReplicaCondition, Replicated

#: The API's way to say that a rollout has no deadline at all.
NO_DEADLINE = 2**31 - 1
#: How long its controller may take to say that the deadline has passed.
SLACK = timedelta(minutes=2)


class Deployment(Replicated):
    """https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status"""

    metadata: ManagedMeta

    def unready(self) -> str:
        """What is missing until it is complete. Empty when nothing is."""
        have, want = self.status, self.desired
        counts = {"updated": have.updated_replicas, "ready": have.ready_replicas, "available": have.available_replicas}
        short = [f"{number} {name}" for name, number in counts.items() if number != want]
        old = have.replicas - have.updated_replicas
        short_of = f"{', '.join(short)} of {want} desired" if short else ""
        left = f"{old} still of an old version" if old > 0 else ""
        paused = "paused" if self.spec.paused and (short or left) else ""
        return "; ".join(filter(None, [self.unseen, short_of, left, paused, self.failure, self._overdue]))

    def rolling_out(self, moment: datetime) -> bool:
        """Kubernetes says that it progresses, has said so within its deadline, and what is available stays within the bound.

        One that has never been available is being rolled out for the first time, and has no bound to keep.
        """
        progressing = condition(self.status.conditions, "Progressing")
        if not progressing.is_true or progressing.reason == "NewReplicaSetAvailable" or self.failure:
            return False
        return not self._silent_since(moment) and self.keeps_its_bounds

    def _silent_since(self, moment: datetime) -> bool:
        """Its controller should have said long ago that the deadline has passed: it is not at work."""
        said = next((each for each in self.status.conditions or () if each.type == "Progressing"), ReplicaCondition(""))
        return said.last_update_time is not None and moment - said.last_update_time > self.deadline + SLACK

    @property
    def deadline(self) -> timedelta:
        """How long a step of a rollout may take: its own promise within the longest time that counts, else the API's default."""
        own = self.spec.progress_deadline_seconds
        return PROGRESS if own is None or own == NO_DEADLINE else at_most(own)

    def lets_start(self, moment: datetime) -> bool:
        """It rolls out; or it would not say so, and keeps its bounds."""
        return self.rolling_out(moment) or (self.has_no_deadline and not self.own_fault and self.keeps_its_bounds)

    @property
    def keeps_its_bounds(self) -> bool:
        """As many of its pods are available as a rollout leaves, or none was yet."""
        return self._never_available or self.within_bounds

    @property
    def has_no_deadline(self) -> bool:
        """Its controller takes the condition Progressing away."""
        none = self.spec.progress_deadline_seconds in (None, NO_DEADLINE)
        return none and not any(each.type == "Progressing" for each in self.status.conditions or ())

    @property
    def within_bounds(self) -> bool:
        """As many of its pods are available as a rollout leaves."""
        return self.status.available_replicas >= self.desired - self._bound

    @property
    def init_deadline(self) -> timedelta:
        """`progressDeadlineSeconds`: what takes longer counts as failed."""
        return self.deadline

    @property
    def held(self) -> bool:
        """It is paused, and some of its replicas are not of the latest version: whatever its pods do, that stays."""
        return self.spec.paused and self.status.updated_replicas < self.desired

    @property
    def recreates(self) -> bool:
        """All its pods go before it makes the next ones."""
        return self.spec.strategy.type == "Recreate"

    @property
    def waits_for_terminating(self) -> bool:
        """It makes no pod in the place of one that is still going."""
        return self.recreates or self.spec.pod_replacement_policy == "TerminationComplete"

    @property
    def stuck(self) -> bool:
        """It will not become complete without a change: its pods cannot be made, or did not start in time."""
        return bool(self.own_fault or self._overdue)

    @property
    def _bound(self) -> int:
        """How many replicas a rollout may take away. Where both bounds come to 0 the controller takes 1.

        https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/util/deployment_util.go ResolveFenceposts
        """
        if self.recreates:
            return self.desired
        bounds = self.spec.strategy.bounds
        surge = bounds.surge(self.desired, "25%")
        return bounds.unavailable(self.desired, "25%") or (0 if surge else 1)

    @property
    def _never_available(self) -> bool:
        available, created = condition(self.status.conditions, "Available"), self.metadata.creation_timestamp
        since = available.last_transition_time
        if available.is_true or since is None or created is None:
            return False
        return since - created < timedelta(seconds=5)

    @property
    def _overdue(self) -> str:
        progressing = condition(self.status.conditions, "Progressing")
        return str(progressing) if progressing.status == "False" else ""
