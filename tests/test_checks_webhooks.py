"""Admission webhooks: whether they can be called, and whether they stand in the way of an upgrade."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest

from tests.control_worlds import CORE, bundle, webhook, webhooks
from tests.worlds import NOW, ago, endpointslice, good, judge, merged, namespace, node, pod, service

EXCEPT_SYSTEM = {
    "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]
}
SYSTEM = [
    namespace(name, metadata={"labels": {"kubernetes.io/metadata.name": name}}) for name in ("shop", "kube-system")
]
#: Two pods behind the Service web, so that none is alone.
PODS = [pod(), pod("web-2", ip="10.1.0.2")]
BOTH = endpointslice("web", "10.1.0.1")
BOTH["endpoints"].append(
    {"addresses": ["10.1.0.2"], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": "web-2"}}
)
REST = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"]}


def alive(*each, mutating=False, **more):
    """What is said of a configuration with these webhooks."""
    noun = "mutatingwebhookconfigurations" if mutating else "validatingwebhookconfigurations"
    return judge("webhooks.alive", good(**{noun: [webhooks(*each)]}, **more))


def call(**changes):
    """A webhook that is called in another way."""
    return webhook(clientConfig=changes)


def observed(result):
    """What was observed, of one finding."""
    (found,) = result.findings
    return found.observed


@pytest.mark.parametrize("mutating", [False, True])
def test_a_webhook_that_can_be_called_is_fine(mutating):
    """Its Service has a ready endpoint for its port, and its caBundle is valid."""
    assert alive(mutating=mutating).outcome == "passed"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"service": {"name": "gone"}}, "Service shop/gone does not exist"),
        ({"service": {"namespace": "other"}}, "Service other/web does not exist"),
        ({"service": {"port": 8443}}, "Service shop/web has no port 8443"),
        # The port is the Service's, not the pod's.
        ({"service": {"port": 8080}}, "Service shop/web has no port 8080"),
        ({"service": {"port": None}}, None),
        ({"caBundle": b64encode(b"no certificate").decode()}, "its caBundle holds no PEM certificate"),
        ({"caBundle": "%%%"}, "its caBundle holds no PEM certificate"),
        ({"caBundle": bundle(NOW - timedelta(days=2))}, "its caBundle expired on"),
        ({"caBundle": bundle(since=NOW + timedelta(days=2))}, "its caBundle is not valid before"),
    ],
)
def test_what_cannot_be_called_is_said(changes, said):
    """Service, port, endpoint and authority are each named where they fail."""
    if said is None:
        changes = {"service": {"namespace": "shop", "name": "web"}}
        lone = webhook()
        lone["clientConfig"] = {**changes, "caBundle": bundle()}
        assert "has no port 443" in observed(alive(lone))
        return
    result = alive(call(**changes))
    assert result.outcome == "failed"
    assert said in observed(result)


def test_a_service_without_a_ready_endpoint_answers_nothing():
    """Endpoints that are not ready, of another port, or that are not there at all, are none."""
    for slices in ([], [endpointslice("web", "10.1.0.1", ready=False)], [endpointslice("web", "10.1.0.1", ports=[])]):
        assert "Service shop/web has no ready endpoint for port 80" in observed(alive(endpointslices=slices))


def test_a_service_whose_pods_are_starting_is_not_yet_there():
    """While the webhook's pods start after a drain, it is not yet."""
    starting = pod(ready="False", metadata={"creationTimestamp": ago(seconds=20)})
    late = pod(ready="False")
    slices = [endpointslice("web", "10.1.0.1", ready=False)]
    assert alive(endpointslices=slices, pods=[starting]).outcome == "inconclusive"
    assert alive(endpointslices=slices, pods=[late]).outcome == "failed"
    both = alive(webhook(), call(service={"name": "gone"}), endpointslices=slices, pods=[starting])
    assert both.outcome == "failed"


def test_what_ignores_failures_is_a_warning():
    """With failurePolicy Ignore nothing is refused; one webhook that fails makes the configuration critical."""
    dead = call(service={"name": "gone"})
    assert alive({**dead, "failurePolicy": "Ignore"}).outcome == "warned"
    assert alive({**dead, "failurePolicy": "Ignore"}, {**dead, "name": "b"}).outcome == "failed"
    # Of the one that fails nothing is wrong.
    assert alive({**dead, "failurePolicy": "Ignore"}, webhook("b")).outcome == "warned"


