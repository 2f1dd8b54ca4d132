"""Which nodes are asked from inside, and what: the probe's own pods and Service, and existing ones, others in each run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from msgspec.structs import replace

from upgate.facts.inside import NodeAnswer
from upgate.facts.nodes import Node
from upgate.facts.services import EndpointSlice, Service
from upgate.facts.taints import Toleration
from upgate.sources.inside.manifests import PORT, SERVICE

if TYPE_CHECKING:
    from upgate.profile.probe import InsideProbe

#: The lists that say what to ask.
LISTS = ("nodes", "services", "endpointslices")
#: So many existing endpoints, Services and DNS pods each node is asked about; so many peers, where there are more than FULL.
ENDPOINTS, SERVICES, RESOLVERS, PEERS, FULL = 8, 4, 6, 5, 50
#: Each question is asked so often; a new Service takes a while to reach every node.
TRIES, SERVICE_TRIES = 3, 12
#: A name that each cluster has, without its domain; and one outside, which need not be reachable.
INNER, OUTER = "kubernetes.default.svc.@", "kubernetes.io"
DNS_PORT = 53


class Question(NamedTuple):
    """One question: how the script in the pod asks it, and what it is about."""

    command: str
    asked: NodeAnswer
    tries: int = TRIES


def schedulable(nodes: Iterable[Node], probe: InsideProbe) -> tuple[list[Node], list[str]]:
    """The nodes that are asked, and why each other one that the profile selects is not."""
    chosen: list[Node] = []
    left_out: list[str] = []
    for node in (each for each in nodes if selected_by(probe.node_selector, each)):
        reason = why_left_out(node, probe)
        chosen += [] if reason else [node]
        left_out += [f"the probe left out {node.ref}: {reason}"] if reason else []
    return chosen, left_out


def selected_by(selector: Mapping[str, str], node: Node) -> bool:
    """It has the labels, and runs Linux."""
    return node.labels.get("kubernetes.io/os", "linux") == "linux" and selector.items() <= node.labels.items()


def why_left_out(node: Node, probe: InsideProbe) -> str:
    """Why no pod of the probe can be there. Empty where one can."""
    tolerations = [Toleration(each.key, each.operator, each.value, each.effect or "") for each in probe.tolerations]
    taints = [each for each in node.spec.taints or () if each.blocks and not any(t.covers(each) for t in tolerations)]
    if node.metadata.deletion_timestamp:
        return "it is being deleted"
    if not node.ready.is_true:
        return "it is not Ready"
    if node.spec.unschedulable:
        return "it is cordoned"
    if taints:
        return f"probe.tolerations does not tolerate its taint {taints[0].spelling}"
    return "no kubelet runs there" if node.virtual else ""


class Plan:
    """What each node is asked."""

    def __init__(self, probe: InsideProbe, lists: Mapping[str, list[Any]], cluster_ip: str, run: str) -> None:
        self._probe, self._own_ip, self._random = probe, cluster_ip, Random(run)  # noqa: S311 - a choice, not a secret
        self._services = [each for each in lists["services"] if isinstance(each, Service)]
        self._slices = [each for each in lists["endpointslices"] if isinstance(each, EndpointSlice)]
        nodes = [each for each in lists["nodes"] if isinstance(each, Node)]
        self._hosts = {address.address for node in nodes for address in node.status.addresses or ()}
        self._shared = [*self._names(), *self._resolvers(), *self._own(), *self._existing_services()]
        self._endpoints = self._existing_endpoints()

    def questions(self, node: str, peers: Mapping[str, str]) -> list[Question]:
        """What one node is asked: what all are, existing pods, and these peers (addresses by node)."""
        others = sorted(name for name in peers if name != node)
        if len(peers) > FULL:
            others = self._random.sample(others, min(PEERS, len(others)))
        asked = [*self._shared, *self._endpoints, *(peer_question(each, peers[each]) for each in others)]
        return [each._replace(asked=replace(each.asked, node=node)) for each in asked]

    @property
    def _dns(self) -> list[Service]:
        return [each for each in self._services if each.resolves_names and has_address(each)]

    def _names(self) -> list[Question]:
        """A name of the cluster, and names outside."""
        about = self._dns[0].ref if self._dns else "Service/kube-system/kube-dns"
        yield_names = [(INNER, "kubernetes.default.svc", True)]
        yield_names += [(f"{name.rstrip('.')}.", name, True) for name in self._probe.resolve]
        yield_names += [] if self._probe.resolve else [(f"{OUTER}.", OUTER, False)]
        return [
            Question(f"dns {name} -", NodeAnswer("", "dns", f"the name {words}", about, strict=strict))
            for name, words, strict in yield_names
        ]

    def _resolvers(self) -> list[Question]:
        """The Service of the cluster's DNS, and each pod behind it by itself."""
        asked = [
            Question(
                f"dns {INNER} {each.spec.cluster_ip}",
                NodeAnswer("", "dns", f"{each.ref} at {each.spec.cluster_ip}", each.ref),
            )
            for each in self._dns[:2]
        ]
        keys = {each.key for each in self._dns}
        pods = [
            (slice.namespace, endpoint, ip)
            for slice in self._slices
            if slice.service in keys and any(port.port == DNS_PORT for port in slice.ports or ())
            for endpoint, ip in slice.local_addresses
        ]
        for namespace, endpoint, ip in self._some(pods, RESOLVERS):
            name = f"Pod/{namespace}/{endpoint.target_ref.name if endpoint.target_ref else ip}"
            about = NodeAnswer("", "dns", f"the DNS of {name} at {ip}", name, endpoint.node_name or "")
            asked.append(Question(f"dns {INNER} {ip}", about))
        return asked

    def _own(self) -> list[Question]:
        """The probe's own Service, the API server, and the metadata service that the profile names."""
        service = f"Service/{self._probe.namespace}/{SERVICE}"
        asked = [
            Question(
                f"tcp {self._own_ip} {PORT}",
                NodeAnswer("", "service", f"{service} at {self._own_ip}:{PORT}", service, strict=True),
                SERVICE_TRIES,
            ),
            Question("api", NodeAnswer("", "api", "kubernetes.default", "Service/default/kubernetes", strict=True)),
        ]
        if url := self._probe.metadata:
            parts = urlsplit(url)
            path = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
            about = NodeAnswer("", "metadata", parts.netloc, f"{parts.scheme}://{parts.netloc}", strict=True)
            asked.append(Question(f"http {parts.hostname} {parts.port or 80} {path}", about))
        return asked

    def _existing_services(self) -> list[Question]:
        """Some ClusterIPs of Services that have ready endpoints."""
        behind: dict[tuple[str, str], set[str]] = {}
        for slice in self._slices:
            behind.setdefault(slice.service, set()).update(each.node_name or "" for each, _ in slice.local_addresses)
        usable = [
            (each, port)
            for each in self._services
            if has_address(each) and behind.get(each.key) and each.key != ("default", "kubernetes")
            for port in (each.spec.ports or ())[:1]
            if port.protocol == "TCP" and each.spec.internal_traffic_policy != "Local"
        ]
        return [
            Question(
                f"tcp {each.spec.cluster_ip} {port.port}",
                NodeAnswer(
                    "", "service", f"{each.ref} at {each.spec.cluster_ip}:{port.port}", each.ref,
                    behind=tuple(sorted(behind[each.key])),
                ),
            )
            for each, port in self._some(usable, SERVICES)
        ]  # fmt: skip

    def _existing_endpoints(self) -> list[Question]:
        """Some ready endpoints of pods, of different nodes first; not those that use the network of their node."""
        usable = [
            (slice.namespace, endpoint, ip, port.port)
            for slice in self._slices
            for endpoint, ip in slice.local_addresses
            if ip not in self._hosts and endpoint.node_name and endpoint.target_ref
            for port in (slice.ports or ())[:1]
            if port.protocol == "TCP" and port.port
        ]
        chosen = spread_out(self._some(usable, len(usable)), ENDPOINTS)
        return [
            Question(
                f"tcp {ip} {port}", NodeAnswer("", "peers", f"{name} at {ip}:{port}", name, endpoint.node_name or "")
            )
            for namespace, endpoint, ip, port in chosen
            for name in [f"Pod/{namespace}/{endpoint.target_ref.name}"]
        ]

    def _some(self, items: Sequence[Any], most: int) -> list[Any]:
        return self._random.sample(items, min(most, len(items)))


def spread_out(items: Iterable[Any], most: int) -> list[Any]:
    """The first of them on each node, then the second, until there are enough."""
    seen: dict[str, int] = {}
    ranked = []
    for each in items:
        node = each[1].node_name
        ranked.append((seen.setdefault(node, 0), each))
        seen[node] += 1
    return [each for _, each in sorted(ranked, key=lambda pair: pair[0])][:most]


def has_address(service: Service) -> bool:
    """It has a ClusterIP."""
    return service.spec.cluster_ip not in ("", "None")


def peer_question(node: str, ip: str) -> Question:
    """A pod of the probe on another node."""
    return Question(
        f"tcp {ip} {PORT}", NodeAnswer("", "peers", f"the probe's pod on {node}", f"Node/{node}", node, strict=True)
    )
