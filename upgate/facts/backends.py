"""What stands behind Services: slices, pods, and the workloads that would make those pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from upgate.base.text import counted
from upgate.facts.meta import KubernetesObject
from upgate.facts.pods import Pod
from upgate.facts.services import Endpoint, EndpointSlice, Service, ServicePort, ip_family
from upgate.facts.starting import moves
from upgate.facts.workloads import ReplicaSet, Workload

if TYPE_CHECKING:
    from upgate.profile.parts import Patience

#: A namespace, and the labels that a selector asks for.
Selection = tuple[str, frozenset[tuple[str, str]]]
WORKLOADS = ("deployments", "replicasets", "statefulsets", "daemonsets")
#: So far apart two lists of one look may be.
SKEW = timedelta(seconds=10)
#: Within so long the pod garbage collector has surely deleted the pods of a node that does not exist: it waits 40 seconds.
#: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
ORPHANED = timedelta(minutes=3)


def grouped(items: Iterable[Any], key: Any) -> dict[Any, list[Any]]:
    """The items by their key."""
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def controller_of(item: KubernetesObject) -> tuple[str, str] | None:
    """The namespace and UID of its controller: an owner is in the namespace of what it owns."""
    owner = item.metadata.controller
    return (item.namespace, owner.uid) if owner else None


class Backends:
    """Services joined with their endpoints, pods and workloads."""

    needs = ("endpointslices", "pods", *WORKLOADS)
    #: Without nodes nothing tells which pods are on one that is gone.
    helped_by = ("nodes",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._slices = grouped(lists["endpointslices"], lambda each: each.service)
        self._alike = grouped(lists["pods"], lambda pod: (pod.namespace, frozenset(pod.labels.items())))
        self._labels = grouped(self._alike, lambda key: key[0])
        #: The pods that a selector matches, by namespace and selector: many Services may select the same.
        self._selected: dict[Selection, list[Pod]] = {}
        self._serving: dict[Selection, int] = {}
        self._nodes = names_of_nodes(lists)
        makers = uids(lists["deployments"])
        workloads = (each for noun in WORKLOADS for each in lists[noun] if not is_version(each, makers))
        self._workloads = grouped(workloads, lambda each: each.namespace)

    def slices(self, service: Service) -> list[EndpointSlice]:
        """Its EndpointSlices."""
        return self._slices.get(service.key, [])

    def pods(self, service: Service) -> list[Pod]:
        """The pods that its selector matches."""
        selection = selection_of(service)
        if selection not in self._selected:
            alike = (key for key in self._labels.get(service.namespace, ()) if selection[1] <= key[1])
            self._selected[selection] = [pod for key in alike for pod in self._alike[key]]
        return self._selected[selection]

    def serving(self, service: Service) -> int:
        """How many of them are ready, and there to stay."""
        selection = selection_of(service)
        if selection not in self._serving:
            ready = (pod for pod in self.pods(service) if pod.active and pod.ready.is_true)
            self._serving[selection] = sum(not is_on_missing_node(pod, self._nodes) for pod in ready)
        return self._serving[selection]

    def workloads(self, service: Service) -> list[Workload]:
        """The workloads whose pods its selector matches. A Deployment speaks for its ReplicaSets: most are history."""
        candidates = self._workloads.get(service.namespace, ())
        return [each for each in candidates if each.makes(service.spec.selector or {})]

    def idle(self, service: Service) -> bool:
        """Nothing is meant to stand behind it now: its workloads are scaled to zero, or its pods have all completed."""
        pods = [pod for pod in self.pods(service) if not pod.terminating]
        if any(pod.active for pod in pods):
            return False
        if workloads := self.workloads(service):
            return all(each.desired == 0 for each in workloads)
        return bool(pods) and all(pod.of_job or pod.status.phase == "Succeeded" for pod in pods)

    def unserved(self, service: Service) -> str:
        """Its ports that no ready endpoint carries. Empty when all are."""
        slices = [each for each in self.slices(service) if each.ready]
        ports = service.spec.ports or []
        missing = [port for port in ports if not any(each.carries(port) for each in slices)]
        if missing or not (slices or ports):
            return f"{no_way_to(missing, bool(slices))}: {self._because(service)}"
        have = {ip_family(ip) for each in slices for endpoint in each.ready for ip in endpoint.addresses or ()}
        own = {ip for pod in self.pods(service) for ip in pod.addresses}
        lost = [each for each in service.families if each not in have and service.needs_family(each, own)]
        return f"no ready endpoint has an {', '.join(lost)} address: {self._because(service)}" if lost else ""

    def unmatched(self, service: Service) -> bool:
        """No pod, and no workload's template, has the labels that its selector asks for: it may be so by design."""
        return not self.pods(service) and not self.workloads(service)

    def drift(self, service: Service, moment: datetime, lag: timedelta) -> str:
        """How its endpoints differ from its live, ready pods, changes of the last moments aside. Empty where they do not."""
        stale, missing = list(self._stale(service, moment, lag)), list(self._missing(service, moment, lag))
        said = [f"no live, ready pod has {', '.join(stale)}"] if stale else []
        return "; ".join(said + ([f"ready but not among its endpoints: {', '.join(missing)}"] if missing else []))

    def in_motion(self, service: Service, moment: datetime, lag: timedelta) -> bool:
        """Each stale address is that of a pod that is coming or going, or was that of one that has just been replaced.

        Two lists taken one after the other may disagree about those, and about no others.
        """
        pods = self.pods(service)
        moving = {ip for pod in pods if moves(pod, moment, lag) for ip in pod.addresses}
        lost = [ip for _, ip in self._stale_endpoints(service, moment, lag) if ip not in moving]
        made = sum(pod.age(moment) < SKEW for pod in pods)
        return len(lost) <= made and not any(self._missing(service, moment, lag))

    def coming(self, service: Service, moment: datetime, patience: Patience) -> bool:
        """It is new, or each of its pods has time left to start, or has just started and its endpoints follow."""
        pods = [pod for pod in self.pods(service) if pod.active]
        new = service.age(moment) < patience.start_up
        return new or (bool(pods) and all(is_coming(pod, moment, patience) for pod in pods))

    def none_ready(self, service: Service) -> bool:
        """None of the pods that it selects is ready: why that is so is why it leads nowhere."""
        return not self.serving(service)

    def _stale(self, service: Service, moment: datetime, lag: timedelta) -> Iterator[str]:
        """The stale ones of its addresses, and which object each of them is said to be."""
        return (f"{ip} ({owner_of(endpoint)})" for endpoint, ip in self._stale_endpoints(service, moment, lag))

    def _stale_endpoints(self, service: Service, moment: datetime, lag: timedelta) -> Iterator[tuple[Endpoint, str]]:
        """Its ready endpoints whose address is not that of a live pod that may take traffic."""
        homes = grouped(
            ((ip, pod) for pod in self.pods(service) if not pod.done for ip in pod.addresses), lambda it: it[0]
        )
        for each in self.slices(service):
            for endpoint, ip in each.local_addresses:
                pods = (pod for _, pod in homes.get(ip, ()) if not self._lost(pod, moment))
                if not any(service.spec.publish_not_ready_addresses or takes_traffic(pod, moment, lag) for pod in pods):
                    yield endpoint, ip

    def _missing(self, service: Service, moment: datetime, lag: timedelta) -> Iterator[str]:
        """Pods that its selector matches, ready for long enough, that no ready endpoint leads to in each of its IP families."""
        have = {ip for each in self.slices(service) for endpoint in each.ready for ip in endpoint.addresses or ()}
        for pod in self.pods(service):
            absent = service.absent(pod.addresses, have)
            ready = pod.active and pod.ready.is_true and not self._lost(pod, moment)
            if absent and ready and pod.ready_for(moment) > lag:
                yield f"{pod.name} ({', '.join(sorted(absent))})"

    def _lost(self, pod: Pod, moment: datetime) -> bool:
        """It is on a node that is gone, and long enough for the lists to agree."""
        return is_on_missing_node(pod, self._nodes) and pod.age(moment) >= ORPHANED

    def _because(self, service: Service) -> str:
        pods = self.pods(service)
        if not pods:
            selector = ",".join(f"{key}={value}" for key, value in (service.spec.selector or {}).items())
            return f"no pod matches its selector {selector}"
        return f"it selects {counted(len(pods), 'pod')}, {self.serving(service)} ready"


