"""Room for the pods of a node that is lost or drained: whether their requests fit on the others.

Whole cluster, and coarse: node selectors, affinities and volumes bind pods to some nodes more tightly than is asked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from upgate.base.text import counted
from upgate.facts.amounts import Load, amounts_of, load_of
from upgate.facts.backends import grouped
from upgate.facts.containers import Container
from upgate.facts.nodes import Node, NodeCondition
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]
#: What the cluster as a whole is called in reports.
WHOLE = "NodePool/all"
#: Of so many nodes, those with the most to move, the loss is tried.
MOST = 20


class Headroom:
    """What the nodes that take pods have, and what of it is taken."""

    needs = ("nodes", "pods")

    def __init__(self, lists: Lists) -> None:
        self._nodes: list[Node] = lists["nodes"]
        self._pods: list[Pod] = lists["pods"]
        #: What pods with the very same containers request is worked out once.
        self._known: dict[tuple[int, ...], Load] = {}

    @property
    def ref(self) -> str:
        """It is asked of the cluster as a whole."""
        return WHOLE

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint: the node whose loss is the worst."""
        return {"name": self._worst[0]}

    @property
    def lacks(self) -> str:
        """Which pods would have no room after the loss of that node whose loss leaves the most without. Empty where all have."""
        worst, left = self._worst
        if not left:
            return ""
        others, moving = counted(len(self._open) - 1, "other node"), counted(len(self._moving(worst)), "pod")
        verb = "has" if len(left) == 1 else "have"
        return (
            f"if node {worst} is lost, {len(left)} of the {moving} that would move {verb} no room on the {others}; "
            f"requested: {total(left).words}"
        )

    def missed(self) -> list[Node]:
        """The nodes that take no pods just now, if there is room for all when they do."""
        out = [each for each in self._nodes if not takes_pods(each)]
        back = Headroom({"nodes": [as_usual(each) for each in self._nodes], "pods": self._pods})
        return out if out and not back.lacks else []

    @cached_property
    def _open(self) -> list[Node]:
        """The nodes that pods without tolerations may go to; where all are tainted, those that most have in common."""
        taking = [each for each in self._nodes if takes_pods(each)]
        alike = grouped(
            taking, lambda each: frozenset(taint.spelling for taint in each.spec.taints or () if taint.blocks)
        )
        return alike.get(frozenset()) or max(alike.values(), key=len, default=[])

    @cached_property
    def _room(self) -> dict[str, Load]:
        """What is left on each of them. Raises ValueError where a node does not say what it has."""
        return {each.name: self._left_on(each) for each in self._open}

    @cached_property
    def _worst(self) -> tuple[str, list[Load]]:
        """The node whose loss leaves the most without room, and the requests of those pods. A single node has no others."""
        if len(self._nodes) == 1:
            return "", []
        room, whole = self._room, total(self._room.values())
        moving = {name: self._moving(name) for name in room}
        largest = sorted(moving, key=lambda name: (-total(moving[name]).share_of(whole), name))[:MOST]
        left = {name: without_room(moving[name], [room[each] for each in room if each != name]) for name in largest}
        return max(left.items(), key=lambda each: total(each[1]).share_of(whole), default=("", []))

    @cached_property
    def _loads(self) -> dict[str, list[tuple[Load, bool]]]:
        """What the pods of each node request, and whether they would be made again elsewhere."""
        loads: dict[str, list[tuple[Load, bool]]] = defaultdict(list)
        for pod in self._pods:
            if stays(pod):
                loads[pod.spec.node_name].append((self._requests(pod), moves_elsewhere(pod)))
        return loads

    def _left_on(self, node: Node) -> Load:
        if node.status.allocatable is None:
            raise ValueError("status.allocatable is missing")
        return load_of(amounts_of(node.status.allocatable)).minus(
            total(load for load, _ in self._loads.get(node.name, ()))
        )

    def _moving(self, name: str) -> list[Load]:
        return [load for load, moving in self._loads.get(name, ()) if moving]

    def _requests(self, pod: Pod) -> Load:
        spec = pod.spec
        key = (id(spec.containers), id(spec.init_containers), id(spec.overhead), id(spec.resources))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = requests_of(pod)
        return found


def takes_pods(node: Node) -> bool:
    """It is Ready, and not cordoned."""
    return node.ready.is_true and not node.spec.unschedulable


def as_usual(node: Node) -> Node:
    """The node as it is when it is Ready, not cordoned, and without taints that pass."""
    taints = [each for each in node.spec.taints or () if not each.passing]
    spec = replace(node.spec, unschedulable=False, taints=taints)
    return replace(node, spec=spec, status=replace(node.status, conditions=[NodeCondition("Ready", "True")]))


def stays(pod: Pod) -> bool:
    """It takes room: it has a node, is there to stay, and does not make room for any other (a negative priority)."""
    return bool(pod.spec.node_name) and pod.active and pod.spec.priority >= 0


def moves_elsewhere(pod: Pod) -> bool:
    """Its controller makes it again on another node: not those of DaemonSets, static pods, and what is bound to its node."""
    owner = pod.metadata.controller
    bound = pod.spec.node_selector is not None and bool(pod.spec.node_selector.hostname)
    return owner is not None and owner.kind not in ("DaemonSet", "Node") and not bound


def requests_of(pod: Pod) -> Load:
    """What the scheduler keeps for it: its containers and sidecars, or more while it starts, and its overhead.

    https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    sidecars, starting = Load(), Load()
    for each in pod.spec.init_containers or ():
        if each.restart_policy == "Always":
            sidecars = sidecars.plus(requested(each))
            starting = starting.most(sidecars)
        else:
            starting = starting.most(sidecars.plus(requested(each)))
    running = total(map(requested, pod.spec.containers or ())).plus(sidecars)
    of_pod = load_of(pod.spec.resources.requests if pod.spec.resources else None)
    # What is requested for the pod as a whole stands for its containers: KEP-2837.
    needed = Load(*(given or found for given, found in zip(of_pod, running.most(starting), strict=True)))
    return needed.plus(load_of(pod.spec.overhead)).plus(Load(pods=1))


def requested(container: Container) -> Load:
    """What one container requests."""
    return load_of(container.resources.requests if container.resources else None)


def total(loads: Iterable[Load]) -> Load:
    """All of them together."""
    columns = tuple(zip(*loads, strict=True))
    return Load(*map(sum, columns)) if columns else Load()


def without_room(moving: Sequence[Load], rooms: Sequence[Load]) -> list[Load]:
    """The requests for which there is no room, the largest placed first: on the emptiest nodes; then on the fullest."""
    whole = total(rooms)
    largest = sorted(moving, key=lambda each: -each.share_of(whole))
    emptiest = sorted(rooms, key=lambda each: -each.share_of(whole))
    left = unplaced(largest, emptiest)
    return min(left, unplaced(largest, emptiest[::-1]), key=len) if left else []


def unplaced(moving: Sequence[Load], rooms: Sequence[Load]) -> list[Load]:
    """What finds no place where each goes to the first node with room for it. Equal requests go on where the last one was."""
    free, left, begin = list(rooms), [], defaultdict[Load, int](int)
    for each in moving:
        place = next((index for index in range(begin[each], len(free)) if each.fits(free[index])), None)
        if place is None:
            left.append(each)
            begin[each] = len(free)
        else:
            free[place] = free[place].minus(each)
            begin[each] = place
    return left
