"""Pods that are gone and were made again: their controllers delete failed ones, and only events still speak of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from upgate.facts.events import Event
from upgate.facts.meta import lately
from upgate.facts.pods import Pod

#: How long the API server keeps events: --event-ttl.
EVENTS_KEPT = timedelta(hours=1)
#: Namespace, and what tells the place: the pod's own name, or what its name begins with and its node.
Place = tuple[str, ...]


class Recreations:
    """The pods that events of the last hour are about, and that do not exist any more."""

    def __init__(self, pods: Iterable[Pod], events: Iterable[Event]) -> None:
        there = {pod.metadata.uid for pod in pods}
        self._by_place: defaultdict[Place, list[Event]] = defaultdict(list)
        for each in events:
            about = each.involved_object
            if about.kind == "Pod" and about.uid and about.uid not in there:
                self._by_place[each.namespace, about.name].append(each)
                self._by_place[each.namespace, about.name[:-5], each.source.host].append(each)

    def of_name(self, pod: Pod, since: datetime | None, moment: datetime) -> int:
        """How many earlier pods had its name: those of a StatefulSet keep theirs."""
        return self._count((pod.namespace, pod.name), since, moment)

    def of_node(self, pod: Pod, since: datetime | None, moment: datetime) -> int:
        """How many earlier pods were on its node, their names alike but for five random characters: those of a DaemonSet."""
        node = pod.spec.node_name
        return self._count((pod.namespace, pod.name[:-5], node), since, moment) if node else 0

    def _count(self, place: Place, since: datetime | None, moment: datetime) -> int:
        """Each counts once, and those of before a change of the workload not at all: an update recreates each pod."""
        said = (each for each in self._by_place.get(place, ()) if lately(each.time, moment, EVENTS_KEPT))
        return len({each.involved_object.uid for each in said if not since or not each.time or each.time >= since})
