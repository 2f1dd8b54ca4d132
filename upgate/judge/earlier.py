"""Time order: what was wrong with a pod before the trouble of its node began does not follow from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.judge.dependencies import listed
from upgate.profile.parts import Patience
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

#: The id of a check, and an object that it found.
Found = tuple[str, str]
#: A node is not Ready some time after its trouble has begun: --node-monitor-grace-period, and the clocks.
NOTICED = timedelta(minutes=2)


def before_its_node(results: Sequence[CheckResult], snapshot: Snapshot) -> set[Found]:
    """The findings on pods that tell of a time before their node was in trouble."""
    nodes = {node.name: node for node in listed(snapshot, "nodes")}
    pods = {pod.ref: pod for pod in listed(snapshot, "pods") if pod.spec.node_name in nodes}
    found = ((each.id, finding.object) for each in results if each.id in EARLIER for finding in each.active)
    return {
        (check, ref)
        for check, ref in found
        if (pod := pods.get(ref)) and EARLIER[check](pod, nodes[pod.spec.node_name])
    }


def restarted(pod: Pod, node: Node) -> bool:
    """Not all its restarts were after that, and reported: a kubelet that is not heard of reports none."""
    return not node.explains_restarts(pod.statuses)


def unready(pod: Pod, node: Node) -> bool:
    """It was not ready before."""
    return is_before(pod.ready.last_transition_time, node)


def overdue(pod: Pod, node: Node) -> bool:
    """It should have been gone before."""
    return is_before(pod.metadata.deletion_timestamp, node, Patience().terminating)


def waiting(pod: Pod, node: Node) -> bool:
    """It should have started before."""
    return is_before(pod.scheduled.last_transition_time if pod.scheduled else None, node, Patience().pending)


def is_before(moment: datetime | None, node: Node, patience: timedelta = timedelta(0)) -> bool:
    """It was so long before the node was in trouble; not, where one of the two times is not known."""
    since = None if node.ready.is_true else node.ready.last_transition_time
    return moment is not None and since is not None and since - moment > NOTICED + patience


EARLIER: Mapping[str, Callable[[Pod, Node], bool]] = {
    "pods.restarts": restarted,
    "pods.ready": unready,
    "pods.terminating": overdue,
    "pods.pending": waiting,
}
