"""What is compared of hosts: the settings that were seen on each, and the sockets of Kubernetes' own ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from upgate.facts.hosts import Host
from upgate.facts.node_images import info_of
from upgate.facts.nodes import Node
from upgate.facts.settings import Configuration, Settings, bounded, grouped_by_settings

#: The components of a host; in these what appears is no finding.
COMPONENTS = (
    "Argument",
    "Iptables",
    "IPRule",
    "KubeProxy",
    "Module",
    "Package",
    "Resolver",
    "Socket",
    "Sysctl",
    "Unit",
)
MAY_APPEAR = ("Module", "Package")
#: Those whose change breaks Services or what others ask of a node.
GRAVE = ("Argument", "Iptables", "KubeProxy", "Socket")
#: Ports of Kubernetes and of etcd. https://kubernetes.io/docs/reference/networking/ports-and-protocols/
PORTS = (179, 2379, 2380, 6443, 10248, 10249, 10250, 10255, 10256, 10257, 10259)


def hosts_configuration(hosts: Iterable[Host], nodes: Iterable[Node]) -> Configuration:
    """The settings of all hosts that were seen, by component."""
    known = {each.name: each for each in nodes}
    found: dict[str, dict[str, tuple[str, Settings]]] = {}
    for host in hosts:
        node = known.get(host.name)
        version = info_of(node).kubelet_version if node else host.versions.get("kubelet", "")
        own = own_texts(node) if node else {host.name: "{node}"}
        for component, settings in settings_of(host).items():
            found.setdefault(component, {})[host.name] = (version, bounded(settings.items(), own))
    groups = [group for component, by_node in found.items() for group in grouped_by_settings(component, by_node)]
    return Configuration(groups)


def settings_of(host: Host) -> dict[str, Settings]:
    """The settings of one host, by component."""
    return {**host.settings, **({"Socket": dict(sockets_of(host))} if host.sockets else {})}


def sockets_of(host: Host) -> Iterator[tuple[str, str]]:
    """Where each port is listened on."""
    places: dict[str, list[str]] = {}
    for each in host.sockets:
        if each.protocol == "tcp" and each.port in PORTS:
            places.setdefault(f"tcp {each.port}", []).append(each.address)
    yield from ((name, ",".join(sorted(addresses))) for name, addresses in places.items())


def own_texts(node: Node) -> Mapping[str, str]:
    """What is a node's own in its settings: its name and its addresses."""
    addresses = sorted((each.address for each in node.status.addresses or () if each.address), reverse=True)
    return {node.name: "{node}"} | {each: "{address}" for each in addresses if each != node.name}
