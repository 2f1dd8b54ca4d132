"""Load balancers have addresses, and what the cluster cannot do without is served from more than one node."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    endpointslice,
    good,
    ingress,
    ingress_class,
    judge,
    load_balancer,
    merged,
    node,
    pod,
    run,
    service,
    started,
    warning,
)

NONE = {"loadBalancer": {"ingress": None}}


def balanced(*services, **lists):
    """What is said of these Services."""
    return judge("services.load-balancer", good(services=list(services), **lists))


def managed(**ago_):
    """Metadata that says when the Service's type was written."""
    fields = [{"manager": "kubectl", "time": ago(**ago_), "fieldsV1": {"f:spec": {"f:type": {}}}}]
    return {"managedFields": fields}


@pytest.mark.parametrize(
    ("why", "its", "outcome"),
    [
        ("an IP address", load_balancer(), "passed"),
        ("a host name", load_balancer(status={"loadBalancer": {"ingress": [{"hostname": "x.elb"}]}}), "passed"),
        (
            "MetalLB's VIP with a mode",
            load_balancer(status={"loadBalancer": {"ingress": [{"ip": "1", "ipMode": "VIP"}]}}),
            "passed",
        ),
        ("addresses of its own", load_balancer(status=NONE, spec={"externalIPs": ["192.0.2.1"]}), "passed"),
        ("no address", load_balancer(status=NONE), "failed"),
        ("an empty list", load_balancer(status={"loadBalancer": {"ingress": []}}), "failed"),
        ("an entry without an address", load_balancer(status={"loadBalancer": {"ingress": [{}]}}), "failed"),
        ("new", load_balancer(status=NONE, metadata={"creationTimestamp": ago(minutes=8)}), "inconclusive"),
        ("old", load_balancer(status=NONE, metadata={"creationTimestamp": ago(minutes=12)}), "failed"),
        ("its type was changed", load_balancer(status=NONE, metadata=managed(minutes=3)), "inconclusive"),
        ("its type is as old as it is", load_balancer(status=NONE, metadata=managed(hours=3)), "failed"),
        ("being deleted", load_balancer(status=NONE, metadata={"deletionTimestamp": ago(minutes=1)}), "passed"),
        ("another type", service(), "passed"),
    ],
)
def test_a_load_balancer_has_an_address(why, its, outcome):
    """An IP address or a host name; a cloud may take ten minutes to give it."""
    assert balanced(its).outcome == outcome, why


def test_who_should_give_the_address_is_named():
    """The loadBalancerClass that nothing serves, and what was said last, are told."""
    its = load_balancer(status=NONE, spec={"loadBalancerClass": "example.com/gone"})
    said = warning(its, "SyncLoadBalancerFailed", "Service", message="quota exceeded")
    (found,) = balanced(its, warnings=[said]).findings
    assert found.observed == (
        "no address from loadBalancerClass example.com/gone; SyncLoadBalancerFailed: quota exceeded"
    )


def test_a_port_that_could_not_be_opened_is_named():
    """A load balancer may have its address, and not all of its ports."""
    ports = [{"port": 80, "protocol": "TCP", "error": "PortInUse"}, {"port": 443, "protocol": "TCP"}]
    (found,) = balanced(load_balancer(status={"loadBalancer": {"ingress": [{"ip": "1", "ports": ports}]}})).findings
    assert found.observed == "port 80/TCP: PortInUse"


def slice_on(*nodes, of="edge"):
    """The endpoints of a Service, one on each of these nodes."""
    return endpointslice(
        of, endpoints=[{"addresses": [f"10.1.0.{number}"], "nodeName": name} for number, name in enumerate(nodes)]
    )


TWO = [node(), node("worker-2")]


def narrow(*places, nodes=TWO, its=None, **lists):
    """What is said of an entrance with ready endpoints on these nodes."""
    world = {"services": [its or load_balancer()], "endpointslices": [slice_on(*places)], "nodes": nodes, **lists}
    return judge("services.survivable", good(**world))


