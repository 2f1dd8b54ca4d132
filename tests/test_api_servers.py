"""Each API server answers by itself, as the others do; what cannot be reached from here is no finding."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worlds import NOW, endpointslice, good, judge, node, objects, snapshot
from upgate.facts.api_servers import ApiServerAnswer, ApiServers
from upgate.sources.cluster.api_servers import addresses_in, is_loopback, is_own_address, of_control_plane_and_ready

FINE = {"version": "v1.36.3", "issuer": "CN=kubernetes", "newest": NOW}


def server(number, **changes):
    """One that answers as it should, but for these."""
    return ApiServerAnswer(f"10.0.0.{number}:6443", **{**FINE, **changes})


def judged(*answers, nodes=0):
    """What the check says of them."""
    return judge("apis.answer", snapshot(good(), api_servers=ApiServers(answers, nodes)))


@pytest.mark.parametrize(
    "change",
    [
        {"problem": "connection refused at 10.0.0.3:6443"},
        {"version": "v1.35.9"},
        {"unready": "status 500: etcd failed"},
        {"newest": NOW - timedelta(minutes=2)},
    ],
)
def test_the_one_that_differs_is_found(change):
    """Of three."""
    result = judged(server(1), server(2), server(3, **change))
    assert (result.outcome, objects(result)) == ("failed", ["APIServer/10.0.0.3:6443"])


def test_another_authority_is_a_warning():
    """Certificates are renewed one after the other."""
    assert judged(server(1), server(2), server(3, issuer="CN=old")).outcome == "warned"


def test_leases_that_are_seen_a_little_later_are_fine():
    """They are renewed every ten seconds."""
    assert judged(server(1), server(2, newest=NOW - timedelta(seconds=20))).outcome == "passed"
    assert judged(server(1), server(2, newest=None)).outcome == "passed"


def test_where_none_can_be_reached_from_here_nothing_is_said():
    """Addresses of a control plane are often private: only what the profile names must answer."""
    away = {"problem": "no connection within 3 s"}
    assert judged(server(1, **away), server(2, **away)).outcome == "passed"
    named = judged(server(1, **away), server(9, named=True, **away))
    assert objects(named) == ["APIServer/10.0.0.9:6443"]
    assert len(judged(server(1, **away), server(9, named=True)).findings) == 0


def test_fewer_addresses_than_nodes_of_the_control_plane_are_found():
    """A dead API server leaves the slice. One address alone may be that of a load balancer."""
    assert objects(judged(server(1), server(2), nodes=3)) == ["EndpointSlice/default/kubernetes"]
    assert judged(server(1), nodes=3).outcome == "passed"
    assert judged(server(1), server(2), server(3), nodes=3).outcome == "passed"


def test_the_addresses_come_from_the_slice_of_kubernetes():
    """Of ready endpoints, IPv6 in brackets."""
    lists = snapshot(
        {
            "endpointslices": [
                endpointslice(
                    "kubernetes",
                    "10.0.0.1",
                    "fd00::1",
                    metadata={"namespace": "default"},
                    ports=[{"port": 6443, "protocol": "TCP"}],
                ),
                endpointslice("web", "10.9.9.9"),
            ],
            "nodes": [
                node("cp", metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}}),
                node("down", "False", metadata={"labels": {"node-role.kubernetes.io/control-plane": ""}}),
                node("worker"),
            ],
        }
    ).lists
    assert list(addresses_in(lists["endpointslices"])) == [("10.0.0.1", 6443), ("fd00::1", 6443)]
    assert [each.name for each in lists["nodes"] if of_control_plane_and_ready(each)] == ["cp"]


def test_behind_a_tunnel_only_addresses_of_this_machine_mean_anything():
    """Elsewhere the same address may be anybody."""
    assert is_loopback("https://127.0.0.1:6443")
    assert is_loopback("https://localhost:6443")
    assert is_loopback("https://[::1]:6443")
    assert not is_loopback("https://10.0.0.1:6443")
    assert is_own_address("127.0.0.1")
    assert not is_own_address("192.0.2.1")
    assert not is_own_address("no address")
