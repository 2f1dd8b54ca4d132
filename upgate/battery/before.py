"""The cluster compared with its baseline: how many nodes there must be, and what served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from upgate.base.text import counted
from upgate.baseline import Baseline, pool_of
from upgate.facts.cronjobs import CronJob
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.ingresses import Ingress
from upgate.facts.nodes import Node
from upgate.facts.placement import DaemonSetPlacement
from upgate.facts.services import Service
from upgate.facts.workloads import Workload

#: Who says how many nodes there must be, where it is not the profile.
BASELINE = "the baseline"


@dataclass(frozen=True)
class Pool:
    """A number of nodes that must be there."""

    name: str
    least: int
    #: Who says so.
    source: str
    #: The label whose value is the pool's name; None for the cluster as a whole.
    label: str | None = None
    #: Nodes that an autoscaler manages are not counted.
    static: bool = False
    #: All pools of the baseline, with their nodes.
    had: Mapping[str, int] = field(default_factory=dict)

    @property
    def ref(self) -> str:
        """`NodePool/name`."""
        return f"NodePool/{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name}

    def count(self, nodes: Sequence[Node]) -> int:
        """How many nodes it has."""
        return len(self._counted(nodes)) if self.label is None else self._by_pool(nodes)[self.name]

    def replaced(self, nodes: Sequence[Node]) -> bool:
        """It is gone altogether, and new pools have at least as many nodes as all that are gone had: blue/green."""
        now = self._by_pool(nodes) if self.label else Counter()
        gone = sum(least for name, least in self.had.items() if not now[name])
        new = sum(count for name, count in now.items() if name not in self.had)
        return self.label is not None and not now[self.name] and new >= gone

    def _counted(self, nodes: Sequence[Node]) -> list[Node]:
        return [node for node in nodes if not (self.static and node.autoscaled)]

    def _by_pool(self, nodes: Sequence[Node]) -> Counter[str]:
        return Counter(pool_of(node, self.label or "") for node in self._counted(nodes))

    @property
    def compared(self) -> bool:
        """The baseline says how many there must be."""
        return self.source == BASELINE


def expected_pools(least: int, label: str | None, baseline: Baseline | None) -> list[Pool]:
    """The cluster as a whole, as the profile says; and each pool of the baseline, if that knows the same pools.

    Of those only the nodes count that no autoscaler manages; a baseline of an earlier version does not know which those are.
    """
    whole = [Pool("all", least, "expect.nodes.min")]
    if baseline is None:
        return whole
    static = baseline.scaled is not None
    had = Counter(baseline.pools)
    had.subtract(baseline.scaled or {})
    if label is None or label != baseline.pool_label:
        return [*whole, Pool("all", had.total(), BASELINE, static=static)]
    return [*whole, *(Pool(name, count, BASELINE, label, static, had) for name, count in sorted(had.items()) if count)]


@dataclass(frozen=True)
class Before:
    """What the baseline knows; without one nothing."""

    baseline: Baseline | None

    def place(self, daemonset: DaemonSet) -> str:
        """How many nodes the DaemonSet wanted. Empty where it wanted none, or nothing tells."""
        nodes = (self.baseline.daemonsets if self.baseline else {}).get(daemonset.ref, 0)
        return f"it wanted {counted(nodes, 'node')} in the baseline" if nodes else ""

    def more_places(self, daemonset: DaemonSet, placement: DaemonSetPlacement) -> str:
        """How many nodes it wanted, if it wants fewer now although the nodes are there. Else empty.

        Those that do not work just now, and those that an autoscaler managed, may be the ones that it lacks.
        """
        then = self.baseline
        if then is None or not daemonset.desired:
            return self.place(daemonset)
        away = max(0, sum(then.pools.values()) - placement.working) + sum((then.scaled or {}).values())
        return self.place(daemonset) if self._lost_places(daemonset) > away else ""

    def may_have_moved(self, daemonset: DaemonSet, placement: DaemonSetPlacement) -> bool:
        """It still wants nodes, and was changed since, or other nodes stand for those of that time."""
        if self.baseline is None or not daemonset.desired:
            return False
        gone = self.baseline.kubelets.keys() - placement.names
        changed = self.baseline.generations.get(daemonset.ref) != daemonset.metadata.generation
        return changed or self._lost_places(daemonset) <= len(gone)

    def _lost_places(self, daemonset: DaemonSet) -> int:
        return (self.baseline.daemonsets if self.baseline else {}).get(daemonset.ref, 0) - daemonset.desired

    def moved_out(self, workloads: Iterable[Workload]) -> bool:
        """One of them is a DaemonSet that wanted nodes and wants none now: those are not scaled to zero."""
        return any(isinstance(each, DaemonSet) and not each.desired and self.place(each) for each in workloads)

    def addressed(self, ingress: Ingress) -> bool:
        """The Ingress had an address."""
        return self.baseline is not None and ingress.ref in self.baseline.addressed

    def served(self, service: Service) -> bool:
        """The Service had a ready endpoint."""
        return self.baseline is not None and service.ref in self.baseline.served

    def explains_absence(self, node: Node) -> bool:
        """It was upgraded or booted since, or may have been: a node is not Ready for a while when that is done."""
        known = self.baseline is not None and node.name in self.baseline.kubelets
        return not (known and self.baseline) or self.baseline.upgraded(node) or self.baseline.rebooted(node)

    def ran(self, cronjob: CronJob) -> bool:
        """The CronJob was not suspended."""
        return self.baseline is not None and cronjob.ref in self.baseline.cronjobs

    def warned(self) -> set[str]:
        """What Warning events were about: kind and reason."""
        return self.baseline.warnings if self.baseline else set()

    def generation(self, workload: Workload) -> tuple[int, datetime | None]:
        """Which generation the workload had, and when; one that the baseline does not know was made with none."""
        known = self.baseline.generations.get(workload.ref) if self.baseline else None
        made = workload.metadata.creation_timestamp
        if known is None or self.baseline is None or (made and made > self.baseline.taken):
            return 0, made
        return known, self.baseline.taken
