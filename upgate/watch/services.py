"""What the record says of Services and nodes: which had no ready endpoint, and for how long; which went with pods. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from upgate.watch.timeline import Timeline, TimelineEvent

#: Keys of an event's details: how many endpoints a Service has ready (`gone`: the Service is), why it may have none, and the
#: pods that were bound to a node that was deleted; and of the event of the watch, how many it saw.
ENDPOINTS, EXCUSED, PODS = "endpoints", "excused", "pods"
SEEN_SERVICES, SEEN_NODES = "services", "nodes"
GONE = "gone"


class ServiceAway(NamedTuple):
    """A Service that had a ready endpoint, and then none."""

    ref: str
    start: datetime
    end: datetime
    #: It had none at the end of the record.
    ongoing: bool
    #: Why that is as it should be; empty where it is not.
    excused: str
    #: What the record says of its beginning.
    what: str

    @property
    def seconds(self) -> float:
        """How long."""
        return (self.end - self.start).total_seconds()


def services_away(timeline: Timeline) -> Iterator[ServiceAway]:
    """Each time that a Service had no ready endpoint."""
    begun: dict[str, TimelineEvent] = {}
    for event in timeline.events:
        count = event.details.get(ENDPOINTS)
        if count == "0":
            begun.setdefault(event.object, event)
        elif count and (first := begun.pop(event.object, None)):
            yield service_away(first, event.at, ongoing=False, gone=count == GONE)
    for first in begun.values():
        yield service_away(first, timeline.end, ongoing=True)


def service_away(first: TimelineEvent, end: datetime, *, ongoing: bool, gone: bool = False) -> ServiceAway:
    """One of them."""
    excused = "the Service was deleted" if gone else first.details.get(EXCUSED, "")
    return ServiceAway(first.object, first.at, max(end, first.at), ongoing, excused, first.what)


def nodes_vanished(timeline: Timeline) -> list[TimelineEvent]:
    """The nodes that were deleted while pods were bound to them."""
    return [event for event in timeline.events if event.details.get(PODS)]


def seen_by_watch(timeline: Timeline) -> tuple[int, int]:
    """How many Services with a ready endpoint, and how many nodes, the watch saw at its start."""
    seen = [event.details for event in timeline.events if event.object == "Watch" and SEEN_SERVICES in event.details]
    numbers = [(int(each.get(SEEN_SERVICES, 0)), int(each.get(SEEN_NODES, 0))) for each in seen]
    return max(numbers, default=(0, 0))
