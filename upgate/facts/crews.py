"""The pods that workloads control: whether what is missing is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.facts.backends import grouped
from upgate.facts.deployments import Deployment
from upgate.facts.pods import Pod
from upgate.facts.workloads import Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
#: A step of progress: progressDeadlineSeconds of a Deployment that does not set it; the others have no such field.
PROGRESS = timedelta(minutes=10)


class Crew:
    """The pods that a workload controls."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._by_owner = grouped(lists["pods"], lambda pod: pod.metadata.controller and pod.metadata.controller.uid)

    def of(self, workload: Workload) -> list[Pod]:
        """Its pods."""
        return self._by_owner.get(workload.metadata.uid, [])

    def advances(self, workload: Workload, moment: datetime) -> bool:
        """It keeps within its bounds, and each pod that it lacks was made, or was due to go, within the time of a step."""
        if workload.stuck or not workload.within_bounds:
            return False
        pods = [pod for pod in self.of(workload) if not pod.done]
        late = [pod for pod in pods if pod.leaving or not pod.ready.is_true]
        if late:
            return all((pod.overdue if pod.leaving else pod.age)(moment) < PROGRESS for pod in late)
        return workload.whole and any(pod.age(moment) < PROGRESS for pod in pods)

    def starting(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """What it lacks are pods that it has made and that still have time to start: it was scaled up, or a node came."""
        late = [each for each in self.of(workload) if each.alive and not each.counts(moment, workload.probation)]
        times = patience.pending, patience.start_up, workload.init_deadline
        within = all(pod.ready.is_true or pod.starting(moment, *times) for pod in late)
        return within and 0 < workload.unmade <= len(late) and not workload.stuck


class DeploymentCrew(Crew):
    """The pods that Deployments control, through their ReplicaSets."""

    needs = ("pods", "replicasets")

    def __init__(self, lists: Lists) -> None:
        super().__init__(lists)
        self._replicasets = grouped(
            lists["replicasets"], lambda each: each.metadata.controller and each.metadata.controller.uid
        )

    def of(self, workload: Workload) -> list[Pod]:
        """The pods of all its ReplicaSets."""
        return [
            pod
            for each in self._replicasets.get(workload.metadata.uid, ())
            for pod in super(DeploymentCrew, self).of(each)
        ]

    def giving_way(self, deployment: Deployment, moment: datetime, slack: timedelta) -> bool:
        """With Recreate the old pods go first, which its conditions do not say.

        https://github.com/kubernetes/kubernetes/issues/115538
        """
        pods = [pod for pod in self.of(deployment) if not pod.done]
        going = bool(pods) and all(pod.leaving and pod.overdue(moment) < slack for pod in pods)
        return going and deployment.recreates and not deployment.stuck
