"""Warning events: what the cluster's own components complained about."""

from __future__ import annotations

from datetime import datetime

from upgate.facts.meta import Fact, KubernetesObject, Time

#: What the cluster-autoscaler calls itself.
AUTOSCALER = "cluster-autoscaler"


class ObjectReference(Fact):
    """What an event is about."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class EventSource(Fact):
    """Who reported an event, as older clients write it."""

    component: str = ""
    #: The node, where a kubelet did.
    host: str = ""


class Event(KubernetesObject):
    """https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ in its core/v1 form."""

    involved_object: ObjectReference = ObjectReference()
    type: str = ""
    reason: str = ""
    message: str = ""
    reporting_component: str = ""
    source: EventSource = EventSource()
    count: int | None = None
    last_timestamp: Time | None = None
    event_time: Time | None = None

    @property
    def time(self) -> datetime | None:
        """When it was last seen. Reporters that use events.k8s.io, such as the scheduler, give no lastTimestamp."""
        return self.last_timestamp or self.event_time or self.metadata.creation_timestamp

    @property
    def by_autoscaler(self) -> bool:
        """The cluster-autoscaler reported it."""
        return AUTOSCALER in (self.reporting_component, self.source.component)

    def by_scheduler(self, name: str) -> bool:
        """It is a scheduler's verdict (FailedScheduling), or any word of the scheduler of that name."""
        return "Schedul" in self.reason or bool(name and self.reporting_component == name)

    @property
    def about(self) -> tuple[str, str, str]:
        """Kind, namespace and name of the object that it is about."""
        return self.involved_object.kind, self.involved_object.namespace, self.involved_object.name
