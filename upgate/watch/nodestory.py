"""What happens to nodes: cordoned, drained, not Ready, rebooted, upgraded, back, deleted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from upgate.watch.record import Happening
from upgate.watch.seen import SeenEvent, SeenNode, SeenPod
from upgate.watch.services import PODS

#: Reasons of events that tell more than the node's own state, and what they say.
REASONS = {
    "Rebooted": "rebooted",
    "SystemOOM": "ran out of memory",
    "ImageGCFailed": "could not clean up images",
    "EvictionThresholdMet": "evicts pods because resources are short",
    "NodeShutdown": "shuts down",
}
#: Components whose start is an event of their node.
STARTING = ("kubelet", "kube-proxy")
#: Pods that an event names.
NAMED_PODS = 5


@dataclass
class NodeStory:
    """All nodes, and the pods that are bound to each."""

    nodes: dict[str, SeenNode] = field(default_factory=dict)
    #: Node → the pods that a drain would move.
    bound: dict[str, set[str]] = field(default_factory=dict)
    _draining: set[str] = field(default_factory=set)

    def seen(self, node: SeenNode, at: float) -> Iterator[Happening]:
        """A node is new, or has changed."""
        name = node.metadata.name
        before, self.nodes[name] = self.nodes.get(name), node
        for what in changes_of(before, node) if before else ["joined"]:
            yield self.event(name, at, what)

    def gone(self, name: str, at: float) -> Iterator[Happening]:
        """A node was deleted."""
        self.nodes.pop(name, None)
        self._draining.discard(name)
        left = sorted(self.bound.get(name, ()))
        if not left:
            yield self.event(name, at, "was deleted")
            return
        named = ", ".join(left[:NAMED_PODS]) + (f" and {len(left) - NAMED_PODS} more" if len(left) > NAMED_PODS else "")
        what = f"was deleted while {len(left)} pod{'s' if len(left) > 1 else ''} ran there: {named}"
        yield self.event(name, at, what, {PODS: named})

    def pod_seen(self, before: SeenPod | None, pod: SeenPod | None, at: float) -> Iterator[Happening]:
        """A pod is new, has changed, or (None) is gone."""
        for each in filter(None, (before, pod)):
            here = self.bound.setdefault(each.spec.node_name, set()) if each.spec.node_name else set()
            (here.add if each is pod and each.at_work else here.discard)(each.key)
        node = before.spec.node_name if before and before.at_work else ""
        if node and not (pod and pod.at_work):
            yield from self._drained(node, at)

    def _drained(self, name: str, at: float) -> Iterator[Happening]:
        """A pod has left a node; from a cordoned one, because that is drained."""
        node = self.nodes.get(name)
        if node is None or not node.spec.unschedulable:
            return
        if name not in self._draining:
            self._draining.add(name)
            yield self.event(name, at, "drain began")
        if not self.bound.get(name):
            self._draining.discard(name)
            yield self.event(name, at, "drained")

    def told(self, event: SeenEvent, at: float) -> Iterator[Happening]:
        """An event about a node."""
        component = event.reporting_component or event.source.component
        if event.reason == "Starting" and component in STARTING:
            yield self.event(event.involved_object.name, at, f"{component} started")
        elif event.reason in REASONS:
            yield self.event(event.involved_object.name, at, REASONS[event.reason])

    def event(self, name: str, at: float, what: str, details: dict[str, str] | None = None) -> Happening:
        """Something that happened to a node."""
        return Happening(at=at, object=f"Node/{name}", what=what, details=details or {})

    def state(self, name: str) -> str:
        """What is special about a node at this moment; empty where nothing is."""
        node = self.nodes.get(name)
        if node is None:
            return "is gone"
        if node.ready != "True":
            return "is not Ready"
        return "is cordoned" if node.spec.unschedulable else ""


def changes_of(before: SeenNode, node: SeenNode) -> Iterator[str]:
    """What has changed, in words."""
    if before.metadata.uid != node.metadata.uid:
        yield "was replaced"
    if before.spec.unschedulable != node.spec.unschedulable:
        yield "cordoned" if node.spec.unschedulable else "uncordoned"
    if before.ready != node.ready:
        yield "Ready again" if node.ready == "True" else f"not Ready (Ready={node.ready})"
    if before.metadata.deletion_timestamp is None and node.metadata.deletion_timestamp is not None:
        yield "is being deleted"
    old, new = before.status.node_info, node.status.node_info
    if old.boot_id and new.boot_id and old.boot_id != new.boot_id:
        yield "rebooted"
    for name in ("kubelet_version", "os_image", "kernel_version", "container_runtime_version"):
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield f"{name.replace('_', ' ')} {was or 'unknown'} → {now}"
