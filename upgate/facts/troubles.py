"""Warning events that nothing else of the battery judges: those that repeat, by reason and kind of their object.

Events are hints. During an upgrade there are hundreds of them that come to nothing: a pod found no node at first, was not
ready when it was asked, or lost its node. So an event counts only if no check judges its object by its status, its object
is still there, and it was seen several times, the last time recently. Of a pod it must have been seen after the pod had
become ready: a pod that is not well is judged by the checks of pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from upgate.base.text import counted, duration
from upgate.facts.backends import grouped
from upgate.facts.events import Event
from upgate.facts.meta import lately
from upgate.facts.pods import Pod

#: Reasons that say nothing by themselves, in every cluster or in every upgrade.
USUAL = {
    "DNSConfigForming": "a node has more name servers than a pod may have; Kubernetes takes the first three",
    "FailedToUpdateEndpoint": "two controllers wrote at once; it is tried again",
    "FailedToUpdateEndpointSlices": "the same",
    "FailedToCreateEndpoint": "the same",
    "NodeNotReady": "nodes.ready and nodes.heartbeat judge nodes",
    "Rebooted": "what an upgrade does",
    "InvalidDiskCapacity": "each start of a kubelet",
    "CgroupV1": "a notice at each start of a kubelet",
    "FailedToRetrieveImagePullSecret": "an image that needs no secret is pulled without it",
    "FailedScheduling": "a pod that is Ready has its node; pods.pending judges those that have none",
    "PolicyViolation": "audits of policy engines, not of this upgrade",
}
#: Kinds whose status other checks judge.
JUDGED = (
    *("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"),
    *(
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "PersistentVolumeClaim",
        "Namespace",
        "CertificateSigningRequest",
    ),
)
#: Conditions give whole seconds, events parts of them.
A_SECOND = timedelta(seconds=1)
#: Seen so often, the last time no longer ago than that, it goes on.
OFTEN, LATELY = 3, timedelta(minutes=15)


@dataclass(frozen=True)
class Trouble:
    """Warning events of one reason about objects of one kind."""

    kind: str
    reason: str
    events: tuple[Event, ...]

    @property
    def ref(self) -> str:
        """`Event/Kind.reason`: the events' own names are made up."""
        return f"Event/{self.kind}.{self.reason}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.reason, "kind": self.kind}

    @property
    def newest(self) -> Event:
        """The one that was seen last."""
        return max(self.events, key=lambda event: event.time.timestamp() if event.time else 0.0)

    def said(self, moment: datetime) -> str:
        """How often, about how many objects, and what the newest says."""
        times, last = sum(each.times for each in self.events), self.newest
        objects = len({each.about for each in self.events})
        when = duration(moment - last.time) if last.time else "unknown time"
        about = "/".join(filter(None, last.about))
        message = " ".join(last.message.split())
        return f"{counted(times, 'event')} about {counted(objects, 'object')}, the last {when} ago, {about}: {message}"


class Troubles:
    """What Warning events tell beside what the checks of their objects say."""

    needs = ("warnings", "pods", "nodes")

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        # Of a static pod events give its kubelet's own UID, not that of the mirror pod.
        names = {(pod.namespace, pod.name): pod for pod in lists["pods"] if pod.mirror}
        self._pods: dict[tuple[str, str], Pod] = {
            (pod.namespace, pod.metadata.uid): pod for pod in lists["pods"]
        } | names
        self._nodes = {node.name for node in lists["nodes"]}

    def among(self, events: Iterable[Event], since: datetime, moment: datetime, known: set[str]) -> list[Trouble]:
        """What repeats since then, and is not known already."""
        told = (each for each in events if each.topic not in known and self._tells(each, since, moment))
        groups = grouped(told, lambda event: (event.involved_object.kind, event.reason))
        return [Trouble(kind, reason, tuple(each)) for (kind, reason), each in groups.items() if repeats(each, moment)]

    def _tells(self, event: Event, since: datetime, moment: datetime) -> bool:
        recent = event.time is not None and event.time >= since
        usual = event.reason in USUAL or event.involved_object.kind in JUDGED
        return recent and not usual and self._concerns(event, moment)

    def _concerns(self, event: Event, moment: datetime) -> bool:
        """Its object is there; and a pod has become ready before."""
        target = event.involved_object
        if target.kind == "Node":
            return target.name in self._nodes
        if target.kind != "Pod":
            return True
        pod = self._pods.get((target.namespace, target.uid)) or self._pods.get((target.namespace, target.name))
        well = pod is not None and pod.active and pod.ready.is_true
        return bool(pod and well and event.time and event.time > moment - pod.ready_for(moment) + A_SECOND)


def repeats(events: list[Event], moment: datetime) -> bool:
    """One object had it often, and the last time was recently."""
    often: Counter[tuple[str, str, str]] = Counter()
    for each in events:
        often[each.about] += each.times
    return max(often.values()) >= OFTEN and any(lately(each.time, moment, LATELY) for each in events)
