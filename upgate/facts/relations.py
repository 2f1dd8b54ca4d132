"""How objects belong together: what checks ask of more than one kind.

Each relation is a small object over the lists of one snapshot; `RELATIONS` says which lists it needs, so that it is
inconclusive exactly when one of them could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.facts.backends import Backends, grouped
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.deployments import Deployment
from upgate.facts.events import Event
from upgate.facts.kinds import KINDS
from upgate.facts.meta import KubernetesObject
from upgate.facts.namespaces import Namespace
from upgate.facts.nodes import Lease, Node
from upgate.facts.pods import Pod
from upgate.facts.words import duration
from upgate.facts.workloads import Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
#: A step of progress: progressDeadlineSeconds of a Deployment that does not set it; the others have no such field.
PROGRESS = timedelta(minutes=10)
#: The annotation of kured's DaemonSet that holds its lock, in its two spellings.
KURED_LOCKS = ("weave.works/kured-node-lock", "kured.dev/kured-node-lock")


class Owners:
    """The controllers of pods."""

    needs = ("replicasets", "statefulsets", "daemonsets")

    def __init__(self, lists: Lists) -> None:
        self._by_uid: dict[str, Workload] = {each.metadata.uid: each for noun in self.needs for each in lists[noun]}

    def of(self, pod: Pod) -> Workload | None:
        """Its controller, as long as that is a workload of Kubernetes' own that exists."""
        owner = pod.metadata.controller
        return self._by_uid.get(owner.uid) if owner else None

    def whole_again(self, pod: Pod) -> bool:
        """Its controller has all the pods that it wants without this one."""
        owner = self.of(pod)
        return owner is not None and owner.whole


class Homes:
    """The nodes that pods run on."""

    needs = ("nodes",)

    def __init__(self, lists: Lists) -> None:
        self._by_name: dict[str, Node] = {node.name: node for node in lists["nodes"]}

    def of(self, pod: Pod) -> str:
        """The pod's node and how it is, in words."""
        name = pod.spec.node_name
        if not name:
            return "it was never scheduled"
        node = self._by_name.get(name)
        return f"node {name} has {node.ready.type}={node.ready.status}" if node else f"node {name} does not exist"


class Tenants:
    """The pods in namespaces that are being deleted."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._leaving = grouped((pod for pod in lists["pods"] if pod.leaving), lambda pod: pod.namespace)

    def going(self, namespace: Namespace, moment: datetime, slack: timedelta) -> bool:
        """It waits for pods that are going, and none of them is overdue: their grace period may be long."""
        pods = self._leaving.get(namespace.name, [])
        return bool(pods) and not namespace.own_fault and all(pod.overdue(moment) < slack for pod in pods)


class Heartbeats:
    """The leases that kubelets renew."""

    needs = ("leases",)

    def __init__(self, lists: Lists) -> None:
        self._by_node: dict[str, Lease] = {lease.name: lease for lease in lists["leases"]}

    def of(self, node: Node) -> Lease | None:
        """The node's lease."""
        return self._by_node.get(node.name)

    def term(self, node: Node) -> timedelta:
        """How long one renewal holds."""
        return (self.of(node) or Lease(node.metadata)).term

    def silence(self, node: Node, moment: datetime) -> timedelta:
        """Time since its lease was renewed. Virtual kubelets may have none: then its status is its heartbeat.

        https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
        """
        return (self.of(node) or node).silence(moment)

    def lately(self, node: Node, moment: datetime) -> bool:
        """It was heard of within four lease durations; what lies as far ahead is no word of now."""
        return abs(self.silence(node, moment)) <= 4 * self.term(node)

    def words(self, node: Node, moment: datetime) -> str:
        """How long its kubelet has been silent."""
        silent = self.silence(node, moment)
        when = f"{duration(silent)} ago" if silent >= timedelta(0) else f"{duration(-silent)} ahead: its clock is wrong"
        return f"lease renewed {when}" if self.of(node) else f"no lease in kube-node-lease, last heard of {when}"


class Cordons:
    """Who cordoned nodes: kured keeps its lock on its own DaemonSet, the others leave marks on the node."""

    needs = ("daemonsets",)

    def __init__(self, lists: Lists) -> None:
        annotations = [each.metadata.annotations or {} for each in lists["daemonsets"]]
        self._locks = [each[key] for each in annotations for key in KURED_LOCKS if key in each]

    def words(self, node: Node) -> str:
        """Who, and since when, as far as anything tells."""
        # With one holder the lock is an object with a nodeID, with several a list of them: the name is quoted in both.
        kured = ["kured (it holds its lock)"] if any(f'"{node.name}"' in lock for lock in self._locks) else []
        since = node.cordoned_since
        who = ", ".join([*kured, *node.cordon_marks]) or "an unknown hand"
        return f"cordoned by {who}" + (f" since {since:%Y-%m-%dT%H:%M:%SZ}" if since else "")


class Complaints:
    """Warning events, by the object that they are about."""

    needs = ("warnings",)

    def __init__(self, lists: Lists) -> None:
        self._by_object = grouped(lists["warnings"], lambda event: event.about)

    def about(self, item: KubernetesObject) -> list[Event]:
        """All of them about this very object: an earlier one of the same name had another UID."""
        alike = self._by_object.get((item.kind, item.namespace, item.name), [])
        return [each for each in alike if each.involved_object.uid in ("", item.metadata.uid)]

    def of_scheduler(self, pod: Pod) -> bool:
        """A scheduler has complained about this pod."""
        return any(each.by_scheduler(pod.spec.scheduler_name) for each in self.about(pod))

    def latest(self, item: KubernetesObject) -> str:
        """The latest one in words; empty where there is none."""
        last = max(self.about(item), key=lambda each: each.time.timestamp() if each.time else 0.0, default=None)
        return f"{last.reason}: {' '.join(last.message.split())}" if last else ""


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
        within = all(pod.ready.is_true or pod.starting(moment, patience.pending, patience.start_up) for pod in late)
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


class Ground:
    """The nodes that a DaemonSet is meant for."""

    needs = ("nodes",)

    def __init__(self, lists: Lists) -> None:
        self._nodes: list[Node] = lists["nodes"]

    def for_(self, daemonset: DaemonSet) -> bool:
        """Some node matches its node selector. What affinity rules exclude is not guessed at."""
        spec = daemonset.spec.template.spec
        wanted = (spec.node_selector or {}).items()
        return not spec.affinity and any(wanted <= node.labels.items() for node in self._nodes)


RELATIONS: dict[str, type[Any]] = {
    "owners": Owners,
    "homes": Homes,
    "tenants": Tenants,
    "heartbeats": Heartbeats,
    "cordons": Cordons,
    "complaints": Complaints,
    "crew": Crew,
    "deployment_crew": DeploymentCrew,
    "ground": Ground,
    "backends": Backends,
}


def lists_for(names: Iterable[str]) -> set[str]:
    """The lists behind these nouns and relations."""
    needs: set[str] = set()
    for name in names:
        needs.update(RELATIONS[name].needs if name in RELATIONS else {name} & KINDS.keys())
    return needs
