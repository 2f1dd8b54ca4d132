"""Services: how many endpoints, and under which addresses; and the addresses of Ingresses and Gateways."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from upgate.facts.backends import WORKLOADS, grouped
from upgate.facts.recorded.states import Lists
from upgate.facts.recorded.workloads import not_deleted, own_workloads
from upgate.facts.services import EndpointSlice, Service, ip_family
from upgate.facts.workloads import Workload


class EndpointState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands behind a Service."""

    #: Pods, or addresses of what is no pod.
    ready: int = 0
    #: The workloads that make its pods, and how many replicas each wants.
    wanted: dict[str, int] = {}


class EndpointStates:
    """The endpoints of all Services."""

    needs = ("services", "endpointslices", *WORKLOADS)

    def __init__(self, lists: Lists) -> None:
        ready: defaultdict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
        for each in lists["endpointslices"]:
            ready[each.service].append(each)
        workloads = grouped(own_workloads(lists), lambda each: each.namespace)
        self.states: dict[str, EndpointState] = {
            each.ref: EndpointState(ready_behind(ready[each.key]), wanted_behind(each, workloads))
            for each in lists["services"]
            if not_deleted(each)
        }
        #: What each workload wants.
        self.replicas = {each.ref: each.desired for each in own_workloads(lists)}


def wanted_behind(service: Service, workloads: Mapping[str, list[Workload]]) -> dict[str, int]:
    """How many replicas are wanted of what it selects."""
    selector = service.spec.selector or {}
    return {each.ref: each.desired for each in workloads.get(service.namespace, ()) if each.makes(selector)}


def ready_behind(slices: Iterable[EndpointSlice]) -> int:
    """How many ready endpoints there are: a pod of two IP families, or in slices for several ports, is one."""
    found: set[tuple[str, str]] = set()
    for endpoint in (endpoint for each in slices for endpoint in each.ready):
        first = next(iter(endpoint.addresses or ()), "")
        target = endpoint.target_ref
        found.add((target.kind, target.name) if target else (ip_family(first), first))
    families = Counter(kind for kind, _ in found if kind in ("IPv4", "IPv6"))
    return sum(kind not in families for kind, _ in found) + max(families.values(), default=0)


class AddressState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where something is reached."""

    #: Addresses and names in its status, but for those of nodes.
    addresses: list[str] = []
    type: str = ""
    cluster_ip: str = ""
    #: `80/TCP` → the port of every node, 0 where there is none.
    ports: dict[str, int] = {}


class AddressStates:
    """The addresses of Services, Ingresses and Gateways."""

    needs = ("services", "ingresses", "nodes")
    helped_by = ("gateways",)

    def __init__(self, lists: Lists) -> None:
        nodes = {each.address for node in lists["nodes"] for each in node.status.addresses or ()}
        services = {each.ref: address_state(each, nodes) for each in lists["services"] if not_deleted(each)}
        ingresses = {
            each.ref: AddressState(lasting(each.addresses, nodes)) for each in lists["ingresses"] if not_deleted(each)
        }
        gateways = {
            each.ref: AddressState(lasting([at.value for at in each.status.addresses or ()], nodes))
            for each in lists.get("gateways", ())
        }
        self.states: dict[str, AddressState] = {**services, **ingresses, **gateways}


def address_state(service: Service, nodes: set[str]) -> AddressState:
    """Where a Service is reached. The node ports of a load balancer are its controller's business, and of no one else."""
    direct = service.spec.type == "NodePort"
    ports = {f"{each.port}/{each.protocol}": each.node_port if direct else 0 for each in service.spec.ports or ()}
    return AddressState(lasting(service.addresses, nodes), service.spec.type, service.spec.cluster_ip, ports)


def lasting(addresses: Iterable[str], nodes: set[str]) -> list[str]:
    """Those that are not a node's: a node that is replaced has others."""
    return sorted(set(addresses) - nodes)
