"""From the profile's entries to targets, and from attempts to what a check judges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.servers import free_port, serving
from upgate.base.errors import Inconclusive
from upgate.facts.nodes import Node
from upgate.facts.services import Service
from upgate.profile.external import External
from upgate.snapshot import Snapshot
from upgate.sources.probes import Attempt, Failure, ProbeTarget, attempt_all
from upgate.sources.probes.targets import lists_for_probes, probe_targets, probed_entry

#: Nodes that are servers of a test.
LOOPBACK = {"allow-addresses": "127.0.0.0/8"}


def entry(**keys: Any) -> External:
    return External.model_validate({"name": "x", **keys})


def snapshot(nodes: dict[str, str] | None = None, **more: Any) -> Snapshot:
    items = None if nodes is None else [node(name, address) for name, address in nodes.items()]
    return Snapshot(taken=datetime.now(UTC), lists={"nodes": items}, **more)


def node(name: str, address: str) -> Node:
    addresses = [{"type": "Hostname", "address": name}, {"type": "InternalIP", "address": address}] if address else []
    return msgspec.convert({"metadata": {"name": name}, "status": {"addresses": addresses}}, Node)


def target_of(one: External, **more: Any) -> ProbeTarget:
    (target,) = probe_targets([one], snapshot(**more))
    return target


def test_a_url_entry_becomes_a_target() -> None:
    """Every key of an entry arrives at its target."""
    one = entry(
        url="https://shop.example.com/healthz", method="HEAD", status=(200, 204), body="ok", matches="^o", location="/x",
        json={"a.b": True}, header={"Server": "envoy"}, within="800ms", timeout="3s", headers={"A": "b"}, ca="corp.pem",
        follow=True, proxy="none", address="127.0.0.1", **{"tls-days": 21, "client-certificate": "c", "client-key": "k"},
    )  # fmt: skip
    target = target_of(one)
    assert (target.id, target.method, target.status, target.within, target.timeout) == (
        "external.x",
        "HEAD",
        (200, 204),
        0.8,
        3,
    )
    assert (target.ca, target.client_certificate, target.client_key, target.tls_days) == ("corp.pem", "c", "k", 21)
    assert (target.proxy, target.address, target.follow, target.headers) == ("none", "127.0.0.1", True, {"A": "b"})
    assert [str(each) for each in target.expectations] == [
        'body contains "ok"', "body matches /^o/", "redirect to https://shop.example.com/x", "JSON a.b is true",
        'header Server contains "envoy"',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "id", "url"),
    [
        ({"tcp": "db.example.com:5432"}, "external.tcp.x", "tcp://db.example.com:5432"),
        ({"dns": "shop.example.com"}, "external.dns.x", "dns://shop.example.com"),
        ({"websocket": "wss://shop.example.com/ws"}, "external.websocket.x", "wss://shop.example.com/ws"),
        ({"websocket": "https://shop.example.com/ws"}, "external.websocket.x", "wss://shop.example.com/ws"),
        ({"websocket": "http://shop.example.com/ws"}, "external.websocket.x", "ws://shop.example.com/ws"),
        ({"closed": "10.0.0.1:10255"}, "external.closed.x", "tcp://10.0.0.1:10255"),
        ({"closed": "http://10.0.0.1/admin"}, "external.closed.x", "http://10.0.0.1/admin"),
    ],
)
def test_other_kinds(keys: dict[str, str], id: str, url: str) -> None:
    """Each kind of entry has its id and its way of asking."""
    target = target_of(entry(**keys))
    assert (target.id, target.url, target.closed) == (id, url, "closed" in keys)
    assert target.shown == url.removeprefix("tcp://").removeprefix("dns://")


def test_each_node() -> None:
    """`each: node` asks every node by its internal address, or by its name when it tells none."""
    one = entry(each="node", url="http://{address}:10256/healthz")
    found = probe_targets([one], snapshot({"n1": "10.0.0.1", "n2": "fd00::2", "n3": ""}))
    assert [(each.id, each.url) for each in found] == [
        ("external.x[n1]", "http://10.0.0.1:10256/healthz"),
        ("external.x[n2]", "http://[fd00::2]:10256/healthz"),
        ("external.x[n3]", "http://n3:10256/healthz"),
    ]
    assert lists_for_probes([one]) >= {"nodes"}


def test_each_node_without_nodes() -> None:
    """Where the nodes could not be listed nothing is asked, and the check is told why; other entries go on."""
    one, other = entry(each="node", url="http://{address}/"), entry(name="y", url="http://127.0.0.1/")
    blind = snapshot(gaps={"nodes": "403"})
    assert [each.id for each in probe_targets([one, other], blind)] == ["external.y"]
    with pytest.raises(Inconclusive, match="403"):
        probed_entry(one, blind)


def test_what_was_seen_is_judged() -> None:
    """A node that refuses is the one with a problem, and the others have none."""
    with serving() as server:
        one = entry(each="node", url=f"http://{{address}}:{server.port}/ok", status=200, **LOOPBACK)
        looked = snapshot({"n1": "127.0.0.1", "n2": "127.0.0.2"})
        looked = msgspec.structs.replace(looked, attempts=attempt_all(probe_targets([one], looked)))
    good, bad = probed_entry(one, looked).endpoints
    assert good.problems == ""
    assert bad.problems.startswith(f"connection refused at 127.0.0.2:{server.port}; n2 is not Ready")
    assert (bad.expected, bad.ref) == ("status 200", f"http://127.0.0.2:{server.port}/ok")


@pytest.mark.parametrize(
    ("ready", "known"), [("True", "n1 is Ready"), ("False", "n1 is not Ready (Ready=False (KubeletDown))")]
)
def test_what_the_cluster_knows(ready: str, known: str) -> None:
    """A failure adds whose address and port it is, and which Service is behind it with how many endpoints."""
    port = free_port()
    one = entry(each="node", url=f"http://{{address}}:{port}/", **LOOPBACK)
    conditions = [{"type": "Ready", "status": ready, "reason": "" if ready == "True" else "KubeletDown"}]
    status = {"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "conditions": conditions}
    nodes = [msgspec.convert({"metadata": {"name": "n1"}, "status": status}, Node)]
    ports = {"selector": {"app": "shop"}, "ports": [{"port": 80, "nodePort": port}]}
    services = [msgspec.convert({"metadata": {"name": "shop", "namespace": "web"}, "spec": ports}, Service)]
    looked = Snapshot(taken=datetime.now(UTC), lists={"nodes": nodes, "services": services, "endpointslices": []})
    looked = msgspec.structs.replace(looked, attempts=attempt_all(probe_targets([one], looked)))
    (endpoint,) = probed_entry(one, looked).endpoints
    refused = f"connection refused at 127.0.0.1:{port}"
    assert endpoint.problems == f"{refused}; {known}; node port of Service/web/shop, which has no ready endpoint"


def test_well_known_ports() -> None:
    """The component that owns a port of Kubernetes' own is named with the flag that binds it."""
    one = entry(url="http://127.0.0.1:10256/healthz")
    looked = snapshot({"n1": "127.0.0.1"})
    refused = Attempt(
        id=one.id,
        target=one.url,
        started=datetime.now(UTC),
        address="127.0.0.1:10256",
        failure=Failure("connect-refused"),
    )
    (endpoint,) = probed_entry(one, msgspec.structs.replace(looked, attempts=[refused])).endpoints
    assert endpoint.problems == (
        "connection refused at 127.0.0.1:10256; n1 is not Ready (Ready=Unknown (no such condition)); port 10256 is kube-proxy's"
        " health port (--healthz-bind-address, healthzBindAddress), which refuses all but the node itself when bound to 127.0.0.1"
    )


