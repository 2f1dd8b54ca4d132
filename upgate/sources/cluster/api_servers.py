"""Asks the API servers one by one, past the load balancer: those that the EndpointSlice `kubernetes` and the profile name.

Our credentials go only to who proves with a certificate of the cluster's authority to be `kubernetes.default.svc`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from upgate.base.addresses import is_ip
from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.text import one_line_excerpt
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.api_servers import ApiServerAnswer, ApiServers
from upgate.facts.certificates import read_certificate
from upgate.facts.health import HealthEndpoint
from upgate.facts.meta import Fact, Time
from upgate.sources.cluster.connection import JSON, NOT_JSON, PLAIN, Connection, NoAnswer, Timeouts, text_member
from upgate.sources.cluster.listing import Listing

if TYPE_CHECKING:
    from upgate.facts.nodes import Node
    from upgate.facts.services import EndpointSlice

#: The name that every API server's certificate has, and the Service that they stand behind.
NAME, SERVICE = "kubernetes.default.svc", ("default", "kubernetes")
ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
#: Addresses that are asked at most, and seconds for connecting and for silence.
MOST, CONNECT, READ = 20, 3.0, 10.0


class RenewedSpec(Fact):
    """`spec` of a lease."""

    renew_time: Time | None = None


class Renewed(Fact):
    """A lease, as far as it moves."""

    spec: RenewedSpec = RenewedSpec()


class RenewedList(Fact):
    """A list of them."""

    items: list[Renewed] | None = None


def ask_api_servers(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> ApiServers:
    """What each of them answers. None is asked where TLS is not checked. Raises Inconclusive."""
    if missing := [noun for noun in ("endpointslices", "nodes") if noun not in listed]:
        raise Inconclusive(f"the API servers were not asked one by one: {', '.join(missing)} could not be listed")
    tunnelled = is_loopback(connection.server)
    found = {
        f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}": False
        for ip, port in addresses_in(listed["endpointslices"].items)
        if not tunnelled or is_own_address(ip)
    }
    found |= dict.fromkeys(connection.api_servers, True)
    if not connection.server.startswith("https:") or not connection.configuration.verify_ssl:
        found = dict(unverified(connection))
    tasks = {
        each: partial(ask_api_server, connection, each, named, deadline) for each, named in [*found.items()][:MOST]
    }
    nodes = sum(of_control_plane_and_ready(each) for each in listed["nodes"].items)
    return ApiServers(tuple(concurrently(tasks).values()), nodes)


def unverified(connection: Connection) -> Iterator[tuple[str, bool]]:
    """No address, for our credentials must not go there. Raises Inconclusive where the profile names some."""
    if connection.api_servers:
        raise Inconclusive(
            "the API servers were not asked one by one: the kubeconfig does not have their certificates checked"
        )
    yield from ()


def addresses_in(slices: list[EndpointSlice]) -> Iterator[tuple[str, int]]:
    """Where the API servers say that they are."""
    for slice in (each for each in slices if each.service == SERVICE):
        for port in (each.port for each in slice.ports or () if each.port and each.protocol == "TCP"):
            for ip in (ip for endpoint in slice.ready for ip in endpoint.addresses or ()):
                yield ip, port


def is_loopback(server: str) -> bool:
    """The kubeconfig leads to this machine: to an API server here, or to a tunnel, behind which addresses mean nothing here."""
    host = urlsplit(server).hostname or ""
    return host == "localhost" or (is_ip(host) and ip_address(host).is_loopback)


def is_own_address(ip: str) -> bool:
    """It is an address of this machine: no other can be bound to."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as one:
            one.bind((ip, 0))
    except (OSError, ValueError):
        return False
    return True


def of_control_plane_and_ready(node: Node) -> bool:
    """An API server should run there."""
    return node.ready.is_true and any(role in node.labels for role in ROLES)


def ask_api_server(connection: Connection, address: str, named: bool, deadline: Deadline) -> ApiServerAnswer:
    """What one of them answers by itself."""
    direct = connected_to(connection, address)
    try:
        version = text_member(direct.get("/version", deadline=deadline).body, "gitVersion") or "unknown"
        ready = direct.get("/readyz", {"verbose": ""}, PLAIN, deadline)
        health = HealthEndpoint("readyz", ready.status, ready.body[:20_000].decode(errors="replace"))
        return ApiServerAnswer(
            address,
            named,
            version[:100],
            "" if ready.status in (401, 403) else one_line_excerpt(health.problem(), 300),
            issuer_of(direct.peer),
            newest_renewal(direct, deadline),
        )
    except NoAnswer as problem:
        return ApiServerAnswer(address, named, problem=one_line_excerpt(str(problem), 300))
    finally:
        direct.close()


def connected_to(connection: Connection, address: str) -> Connection:
    """A connection of its own to that address, with our login."""
    from kubernetes.client import ApiClient

    configuration = deepcopy(connection.configuration)
    configuration.host, configuration.tls_server_name = f"https://{address}", NAME
    patience = connection.patience
    limits = Timeouts(min(CONNECT, patience.connect), min(READ, patience.read), patience.deadline)
    return Connection(ApiClient(configuration), limits)


def issuer_of(certificate: bytes | None) -> str:
    """Who issued the certificate that was presented."""
    return read_certificate(certificate).issuer if certificate else "unknown"


def newest_renewal(direct: Connection, deadline: Deadline) -> Time | None:
    """The latest renewal of a node's lease in its own cache; None where it may not be read, or there is none."""
    answer = direct.get(LEASES, {"resourceVersion": "0"}, JSON, deadline)
    try:
        leases = decoder(RenewedList).decode(answer.body).items or () if answer.status == 200 else ()
    except NOT_JSON:
        return None
    return max((each.spec.renew_time for each in leases if each.spec.renew_time), default=None)
