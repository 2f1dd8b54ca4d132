"""Where users come in: LoadBalancers, Ingresses, routes of Gateways, and the cluster's DNS."""

from __future__ import annotations

import pytest

from tests.worlds import endpointslice, good, ingress, judge, merged, objects, replicated, service, thing

NGINX = "nginx.ingress.kubernetes.io/canary"


def outcome(ingresses, **lists):
    """What comes of a Service whose workload is scaled to zero, behind these Ingresses."""
    rests = {"deployments": [replicated("web", 0)], "pods": [], "endpointslices": [endpointslice("web")]}
    result = judge("services.endpoints", good(services=[service()], ingresses=ingresses, **rests, **lists))
    return "failed" if objects(result) else "passed"


def canary(value="false", name="canary", **changes):
    """An Ingress that leads a part of the requests to the Service web."""
    return ingress(name, **merged({"metadata": {"annotations": {NGINX: value}}}, changes))


def stable(host="shop.example.com"):
    """The Ingress that leads the same requests to another Service."""
    its = ingress("stable", host)
    its["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = "primary"
    return its


@pytest.mark.parametrize(
    ("why", "ingresses", "expected"),
    [
        ("no Ingress", [], "passed"),
        ("an Ingress", [ingress()], "failed"),
        ("a canary at rest beside another Ingress", [stable(), canary()], "passed"),
        ("a canary that takes a part", [stable(), canary("true")], "passed"),
        ("a canary alone", [canary()], "failed"),
        ("a canary beside an Ingress of another host", [stable("other.example.com"), canary()], "failed"),
        ("two canaries and no other", [canary(), canary(name="b")], "failed"),
        ("a canary, and an Ingress that leads to it for good", [stable(), canary(), ingress()], "failed"),
        ("a canary of another namespace", [stable(), canary(metadata={"namespace": "x"}), canary()], "passed"),
    ],
)
def test_a_canary_beside_the_ingress_that_it_belongs_to_is_no_entrance(why, ingresses, expected):
    """Flagger keeps the canary's workload at zero between releases: the other Ingress leads users in."""
    assert outcome(ingresses) == expected, why


def route(name="web", namespace="shop", **backend):
    """An HTTPRoute that leads to a Service."""
    rules = [{"backendRefs": [{"name": name, "port": 80, **backend}]}]
    return thing("front", namespace, spec={"rules": rules})


@pytest.mark.parametrize(
    ("why", "routes", "expected"),
    [
        ("it leads to the Service", [route()], "failed"),
        ("it says the kind", [route(group="", kind="Service")], "failed"),
        ("from another namespace", [route(namespace="edge"), route(namespace="edge")], "passed"),
        ("from another namespace by name", [route(namespace="shop")], "failed"),
        ("to another kind", [route(kind="InferencePool", group="inference.networking.k8s.io")], "passed"),
        ("to another Service", [route("other")], "passed"),
        ("no part of the requests", [route(weight=0)], "passed"),
        ("no rules", [thing("front", "shop")], "passed"),
    ],
)
def test_what_a_route_leads_to_is_an_entrance(why, routes, expected):
    """A Service behind an HTTPRoute is never at rest, like one behind an Ingress."""
    assert outcome([], httproutes=routes) == expected, why


def test_a_cluster_without_gateway_api_is_judged_all_the_same():
    """HTTPRoutes are asked for only where something else needs them."""
    assert outcome([]) == "passed"
