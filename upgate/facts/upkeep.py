"""What is done to nodes, and whether they are heard of: cordons, drains, removals and leases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted, duration
from upgate.facts.backends import grouped
from upgate.facts.kured import KURED_HOMES, KURED_LOCKS
from upgate.facts.nodes import Lease, Node

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
#: A drain may take so long beside the time that a cordon may last, whatever time its pods ask for.
DRAIN = timedelta(hours=1)
#: A lease may be renewed while the lists are being read; what lies further off their moment comes from a wrong clock.
AHEAD = timedelta(minutes=10)


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

    def recent(self, node: Node, moment: datetime) -> bool:
        """It was heard of within four lease durations, by a clock that is not far off."""
        return -AHEAD < self.silence(node, moment) <= 4 * self.term(node) and not self._clock(node)

    def words(self, node: Node, moment: datetime) -> str:
        """How long its kubelet has been silent."""
        silent = self.silence(node, moment)
        when = f"{duration(silent)} ago" if silent >= timedelta(0) else f"{duration(-silent)} ahead: its clock is wrong"
        clock = self._clock(node)
        return f"lease renewed {when}{clock}" if self.of(node) else f"no lease in kube-node-lease, last heard of {when}"

    def _clock(self, node: Node) -> str:
        """How far its clock is off, if that is far. Empty where it is right, or nothing tells."""
        lease = self.of(node)
        off = lease.clock if lease else timedelta(0)
        side = "ahead" if off > timedelta(0) else "behind"
        return f"; its clock is {duration(abs(off))} {side}" if abs(off) >= AHEAD else ""


class Cordons:
    """Which nodes are kept from taking pods, by whom, since when, and whether somebody is still at work on them.

    kured keeps its lock on its own DaemonSet, the others leave marks on the node; a drain shows in pods that leave it.
    """

    needs = ("daemonsets", "pods")

    def __init__(self, lists: Lists) -> None:
        annotations = [each.metadata.annotations or {} for each in lists["daemonsets"] if each.namespace in KURED_HOMES]
        self._locks = [each[key] for each in annotations for key in KURED_LOCKS if key in each]
        self._terminating = grouped((pod for pod in lists["pods"] if pod.terminating), lambda pod: pod.spec.node_name)

    def over(self, node: Node, moment: datetime, patience: Patience) -> str:
        """Why it takes no pods, or does not finish being deleted, for longer than that may last. Empty where all is well."""
        said = [self._cordon(node)] if node.spec.unschedulable else []
        said += [taint.words for taint in node.lasting_taints(moment, patience.cordoned)]
        said += [self._deletion(node, moment)] if node.deleting_for(moment) > patience.cordoned else []
        leaving = self._at_work(node, moment, patience)
        return "; ".join([*said, *([f"{counted(leaving, 'pod')} still leaving"] if said and leaving else [])])

    def under_way(self, node: Node, moment: datetime, patience: Patience) -> bool:
        """It is being drained or removed: pods are still leaving it, or its cordon is young, or an autoscaler began recently."""
        if any(not taint.removes for taint in node.lasting_taints(moment, patience.cordoned)):
            return False
        since = node.cordoned_since
        young = node.spec.unschedulable and since is not None and moment - since < patience.cordoned
        return young or node.going(moment) or self._at_work(node, moment, patience) > 0

    def _at_work(self, node: Node, moment: datetime, patience: Patience) -> int:
        """How many pods are leaving it: not those that should long be gone, and none where the drain takes too long."""
        leaving = [pod.overdue(moment) for pod in self._terminating.get(node.name, ())]
        since = node.drained_since
        if since is not None and moment - since >= DRAIN + patience.cordoned:
            return 0
        return sum((-DRAIN if since is None else timedelta.min) < late < patience.terminating for late in leaving)

    def _cordon(self, node: Node) -> str:
        """Who, and since when, as far as anything tells."""
        # With one holder the lock is an object with a nodeID, with several a list of them: the name is quoted in both.
        kured = ["kured (it holds its lock)"] if any(f'"{node.name}"' in lock for lock in self._locks) else []
        since = node.cordoned_since
        who = ", ".join([*kured, *node.cordon_marks])
        return (f"cordoned by {who}" if who else "cordoned by: unknown") + (
            f" since {since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
        )

    def _deletion(self, node: Node, moment: datetime) -> str:
        """For how long it has been going, and what holds it."""
        held = ", ".join(node.metadata.finalizers or ()) or "no finalizer"
        return f"being deleted for {duration(node.deleting_for(moment))} ({held})"