def names_of_nodes(lists: Mapping[str, list[Any]]) -> set[str] | None:
    """The names of the nodes that exist; None where nodes were not looked at."""
    return {each.name for each in lists.get("nodes", ())} or None


def is_on_missing_node(pod: Pod, nodes: Container[str] | None) -> bool:
    """It was given a node that does not exist: it runs nowhere, whatever its status says."""
    return nodes is not None and bool(pod.spec.node_name) and pod.spec.node_name not in nodes


def selection_of(service: Service) -> Selection:
    """What it selects: many Services may select the same."""
    return service.namespace, frozenset((service.spec.selector or {}).items())


def is_version(workload: Workload, deployments: Container[str]) -> bool:
    """It is one of the versions that a Deployment keeps. `deployments`: the UIDs of those that exist."""
    owner = workload.metadata.controller
    return (
        isinstance(workload, ReplicaSet) and workload.of_deployment and owner is not None and owner.uid in deployments
    )


def uids(items: Iterable[KubernetesObject]) -> set[str]:
    """Their UIDs."""
    return {each.metadata.uid for each in items}


class KeptVersions:
    """The ReplicaSets that Deployments answer for."""

    needs = ("deployments",)

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._deployments = uids(lists["deployments"])

    def has(self, replicaset: ReplicaSet) -> bool:
        """A Deployment that exists keeps it."""
        return is_version(replicaset, self._deployments)


def is_coming(pod: Pod, moment: datetime, patience: Patience) -> bool:
    """It has time left to start, or has become ready just now."""
    if pod.ready.is_true:
        return pod.ready_for(moment) < patience.start_up
    return pod.starting(moment, patience.pending, patience.start_up)


def takes_traffic(pod: Pod, moment: datetime, lag: timedelta) -> bool:
    """It stays and is ready, or was until moments ago: its endpoints follow a little later."""
    return not pod.terminating and (pod.ready.is_true or pod.ready_for(moment) <= lag)


def no_way_to(missing: list[ServicePort], ready: bool) -> str:
    """Which ports lead nowhere, although there may be ready addresses."""
    ports = ", ".join(map(str, missing))
    if ready:
        return f"its ready endpoints have no port for {ports}"
    return f"no ready endpoint for port {ports}" if ports else "no ready endpoint"


def owner_of(endpoint: Endpoint) -> str:
    """The object that an endpoint names."""
    target = endpoint.target_ref
    return f"{target.kind} {target.name}" if target else "no target"
