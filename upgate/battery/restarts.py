"""Restarts of containers since the reference time: how many there were, and how many are fine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from upgate.base.text import counted
from upgate.baseline import Baseline
from upgate.facts.containers import STARTS, ContainerStatus
from upgate.facts.nodes import Node
from upgate.facts.outages import Outages
from upgate.facts.pods import Pod

#: The namespace of the cluster's own add-ons.
ADD_ONS = "kube-system"


@dataclass(frozen=True)
class RecentRestarts:
    """Restarts since the reference time, compared with the baseline where there is one."""

    since: datetime
    #: What the profile allows; None: the defaults.
    allowed: int | None
    baseline: Baseline | None
    now: datetime
    outages: Outages

    def allowance(self, pod: Pod, node: Node | None) -> int:
        """How often each container of the pod may have restarted since the reference time, changes in place aside."""
        fine = STARTS if self.baseline is None or self._is_new(pod) else 0
        return (fine if self.allowed is None else self.allowed) + (1 if self._excused(pod, node) else 0)

    def beyond_allowance(self, pod: Pod, node: Node | None) -> str:
        """The containers that restarted too often. Empty where none did."""
        fine = self.allowance(pod, node)
        return "; ".join(filter(None, (self._excess(pod, status, fine) for status in pod.statuses)))

    def _excess(self, pod: Pod, status: ContainerStatus, fine: int) -> str:
        count, changes = self._exactly(pod, status), pod.changed_in_place(status)
        allowed = fine + changes
        least = status.restarted_since(self.since) if count is None else count
        pace = self._pace(pod, status, allowed) if count is None else ""
        # A new pod may fail while it starts; the end of a run that lasted is a restart like any other.
        lasted = self._is_new(pod) and fine == STARTS and status.restart_count > changes and status.has_lasted
        if least <= allowed and not pace and not lasted:
            return ""
        said = f"{'at least ' if count is None else ''}{counted(least, 'restart')}"
        said += ", the last when it had long started" if lasted else ""
        life = "" if least == status.restart_count else f" ({status.restart_count} in its life)"
        return f"container {status.name}: {pace}{said}{life}"

    def _pace(self, pod: Pod, status: ContainerStatus, allowed: int) -> str:
        """Of an older pod no more than two runs are known. When both are recent, or such is its life, it is in a loop."""
        if status.restart_count <= allowed:
            return ""
        loop = status.restarted_since(self.since) > 1 and status.short_lived
        if loop or status.paced_since(self.since) > allowed or status.steady(pod.age(self.now), self.since, self.now):
            return "again and again, "
        return ""

    def _is_new(self, pod: Pod) -> bool:
        """The baseline does not know it. A static pod's mirror is made with every start of its kubelet."""
        return self.baseline is not None and not pod.mirror and pod.metadata.uid not in self.baseline.pods

    def _excused(self, pod: Pod, node: Node | None) -> bool:
        """Its node was booted; or it is a static pod or an add-on, or ended as the API server went: its lease goes with that.

        https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/
        """
        if self.baseline is None:
            return False
        own = pod.mirror or pod.namespace == ADD_ONS
        return own or self.baseline.rebooted(node) or self.outages.ended(pod)

    def _exactly(self, pod: Pod, status: ContainerStatus) -> int | None:
        """How many restarts since the reference time; None for an older pod that the baseline does not know."""
        created = pod.metadata.creation_timestamp
        if self.baseline and pod.metadata.uid in self.baseline.pods:
            return status.restart_count - self.baseline.restarts_of(pod, status)
        if not pod.mirror and (self.baseline or (created and created >= self.since)):
            return status.restart_count
        return None