CORDONED = node("worker-2", spec={"unschedulable": True})
TAINTED = node("worker-2", spec={"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]})
GOING = node("worker-2", spec={"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]})


@pytest.mark.parametrize(
    ("places", "nodes", "observed"),
    [
        (["worker-1", "worker-2"], TWO, None),
        (["worker-1"], TWO, "ready endpoints on 1 node that can take pods (worker-1)"),
        (["worker-1", "worker-1"], TWO, "ready endpoints on 1 node that can take pods (worker-1)"),
        (
            ["worker-1", "worker-2"],
            [node(), CORDONED],
            "ready endpoints on 1 node that can take pods (worker-1), and on worker-2 (cordoned)",
        ),
        (
            ["worker-1", "worker-2"],
            [node(spec={"unschedulable": True}), CORDONED],
            "ready endpoints on 0 nodes that can take pods, and on worker-1 (cordoned), worker-2 (cordoned)",
        ),
        (
            ["worker-1", "worker-2"],
            [node(), node("worker-2", "Unknown")],
            "ready endpoints on 1 node that can take pods (worker-1), and on worker-2 (Ready=Unknown)",
        ),
        (
            ["worker-1", "worker-2"],
            [node(), GOING],
            "ready endpoints on 1 node that can take pods (worker-1), "
            "and on worker-2 (taint ToBeDeletedByClusterAutoscaler)",
        ),
        (["worker-1", "gone"], TWO, "ready endpoints on 1 node that can take pods (worker-1)"),
        (["worker-1"], [node()], None),
        (["worker-1"], [node(), TAINTED], None),
        (["worker-1", "worker-2"], [node(), TAINTED], None),
        ([], TWO, None),
    ],
)
def test_an_entrance_is_served_from_two_nodes(places, nodes, observed):
    """Nodes that are cordoned, going, gone or not Ready do not count; a cluster with one node for pods is not judged."""
    result = narrow(*places, nodes=nodes)
    assert result.outcome == ("warned" if observed else "passed")
    assert [each.observed for each in result.findings] == ([observed] if observed else [])


def test_a_local_traffic_policy_is_told():
    """With externalTrafficPolicy Local no other node takes its traffic."""
    its = load_balancer(spec={"externalTrafficPolicy": "Local"})
    (found,) = narrow("worker-1", its=its).findings
    assert found.observed.endswith("(worker-1); externalTrafficPolicy is Local")


RELEASE = {"app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik"}


@pytest.mark.parametrize(
    ("why", "its", "lists", "judged"),
    [
        ("the DNS", service("kube-dns", metadata={"namespace": "kube-system"}), {}, True),
        ("of no account", service("edge"), {}, False),
        (
            "a controller by its labels",
            service("edge", metadata={"labels": RELEASE}, spec={"type": "NodePort"}),
            {"ingressclasses": [ingress_class("traefik", metadata={"labels": RELEASE})]},
            True,
        ),
        (
            "its webhook",
            service("edge", metadata={"labels": RELEASE}),
            {"ingressclasses": [ingress_class("traefik", metadata={"labels": RELEASE})]},
            False,
        ),
        (
            "Ingresses publish its address",
            service("edge"),
            {"ingresses": [ingress("x", "x.example.com", "10.2.0.1")]},
            True,
        ),
        (
            "made for a Gateway",
            service("edge", metadata={"labels": {"gateway.networking.k8s.io/gateway-name": "entry"}}),
            {},
            True,
        ),
    ],
)
def test_entrances_are_load_balancers_controllers_gateways_and_dns(why, its, lists, judged):
    """What leads in is known by its type, by the labels of its release, and by what Ingresses publish."""
    meta = its["metadata"]
    slices = [merged(slice_on("worker-1", of=meta["name"]), {"metadata": {"namespace": meta["namespace"]}})]
    result = narrow(its=its, **{"endpointslices": slices, **lists})
    assert bool(result.findings) is judged, why


def test_a_second_pod_that_starts_is_awaited():
    """While one more pod of the Service starts on time it is not narrow for good."""
    coming = merged(started(seconds=5), {"metadata": {"creationTimestamp": ago(seconds=20)}})
    its = load_balancer(spec={"selector": {"app": "web"}})
    result = narrow("worker-1", its=its, pods=[pod(), merged(coming, {"metadata": {"name": "web-2"}})])
    assert (result.outcome, [each.transitional for each in result.findings]) == ("warned", [True])


def test_a_node_that_is_being_drained_is_awaited():
    """A cordon of minutes ago is part of the upgrade: the pods there are moving."""
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": ago(minutes=2)}
    draining = node("worker-2", spec={"unschedulable": True, "taints": [taint]})
    result = narrow("worker-1", "worker-2", nodes=[node(), draining])
    assert [each.transitional for each in result.findings] == [True]


def test_an_entrance_of_one_node_is_told_before_an_upgrade():
    """It is asked with -m preflight too: the drain of that node is an outage."""
    world = good(services=[load_balancer()], endpointslices=[slice_on("worker-1")], nodes=TWO)
    assert judge("services.survivable", world, preflight=True).outcome == "warned"


def test_an_endpoint_outside_of_the_cluster_is_a_place():
    """Addresses of a Service without a selector may be anywhere: two of them are two places."""
    outside = endpointslice("edge", endpoints=[{"addresses": ["203.0.113.1"]}, {"addresses": ["203.0.113.2"]}])
    assert narrow(endpointslices=[outside]).outcome == "passed"


def test_a_node_that_is_away_explains_what_is_on_the_others_alone():
    """An entrance on two nodes, and a webhook with two backends, are on one while the other is not Ready: one cause."""
    pods = [pod("web-1"), pod("web-2", spec={"nodeName": "worker-2"}, ready="False", ip="10.1.0.2")]
    world = good(
        services=[load_balancer(spec={"selector": {"app": "web"}})],
        endpointslices=[slice_on("worker-1")],
        nodes=[node(), node("worker-2", ready="False")],
        pods=pods,
    )
    ids = ["nodes.ready", "services.survivable"]
    found = {each.id: finding.because for each in run(ids, world) for finding in each.findings}
    assert found == {"nodes.ready": None, "services.survivable": "nodes.ready: Node/worker-2"}


def test_the_taint_of_a_node_that_is_ready_again_counts_no_more():
    """The control plane takes it away some seconds after the node is Ready."""
    again = node("worker-2", spec={"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]})
    assert narrow("worker-1", "worker-2", nodes=[node(), again]).outcome == "passed"
