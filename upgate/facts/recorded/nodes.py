"""Nodes, pool by pool: their names and addresses are not kept, for each replacement has others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from upgate.facts.amounts import whole_number
from upgate.facts.backends import grouped
from upgate.facts.node_images import info_of
from upgate.facts.nodes import Node
from upgate.facts.pools import likeness
from upgate.facts.recorded.states import Lists
from upgate.facts.taints import Taint

#: Of a label with more values in a pool only that it is there is kept: it names the node.
MOST_VALUES = 10


class PoolState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pool of nodes. Each map says how many of the nodes have which value."""

    nodes: int = 0
    #: Those that an autoscaler adds and removes.
    autoscaled: int = 0
    #: When the latest of them joined.
    joined: datetime | None = None
    #: Key → how many nodes have it.
    labels: dict[str, int] = {}
    #: Key → value → how many nodes; only where few values occur.
    values: dict[str, dict[str, int]] = {}
    #: Taints that stay, as `key=value:Effect`.
    taints: dict[str, int] = {}
    #: kubelet, kernel, container runtime, OS image → value → how many nodes.
    runs: dict[str, dict[str, int]] = {}
    #: Resource → amount (cpu in thousandths) → how many nodes.
    allocatable: dict[str, dict[int, int]] = {}
    capacity: dict[str, dict[int, int]] = {}


class PoolStates:
    """All pools, by the labels of clouds, else by what their nodes look like."""

    needs = ("nodes",)

    def __init__(self, lists: Lists) -> None:
        self._nodes = [each for each in lists["nodes"] if not (each.virtual or each.metadata.deletion_timestamp)]

    def by_pool(self, label: str | None) -> dict[str, PoolState]:
        """The pools by the label that the profile names, or where it names none by those of clouds."""
        pools = grouped(self._nodes, lambda node: pool_words(node, label))
        return {f"NodePool/{name}": pool_state(nodes) for name, nodes in pools.items()}


def pool_words(node: Node, label: str | None) -> str:
    """What the pool of a node is called."""
    return " ".join(filter(None, likeness(node, label))) or "(none)"


def pool_state(nodes: list[Node]) -> PoolState:
    """What is kept of the nodes of a pool."""
    return PoolState(
        nodes=len(nodes),
        autoscaled=sum(node.autoscaled for node in nodes),
        joined=max(filter(None, (node.metadata.creation_timestamp for node in nodes)), default=None),
        labels=dict(Counter(key for node in nodes for key in node.labels)),
        values=with_few_values(by_name((key, value) for node in nodes for key, value in own_labels(node))),
        taints=dict(Counter(each.spelling for node in nodes for each in node.spec.taints or () if is_permanent(each))),
        runs=by_name(pair for node in nodes for pair in software(node)),
        allocatable=amounts(node.status.allocatable or {} for node in nodes),
        capacity=amounts(node.status.capacity or {} for node in nodes),
    )


def is_permanent(taint: Taint) -> bool:
    """A person or a pool has put it there, and no controller takes it away."""
    own = taint.key.startswith(("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"))
    return not (taint.passing or taint.removes or taint.of_autoscaler or own)


def own_labels(node: Node) -> Iterator[tuple[str, str]]:
    """The labels of a node that do not name it."""
    names = {node.name, *(each.address for each in node.status.addresses or ())}
    return ((key, value) for key, value in node.labels.items() if value not in names)


def software(node: Node) -> Iterator[tuple[str, str]]:
    """What a node runs."""
    info = info_of(node)
    yield "kubelet", info.kubelet_version
    yield "kernel", info.kernel_version
    yield "container runtime", info.container_runtime_version
    yield "OS image", info.os_image


def by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """How often each value occurs, by name."""
    found: dict[str, dict[str, int]] = {}
    for (name, value), number in Counter(pairs).items():
        found.setdefault(name, {})[value] = number
    return found


def with_few_values(found: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Those with few values."""
    return {name: values for name, values in found.items() if len(values) <= MOST_VALUES}


def amounts(resources: Iterable[dict[str, str | int | float]]) -> dict[str, dict[int, int]]:
    """How many nodes have how much of each resource."""
    found: dict[str, dict[int, int]] = {}
    for (name, text), number in Counter((name, str(each)) for one in resources for name, each in one.items()).items():
        amount = whole_number(text, 1000 if name == "cpu" else 1)
        held = found.setdefault(name, {})
        held[amount] = held.get(amount, 0) + number
    return found
