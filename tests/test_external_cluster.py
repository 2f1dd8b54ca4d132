"""What does not answer from outside, beside what the cluster says of itself: by the real command, of a cluster on loopback."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.apiserver import EmbeddedCluster
from tests.running import Run, profile_of, run
from tests.servers import accepting, free_port
from tests.worlds import NOW, by_resource, endpointslice, good, ingress, lease, node, service

#: Loopback has a whole network of addresses: each node gets one, in place of a network namespace.
ADDRESSES = {"n1": "127.0.0.11", "n2": "127.0.0.12", "n3": "127.0.0.13"}


def at(name: str, ready: str = "True") -> dict[str, Any]:
    """A node at its address."""
    status = {"addresses": [{"type": "InternalIP", "address": ADDRESSES[name]}]}
    return node(name, ready, status=status, metadata={"labels": {"pool": "real"}})


def served(**changes: Any) -> dict[str, Any]:
    """A good world with three nodes, as the embedded cluster takes it."""
    world = good(**{"nodes": [node(), *map(at, ADDRESSES)], "leases": [lease(), *map(lease, ADDRESSES)], **changes})
    return by_resource(world) | {"recorded": NOW}


def healthy(connection: socket.socket) -> None:
    """A health port that answers."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()


def asked(folder: Path, world: dict[str, Any], *entries: dict[str, Any]) -> Run:
    """The battery on this world, with these entries; its addresses are all of loopback."""
    entries = tuple(each | {"allow-addresses": "127.0.0.0/8"} for each in entries)
    with EmbeddedCluster(world) as cluster:
        return run(profile_of(cluster, folder, yaml.safe_dump({"external": list(entries)}))).whole()


def without_backend(connection: socket.socket) -> None:
    """What a proxy answers that has nobody to pass a request on to."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """n1 refuses although it is Ready; n2 answers; n3 is down."""
    port = free_port()
    entry = {"name": "kube-proxy", "each": "node", "pool": "pool=real", "url": f"http://{{address}}:{port}/healthz"}
    world = served(nodes=[node(), at("n1"), at("n2"), at("n3", "Unknown")])
    with accepting(healthy, ADDRESSES["n2"], port):
        return asked(tmp_path_factory.mktemp("localhost"), world, entry)


def test_a_port_that_went_to_localhost_is_found_on_its_node_only(localhost: Run) -> None:
    """Of three nodes one refuses and is Ready: a root cause of its own, explained, that the cluster itself does not see."""
    check = localhost.check("external.kube-proxy")
    assert (check["outcome"], check["examined"]) == ("failed", 3)
    [root] = [each for each in check["findings"] if not each["because"]]
    place = root["object"].removeprefix("http://").removesuffix("/healthz")
    assert place.startswith("127.0.0.11:")
    assert root["observed"] == f"connection refused at {place}; n1 is Ready"


def test_a_node_that_is_down_explains_its_address(localhost: Run) -> None:
    """What does not answer at the address of a node that is not Ready follows from that; it is hidden nowhere."""
    [follows] = [each for each in localhost.check("external.kube-proxy")["findings"] if each["because"]]
    assert follows["object"].startswith("http://127.0.0.13:")
    assert follows["because"] == "nodes.ready: Node/n3"
    assert f": {follows['object']}" in " ".join(localhost.out.split())


def test_a_way_in_without_endpoints_is_one_root_cause(tmp_path: Path) -> None:
    """A node port, a load balancer and an Ingress that lead to one Service without endpoints follow from that Service."""
    port = free_port()
    ports = [{"port": port, "targetPort": 8080, "nodePort": port}]
    status = {"loadBalancer": {"ingress": [{"ip": "127.0.0.21"}]}}
    web = service("web", spec={"type": "LoadBalancer", "ports": ports}, status=status)
    world = served(
        services=[web],
        endpointslices=[endpointslice("web", "10.1.0.1", ready=False)],
        ingresses=[ingress("front", "shop.example.com", "127.0.0.22")],
    )
    with accepting(without_backend, "127.0.0.22", port):
        run = asked(
            tmp_path,
            world,
            {"name": "by-node-port", "each": "node", "pool": "pool=real", "tcp": f"{{address}}:{port}"},
            {"name": "by-balancer", "each": "load-balancer", "tcp": "{address}:{port}"},
            {"name": "by-ingress", "each": "ingress", "url": f"http://{{host}}:{port}/", "address": "{address}"},
        )
    for id, number in (("external.tcp.by-node-port", 3), ("external.tcp.by-balancer", 1), ("external.by-ingress", 1)):
        findings = run.check(id)["findings"]
        assert [each["because"] for each in findings] == ["services.endpoints: Service/shop/web"] * number, run.out
        assert all("Service/shop/web, which has no ready endpoint" in each["observed"] for each in findings)
