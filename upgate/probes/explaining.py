"""What the cluster knows about an address that does not answer as it should. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from upgate.facts.nodes import Node
from upgate.facts.services import Service
from upgate.probes.attempt import Attempt
from upgate.probes.target import Target
from upgate.snapshot import Snapshot

#: https://kubernetes.io/docs/reference/networking/ports-and-protocols/ and the components' flags.
COMPONENTS = {
    2379: "etcd (--listen-client-urls)",
    6443: "kube-apiserver (--bind-address, --secure-port)",
    10248: "the kubelet's health (healthzBindAddress)",
    10249: "kube-proxy's metrics (--metrics-bind-address)",
    10250: "the kubelet (address)",
    10255: "the kubelet's read-only port (readOnlyPort)",
    10256: "kube-proxy's health (--healthz-bind-address)",
    10257: "kube-controller-manager (--bind-address)",
    10259: "kube-scheduler (--bind-address)",
}


def known(target: Target, attempt: Attempt, snapshot: Snapshot) -> str:
    """Whose address and port this is, and how they are; empty where the cluster does not know them."""
    host, port = _place(target, attempt)
    node = next((each for each in _listed(snapshot, "nodes") if host in _addresses(each)), None)
    if node is None:
        return ""
    return "; ".join([_ready(node), *_owners(port, snapshot)])


def _place(target: Target, attempt: Attempt) -> tuple[str, int]:
    """The address that was asked, or the host of the URL where there was none."""
    parts = urlsplit(f"//{attempt.address.partition(' ')[0]}" if attempt.address else target.url)
    try:
        return parts.hostname or "", parts.port or (443 if target.scheme in ("https", "wss") else 80)
    except ValueError:
        return "", 0


def _listed(snapshot: Snapshot, noun: str) -> list[Any]:
    return [] if noun in snapshot.gaps else getattr(snapshot.lists, noun) or []


def _addresses(node: Node) -> set[str]:
    return {each.address for each in node.status.addresses or ()} | {node.name}


def _ready(node: Node) -> str:
    return f"{node.name} is Ready" if node.ready.is_true else f"{node.name} is not Ready ({node.ready})"


def _owners(port: int, snapshot: Snapshot) -> Iterator[str]:
    if port in COMPONENTS:
        yield f"port {port} is {COMPONENTS[port]}"
    for service in _listed(snapshot, "services"):
        if any(each.node_port == port for each in service.spec.ports or ()):
            yield f"node port of {service.ref}{_endpoints(service, snapshot)}"


def _endpoints(service: Service, snapshot: Snapshot) -> str:
    if snapshot.count("endpointslices") is None or "endpointslices" in snapshot.gaps:
        return ""
    slices = (each for each in _listed(snapshot, "endpointslices") if each.service == service.key)
    number = sum(len(each.ready) for each in slices)
    return f", which has {number or 'no'} ready endpoint{'s' if number > 1 else ''}"
