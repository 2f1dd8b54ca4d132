"""What the cluster knows about an address that does not answer as it should. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from upgate.facts.ingresses import Ingress
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.facts.services import Service
from upgate.snapshot import Snapshot
from upgate.sources.probes.attempt import Attempt


class Component(NamedTuple):
    """A part of Kubernetes that listens on a port of its own."""

    name: str
    #: What of it listens there, in words.
    port: str
    #: The setting that says on which address.
    setting: str


#: The API server's usual port.
API_SERVER = 6443
#: https://kubernetes.io/docs/reference/networking/ports-and-protocols/ and the components' references.
COMPONENTS = {
    2379: Component("etcd", "etcd", "--listen-client-urls"),
    API_SERVER: Component("kube-apiserver", "kube-apiserver", "--bind-address"),
    10248: Component("kubelet", "the kubelet's health port", "healthzBindAddress in its configuration"),
    10249: Component("kube-proxy", "kube-proxy's metrics port", "--metrics-bind-address, metricsBindAddress"),
    10250: Component("kubelet", "the kubelet", "address in its configuration"),
    10255: Component("kubelet", "the kubelet's read-only port", "readOnlyPort in its configuration"),
    10256: Component("kube-proxy", "kube-proxy's health port", "--healthz-bind-address, healthzBindAddress"),
    10257: Component("kube-controller-manager", "kube-controller-manager", "--bind-address"),
    10259: Component("kube-scheduler", "kube-scheduler", "--bind-address"),
}
NO_ENTRY = "answers 401 to everybody who is not logged in: with --anonymous-auth=false its health checks do so too"
#: The Service of the API server itself.
KUBERNETES = ("default", "kubernetes")
PORTS = {"https": 443, "wss": 443, "tls": 443}


class Place(NamedTuple):
    """Where an attempt went."""

    #: The host of its URL.
    host: str
    #: The address that was asked; the host where there was none.
    address: str
    port: int


class Whereabouts:
    """The addresses that a snapshot knows."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def known(self, attempt: Attempt) -> Iterator[str]:
        """Whose address and port this is, and how they are; nothing where the cluster does not know them."""
        place = place_of(attempt)
        for node in self._nodes.get(place.address, ()):
            yield f"{node.name} is Ready" if node.ready.is_true else f"{node.name} is not Ready ({node.ready})"
            yield from self._component(node, place.port, attempt)
        if self._is_api_server(place):
            yield "this is the API server" + (f", which {NO_ENTRY}" if attempt.status == 401 else "")
        for service, role in self._services(place):
            yield f"{role} of {service.ref}{self._endpoints(service.key)}"
        for ingress in self._ingresses(place):
            services = " and ".join(self._backend(key) for key in dict.fromkeys(ingress.services(place.host)))
            yield f"{ingress.ref} leads to {services or 'no Service'}"
        if self._strays(place):
            yield f"no Ingress at {place.address} is for the host {place.host}"

    def behind(self, attempt: Attempt) -> list[str]:
        """The objects that it depends on: the node whose address it is, the Services that it leads to, the API server."""
        place = place_of(attempt)
        services = [each.key for each, _ in self._services(place)]
        for ingress in self._ingresses(place):
            services += ingress.services(place.host)
        api_server = ["APIServer/readyz", "APIServer/livez"] if self._is_api_server(place) else []
        nodes = [each.ref for each in self._nodes.get(place.address, ())]
        return [*nodes, *(f"Service/{namespace}/{name}" for namespace, name in services), *api_server]

    def _component(self, node: Node, port: int, attempt: Attempt) -> Iterator[str]:
        component = COMPONENTS.get(port)
        if component is None:
            return
        local = attempt.failure is not None and attempt.failure.kind == "connect-refused"
        reason = ", which refuses all but the node itself when bound to 127.0.0.1" if local else ""
        yield f"port {port} is {component.port} ({component.setting}){reason}"
        pod = next((each for each in self._listed("pods") if is_pod_of(component, node, each)), None)
        if pod:
            yield f"its pod {pod.name} is {pod.status.phase}" + ("" if pod.ready.is_true else f", {pod.ready}")

    def _services(self, place: Place) -> Iterator[tuple[Service, str]]:
        """The Services that this place is of, and what it is of them."""
        if place.address in self._nodes:
            yield from ((each, "node port") for each in self._node_ports.get(place.port, ()))
        for each in self._by_address.get(place.address, ()):
            if any(port.port == place.port for port in each.spec.ports or ()):
                yield each, "address"

    def _ingresses(self, place: Place) -> list[Ingress]:
        return [each for each in self._listed("ingresses") if each.serves(place.host)]

    def _strays(self, place: Place) -> bool:
        """The address is that of an Ingress, and the host nobody's."""
        at = [each for each in self._listed("ingresses") if place.address in each.addresses]
        named = not is_address(place.host)
        return named and bool(at) and not any(each.serves(place.host) or each.serves_all for each in at)

    def _is_api_server(self, place: Place) -> bool:
        server = place_of_url(self._snapshot.server)
        known = {(server.host, server.port), *self._api_servers}
        return (place.address, place.port) in known or (place.address in self._nodes and place.port == API_SERVER)

    def _backend(self, key: tuple[str, str]) -> str:
        missing = key not in {each.key for each in self._listed("services")} and self._is_listed("services")
        return f"Service/{'/'.join(key)}" + (", which does not exist" if missing else self._endpoints(key))

    def _endpoints(self, service: tuple[str, str]) -> str:
        if not self._is_listed("endpointslices"):
            return ""
        number = sum(len(each.ready) for each in self._listed("endpointslices") if each.service == service)
        return f", which has {number or 'no'} ready endpoint{'s' if number > 1 else ''}"

    @cached_property
    def _nodes(self) -> dict[str, list[Node]]:
        """Nodes by their addresses and names."""
        return by((address, node) for node in self._listed("nodes") for address in addresses_of(node))

    @cached_property
    def _by_address(self) -> dict[str, list[Service]]:
        return by((ip, each) for each in self._listed("services") for ip in [*each.addresses, each.spec.cluster_ip])

    @cached_property
    def _node_ports(self) -> dict[int, list[Service]]:
        ports = ((port.node_port, each) for each in self._listed("services") for port in each.spec.ports or ())
        return by(ports)

    @cached_property
    def _api_servers(self) -> set[tuple[str, int]]:
        slices = [each for each in self._listed("endpointslices") if each.service == KUBERNETES]
        return {
            (ip, port.port)
            for each in slices
            for end in each.ready
            for ip in end.addresses or ()
            for port in each.ports or ()
        }

    def _listed(self, noun: str) -> list[Any]:
        return self._snapshot.lists[noun] if self._is_listed(noun) else []

    def _is_listed(self, noun: str) -> bool:
        return noun not in self._snapshot.gaps and self._snapshot.count(noun) is not None


def place_of(attempt: Attempt) -> Place:
    """Where it went: the address that was asked, or the host of the URL where there was none."""
    url = place_of_url(attempt.target)
    asked = place_of_url(attempt.address.partition(" ")[0])
    return Place(url.host, asked.host or url.host, asked.port if asked.host else url.port)


def place_of_url(url: str) -> Place:
    """Host and port of a URL or of `host:port`."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host = parts.hostname or ""
        return Place(host, host, parts.port or PORTS.get(parts.scheme, 80))
    except ValueError:
        return Place("", "", 0)


def addresses_of(node: Node) -> set[str]:
    """All that it is called."""
    return {each.address for each in node.status.addresses or ()} | {node.name}


def is_address(host: str) -> bool:
    """No name."""
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def is_pod_of(component: Component, node: Node, pod: Pod) -> bool:
    """The pod of this component on this node, as kubeadm and its like name them."""
    return pod.spec.node_name == node.name and pod.name.startswith(f"{component.name}-") and pod.spec.host_network


def by(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """Values by key; what has no key is left out."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        if key:
            found[key].append(value)
    return dict(found)
