"""What claims for volumes wait for: classes, the pods that use them, and the nodes whose drivers attach the volumes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.base.text import duration
from upgate.facts.backends import grouped, is_coming
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.facts.storage import CSINode, PersistentVolumeClaim, StorageClass, VolumeAttachment

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
#: Labels whose value says what group of alike machines a node belongs to, of Kubernetes and of clouds.
GROUPS = (
    *("kubernetes.io/os", "eks.amazonaws.com/nodegroup", "eks.amazonaws.com/compute-type", "karpenter.sh/nodepool"),
    *("cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "type"),
)


class Claims:
    """PersistentVolumeClaims, with their classes and the pods that use them."""

    needs = ("pods", "storageclasses")

    def __init__(self, lists: Lists) -> None:
        self._classes: dict[str, StorageClass] = {each.name: each for each in lists["storageclasses"]}
        active = (pod for pod in lists["pods"] if pod.active)
        pairs = [((pod.namespace, claim), pod) for pod in active for claim in claims_of(pod)]
        self._users = grouped(pairs, lambda pair: pair[0])

    def trouble(self, claim: PersistentVolumeClaim, moment: datetime) -> str:
        """Why it has no volume, or not the size that it asks for. Empty where all is well."""
        return claim.resize_problem(moment) if claim.bound else self.unbound(claim, moment)

    def unbound(self, claim: PersistentVolumeClaim, moment: datetime) -> str:
        """Why it has no volume. Empty where none is due: its class waits for a pod with a node."""
        phase = claim.status.phase
        if phase == "Pending" and self._waits(claim):
            return ""
        if phase == "Lost":
            return f"phase Lost: its PersistentVolume {claim.spec.volume_name} does not exist"
        return f"phase {phase} for {duration(moment - self._due(claim, moment))}: {self._awaited(claim)}"

    def coming(self, claim: PersistentVolumeClaim, moment: datetime, patience: timedelta) -> bool:
        """Its volume has been due for no longer than that may take."""
        return claim.status.phase == "Pending" and moment - self._due(claim, moment) <= patience

    def _waits(self, claim: PersistentVolumeClaim) -> bool:
        """It waits for a pod on purpose; for one that waits for its node, `pods.pending` says why."""
        kind = self._classes.get(claim.spec.storage_class_name or "")
        waits = kind is not None and kind.waits_for_consumer and not claim.spec.volume_name
        return waits and not (claim.node_selected and self._pods(claim))

    def _due(self, claim: PersistentVolumeClaim, moment: datetime) -> datetime:
        """Since when it should have a volume: it is made for its first pod, or when it is written."""
        pods = self._pods(claim) if claim.node_selected else []
        waited = min((pod.age(moment) for pod in pods), default=claim.age(moment))
        return moment - min(waited, claim.age(moment))

    def _pods(self, claim: PersistentVolumeClaim) -> list[Pod]:
        return [pod for _, pod in self._users.get(claim.key, ())]

    def _awaited(self, claim: PersistentVolumeClaim) -> str:
        """What it waits for."""
        wanted, volume = claim.spec.storage_class_name, claim.spec.volume_name
        if volume:
            return f"it asks for PersistentVolume {volume}, which is not bound to it"
        if wanted is None:
            default = [each.name for each in self._classes.values() if each.is_default]
            return f"it names no StorageClass; the default one: {', '.join(default) or 'none'}"
        if not wanted:
            return "it asks for a PersistentVolume without a StorageClass"
        kind = self._classes.get(wanted)
        return f"provisioner {kind.provisioner}" if kind else f"its StorageClass {wanted} does not exist"


class VolumeNodes:
    """Nodes, the volumes attached to them, and the CSI drivers that their kubelets know."""

    needs = ("nodes", "csinodes", "volumeattachments", "pods")

    def __init__(self, lists: Lists) -> None:
        self._nodes: list[Node] = lists["nodes"]
        self._names = {node.name for node in self._nodes}
        found: list[CSINode] = lists["csinodes"]
        self._drivers = {each.name: each.drivers for each in found}
        attached: list[VolumeAttachment] = lists["volumeattachments"]
        self._attached = grouped(attached, lambda each: each.spec.node_name)
        agents = (each for each in lists["pods"] if each.active and is_agent(each))
        self._agents: dict[str, list[Pod]] = grouped(agents, lambda pod: pod.spec.node_name)
        #: By the pool label, and by group: the drivers that most nodes of it have.
        self._usual: dict[str | None, dict[tuple[str, ...], set[str]]] = {}

    def trouble(self, attachment: VolumeAttachment, moment: datetime, limit: timedelta) -> str:
        """What is wrong with an attachment. Empty where nothing is."""
        lost = "" if attachment.spec.node_name in self._names else f"{attachment.place}: the node does not exist"
        return "; ".join(filter(None, (attachment.problem(moment, limit), lost)))

    def only_lost(self, attachment: VolumeAttachment, moment: datetime, limit: timedelta) -> bool:
        """Nothing is wrong with it but that its node is gone: Kubernetes waits six minutes before it detaches by force.

        That is maxWaitForUnmountDuration of the attach-detach controller, and since when the node is gone nothing tells.
        """
        return not attachment.problem(moment, limit)

    def missing_drivers(self, node: Node, label: str | None) -> str:
        """The drivers that most nodes like this one have, or that its volumes need, and it has not. Empty where none."""
        have = self._drivers.get(node.name, set())
        held = {each.spec.attacher for each in self._attached.get(node.name, ()) if each.status.attached}
        usual = self._usual_drivers(label)[group_of(node, label)]
        said = [
            *(f"{name}, which its attached volumes need" for name in sorted(held - have)),
            *(f"{name}, which most nodes like it have" for name in sorted(usual - have - held)),
        ]
        return f"its kubelet has no CSI driver {'; '.join(said)}" if said else ""

    def registering(self, node: Node, moment: datetime, patience: Patience) -> bool:
        """It has joined recently, or one of the agents on it is just starting: drivers register when they have started."""
        agents = self._agents.get(node.name, ())
        return node.age(moment) < patience.provisioning or any(is_coming(pod, moment, patience) for pod in agents)

    def _usual_drivers(self, label: str | None) -> dict[tuple[str, ...], set[str]]:
        """The drivers that most nodes of each group have."""
        if label not in self._usual:
            groups = grouped(self._nodes, lambda each: group_of(each, label))
            self._usual[label] = {
                group: usual_drivers([self._drivers.get(each.name, set()) for each in nodes])
                for group, nodes in groups.items()
            }
        return self._usual[label]


def claims_of(pod: Pod) -> list[str]:
    """The names of the claims that its volumes are for; one that is ephemeral has one of its own."""
    return [
        each.persistent_volume_claim.claim_name if each.persistent_volume_claim else f"{pod.name}-{each.name}"
        for each in pod.spec.volumes or ()
    ]


def is_agent(pod: Pod) -> bool:
    """It is its node's part of a DaemonSet."""
    owner = pod.metadata.controller
    return owner is not None and owner.kind == "DaemonSet"


def group_of(node: Node, label: str | None) -> tuple[str, ...]:
    """What nodes have in common that run the same agents: their pool, and the taints that keep agents away."""
    pool = (node.labels.get(each, "") for each in (label, *GROUPS) if each)
    return (*pool, *sorted(each.key for each in node.spec.taints or () if each.blocks and not each.passing))


def usual_drivers(drivers: Sequence[set[str]]) -> set[str]:
    """Those that more than half of the nodes have."""
    counts = Counter(name for each in drivers for name in each)
    return {name for name, count in counts.items() if 2 * count > len(drivers)}
