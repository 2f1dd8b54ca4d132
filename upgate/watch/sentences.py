"""What the cluster did that explains an outage, where it can be concluded: never a guess. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from upgate.watch.record import API_SERVER_NAME
from upgate.watch.services import ServiceAway, services_away
from upgate.watch.servicestory import LAST_NODES, LAST_PODS
from upgate.watch.timeline import MeasuredSeries, Outage, Timeline, TimelineEvent, TimelineTarget

#: So long before an outage something may have happened that explains it: a node is Unknown 40 s or more after it was cut off,
#: so what happens to nodes may also be seen late.
BEFORE, AFTER = timedelta(seconds=15), timedelta(seconds=60)
#: A drain that was under way so long ago still explains that an endpoint went.
DRAINED = timedelta(minutes=30)
#: What happened to a node, and how it is said; the first that fits is told.
NODE_CAUSES = {
    "was deleted": "was deleted",
    "rebooted": "rebooted",
    "not Ready": "was not Ready",
    "kubelet started": "had its kubelet restarted",
    "kube-proxy started": "had its kube-proxy restarted",
}


def with_sentences(timeline: Timeline) -> Timeline:
    """The timeline, with what explains each outage, and a sentence for each that is explained."""
    explained = Explained(timeline)
    targets = [explained.target(each) for each in timeline.targets]
    return replace(timeline, targets=targets, sentences=list(sentences_of(targets)))


def sentences_of(targets: Sequence[TimelineTarget]) -> Iterator[str]:
    """One for each outage that is explained; of kept connections only where new ones had none then."""
    for target in targets:
        for outage in target.outages:
            if outage.because:
                yield f"{target.name} was away for {outage.seconds:.1f} s {outage.because}."
        for outage in target.kept.outages if target.kept else ():
            if outage.because and not any(overlaps_time(outage, each) for each in target.outages):
                yield f"{target.name} was away for {outage.seconds:.1f} s over kept connections {outage.because}."


def overlaps_time(one: Outage, other: Outage) -> bool:
    """They have time in common."""
    return one.start < other.end and other.start < one.end


class Explained:
    """Looks for what explains outages in the events of a timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self._events = timeline.events
        self._away = list(services_away(timeline))
        self._ended = timeline.end

    def target(self, target: TimelineTarget) -> TimelineTarget:
        """The target with its outages explained."""
        kept = target.kept and self._series(target.kept, target)
        own = self._series(target, target)
        return replace(target, outages=own.outages, kept=kept)

    def _series(self, series: MeasuredSeries, target: TimelineTarget) -> MeasuredSeries:
        return replace(series, outages=[replace(each, because=self._because(each, target)) for each in series.outages])

    def _because(self, outage: Outage, target: TimelineTarget) -> str:
        if target.name == API_SERVER_NAME:
            return ""
        if target.service:
            return self._without_endpoints(outage, f"Service/{target.service}") or self._on_bad_node(outage, target)
        return ""

    def _without_endpoints(self, outage: Outage, service: str) -> str:
        """Its Service had no ready endpoint, and why."""
        found = [each for each in self._away if each.ref == service and meets(outage, each)]
        if not found:
            return ""
        away = found[0]
        event = next(each for each in self._events if each.object == service and each.at == away.start)
        nodes = [each for each in event.details.get(LAST_NODES, "").split(", ") if each]
        only = (
            "its only ready endpoint was there" if len(endpoints(event)) == 1 else "all its ready endpoints were there"
        )
        if len(nodes) == 1 and (cause := self._node_cause(nodes[0], away.start)):
            return f"when {nodes[0]} {cause}; {only}"
        if away.excused:
            return f"because its Service had no ready endpoint: {away.excused}"
        where = f"; the last one was on {nodes[0]}" if len(nodes) == 1 else ""
        return f"because its Service had no ready endpoint for {away.seconds:.1f} s{where}"

    def _node_cause(self, node: str, moment: datetime) -> str:
        """What happened to a node just before, or is seen soon after."""
        own = [each for each in self._events if each.object == f"Node/{node}"]
        if is_draining(own, moment):
            return "was drained"
        near = [each for each in own if moment - BEFORE <= each.at <= moment + AFTER]
        told = (words for begins, words in NODE_CAUSES.items() if any(each.what.startswith(begins) for each in near))
        return next(told, "")

    def _on_bad_node(self, outage: Outage, target: TimelineTarget) -> str:
        """A node was not Ready, rebooted or gone at the time, or its kube-proxy restarted: the only one with such an event."""
        near = [each for each in self._events if outage.start - BEFORE <= each.at <= outage.end + AFTER]
        found = [(words, each.object) for begins, words in NODE_CAUSES.items() for each in near if tells(each, begins)]
        if len({node for _, node in found}) != 1:
            return ""
        words, node = found[0]
        return f"while {node.removeprefix('Node/')} {words}"


def tells(event: TimelineEvent, begins: str) -> bool:
    """The event says this of a node."""
    return event.object.startswith("Node/") and event.what.startswith(begins)


def meets(outage: Outage, away: ServiceAway) -> bool:
    """The outage has time in common with the Service's, a few seconds apart: watches and proxies are late."""
    late = timedelta(seconds=3)
    return outage.start <= away.end + late and away.start <= outage.end + late


def endpoints(event: TimelineEvent) -> list[str]:
    """The pods of the last ready endpoints."""
    return [each for each in event.details.get(LAST_PODS, "").split(", ") if each]


def is_draining(events: Sequence[TimelineEvent], moment: datetime) -> bool:
    """The node was cordoned then, and pods were leaving it; watches are seconds apart."""
    late = timedelta(seconds=3)
    cordons = [each for each in events if each.what in ("cordoned", "uncordoned") and each.at <= moment]
    begun = any(each.what == "cordoned" and moment <= each.at <= moment + late for each in events)
    cordoned = begun or (bool(cordons) and cordons[-1].what == "cordoned")
    drains = (each.at for each in events if each.what == "drain began")
    return cordoned and any(-late <= moment - at <= DRAINED for at in drains)