def test_an_entry_that_was_not_asked() -> None:
    """A snapshot without an attempt of this entry cannot be judged by it."""
    found = probed_entry(entry(url="http://127.0.0.1/"), snapshot())
    assert (found.endpoints, found.gaps) == ([], ["http://127.0.0.1/ was not probed when this snapshot was taken"])


def test_a_gap_of_ours() -> None:
    """An endpoint that we could not ask is a gap that says why, and nothing that could be judged."""
    one = entry(url="https://127.0.0.1/", ca="missing.pem")
    looked = snapshot()
    looked = msgspec.structs.replace(looked, attempts=attempt_all(probe_targets([one], looked)))
    found = probed_entry(one, looked)
    assert found.endpoints == []
    assert "missing.pem" in found.gaps[0]


def test_secrets_of_the_profile() -> None:
    """A text from the environment never shows, not even in a path."""
    one = entry(url=f"http://127.0.0.1:{free_port()}/hook/env-s3cret", body="env-s3cret")
    looked = snapshot()
    looked = msgspec.structs.replace(looked, attempts=attempt_all(probe_targets([one], looked, ["env-s3cret"])))
    (endpoint,) = probed_entry(one, looked, ["env-s3cret"]).endpoints
    assert (
        "env-s3cret" not in f"{endpoint.ref} {endpoint.problems} {endpoint.expected} {endpoint.words} {looked.attempts}"
    )
