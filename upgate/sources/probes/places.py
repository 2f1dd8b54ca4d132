"""The locations that an entry with `each:` stands for: nodes, hosts of Ingresses, load balancers, from the snapshot.

An object without an address is a gap, not a finding: it cannot be probed, but not every controller reports its address.
Other checks judge whether the address is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from upgate.base.addresses import is_address
from upgate.base.scope import scoped
from upgate.facts.backends import grouped
from upgate.facts.ingresses import Ingress
from upgate.facts.nodes import Node
from upgate.facts.services import Service
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.external import External

#: The profile's word for a type of node address → Kubernetes' own.
ADDRESS_TYPES = {"internal": "InternalIP", "external": "ExternalIP", "hostname": "Hostname"}
REQUIREMENT = re.compile(r"^(!?)\s*+([^\s!=]++)\s*+(?:(!=|==|=)\s*+(\S*+))?$")
#: A path that can be requested as it is; controllers also accept regular expressions. Braces are placeholders of the profile.
PLAIN_PATH = re.compile(r"/[\w.~!&',;=:@%/-]{0,1023}", re.ASCII)


class ProbeLocation(NamedTuple):
    """One location to probe."""

    #: Distinguishes it from the entry's other locations.
    name: str
    #: The values of `{…}` in the entry's texts. A text with a word that is missing here is not asked.
    words: Mapping[str, str]
    #: Why it cannot be probed; empty if it can.
    gap: str = ""
    #: Empty for a node.
    namespace: str = ""


def probe_locations(entry: External, snapshot: Snapshot, scope: Sequence[str] = ("*",)) -> Iterator[ProbeLocation]:
    """All locations, one of each namespace in turn, so that a namespace with many does not displace the others.

    Raises Inconclusive if the objects could not be listed.
    """
    if entry.each is None:
        return iter([ProbeLocation("", {})])
    noun, of_one = EACH[entry.each]
    objects = scoped(scoped(snapshot.facts(noun), scope), entry.namespaces or ("*",))
    groups = grouped(objects, lambda each: each.namespace).values()
    return in_turn([chain.from_iterable(of_one(entry, each) for each in group) for group in groups])


def in_turn(groups: Iterable[Iterator[ProbeLocation]]) -> Iterator[ProbeLocation]:
    """The first of each, the second of each, and so on."""
    waiting = list(groups)
    while waiting:
        waiting, now = [], waiting
        for group in now:
            for each in group:
                waiting.append(group)
                yield each
                break


def of_node(entry: External, node: Node) -> Iterator[ProbeLocation]:
    """Its address of the wanted type; a node without any address is probed by its name."""
    if not selects(entry.pool or "", node.labels):
        return
    if entry.address_type is None:
        address = node.address(*ADDRESS_TYPES.values()) or node.name
    else:
        address = node.address(ADDRESS_TYPES[entry.address_type]) or ""
    gap = "" if address else f"{node.ref} has no {ADDRESS_TYPES[entry.address_type or 'internal']} in its status"
    yield ProbeLocation(
        node.name, {"address": address, "name": node.name}, gap or unusable(node.ref, address, node.name)
    )


def unusable(ref: str, *addresses: str) -> str:
    """Why an object's addresses cannot be probed; empty if they can. The message does not quote them: they may hold any text."""
    right = all(map(is_address, addresses))
    return "" if right else f"{ref} has an address that is neither an IP address nor a DNS name"


def of_ingress(_: External, ingress: Ingress) -> Iterator[ProbeLocation]:
    """Each of its addresses with each host and path of its rules."""
    if ingress.metadata.deletion_timestamp:
        return
    for address in ingress.addresses:
        for words in ingress_rules(ingress):
            yield place(ingress, {"address": address, **words})
    if not ingress.addresses:
        yield ProbeLocation(ingress.ref, {}, f"{ingress.ref} has no address in its status", ingress.namespace)


def ingress_rules(ingress: Ingress) -> Iterator[dict[str, str]]:
    """Host and path of each rule that can be requested: not a wildcard host, and not a path with a pattern."""
    for rule in ingress.spec.rules or ():
        host = {"host": rule.host} if is_address(rule.host) else {}
        for path in [each.path or "/" for each in rule.paths] or ["/"]:
            yield host | ({"path": path} if PLAIN_PATH.fullmatch(path) else {})
    if not ingress.spec.rules:
        yield {"path": "/"}


def of_load_balancer(_: External, service: Service) -> Iterator[ProbeLocation]:
    """Each of its addresses with each of its TCP ports."""
    if service.spec.type != "LoadBalancer" or service.metadata.deletion_timestamp:
        return
    addresses = service.status.load_balancer.addresses
    ports = [{"port": str(each.port)} for each in service.spec.ports or () if each.protocol == "TCP"]
    for address in addresses:
        for port in ports or [{}]:
            yield place(service, {"address": address, **port})
    if not addresses:
        yield ProbeLocation(service.ref, {}, f"{service.ref} has no address in its status", service.namespace)


def place(item: Ingress | Service, words: dict[str, str]) -> ProbeLocation:
    """One location of an object that has several."""
    name = " ".join([f"{item.namespace}/{item.name}", *words.values()])
    given = {**words, "name": item.name, "namespace": item.namespace}
    return ProbeLocation(name, given, unusable(item.ref, words["address"]), item.namespace)


#: For each `each:` the noun of its objects, and the function that makes locations of one object.
EACH: dict[str, tuple[str, Callable[[Any, Any], Iterator[ProbeLocation]]]] = {
    "node": ("nodes", of_node),
    "ingress": ("ingresses", of_ingress),
    "load-balancer": ("services", of_load_balancer),
}


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """The labels meet every requirement of the selector: `key`, `!key`, `key=value`, `key!=value`."""
    return all(meets_requirement(part.strip(), labels) for part in selector.split(",") if part.strip())


def meets_requirement(requirement: str, labels: Mapping[str, str]) -> bool:
    """As the API server reads it: `key!=value` is also true if the key is missing. Raises ValueError if it is malformed."""
    match = REQUIREMENT.fullmatch(requirement)
    if match is None:
        raise ValueError(f"{requirement!r} is not a requirement of a label selector")
    absent, key, sign, value = match.groups()
    if sign is None:
        return (key in labels) != bool(absent)
    return (labels.get(key) == value) != (sign == "!=")
