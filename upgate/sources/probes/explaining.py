"""What the cluster knows about an address that does not answer as expected. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from upgate.base.addresses import is_ip
from upgate.facts.attempts import CERTIFICATE, Attempt
from upgate.facts.nodes import Node
from upgate.facts.services import Service
from upgate.snapshot import Snapshot
from upgate.sources.probes.components import API_SERVER, COMPONENTS, is_pod_of
from upgate.sources.probes.routes import Claim, Routes

NO_ENTRY = "answers 401 to requests without credentials: with --anonymous-auth=false, also to health checks"
#: The Service of the API server itself.
KUBERNETES = ("default", "kubernetes")
PORTS = {"https": 443, "wss": 443, "tls": 443}
#: Failures that the backend of a proxy can cause: the proxy itself was reached.
BEHIND_A_PROXY = ("read-timeout", "reset")
#: At most so many Ingresses and Services are named in one finding.
MOST_NAMED = 5


class Destination(NamedTuple):
    """The host, address, port and path that an attempt was sent to."""

    #: The host of its URL.
    host: str
    #: The address that was asked, or the host if there is none.
    address: str
    port: int
    #: The path of its URL.
    path: str = "/"


class Whereabouts:
    """The addresses that a snapshot knows."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def known(self, attempt: Attempt) -> Iterator[str]:
        """The objects that have this address and port, and their state; empty if the cluster does not know the address."""
        place = destination_of(attempt)
        for node in self._nodes.get(place.address, ()):
            yield f"{node.name} is Ready" if node.ready.is_true else f"{node.name} is not Ready ({node.ready})"
            yield from self._component(node, place.port, attempt)
        if self._is_api_server(place):
            yield "this is the API server" + (f", which {NO_ENTRY}" if attempt.status == 401 else "")
        for service, role in self._services(place):
            yield f"{role} of {service.ref}{self._endpoints(service.key)}"
        for ingress in self._routes.of_host(place.host)[:MOST_NAMED]:
            found = self._routes.services(ingress, place.host, place.path)
            services = " and ".join(self._backend(key) for key in list(dict.fromkeys(found))[:MOST_NAMED])
            yield f"{ingress.ref} leads to {services or 'no Service'}"
        if self._strays(place):
            yield f"no Ingress at {place.address} is for the host {place.host}"

    def behind(self, attempt: Attempt) -> list[str]:
        """The objects that explain what was seen: the node whose address it is, the API server, the Services that serve it.

        An unresolved name and an invalid certificate are not explained by other objects.
        """
        if attempt.failure and (attempt.failure.kind in CERTIFICATE or attempt.failure.kind == "name"):
            return []
        place = destination_of(attempt)
        nodes = [each.ref for each in self._nodes.get(place.address, ())]
        api_server = ["APIServer/readyz", "APIServer/livez"] if self._is_api_server(place) else []
        return [*nodes, *api_server, *self._services_behind(attempt, place)]

    def serving(self, url: str) -> list[str]:
        """The Services that addresses and Ingresses say take what is sent to a URL or `host:port`, as `namespace/name`."""
        place = place_of_url(url)
        own = [each.key for each, _ in self._services(place)]
        routed = [key for claim in self._routes.claims(place.host, place.path) for key in claim.serving]
        return ["/".join(key) for key in dict.fromkeys([*routed, *own])]

    def _services_behind(self, attempt: Attempt, place: Destination) -> list[str]:
        """The Services without endpoints that explain it. Anyone who can write a Service or an Ingress can claim any address:
        if one of the Services that claim it has ready endpoints, none of them explains the failure.
        """
        kind = attempt.failure.kind if attempt.failure else ""
        own = [each.key for each, role in self._services(place) if role == "node port" or is_given(each, place)]
        claims = [Claim(own, [])] if kind != "tls-other" else []
        if kind in BEHIND_A_PROXY or (not kind and is_of_proxy(attempt.status)):
            claims += self._routes.claims(place.host, place.path)
        if any(self._ready[key] for claim in claims for key in (*claim.serving, *claim.others)):
            return []
        return [f"Service/{'/'.join(key)}" for claim in claims for key in claim.serving]

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

    def _services(self, place: Destination) -> Iterator[tuple[Service, str]]:
        """The Services that have this address and port, each with the role of the address."""
        if place.address in self._nodes:
            yield from ((each, "node port") for each in self._node_ports.get(place.port, ()))
        for each in self._by_address.get(place.address, ()):
            if any(port.port == place.port for port in each.spec.ports or ()):
                yield each, "address"

    def _strays(self, place: Destination) -> bool:
        """The address is an Ingress's, but no Ingress at that address has a rule for the host."""
        at = self._routes.at(place.address)
        named = not is_ip(place.host)
        return named and bool(at) and not any(each.serves(place.host) or each.serves_all for each in at)

    def _is_api_server(self, place: Destination) -> bool:
        server = place_of_url(self._snapshot.server)
        known = {(server.host, server.port), *self._api_servers}
        return (place.address, place.port) in known or (place.address in self._nodes and place.port == API_SERVER)

    def _backend(self, key: tuple[str, str]) -> str:
        missing = key not in self._keys and self._is_listed("services")
        return f"Service/{'/'.join(key)}" + (", which does not exist" if missing else self._endpoints(key))

    def _endpoints(self, service: tuple[str, str]) -> str:
        if not self._is_listed("endpointslices"):
            return ""
        number = self._ready[service]
        return f", which has {number or 'no'} ready endpoint{'s' if number > 1 else ''}"

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self._listed("ingresses"))

    @cached_property
    def _keys(self) -> set[tuple[str, str]]:
        return {each.key for each in self._listed("services")}

    @cached_property
    def _ready(self) -> Counter[tuple[str, str]]:
        """How many ready endpoints each Service has."""
        found: Counter[tuple[str, str]] = Counter()
        for each in self._listed("endpointslices"):
            found[each.service] += len(each.ready)
        return found

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


def is_given(service: Service, place: Destination) -> bool:
    """Kubernetes or its cloud provider assigned the address; anyone can write any address into `externalIPs`."""
    return place.address in (service.spec.cluster_ip, *service.status.load_balancer.addresses)


def is_of_proxy(status: int | None) -> bool:
    """A status with which a proxy reports that it has no backend; some answer 404 for a Service without endpoints."""
    return status is not None and (status >= 500 or status == 404)


def destination_of(attempt: Attempt) -> Destination:
    """The last address that was asked, or the host of the URL if there is none."""
    url = place_of_url(attempt.asked or attempt.target)
    asked = place_of_url(attempt.address.partition(" ")[0])
    return Destination(url.host, asked.host or url.host, asked.port if asked.host else url.port, url.path)


def place_of_url(url: str) -> Destination:
    """Host, port and path of a URL or of `host:port`."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host = parts.hostname or ""
        return Destination(host, host, parts.port or PORTS.get(parts.scheme, 80), parts.path or "/")
    except ValueError:
        return Destination("", "", 0)


def addresses_of(node: Node) -> set[str]:
    """All names and addresses of the node."""
    return {each.address for each in node.status.addresses or ()} | {node.name}


def by(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    """Values by key; values without a key are left out."""
    found: defaultdict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        if key:
            found[key].append(value)
    return dict(found)
