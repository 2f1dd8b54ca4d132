"""Ingresses and Gateways: each is served, by a controller that is there, and leads to what exists."""

from __future__ import annotations

import pytest

from tests.worlds import (
    ago,
    baseline,
    condition,
    gateway,
    good,
    http_route,
    ingress,
    ingress_class,
    judge,
    load_balancer,
    merged,
    objects,
    profile,
    replicated,
    run,
    service,
    thing,
)

NONE = {"loadBalancer": {"ingress": None}}
RELEASE = {"labels": {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/instance": "edge"}}


def classed(name="nginx", its="front", **changes):
    """An Ingress of a class."""
    return merged(ingress(its, spec={"ingressClassName": name}), changes)


def annotated(name="nginx", **changes):
    """An Ingress whose class is named in the annotation."""
    return merged(ingress(metadata={"annotations": {"kubernetes.io/ingress.class": name}}), changes)


def to(backend, **changes):
    """An Ingress that leads to this backend."""
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return ingress(spec={"rules": [{"host": "shop.example.com", "http": {"paths": paths}}]}, **changes)


def served(*ingresses, **lists):
    """What is said of these Ingresses, with the class nginx."""
    return judge("ingresses.served", good(**{"ingresses": ingresses, "ingressclasses": [ingress_class()], **lists}))


def observed(*ingresses, **lists):
    """What is observed of them."""
    return [each.observed for each in served(*ingresses, **lists).findings]


@pytest.mark.parametrize(
    ("why", "its", "lists"),
    [
        ("its class exists", classed(), {}),
        ("it names no class, and has an address: GKE, Traefik", ingress(), {"ingressclasses": []}),
        ("the default class", ingress(status=NONE), {"ingressclasses": [ingress_class(default=True)]}),
        ("GKE has no IngressClass", annotated("gce"), {}),
        ("no class has an object", annotated("nginx", status=NONE), {"ingressclasses": []}),
        ("behind a node port: no Ingress has an address", classed(status=NONE), {}),
        ("being deleted", classed("gone", metadata={"deletionTimestamp": ago(minutes=1)}), {}),
        ("a resource for a backend", to({"resource": {"kind": "StorageBucket", "name": "x"}}), {}),
        ("an action of the AWS controller", to({"service": {"name": "go", "port": {"name": "use-annotation"}}}), {}),
        ("no TLS Secret: the controller's own", classed(spec={"tls": [{"hosts": ["x"]}]}), {}),
    ],
)
def test_an_ingress_may_be_served_in_many_ways(why, its, lists):
    """Controllers may need no IngressClass, publish no address, and have backends of their own."""
    assert served(its, **lists).outcome == "passed", why


@pytest.mark.parametrize(
    ("its", "lists", "words"),
    [
        (classed("gone"), {}, "its IngressClass gone does not exist"),
        (annotated("gone", status=NONE), {}, "its IngressClass gone (annotation) does not exist"),
        (ingress(status=NONE), {}, "it names no IngressClass, and there is no default one"),
        (to({"service": {"name": "gone", "port": {"number": 80}}}), {}, "its backend Service gone does not exist"),
        (to({"service": {"name": "web", "port": {"number": 81}}}), {}, "its backend Service web has no port 81"),
        (to({"service": {"name": "web", "port": {"name": "http"}}}), {}, "its backend Service web has no port http"),
        (
            ingress(spec={"defaultBackend": {"service": {"name": "gone", "port": {"number": 80}}}}),
            {},
            "its backend Service gone does not exist",
        ),
    ],
)
def test_an_ingress_that_leads_nowhere_says_why(its, lists, words):
    """Class, backend and port are named as the Ingress names them."""
    result = served(its, **lists)
    assert (result.outcome, [each.observed for each in result.findings]) == ("failed", [words])


def test_a_port_is_found_by_its_name():
    """A backend names a port by number or by name."""
    http = service(spec={"ports": [{"port": 80, "name": "http", "targetPort": 8080}]})
    assert observed(to({"service": {"name": "web", "port": {"name": "http"}}}), services=[http]) == []


def test_an_external_name_has_any_port():
    """A Service that is an alias needs no ports."""
    alias = service(spec={"type": "ExternalName", "selector": None, "ports": None})
    assert observed(ingress(), services=[alias]) == []


def test_only_one_controller_takes_target_ports():
    """ingress-nginx also finds a backend by the targetPort of its Service; no other controller does."""
    its = merged(to({"service": {"name": "web", "port": {"number": 8080}}}), {"spec": {"ingressClassName": "nginx"}})
    assert observed(its) == []
    other = ingress_class(spec={"controller": "traefik.io/ingress-controller"})
    assert observed(its, ingressclasses=[other]) == ["its backend Service web has no port 8080"]


def test_an_address_is_missed_where_others_of_the_class_have_one():
    """Of Ingresses of one class that have addresses the one without is not served."""
    assert observed(classed(), classed(its="other", status=NONE)) == [
        "no address, while other Ingresses of IngressClass nginx have one"
    ]


def test_an_address_is_missed_where_there_was_one():
    """An address of the baseline that is gone is missed, also where no other Ingress has one."""
    world = good(ingresses=[classed(status=NONE)], ingressclasses=[ingress_class()])
    before = baseline(good(ingresses=[classed()]))
    (found,) = judge("ingresses.served", world, baseline=before).findings
    assert found.observed == "no address; in the baseline it had one"


def test_an_address_is_missed_where_the_controller_has_one():
    """A controller behind a load balancer publishes its address."""
    ours = load_balancer("edge-controller", metadata=RELEASE)
    mine = ingress_class(metadata=RELEASE)
    words = "no address, while Service/shop/edge-controller of its controller has one"
    assert observed(classed(status=NONE), services=[service(), ours], ingressclasses=[mine]) == [words]


def test_a_new_ingress_gets_its_address():
    """A controller and a cloud need minutes for it; but a class that does not exist is no matter of time."""
    young = {"creationTimestamp": ago(minutes=5)}
    waiting = served(classed(), classed(its="other", status=NONE, metadata=young))
    assert waiting.outcome == "inconclusive"
    assert served(classed("gone", metadata=young)).outcome == "failed"


def test_a_controller_that_is_scaled_to_zero_serves_nothing():
    """Labels of its chart tell which workload serves a class; the address that an Ingress still has is stale."""
    nobody = replicated("edge-controller", 0, app="edge", metadata=RELEASE)
    mine = ingress_class(metadata=RELEASE)
    words = "the controller of its IngressClass nginx, Deployment/shop/edge-controller, is scaled to zero"
    assert observed(classed(), deployments=[nobody], ingressclasses=[mine]) == [words]
    running = replicated("edge-controller", 1, app="edge", metadata=RELEASE)
    assert observed(classed(), deployments=[running], ingressclasses=[mine]) == []


def test_a_default_backend_of_the_chart_is_another_component():
    """What else a chart brings is not the controller."""
    part = "app.kubernetes.io/component"
    mine = ingress_class(metadata=merged(RELEASE, {"labels": {part: "controller"}}))
    nobody = replicated("edge", 0, app="edge", metadata=merged(RELEASE, {"labels": {part: "controller"}}))
    beside = replicated("default", 1, app="default", metadata=merged(RELEASE, {"labels": {part: "default-backend"}}))
    assert len(observed(classed(), deployments=[nobody, beside], ingressclasses=[mine])) == 1


def secret_names(*names, allow=("secrets",)):
    """What is said of the Ingress where these Secrets exist."""
    world = good(secret_metadata=[thing(name, "shop") for name in names])
    return [each.observed for each in judge("ingresses.served", world, profile=profile(allow=list(allow))).findings]


def test_a_tls_secret_that_is_gone_is_named_where_we_may_look():
    """Only with `allow: [secrets]` it is known which Secrets there are; without, nothing is said of them."""
    assert secret_names("front-tls") == []
    assert secret_names("other") == ["its TLS Secret front-tls does not exist"]
    assert secret_names("other", allow=()) == []


def test_a_load_balancer_without_an_address_explains_its_ingresses():
    """One cause, one red line: the controller's Service lacks its address, and so do the Ingresses."""
    ours = load_balancer("edge-controller", metadata=RELEASE, status=NONE)
    mine = ingress_class(metadata=RELEASE)
    its = [classed(status=NONE), classed(its="other")]
    world = good(services=[service(), ours], ingressclasses=[mine], ingresses=its)
    _, lost = run(["services.load-balancer", "ingresses.served"], world)
    assert [each.because for each in lost.findings] == ["services.load-balancer: Service/shop/edge-controller"]
    broken = merged(its[0], to({"service": {"name": "gone", "port": {"number": 80}}}, status=NONE))
    _, lost = run(["services.load-balancer", "ingresses.served"], good(**{**world, "ingresses": [broken, its[1]]}))
    assert [each.because for each in lost.findings] == [None]


def gateways(*gateways, routes=(), **lists):
    """What is observed of these Gateways and routes."""
    result = judge("ingresses.served", good(gateways=list(gateways), httproutes=list(routes), **lists))
    return {each.object: each.observed for each in result.findings}


def test_a_gateway_is_accepted_and_programmed():
    """A Gateway that its controller has not taken, or that is not there yet, is named with the condition."""
    assert gateways(gateway()) == {}
    assert gateways(gateway(programmed="False")) == {"Gateway/shop/entry": "Programmed=False (Programmed)"}
    silent = gateway(status={"conditions": [condition("Accepted", "Unknown", reason="Pending")]})
    assert gateways(silent)["Gateway/shop/entry"].startswith("Accepted=Unknown (Pending); Programmed=Unknown")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (condition("ResolvedRefs", "False", reason="InvalidCertificateRef"), True),
        (condition("Conflicted"), True),
        (condition("Conflicted", "False"), False),
        (condition("Programmed", "False"), True),
        (condition("Ready", "False"), False),
    ],
)
def test_each_listener_of_a_gateway_works(said, wrong):
    """A Gateway is programmed although one of its listeners is not: that is told."""
    its = gateway(status={"listeners": [{"name": "https", "conditions": [said]}]})
    assert bool(gateways(its)) is wrong


