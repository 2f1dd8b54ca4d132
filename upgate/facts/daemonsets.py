"""DaemonSets."""

from __future__ import annotations

import math
from collections.abc import Iterable

from upgate.base.text import counted
from upgate.facts.meta import AnnotatedMeta
from upgate.facts.nodes import Node
from upgate.facts.taints import Taint, Toleration
from upgate.facts.workloads import Workload, WorkloadStatus

#: What the pods of DaemonSets tolerate without saying so, and those on the network of their node.
#: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
OF_DAEMONSETS = (
    *(
        Toleration(f"node.kubernetes.io/{state}", "Exists", effect="NoExecute")
        for state in ("not-ready", "unreachable")
    ),
    *(
        Toleration(f"node.kubernetes.io/{state}", "Exists", effect="NoSchedule")
        for state in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
)
OF_HOST_NETWORK = (Toleration("node.kubernetes.io/network-unavailable", "Exists", effect="NoSchedule"),)


class DaemonSetStatus(WorkloadStatus):
    """`status` of a DaemonSet."""

    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_ready: int = 0


class DaemonSet(Workload):
    """https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/

    `numberMisscheduled` is not read: a pod rightly stays on a node that was tainted NoSchedule after it had started, and
    Karpenter and the cluster-autoscaler taint a node before they replace it.
    """

    metadata: AnnotatedMeta
    status: DaemonSetStatus = DaemonSetStatus()

    @property
    def desired(self) -> int:
        """The nodes that should run its pod."""
        return self.status.desired_number_scheduled

    @property
    def claimed(self) -> int:
        """On how many nodes its status counts a ready pod."""
        return self.status.number_ready

    @property
    def own_fault(self) -> bool:
        """Its controller does not see it, or has it on no node."""
        return self.own_fault_beside(0)

    def own_fault_beside(self, stranded: int) -> bool:
        """A node that is not ready is tainted NoSchedule, which pods of DaemonSets do not tolerate: it is wanted no more.

        https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
        """
        return bool(self.unseen or not (self.desired or stranded))

    def unready(self, wanted: str) -> str:
        """What is missing until it is complete; `wanted`: why it should be on more nodes. Empty when nothing is."""
        have, want = self.status, self.desired
        said = {
            self.unseen: self.unseen,
            f"{have.number_ready} of {want} ready": have.number_ready < want,
            f"{self.outdated} of {want} not updated": self.updating,
            f"wants {counted(want, 'node') if want else 'no node'}, although {wanted}": wanted,
        }
        return "; ".join(text for text, holds in said.items() if holds)

    def fits(self, node: Node) -> bool:
        """Its node selector, affinity and name match this node, whatever its taints."""
        return self.spec.template.spec.fits(node.name, node.labels)

    def may_run_on(self, node: Node) -> bool:
        """It asks for nodes such as this one, or no taint keeps it away for good that it does not tolerate.

        Who chooses nodes by a label means these; who chooses none means those that take it.
        """
        spec = self.spec.template.spec
        lasting = [each for each in node.spec.taints or () if each.blocks and not each.passing]
        return self.fits(node) and (spec.chooses_nodes or not self.kept_away_by(lasting))

    def kept_away_by(self, taints: Iterable[Taint]) -> bool:
        """Its controller does not count nodes with these taints among those that should run its pod.

        https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/daemon/daemon_controller.go NodeShouldRunDaemonPod
        """
        spec = self.spec.template.spec
        tolerated = (*(spec.tolerations or ()), *OF_DAEMONSETS, *(OF_HOST_NETWORK if spec.host_network else ()))
        return any(each.blocks and not any(its.covers(each) for its in tolerated) for each in taints)

    @property
    def updating(self) -> bool:
        """Its controller has pods to replace by those of the latest version."""
        return self.spec.update_strategy.type != "OnDelete" and self.outdated > 0

    @property
    def outdated(self) -> int:
        """On how many nodes its pod is not of the latest version."""
        return self.desired - self.status.updated_number_scheduled

    @property
    def within_bounds(self) -> bool:
        """No more nodes are missing than a rolling update takes away at a time; of a DaemonSet percentages round up."""
        return self.missing <= max(1, self.spec.update_strategy.bounds.unavailable(self.desired, 1, math.ceil))
