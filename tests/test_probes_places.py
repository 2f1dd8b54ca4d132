"""`each:`: the nodes, Ingresses and load balancers of a snapshot as things to ask."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from tests.worlds import NOW, empty, good, ingress, judge, node, service, snapshot, thing
from upgate.judge.dependencies import dependencies
from upgate.profile.external import External
from upgate.snapshot import Snapshot
from upgate.sources.probes import Attempt
from upgate.sources.probes.targets import lists_for_probes, probe_targets, probed_entry

NODE_URL = "http://{address}:10256/healthz"


def entry(**keys: Any) -> External:
    return External.model_validate({"name": "x", **keys})


def addressed(name: str, *, labels: dict[str, str] | None = None, **addresses: str) -> dict[str, Any]:
    """A node with these addresses."""
    status = {"addresses": [{"type": type, "address": address} for type, address in addresses.items()]}
    return node(name, metadata={"labels": labels or {}}, status=status)


def balancer(name: str, *addresses: dict[str, str], ports: tuple[int, ...] = (443,), **changes: Any) -> dict[str, Any]:
    """A Service of type LoadBalancer."""
    spec = {"type": "LoadBalancer", "ports": [{"port": port} for port in ports]}
    return service(name, spec=spec, status={"loadBalancer": {"ingress": list(addresses)}}, **changes)


def urls(one: External, world: dict[str, Any], scope: tuple[str, ...] = ("*",)) -> list[str]:
    return [each.url for each in probe_targets([one], snapshot(good(**world)), scope=scope)]


def gaps(one: External, seen_: Snapshot) -> list[str]:
    return [gap for gap in probed_entry(one, seen_).gaps if "was not probed" not in gap]


NODES = {
    "nodes": [
        addressed(
            "n1", InternalIP="10.0.0.1", ExternalIP="192.0.2.1", Hostname="n1.example.com", labels={"pool": "edge"}
        ),
        addressed("n2", InternalIP="10.0.0.2", Hostname="n2", labels={"pool": "batch", "spot": ""}),
    ]
}


@pytest.mark.parametrize(
    ("kind", "hosts", "missing"),
    [
        ("internal", ["10.0.0.1", "10.0.0.2"], []),
        ("external", ["192.0.2.1"], ["Node/n2 has no ExternalIP in its status"]),
        ("hostname", ["n1.example.com", "n2"], []),
    ],
)
def test_the_type_of_a_nodes_address(kind: str, hosts: list[str], missing: list[str]) -> None:
    """Nodes are asked at the wanted type of address; one that has none could not be asked, and says so."""
    one = entry(each="node", url=NODE_URL, **{"address-type": kind})
    assert urls(one, NODES) == [f"http://{host}:10256/healthz" for host in hosts]
    assert gaps(one, snapshot(good(**NODES))) == missing


@pytest.mark.parametrize(
    ("pool", "hosts"),
    [
        ("pool=edge", ["10.0.0.1"]),
        ("pool!=edge", ["10.0.0.2"]),
        ("spot", ["10.0.0.2"]),
        ("!spot", ["10.0.0.1"]),
        ("pool = batch, spot", ["10.0.0.2"]),
        ("pool", ["10.0.0.1", "10.0.0.2"]),
    ],
)
def test_a_pool_of_nodes(pool: str, hosts: list[str]) -> None:
    """Only the nodes that a label selector selects are asked."""
    one = entry(each="node", url=NODE_URL, pool=pool)
    assert urls(one, NODES) == [f"http://{host}:10256/healthz" for host in hosts]


def test_each_ingress() -> None:
    """Each host and path of each Ingress is asked at each of its addresses; the name still decides TLS and routing."""
    paths = [{"path": "/a"}, {"path": "/b(/|$)(.*)"}, {"path": "/c"}]
    rules = [
        {"host": "shop.example.com", "http": {"paths": paths}},
        {"host": "*.example.com"},
        {"http": {"paths": paths}},
    ]
    world = {"ingresses": [ingress("front", "", "192.0.2.1", "192.0.2.2", spec={"rules": rules})]}
    one = entry(each="ingress", url="https://{host}{path}", address="{address}")
    found = probe_targets([one], snapshot(good(**world)))
    assert [(each.url, each.address) for each in found] == [
        ("https://shop.example.com/a", "192.0.2.1"),
        ("https://shop.example.com/c", "192.0.2.1"),
        ("https://shop.example.com/a", "192.0.2.2"),
        ("https://shop.example.com/c", "192.0.2.2"),
    ]
    assert len({each.id for each in found}) == 4


def test_an_address_is_asked_once() -> None:
    """Many Ingresses behind one address are one thing to ask, as long as nothing else tells them apart."""
    world = {"ingresses": [ingress(f"i{number}", f"h{number}.example.com", "192.0.2.1") for number in range(5)]}
    assert urls(entry(each="ingress", tcp="{address}:443"), world) == ["tcp://192.0.2.1:443"]
    assert len(urls(entry(each="ingress", tls="{address}:443", **{"server-name": "{host}"}), world)) == 5


def test_the_name_of_each_ingress_resolves() -> None:
    """A name in DNS can be held against the address in the Ingress's status."""
    one = entry(each="ingress", dns="{host}", **{"resolves-to": ("{address}",), "resolver": "10.0.0.10"})
    [target] = probe_targets([one], snapshot(good()))
    assert (target.url, str(target.expectations[0])) == ("dns://shop.example.com", "resolves to 192.0.2.10")


