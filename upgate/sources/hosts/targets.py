"""The profile's `hosts:` joined with the snapshot's nodes: which machines there are, and what is demanded of each. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from upgate.base.addresses import canonical_address, is_address
from upgate.base.scope import matches_scope
from upgate.facts.nodes import Node
from upgate.snapshot import Snapshot
from upgate.sources.hosts.presets import Preset, combined

if TYPE_CHECKING:
    from upgate.profile.hosts import Demands, Group, Hosts

#: A node's addresses in the order of preference.
ADDRESSES = {
    "internal": ("InternalIP", "ExternalIP", "Hostname"),
    "external": ("ExternalIP", "InternalIP", "Hostname"),
    "hostname": ("Hostname", "InternalDNS", "ExternalDNS"),
}
#: The placeholders of a connection.
WORD = re.compile(r"\{address\}|\{name\}")
#: gather.sh needs sh.
WINDOWS = {"kubernetes.io/os": "windows"}
NO_ADDRESS = "its address or name in the cluster is neither an IP address nor a DNS name"
SHARED = "several nodes have this address: it is unknown which machine answers"


@dataclass(frozen=True)
class HostTarget:
    """One machine, how to get there, and all that the profile demands of it."""

    name: str
    #: testinfra's host spec.
    spec: str
    address: str
    preset: Preset
    services: tuple[str, ...]
    listening: tuple[str, ...]
    not_listening: tuple[str, ...]
    arguments: dict[str, tuple[str, ...]]
    #: Why it cannot be looked at; empty if it can.
    gap: str = ""


@dataclass(frozen=True)
class HostLocation:
    """A machine without demands."""

    name: str
    spec: str
    address: str
    labels: dict[str, str]
    gap: str = ""


def host_targets(hosts: Hosts, snapshot: Snapshot) -> list[HostTarget]:
    """Every machine that is looked at. Raises Inconclusive where the nodes could not be listed."""
    return [target(hosts, place) for place in host_locations(hosts, snapshot)]


def host_locations(hosts: Hosts, snapshot: Snapshot) -> list[HostLocation]:
    """The nodes that have sh, or the hosts that the profile lists."""
    if hosts.each != ("node",):
        return [host_of_spec(hosts, spec) for spec in hosts.each]
    return distinct(hosts, [host_of_node(hosts, node) for node in snapshot.facts("nodes") if not is_windows(node)])


def distinct(hosts: Hosts, nodes: list[HostLocation]) -> list[HostLocation]:
    """The same; nodes with the same address are a gap: a kubelet could give another node's address as its own."""

    def machine(each: HostLocation) -> str:
        return canonical_address(each.address if "{address}" in hosts.connection else each.name)

    times = Counter(machine(each) for each in nodes if not each.gap)
    return [replace(each, gap=SHARED) if not each.gap and times[machine(each)] > 1 else each for each in nodes]


def left_out(hosts: Hosts | None, snapshot: Snapshot) -> list[str]:
    """The nodes that are left out on purpose, in words."""
    nodes = snapshot.lists.get("nodes") if hosts and hosts.each == ("node",) else None
    names = sorted(node.name for node in nodes or () if is_windows(node))
    return [f"hosts: {', '.join(names)} not looked at: a Windows node has no sh"] if names else []


def is_windows(node: Node) -> bool:
    """Its kubelet says that it runs Windows."""
    return node.labels.items() >= WINDOWS.items()


def host_of_node(hosts: Hosts, node: Node) -> HostLocation:
    """A node of the cluster. Its addresses are validated: anyone with its kubelet's credential can write them."""
    address = node.address(*ADDRESSES[hosts.address]) or node.name
    if not is_address(address) or ("{name}" in hosts.connection and not is_address(node.name)):
        return HostLocation(node.name, "", "", node.labels, gap=NO_ADDRESS)
    return HostLocation(node.name, connection(hosts, literal(node.name), literal(address)), address, node.labels)


def literal(address: str) -> str:
    """An address before a port: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


def host_of_spec(hosts: Hosts, spec: str) -> HostLocation:
    """A host of the profile's list: a whole host spec, or the value of `{address}` in `connection`."""
    _, given, rest = spec.rpartition("://")
    host = rest.partition("?")[0].rpartition("@")[2]
    whole = spec if given else connection(hosts, host, spec)
    address = host.rpartition("]")[0].strip("[") if host.startswith("[") else host.partition(":")[0]
    return HostLocation(host or "localhost", whole, address or "localhost", {})


def connection(hosts: Hosts, name: str, address: str) -> str:
    """The host spec of a machine."""
    words = {"{address}": address, "{name}": name}
    return WORD.sub(lambda match: words[match[0]], hosts.connection)


def target(hosts: Hosts, place: HostLocation) -> HostTarget:
    """A machine with what is demanded of all, and of the groups that it is in."""
    groups = [group for group in hosts.groups if holds(group, place)]
    presets = next((group.preset for group in reversed(groups) if group.preset is not None), hosts.preset)
    demands: list[Demands] = [hosts, *groups]
    preset = combined(presets)
    return HostTarget(
        name=place.name,
        spec=place.spec,
        address=place.address,
        preset=preset,
        services=deduplicated([*preset.services, *(each for demand in demands for each in demand.services)]),
        listening=deduplicated(each for demand in demands for each in demand.listening),
        not_listening=deduplicated(each for demand in demands for each in demand.not_listening),
        arguments=merged_arguments(demands),
        gap=place.gap,
    )


def merged_arguments(demands: Iterable[Demands]) -> dict[str, tuple[str, ...]]:
    """The arguments of each component, from all demands."""
    merged: dict[str, tuple[str, ...]] = {}
    for demand in demands:
        for component, wanted in demand.arguments.items():
            merged[component] = deduplicated([*merged.get(component, ()), *wanted])
    return merged


def deduplicated(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order."""
    return tuple(dict.fromkeys(values))


def holds(group: Group, place: HostLocation) -> bool:
    """The machine is in the group."""
    labelled = all(key in place.labels and fnmatchcase(place.labels[key], value) for key, value in group.labels.items())
    return labelled and matches_scope(place.name, group.names)


def empty_groups(hosts: Hosts, snapshot: Snapshot) -> list[str]:
    """The groups without a machine: their demands have no effect."""
    there = host_locations(hosts, snapshot)
    return [
        f"the group {group.name} of hosts: matches no host"
        for group in hosts.groups
        if there and not any(holds(group, place) for place in there)
    ]


def lists_for_hosts(hosts: Hosts | None) -> set[str]:
    """The lists that are needed to know the machines."""
    return {"nodes"} if hosts and hosts.each == ("node",) else set()
