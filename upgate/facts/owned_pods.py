"""The pods that workloads control: whether what is missing is on its way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted
from upgate.facts.backends import controller_of, grouped, is_on_missing_node, names_of_nodes
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.deployments import Deployment
from upgate.facts.meta import lately
from upgate.facts.pods import Pod
from upgate.facts.promises import Autoscalers
from upgate.facts.recreations import Recreations
from upgate.facts.starting import moves, promised
from upgate.facts.statefulsets import StatefulSet
from upgate.facts.workloads import PROGRESS, ReplicaSet, Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
#: The lists of events, which tell of pods that are gone.
EVENTS = ("warnings", "notices")
#: So many failed pods of one workload within its deadline, for each that it has made since, are a loop and not a start.
LOOP = 3


class OwnedPods:
    """The pods that a workload controls."""

    needs: tuple[str, ...] = ("pods",)
    #: Without events only failed pods tell that others were there before; without nodes nothing tells which of them are gone.
    helped_by = (*EVENTS, "nodes")

    def __init__(self, lists: Lists) -> None:
        self._by_owner = grouped(lists["pods"], controller_of)
        self._lists = lists
        self._nodes = names_of_nodes(lists)
        #: In a brief look: the workloads of which every pod was read. None: those of all were.
        self._read: list[str] | None = lists.get("read")
        #: What was already answered: it is asked for each failed pod.
        self._failing: dict[tuple[str, datetime], bool] = {}

    def of(self, workload: Workload) -> list[Pod]:
        """Its pods."""
        return self._by_owner.get((workload.namespace, workload.metadata.uid), [])

    def incomplete(self, workload: Workload, said: str) -> str:
        """What is missing: what its status says, and how many of the pods that its status counts do not exist."""
        return "; ".join(filter(None, [said, self.absent(workload)]))

    def absent(self, workload: Workload) -> str:
        """How many of the pods that its status counts as ready exist, on nodes that exist. Empty where all do.

        A status stays as it was when no controller writes it any more.
        """
        if self._read is not None and workload.ref not in self._read:
            return ""
        there = [pod for pod in self.of(workload) if not pod.done]
        lost = sum(is_on_missing_node(pod, self._nodes) for pod in there)
        # One that was scaled down a moment ago may count pods that rightly went.
        claimed = min(workload.claimed, workload.desired)
        if len(there) - lost >= claimed:
            return ""
        gone = f", and {lost} of those on nodes that are gone" if lost else ""
        return f"its status counts {counted(claimed, 'ready pod')}, of which {len(there)} exist{gone}"

    def is_queued(self, workload: Workload) -> bool:
        """All that it lacks are pods that a scheduling gate holds back on purpose: Kueue admits them when there is quota.

        A queue knows no progressDeadlineSeconds.
        """
        gated = sum(bool(pod.spec.scheduling_gates) for pod in self.of(workload) if pod.active)
        return 0 < max(workload.missing, workload.unready_created) <= gated and not workload.own_fault

    def under_way(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """What is missing is on its way. Of pods that do not exist only the lists may be too old, by moments."""
        if self.never_done(workload, moment, patience.terminating):
            return False
        if self.absent(workload):
            changed = lately(workload.metadata.changed, moment, patience.start_up)
            return changed or self.moves(workload, moment, patience.start_up)
        changed = workload.just_changed(moment, patience.start_up)
        return changed or self.progresses(workload, moment, patience) or self.starting(workload, moment, patience)

    def progresses(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """Its controller is replacing its pods."""
        return self.advances(workload, moment)

    def moves(self, workload: Workload, moment: datetime, lag: timedelta) -> bool:
        """Its pods are coming or going just now, so that two lists taken one after the other may disagree."""
        return any(moves(pod, moment, lag) for pod in self.of(workload))

    def advances(self, workload: Workload, moment: datetime) -> bool:
        """It keeps within its bounds, and each missing pod was made, or was due to go, within the time of a step."""
        if workload.stuck or not workload.within_bounds:
            return False
        pods = [pod for pod in self.of(workload) if not pod.done]
        late = [pod for pod in pods if pod.terminating or not pod.ready.is_true]
        if late:
            return all((pod.overdue if pod.terminating else pod.age)(moment) < PROGRESS for pod in late)
        probation = workload.min_ready
        return workload.ready_as_desired and any(
            pod.age(moment) < PROGRESS + probation or not pod.counts(moment, probation) for pod in pods
        )

    def never_done(self, workload: Workload, moment: datetime, slack: timedelta) -> bool:
        """Its pods come and go for longer than they may."""
        return self.fails_again_and_again(workload, moment, slack) or self.overruns(workload, moment)

    def overruns(self, workload: Workload, moment: datetime) -> bool:
        """Its update takes longer than all its steps together may, since what is wanted was last written.

        A pod that has been late for longer than a step says itself what it waits for.
        """
        changed = workload.metadata.changed
        if not workload.updating or changed is None:
            return False
        step = workload.step + max(map(promised, self.of(workload)), default=timedelta(0))
        young = all(pod.age(moment) <= step for pod in self.of(workload) if pod.active and not pod.ready.is_true)
        return young and (moment - changed) // step >= workload.steps

    def starting(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """What is missing are pods that it has made and that still have time to start: it was scaled up, or a node came.

        What the kubelet refused a moment ago counts too: others are made in its place.
        """
        refused = [
            each for each in self.of(workload) if each.status.phase == "Failed" and each.age(moment) < patience.start_up
        ]
        return self._has_made(workload, moment, patience, len(refused))

    def replacing(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """Pods that still have time to start are there for all that is missing."""
        return self._has_made(workload, moment, patience, 0)

    def fails_again_and_again(self, workload: Workload, moment: datetime, slack: timedelta) -> bool:
        """Its pods fail or are replaced before they are ready, for longer or more often than a start may need."""
        limit, key = workload.init_deadline or PROGRESS, (workload.ref, moment)
        if key not in self._failing:
            lacked = self._lacked_before(workload, moment, slack)
            self._failing[key] = (
                lacked > limit or self._loops(workload, moment, limit) or self._recreated(workload, moment)
            )
        return self._failing[key]

    def lacking_since(self, workload: Workload) -> datetime | None:
        """Since when it has too few available pods, as far as its status tells: StatefulSets and DaemonSets do not."""
        return workload.unavailable_since

    def _has_made(self, workload: Workload, moment: datetime, patience: Patience, refused: int) -> bool:
        late = [each for each in self.of(workload) if each.active and not each.counts(moment, workload.min_ready)]
        times = patience.pending, patience.start_up, workload.init_deadline
        within = all(
            pod.ready.is_true or pod.starting(moment, *times) or self._gets_a_node(pod, moment, patience.pending)
            for pod in late
        )
        return within and 0 < workload.unready_created <= len(late) + refused and not workload.stuck

    def _gets_a_node(self, pod: Pod, moment: datetime, pending: timedelta) -> bool:
        """An autoscaler makes a node for it, or it has just got one."""
        return self._autoscalers.make_a_node_for(pod, moment) or pod.just_scheduled(moment, pending)

    @cached_property
    def _autoscalers(self) -> Autoscalers:
        return Autoscalers({"notices": self._lists.get("notices", [])})

    def _loops(self, workload: Workload, moment: datetime, limit: timedelta) -> bool:
        """Several of its pods failed in that time, for each that it has made in that time and that is there."""
        pods = self.of(workload)
        failed = sum(each.status.phase == "Failed" and each.failed_within(limit, moment) for each in pods)
        made = sum(each.active and each.age(moment) <= limit for each in pods)
        return failed >= LOOP * max(1, made)

    def _recreated(self, workload: Workload, moment: datetime) -> bool:
        """In the place of one of its pods that does not count yet there were several others within the last hour."""
        earlier = self._recreations.of_name if isinstance(workload, StatefulSet) else self._recreations.of_node
        if not isinstance(workload, StatefulSet | DaemonSet):
            return False
        late = (each for each in self.of(workload) if not (each.active and each.counts(moment, workload.min_ready)))
        return any(earlier(each, workload.metadata.changed, moment) >= LOOP for each in late)

    @cached_property
    def _recreations(self) -> Recreations:
        events = (each for noun in EVENTS for each in self._lists.get(noun, ()))
        return Recreations(self._lists["pods"], events)

    def _lacked_before(self, workload: Workload, moment: datetime, slack: timedelta) -> timedelta:
        """How long it had lacked pods when the oldest of those that are not ready was made: earlier ones came to nothing."""
        since = self.lacking_since(workload)
        if since is None or not workload.desired:
            return timedelta(0)
        late = [each for each in self.of(workload) if not each.done and each.overdue(moment) < slack]
        ages = [each.age(moment) for each in late if each.terminating or not each.counts(moment, workload.min_ready)]
        return moment - since - max(ages, default=timedelta(0))


class DeploymentPods(OwnedPods):
    """The pods that Deployments control, through their ReplicaSets."""

    needs: tuple[str, ...] = ("pods", "replicasets")

    def __init__(self, lists: Lists) -> None:
        super().__init__(lists)
        self._replicasets = grouped(lists["replicasets"], controller_of)

    def of(self, workload: Workload) -> list[Pod]:
        """The pods of all its ReplicaSets; of another workload its own."""
        if not isinstance(workload, Deployment):
            return super().of(workload)
        return [pod for each in self._versions(workload) for pod in super(DeploymentPods, self).of(each)]

    def lacking_since(self, workload: Workload) -> datetime | None:
        """A new version starts from the beginning: since then, if that was later."""
        since = super().lacking_since(workload)
        made = (each.metadata.creation_timestamp for each in self._versions(workload))
        return since and max([since, *filter(None, made)])

    def _versions(self, workload: Workload) -> list[ReplicaSet]:
        return self._replicasets.get((workload.namespace, workload.metadata.uid), [])

    def progresses(self, workload: Workload, moment: datetime, patience: Patience) -> bool:
        """Its controller says that it rolls out, or its old pods go first."""
        if not isinstance(workload, Deployment):
            return False
        rolls = self.steps_on(workload, moment) if workload.has_no_deadline else workload.rolling_out(moment)
        return rolls or self.recreating(workload, moment, patience.terminating)

    def steps_on(self, deployment: Deployment, moment: datetime) -> bool:
        """Without a deadline its conditions do not say that it rolls out: each step, and all of them, have their time."""
        changed = deployment.metadata.changed
        in_time = changed is None or moment - changed <= PROGRESS * max(1, deployment.desired)
        return in_time and self.advances(deployment, moment)

    def recreating(self, deployment: Deployment, moment: datetime, slack: timedelta) -> bool:
        """With Recreate the old pods go first, which its conditions do not say.

        https://github.com/kubernetes/kubernetes/issues/115538
        """
        pods = [pod for pod in self.of(deployment) if not pod.done]
        going = bool(pods) and all(pod.terminating and pod.overdue(moment) < slack for pod in pods)
        return going and deployment.recreates and not deployment.stuck
