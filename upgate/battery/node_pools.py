"""Nodes that are meant to be alike, and where they are not: in what they run, and in their taints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from upgate.base.text import counted
from upgate.base.versions import version_parts
from upgate.baseline import Baseline
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.backends import grouped
from upgate.facts.node_images import parts_of
from upgate.facts.nodes import Node
from upgate.facts.pools import likeness, pool_name

#: So many nodes, and so many different values, are told by name.
FEW = 3


@dataclass(frozen=True)
class NodePool:
    """Nodes that are meant to be alike."""

    name: str
    nodes: Sequence[Node]
    image_label: str | None = None

    @property
    def ref(self) -> str:
        """The node that differs from the others; where several do, `NodePool/name`."""
        odd = self.odd
        return odd[0].ref if len(odd) == 1 else f"NodePool/{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name}

    @property
    def mixtures(self) -> str:
        """What its nodes have in different versions, and which ones. Empty where all are alike."""
        said = (self._said(part, values) for part, values in self._values().items() if len(values) > 1)
        return "; ".join(said)

    @property
    def odd(self) -> list[Node]:
        """The nodes that are not as most are; of two halves the one with the earlier version."""
        usual = {
            part: max(values, key=lambda each: (values[each], version_parts(each)))
            for part, values in self._values().items()
        }
        return [each for each in self.nodes if self._differs(each, usual)]

    def _differs(self, node: Node, usual: Mapping[str, str]) -> bool:
        parts = self._parts(node)
        return any(parts.get(part, value) != value for part, value in usual.items())

    def under_way(self, moment: datetime) -> bool:
        """One of its nodes is being drained or replaced: the others follow."""
        return any(each.spec.unschedulable or each.going(moment) or each.joining(moment) for each in self.nodes)

    def _parts(self, node: Node) -> dict[str, str]:
        return {part: value for part, value in parts_of(node, self.image_label).items() if value}

    def _values(self) -> dict[str, Counter[str]]:
        """How many nodes have each value; what a node does not report does not count as another value."""
        values: dict[str, Counter[str]] = {}
        for node in self.nodes:
            for part, value in self._parts(node).items():
                values.setdefault(part, Counter())[value] += 1
        return values

    def _said(self, part: str, values: Counter[str]) -> str:
        told = [self._who(part, value, count) for value, count in values.most_common(FEW)]
        more = [f"{len(values) - FEW} more"] if len(values) > FEW else []
        return f"{part} {', '.join([*told, *more])}"

    def _who(self, part: str, value: str, count: int) -> str:
        names = [each.name for each in self.nodes if self._parts(each).get(part) == value]
        return f"{value} on {', '.join(names) if count <= FEW else counted(count, 'node')}"


class NodePools:
    """The pools that nodes belong to: by the label of the profile, or else by what they look like."""

    def __init__(self, label: str | None, image_label: str | None, judgement: Judgement) -> None:
        self._label, self._image_label, self._judgement = label, image_label, judgement

    def of(self, nodes: Iterable[Node]) -> Subjects[NodePool]:
        """The pools of these nodes, to be judged instead of them."""
        pools = [self._pool(members) for members in self._alike(nodes)]
        return Subjects("node pools", pools, self._judgement, counted=True)

    def _alike(self, nodes: Iterable[Node]) -> Iterator[list[Node]]:
        staying = (each for each in nodes if not each.metadata.deletion_timestamp)
        yield from grouped(staying, lambda each: likeness(each, self._label)).values()

    def _pool(self, nodes: list[Node]) -> NodePool:
        name = "/".join(filter(None, likeness(nodes[0], self._label)))
        return NodePool(name or "all", nodes, self._image_label)


class KnownTaints:
    """The taints that nodes may have: those that the profile names, and those of the baseline."""

    def __init__(self, patterns: Sequence[str] | None, label: str | None, baseline: Baseline | None) -> None:
        self._patterns, self._label = patterns or (), label
        self._before = baseline.taints if baseline else None
        self._pools: dict[tuple[str, ...], set[str]] = {}

    @property
    def words(self) -> str:
        """What taints may be."""
        if self._before is not None:
            return "only taints that expect.nodes.taints or the baseline knows"
        return "only taints of expect.nodes.taints" if self._patterns else "the taints of the other nodes of its pool"

    def beside(self, nodes: Sequence[Node]) -> KnownTaints:
        """The same, with what each pool of these nodes may have."""
        pools = grouped(nodes, lambda each: likeness(each, self._label))
        self._pools = {like: self._known(members) for like, members in pools.items()}
        return self

    def strange(self, node: Node) -> str:
        """Its taints that nothing explains. Empty where there are none."""
        known = self._pools[likeness(node, self._label)]
        taints = [each for each in node.spec.taints or () if not each.well_known and each.spelling not in known]
        return ", ".join(f"taint {each.spelling}" for each in taints if not each.is_among(self._patterns))

    def _known(self, pool: Sequence[Node]) -> set[str]:
        """What the baseline knows of its nodes; without one and without patterns, what most of them have."""
        if self._before is not None:
            names = {each.name for each in pool} & self._before.keys()
            return set().union(*(self._before[name] for name in names or self._before))
        return set() if self._patterns else own_taints(pool, 1 if pool_name(pool[0], self._label) else len(pool))


def own_taints(pool: Sequence[Node], weight: int) -> set[str]:
    """The taints that half of the nodes have: those are the pool's own. The weight is what one node counts."""
    counts = Counter(each.spelling for node in pool for each in node.spec.taints or ())
    return {taint for taint, count in counts.items() if 2 * weight * count >= len(pool)}