@pytest.mark.parametrize(
    "each",
    [
        webhook(rule=None, clientConfig={"service": {"name": "gone"}}),
        webhook(clientConfig={"service": None, "url": "https://policy.example.com/validate"}),
        webhook(clientConfig={"service": None, "url": "https://policy.example.com/validate", "caBundle": None}),
    ],
)
def test_what_is_never_called_or_lies_outside_is_fine(each):
    """A webhook without rules is not called; one with a URL is outside the cluster."""
    assert alive(each).outcome == "passed"


def test_an_external_name_leads_elsewhere():
    """The API server follows an ExternalName, which has no endpoints here."""
    outside = service(spec={"type": "ExternalName", "selector": None, "externalName": "policy.example.com"})
    assert alive(services=[outside], endpointslices=[]).outcome == "passed"


def test_a_bundle_is_good_as_long_as_one_authority_is():
    """While authorities are rotated the old one is still there; what cannot be parsed is left out."""
    from base64 import b64decode

    old, new = (b64decode(each) for each in (bundle(NOW - timedelta(days=1)), bundle()))
    spoilt = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for parts in (old + new, new + old, spoilt + new, b"# a comment\n" + new):
        assert alive(call(caBundle=b64encode(parts).decode())).outcome == "passed"
    assert alive(call(caBundle=b64encode(spoilt + old).decode())).outcome == "failed"
    assert alive(call(caBundle=b64encode(b"-----BEGIN CERTIFICATE-----" * 9999).decode())).outcome == "failed"


def test_a_webhook_without_an_authority_is_a_warning():
    """Hardly any API server trusts a Service's certificate by itself; but it may."""
    lone = webhook()
    del lone["clientConfig"]["caBundle"]
    result = alive(lone)
    assert (result.outcome, "no caBundle" in observed(result)) == ("warned", True)


def test_webhooks_with_the_same_fault_are_one_finding():
    """A configuration of many webhooks behind one dead Service says so once."""
    many = [webhook(f"w{number}", clientConfig={"service": {"name": "gone"}}) for number in range(9)]
    assert observed(alive(*many)) == "webhook w0 and 8 others: Service shop/gone does not exist"


def scope(each, *, preflight=False, mutating=False, pods=PODS, **more):
    """What is said of a configuration with this webhook, in a cluster with kube-system."""
    noun = "mutatingwebhookconfigurations" if mutating else "validatingwebhookconfigurations"
    configuration = each if "webhooks" in each else webhooks(each)
    world = {noun: [configuration], "namespaces": SYSTEM, "pods": pods, "endpointslices": [BOTH], **more}
    return judge("webhooks.scope", good(**world), preflight=preflight)


@pytest.mark.parametrize(
    ("resources", "groups", "what"),
    [
        (["pods"], [""], "kube-system"),
        (["*"], ["*"], "kube-system, nodes, leases"),
        (["*/*"], ["*"], "kube-system, nodes, leases, evictions"),
        (["pods/*"], [""], "kube-system, evictions"),
        (["*/eviction"], [""], "evictions"),
        (["pods/eviction"], [""], "evictions"),
        (["daemonsets"], ["apps"], "kube-system"),
        (["endpointslices"], ["discovery.k8s.io"], "kube-system"),
        (["nodes"], [""], "nodes"),
        (["nodes/status"], [""], "nodes"),
        (["*/status"], [""], "nodes"),
        (["leases"], ["coordination.k8s.io"], "leases"),
        (["leases"], [""], ""),
        (["pods"], ["apps"], ""),
        (["pods/exec"], [""], ""),
        (["services"], [""], ""),
        (["namespaces"], [""], ""),
        (["orders"], ["shop.example.com"], ""),
        (["*"], ["cert-manager.io", "networking.istio.io"], ""),
    ],
)
def test_what_a_failing_webhook_intercepts_is_said(resources, groups, what):
    """Of Kubernetes' own objects those count that an upgrade needs; a rule means what the API server takes it to mean."""
    each = webhook(rule={**CORE, "apiGroups": groups, "resources": resources, "operations": ["*"]})
    result = scope(each, mutating=True)
    said = f"webhook pods.example.com: failurePolicy Fail on {what}"
    assert [found.observed for found in result.findings] == ([said] if what else [])
    assert result.outcome == ("warned" if what else "passed")
    assert scope(each, mutating=True, preflight=True).outcome == ("failed" if what else "passed")
    assert scope({**each, "failurePolicy": "Ignore"}, mutating=True).outcome == "passed"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"operations": ["CONNECT"]}, "passed"),
        ({"operations": ["DELETE"]}, "warned"),
        ({"apiVersions": ["v1beta1"]}, "passed"),
        ({"scope": "Cluster"}, "passed"),
        ({"scope": "Namespaced"}, "warned"),
    ],
)
def test_a_rule_has_operations_versions_and_a_scope(changes, outcome):
    """Each of them narrows down what is intercepted."""
    assert scope(webhook(rule={**CORE, **changes})).outcome == outcome


