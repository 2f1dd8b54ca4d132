"""What happens to Services: their last ready endpoint goes, and one comes back. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from upgate.watch.record import Happening
from upgate.watch.seen import SeenSlice
from upgate.watch.services import ENDPOINTS, GONE

#: Pods and nodes of the last endpoints, for sentences.
LAST_PODS, LAST_NODES = "last_pods", "last_nodes"


@dataclass
class ServiceStory:
    """All Services with their slices, and who is ready behind each."""

    #: Slice → the Service that it belongs to, and its ready endpoints: pod and node.
    slices: dict[str, tuple[str, list[tuple[str, str]]]] = field(default_factory=dict)
    #: Service → its slices.
    of: dict[str, set[str]] = field(default_factory=dict)
    #: Services that had a ready endpoint at some time, and those that have none now.
    served: set[str] = field(default_factory=set)
    _away: set[str] = field(default_factory=set)

    def ready(self, service: str) -> list[tuple[str, str]]:
        """Pod and node of each ready endpoint of a Service."""
        return [each for slice in sorted(self.of.get(service, ())) for each in self.slices[slice][1]]

    def seen(self, slice: SeenSlice, at: float) -> Iterator[Happening]:
        """A slice is new, or has changed."""
        service = slice.service
        if not service:
            return
        before = self.ready(service)
        ends = [(pod_of(each), each.node_name or "") for each in slice.endpoints or () if each.ready]
        self.slices[slice.key] = (service, ends)
        self.of.setdefault(service, set()).add(slice.key)
        yield from self._compare(service, before, at)

    def gone(self, key: str, at: float) -> Iterator[Happening]:
        """A slice was deleted; with its last one, the Service."""
        if key not in self.slices:
            return
        service = self.slices[key][0]
        before = self.ready(service)
        del self.slices[key]
        self.of[service].discard(key)
        if self.of[service]:
            yield from self._compare(service, before, at)
            return
        del self.of[service]
        self.served.discard(service)
        if service in self._away:
            self._away.discard(service)
            yield self.event(service, at, "was deleted", {ENDPOINTS: GONE})

    def _compare(self, service: str, before: list[tuple[str, str]], at: float) -> Iterator[Happening]:
        """Tell when the last ready endpoint goes, and when the first one comes back."""
        now = self.ready(service)
        if now:
            self.served.add(service)
        if before and not now and service in self.served:
            self._away.add(service)
            last = {
                LAST_PODS: ", ".join(pod for pod, _ in before),
                LAST_NODES: ", ".join({node: 0 for _, node in before}),
            }
            yield self.event(service, at, "had no ready endpoint", {ENDPOINTS: "0", **last})
        elif now and service in self._away:
            self._away.discard(service)
            where = ", ".join(dict.fromkeys(node for _, node in now if node))
            details = {ENDPOINTS: str(len(now))}
            yield self.event(service, at, f"has a ready endpoint again{f', on {where}' if where else ''}", details)

    def event(self, service: str, at: float, what: str, details: dict[str, str]) -> Happening:
        """Something that happened to a Service."""
        return Happening(at=at, object=f"Service/{service}", what=what, details=details)


def pod_of(endpoint: object) -> str:
    """The pod behind an endpoint; its first address where there is no pod."""
    target = getattr(endpoint, "target_ref", None)
    addresses = getattr(endpoint, "addresses", None) or [""]
    return target.name if target and target.kind == "Pod" else addresses[0]