def test_each_load_balancer() -> None:
    """Each address and TCP port of each Service of type LoadBalancer is asked; other Services are not."""
    udp = [{"port": 443}, {"port": 53, "protocol": "UDP"}]
    services = [balancer("a", {"ip": "192.0.2.1"}, {"hostname": "lb.example.com"}, ports=(80, 443)), service("web")]
    assert urls(entry(each="load-balancer", tcp="{address}:{port}"), {"services": services}) == [
        "tcp://192.0.2.1:80",
        "tcp://192.0.2.1:443",
        "tcp://lb.example.com:80",
        "tcp://lb.example.com:443",
    ]
    services = [
        service("b", spec={"type": "LoadBalancer", "ports": udp}, status=balancer("b", {"ip": "fd00::1"})["status"])
    ]
    assert urls(entry(each="load-balancer", tcp="{address}:{port}"), {"services": services}) == ["tcp://[fd00::1]:443"]


def test_no_address_yet() -> None:
    """What has no address in its status could not be asked: a gap that names it, while the others are asked."""
    world = good(services=[balancer("a"), balancer("b", {"ip": "192.0.2.1"})])
    one = entry(each="load-balancer", tcp="{address}:{port}")
    assert [each.url for each in probe_targets([one], snapshot(world))] == ["tcp://192.0.2.1:443"]
    assert gaps(one, snapshot(world)) == ["Service/shop/a has no address in its status"]
    two = entry(each="ingress", tcp="{address}:443")
    bare = good(ingresses=[ingress(status={"loadBalancer": {"ingress": []}})])
    assert gaps(two, snapshot(bare)) == ["Ingress/shop/front has no address in its status"]


@pytest.mark.parametrize("each", ["node", "ingress", "load-balancer"])
def test_none_at_all(each: str) -> None:
    """Where there is nothing to ask nothing was examined: inconclusive, unless the profile says that it may be so."""
    one = entry(each=each, tcp="{address}:80")
    result = judge("external.tcp.{name}", snapshot(empty()), entry=one)
    assert (result.outcome, result.examined) == ("inconclusive", 0)
    assert f"there are no {each} addresses to judge" in result.reason


def test_out_of_scope() -> None:
    """Ingresses and load balancers in namespaces that the profile does not look at are not asked."""
    one = entry(each="ingress", tcp="{address}:443")
    assert urls(one, {}, scope=("*", "!shop")) == []
    assert urls(one, {}, scope=("shop",)) == ["tcp://192.0.2.10:443"]


def test_what_is_going_is_not_asked() -> None:
    """An Ingress that is being deleted need not answer."""
    going = ingress("old", metadata={"deletionTimestamp": thing("x")["metadata"]["creationTimestamp"]})
    assert urls(entry(each="ingress", tcp="{address}:443"), {"ingresses": [going]}) == []


def test_a_journey_at_each_place() -> None:
    """A journey's steps go to each place too, and its own captured words stay as they are."""
    steps = ({"get": "http://{address}:80/"}, {"get": "http://{address}:80/{token}", "headers": {"Host": "{name}"}})
    one = entry(each="node", journey=steps)
    first, _ = probe_targets([one], snapshot(good(**NODES)))
    assert [each.url for each in first.steps] == ["http://10.0.0.1:80/", "http://10.0.0.1:80/{token}"]
    assert first.steps[1].headers == {"Host": "n1"}


def test_what_must_be_listed() -> None:
    """Entries need the lists that they are expanded from, and those that explain what does not answer; no entries, none."""
    assert lists_for_probes([]) == set()
    assert lists_for_probes([entry(each="ingress", tcp="{address}:443")]) == {
        "nodes",
        "services",
        "endpointslices",
        "ingresses",
    }


SHOPS = {
    "ingresses": [
        ingress("shop", "shop.example.com", "192.0.2.5"),
        ingress("blog", "blog.example.com", "192.0.2.5"),
        ingress("default", "", "192.0.2.5"),
    ]
}


def test_what_only_headers_tell_apart_is_asked_each_for_itself() -> None:
    """Many hosts behind one address are many things to ask where the Host header names them."""
    one = entry(each="ingress", url="http://{address}/", headers={"Host": "{host}"})
    found = probe_targets([one], snapshot(good(**SHOPS)))
    assert [each.headers["Host"] for each in found] == ["shop.example.com", "blog.example.com"]


def test_what_only_a_later_step_tells_apart_is_asked_each_for_itself() -> None:
    """A journey that logs in at one place and goes on to each node goes to each node."""
    steps = ({"post": "https://login.example.com/"}, {"get": "http://{address}:8080/"})
    found = probe_targets([entry(each="node", journey=steps)], snapshot(good(**NODES)))
    assert [each.steps[1].url for each in found] == ["http://10.0.0.1:8080/", "http://10.0.0.2:8080/"]


