"""The pods that workloads control: whether what is missing is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted
from upgate.facts.backends import grouped
from upgate.facts.deployments import Deployment
from upgate.facts.pods import Pod
from upgate.facts.workloads import PROGRESS, Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]


class OwnedPods:
    """The pods that a workload controls."""

    needs: tuple[str, ...] = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._by_owner = grouped(lists["pods"], lambda pod: pod.metadata.controller and pod.metadata.controller.uid)
        #: In a brief look: the workloads of which every pod was read. None: those of all were.
        self._read: list[str] | None = lists.get("read")

    def of(self, workload: Workload) -> list[Pod]:
        """Its pods."""
        return self._by_owner.get(workload.metadata.uid, [])

    def incomplete(self, workload: Workload, said: str) -> str:
        """What is missing: what its status says, and how many of the pods that its status counts do not exist."""
        return "; ".join(filter(None, [said, self.absent(workload)]))

    def absent(self, workload: Workload) -> str:
        """How many of the pods that its status counts as ready exist. Empty where all do.

        A status stays as it was when no controller writes it any more.
        """
        if self._read is not None and workload.ref not in self._read:
            return ""
        there = sum(not pod.done for pod in self.of(workload))
        # One that was scaled down a moment ago may count pods that rightly went.
        claimed = min(workload.claimed, workload.desired)
        return f"its status counts {counted(claimed, 'ready pod')}, of which {there} exist" if there < claimed else ""

    def under_way(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """What is missing is on its way. Of pods that do not exist only the lists may be too old, by moments."""
        if self.absent(workload):
            return self.moves(workload, moment, patience.start_up)
        changed = workload.just_changed(moment, patience.start_up)
        return changed or self.progresses(workload, moment, patience) or self.starting(workload, moment, patience)

    def progresses(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """Its controller is replacing its pods."""
        return self.advances(workload, moment)

    def moves(self, workload: Workload, moment: datetime, lag: timedelta) -> bool:
        """Its pods are coming or going just now, so that two lists taken one after the other may disagree."""
        return any((pod.overdue(moment) if pod.terminating else pod.age(moment)) < lag for pod in self.of(workload))

    def advances(self, workload: Workload, moment: datetime) -> bool:
        """It keeps within its bounds, and each missing pod was made, or was due to go, within the time of a step."""
        if workload.stuck or not workload.within_bounds:
            return False
        pods = [pod for pod in self.of(workload) if not pod.done]
        late = [pod for pod in pods if pod.terminating or not pod.ready.is_true]
        if late:
            return all((pod.overdue if pod.terminating else pod.age)(moment) < PROGRESS for pod in late)
        return workload.ready_as_desired and any(pod.age(moment) < PROGRESS for pod in pods)

    def starting(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """What is missing are pods that it has made and that still have time to start: it was scaled up, or a node came."""
        pods = self.of(workload)
        late = [each for each in pods if each.active and not each.counts(moment, workload.min_ready)]
        times = patience.pending, patience.start_up, workload.init_deadline
        within = all(pod.ready.is_true or pod.starting(moment, *times) for pod in late)
        # The kubelet refused them a moment ago, and others are made in their place.
        refused = [each for each in pods if each.status.phase == "Failed" and each.age(moment) < patience.start_up]
        return within and 0 < workload.unready_created <= len(late) + len(refused) and not workload.stuck


class DeploymentPods(OwnedPods):
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
            for pod in super(DeploymentPods, self).of(each)
        ]

    def progresses(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """Its controller says that it rolls out, or its old pods go first."""
        if not isinstance(workload, Deployment):
            return False
        return workload.rolling_out(moment) or self.recreating(workload, moment, patience.terminating)

    def recreating(self, deployment: Deployment, moment: datetime, slack: timedelta) -> bool:
        """With Recreate the old pods go first, which its conditions do not say.

        https://github.com/kubernetes/kubernetes/issues/115538
        """
        pods = [pod for pod in self.of(deployment) if not pod.done]
        going = bool(pods) and all(pod.terminating and pod.overdue(moment) < slack for pod in pods)
        return going and deployment.recreates and not deployment.stuck