@pytest.mark.parametrize(
    ("selector", "outcome"),
    [
        (EXCEPT_SYSTEM, "passed"),
        ({"matchExpressions": [{"key": "control-plane", "operator": "DoesNotExist"}]}, "warned"),
        ({"matchLabels": {"policy": "on"}}, "passed"),
        ({"matchExpressions": [{"key": "policy", "operator": "Exists"}]}, "passed"),
        ({"matchExpressions": [{"key": "policy", "operator": "NotIn", "values": ["off"]}]}, "warned"),
        ({"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}, "warned"),
        ({}, "warned"),
    ],
)
def test_the_real_labels_of_kube_system_decide(selector, outcome):
    """A namespaceSelector is evaluated on the labels that kube-system has."""
    assert scope(webhook(namespaceSelector=selector)).outcome == outcome


def test_an_exemption_by_label_needs_the_label():
    """A selector that leaves out what is labelled exempts kube-system only where somebody labelled it."""
    each = webhook(namespaceSelector={"matchExpressions": [{"key": "admission/ignore", "operator": "DoesNotExist"}]})
    assert scope(each).outcome == "warned"
    labelled = [merged(one, {"metadata": {"labels": {"admission/ignore": "yes"}}}) for one in SYSTEM]
    assert scope(each, namespaces=labelled).outcome == "passed"


def test_no_namespace_selector_exempts_nodes():
    """Nodes are in no namespace; leases of nodes are in kube-node-lease."""
    each = webhook(rule={**REST, "resources": ["*"]}, namespaceSelector=EXCEPT_SYSTEM)
    assert observed(scope(each)) == "webhook pods.example.com: failurePolicy Fail on nodes, leases"


def test_an_object_selector_is_evaluated_on_the_pods_that_there_are():
    """A webhook for labelled pods intercepts kube-system only if one of its pods has the label."""
    each = webhook(objectSelector={"matchLabels": {"inject": "true"}})
    dns = pod("coredns", "kube-system", metadata={"labels": {"k8s-app": "kube-dns"}})
    assert scope(each, pods=[*PODS, dns]).outcome == "passed"
    assert scope(each, pods=[*PODS, merged(dns, {"metadata": {"labels": {"inject": "true"}}})]).outcome == "warned"
    opt_out = webhook(objectSelector={"matchExpressions": [{"key": "k8s-app", "operator": "DoesNotExist"}]})
    assert scope(opt_out, pods=[*PODS, dns]).outcome == "passed"
    assert (
        scope(webhook(rule={**CORE, "resources": ["nodes"]}, objectSelector={"matchLabels": {"pool": "a"}})).findings
        == ()
    )
    labelled = node(metadata={"labels": {"pool": "a"}})
    nodes = webhook(rule={**CORE, "resources": ["nodes"]}, objectSelector={"matchLabels": {"pool": "a"}})
    assert scope(nodes, nodes=[labelled]).outcome == "warned"


@pytest.mark.parametrize(
    ("expression", "outcome"),
    [
        ("object.metadata.namespace != 'kube-system'", "passed"),
        ("!(request.namespace in ['kube-system', 'kube-public'])", "passed"),
        ("request.userInfo.username != 'x'", "warned"),
        ("request.namespace == 'kube-system'", "warned"),
    ],
)
def test_a_condition_that_speaks_of_it_is_believed(expression, outcome):
    """CEL is not evaluated: a condition that negates kube-system is taken to leave it out, and any other to be unknown."""
    each = webhook(matchConditions=[{"name": "c", "expression": expression}])
    assert scope(each).outcome == outcome
    assert scope(each, preflight=True).outcome == outcome


def test_a_validating_webhook_on_evictions_may_refuse_a_drain():
    """Ignore excuses errors, not refusals: one that is there for evictions alone is critical before an upgrade."""
    cleaner = webhook(rule={**CORE, "resources": ["pods/eviction"]}, policy="Ignore")
    assert observed(scope(cleaner)) == "webhook pods.example.com: may refuse evictions"
    assert (scope(cleaner).outcome, scope(cleaner, preflight=True).outcome) == ("warned", "failed")
    assert scope(cleaner, mutating=True).outcome == "passed"
    nowhere = {**cleaner, "namespaceSelector": {"matchLabels": {"kafka": "yes"}}}
    assert scope(nowhere).outcome == "passed"


def test_a_policy_engine_that_sees_everything_warns_before_an_upgrade():
    """Gatekeeper ignores failures and sees evictions among all else: a warning, also before an upgrade."""
    rule = {**REST, "resources": ["*", "pods/eviction", "pods/exec"], "operations": ["CREATE", "UPDATE"]}
    engine = webhook("validation.gatekeeper.sh", rule, "Ignore")
    assert scope(engine, preflight=True).outcome == "warned"


def test_a_single_backend_is_told():
    """A drain takes the only pod away, and what waits for it is refused; custom resources of its own may wait."""
    alone = {"endpointslices": [endpointslice("web", "10.1.0.1")]}
    each = webhook(rule={**CORE, "resources": ["services"]})
    assert "with a single ready backend" in observed(scope(each, **alone))
    assert scope(each).outcome == "passed"
    assert scope(each, **alone, preflight=True).outcome == "warned"
    own = webhook(rule={**CORE, "apiGroups": ["cert-manager.io"], "resources": ["certificates"]})
    assert scope(own, **alone).outcome == "passed"
    assert scope({**each, "failurePolicy": "Ignore"}, **alone).outcome == "passed"


def test_a_pod_of_two_ip_families_is_one_backend():
    """A dual-stack Service has two slices for the same pod."""
    six = endpointslice("web", "fd00::1", metadata={"name": "web-x2"})
    each = webhook(rule={**CORE, "resources": ["services"]})
    assert scope(each, endpointslices=[endpointslice("web", "10.1.0.1"), six]).outcome == "warned"


def test_a_single_backend_that_is_asked_about_itself_cannot_come_back():
    """Once its only pod is gone no other can be made: critical before an upgrade."""
    alone = {"endpointslices": [endpointslice("web", "10.1.0.1")]}
    each = webhook(namespaceSelector=EXCEPT_SYSTEM)
    result = scope(each, **alone, preflight=True)
    assert (result.outcome, "cannot be made again without it" in observed(result)) == ("failed", True)
    spared = webhook(namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "other"}})
    assert scope(spared, **alone, preflight=True).outcome == "warned"


@pytest.mark.parametrize(
    "configuration",
    [
        webhooks(webhook(rule=REST, clientConfig={"service": None, "url": "https://127.0.0.1:23443/mutate"})),
        webhooks(webhook(rule=REST), metadata={"labels": {"kubernetes.azure.com/managedby": "aks"}}),
        webhooks(webhook(rule=None)),
        webhooks(
            webhook(rule={**CORE, "apiGroups": ["cert-manager.io", "acme.cert-manager.io"], "resources": ["*/*"]})
        ),
        # Istio: namespaces that ask for it, or pods that do.
        webhooks(
            webhook(
                namespaceSelector={
                    "matchExpressions": [{"key": "istio-injection", "operator": "In", "values": ["enabled"]}]
                }
            )
        ),
        webhooks(
            webhook(
                namespaceSelector={"matchExpressions": [{"key": "istio-injection", "operator": "DoesNotExist"}]},
                objectSelector={"matchLabels": {"sidecar.istio.io/inject": "true"}},
            )
        ),
    ],
)
def test_defaults_of_clouds_and_operators_are_fine(configuration):
    """What a cloud calls on its own machine, and what only asks about its own objects or those who want it, is in no way."""
    assert scope(configuration, preflight=True).outcome == "passed"