def test_what_a_place_must_answer_may_be_its_own() -> None:
    """An agent on each node says on which: the words of a place stand in what is expected, too."""
    one = entry(each="node", url=NODE_URL, body="I am {name} {today}", header={"X-Node": "{name}"})
    found = [str(each) for each in probe_targets([one], snapshot(good(**NODES)))[0].expectations]
    assert found == ['body contains "I am n1 {today}"', 'header X-Node contains "n1"']


# What tenants and kubelets write

TRAPS = (
    *("127.0.0.1?ssh_config=/etc/x", "a b", "10.0.0.1:80", "http://a", "a\nb", "a%0Ab"),
    *("x@y", "[::1]", "fe80::1%eth0", "a/b", "1.2"),
)


@pytest.mark.parametrize("address", TRAPS)
def test_what_is_no_address_is_not_asked(address: str) -> None:
    """An address from the cluster is an IP address or a DNS name; anything else is a gap that does not repeat it."""
    one = entry(each="node", url="http://{address}/", **{"address-type": "internal"})
    world = {"nodes": [addressed("n1", InternalIP=address), addressed("n2", InternalIP="10.0.0.2")]}
    assert urls(one, world) == ["http://10.0.0.2/"]
    [gap] = gaps(one, snapshot(good(**world)))
    assert gap == "Node/n1 has an address that is neither an IP address nor a DNS name"


@pytest.mark.parametrize("path", ["/{token}", "/a b", "/a\r\nX: y", "/" + "a" * 5000, "/ü"])
def test_a_path_that_is_not_plain_is_not_asked(path: str) -> None:
    """A path cannot name words of ours, nor end the line that it stands in."""
    rules = [{"host": "a.example.com", "http": {"paths": [{"path": path}, {"path": "/ok"}]}}]
    world = {"ingresses": [ingress("front", "", "192.0.2.1", spec={"rules": rules})]}
    assert urls(entry(each="ingress", url="https://{host}{path}"), world) == ["https://a.example.com/ok"]


def many(name: str, namespace: str, number: int) -> dict[str, Any]:
    """An Ingress of many paths."""
    paths = [{"path": f"/{namespace}/{each}", "backend": {"service": {"name": "web"}}} for each in range(number)]
    rules = [{"host": "shop.example.com", "http": {"paths": paths}}]
    return ingress(name, "", "192.0.2.1", metadata={"namespace": namespace}, spec={"rules": rules})


def test_targets_of_each_are_bounded_and_what_is_left_out_is_said() -> None:
    """2,500 paths of one Ingress become 500 targets, and a gap that says whose are left out."""
    one, world = entry(each="ingress", url="https://{host}{path}"), {"ingresses": [many("big", "shop", 2500)]}
    assert len(urls(one, world)) == 500
    assert gaps(one, snapshot(good(**world))) == [
        "2000 more places of each ingress were left out (2000 of shop): at-most is 500"
    ]
    few = entry(each="ingress", url="https://{host}{path}", **{"at-most": 3})
    assert len(urls(few, world)) == 3


def test_whoever_has_many_does_not_crowd_out_the_others() -> None:
    """Namespaces take turns: a tenant with thousands of paths leaves room for those with one."""
    world = {"ingresses": [many("big", "a-tenant", 2500), many("one", "shop", 1), many("two", "zoo", 2)]}
    found = urls(entry(each="ingress", url="https://{host}{path}"), world)
    assert {"https://shop.example.com/shop/0", "https://shop.example.com/zoo/0", "https://shop.example.com/zoo/1"} <= {
        *found
    }


def test_an_ingress_of_many_paths_costs_little() -> None:
    """2,500 paths are expanded, judged and explained within a second and 50 MB."""
    one, seen_ = (
        entry(each="ingress", url="https://{host}{path}"),
        snapshot(good(ingresses=[many("big", "shop", 2500)])),
    )
    tracemalloc.start()
    began = time.process_time()
    found = probe_targets([one], seen_)
    answers = [Attempt(id=each.id, target=each.shown, started=NOW, status=503) for each in found]
    looked = snapshot(good(ingresses=[many("big", "shop", 2500)]), attempts=answers)
    wrong = [each.problems for each in probed_entry(one, looked).endpoints]
    dependencies(looked)
    seconds, memory = time.process_time() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(wrong) == 500
    assert seconds < 5  # tracing makes it five times as slow
    assert memory < 50 << 20


def test_only_trusted_namespaces_are_asked() -> None:
    """`namespaces` of the entry narrow down the profile's scope."""
    world = {"ingresses": [many("a", "tenant", 1), many("b", "shop", 1)]}
    one = entry(each="ingress", url="https://{host}{path}", namespaces=("shop",))
    assert urls(one, world) == ["https://shop.example.com/shop/0"]
    assert urls(one, world, scope=("tenant",)) == []