def test_a_new_gateway_is_under_way():
    """A cloud needs minutes for it."""
    young = gateway(programmed="False", metadata={"creationTimestamp": ago(minutes=2)})
    assert judge("ingresses.served", good(gateways=[young])).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (http_route(), None),
        (http_route("web", "entry", condition("Accepted", "False", reason="NoMatchingParent")), "Accepted=False"),
        (
            http_route("web", "entry", condition("Accepted"), condition("ResolvedRefs", "False", reason="Gone")),
            "ResolvedRefs=False (Gone)",
        ),
        (http_route("web", "entry", condition("Accepted"), condition("PartiallyInvalid")), "PartiallyInvalid=True"),
        (http_route(status={"parents": None}), "no controller has said anything of this route"),
        (http_route("web", "gone", status={"parents": None}), "it does not exist"),
    ],
)
def test_a_route_is_accepted_by_each_of_its_gateways(route, words):
    """A route that no Gateway takes, or whose backends cannot be found, is named with what is said of it."""
    found = gateways(gateway(), routes=[route])
    assert list(found) == (["HTTPRoute/shop/web"] if words else [])
    assert not words or words in found["HTTPRoute/shop/web"]


def test_a_route_of_a_mesh_is_not_judged_by_gateways():
    """A route may belong to a Service (GAMMA): whether a mesh takes it is not known."""
    mesh = http_route(spec={"parentRefs": [{"kind": "Service", "name": "web"}]}, status={"parents": None})
    assert gateways(gateway(), routes=[mesh]) == {}


def test_a_gateway_with_trouble_explains_its_silent_routes():
    """What no controller has taken says nothing of its routes: that is told once."""
    silent = gateway(accepted="Unknown", programmed="Unknown")
    assert list(gateways(silent, routes=[http_route(status={"parents": None})])) == ["Gateway/shop/entry"]


def test_the_load_balancer_of_a_gateway_explains_it():
    """A Gateway that is only not programmed waits for the Service that was made for it."""
    label = {"labels": {"gateway.networking.k8s.io/gateway-name": "entry"}}
    made = load_balancer("entry-istio", status=NONE, metadata=label)
    world = good(gateways=[gateway(programmed="False")], services=[service(), made])
    _, lost = run(["services.load-balancer", "ingresses.served"], world)
    assert [each.because for each in lost.findings] == ["services.load-balancer: Service/shop/entry-istio"]
    assert objects(lost) == ["Gateway/shop/entry"]
