"""What changed since the baseline: each change gives its finding and no other, and what an upgrade does anyway gives none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.control_worlds import HARMLESS, api_service
from tests.worlds import (
    NOW,
    World,
    ago,
    autoscaler,
    battery,
    budget,
    condition,
    cronjob,
    daemonset,
    definition,
    endpointslice,
    gateway,
    good,
    ingress,
    ingress_class,
    judge,
    load_balancer,
    merged,
    namespace,
    network_policy,
    node,
    objects,
    owner,
    pod,
    profile,
    replicated,
    run,
    service,
    snapshot,
    storage_class,
    thing,
    unseen,
    volume,
)
from upgate.baseline import Baseline, dump_baseline, load_baseline, take_baseline
from upgate.facts.attempts import Attempt, Certificate, Elapsed, Failure
from upgate.facts.recorded.fronts import front_states
from upgate.facts.recorded.inventory import COMPARED
from upgate.results import CheckResult

APART = ("changes.external", "changes.ingresses")
IDS = [id for id, check in battery().items() if not COMPARED.keys().isdisjoint(check.inputs) and id not in APART]
GPU = "example.com/gpu"


def container(image: str = "shop/web:1", name: str = "app") -> dict[str, Any]:
    """A container of a template."""
    return {"name": name, "image": image}


def app(name: str, replicas: int = 1, namespace: str = "shop", app: str = "web", **changes: Any) -> dict[str, Any]:
    """A Deployment whose pods have an image and choose nodes by a label."""
    spec = {"template": {"spec": {"containers": [container()], "nodeSelector": {"disk": "ssd"}}}}
    return merged(replicated(name, replicas, namespace, app, spec=spec), changes)


def worker(name: str = "worker-1", labels: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """A node with labels, a taint and a GPU."""
    own = {"kubernetes.io/hostname": name, "disk": "ssd", **(labels or {})}
    allocatable = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110", GPU: "1"}
    taints = [{"key": "dedicated", "value": "shop", "effect": "NoSchedule"}]
    base = node(name, metadata={"labels": own}, spec={"taints": taints}, status={"allocatable": allocatable})
    return merged(base, changes)


def ready_slice(*ips: str, **changes: Any) -> dict[str, Any]:
    """The endpoints of web, a pod each."""
    ends = [
        {"addresses": [ip], "conditions": {"ready": True}, "targetRef": {"kind": "Pod", "name": f"web-{ip}"}}
        for ip in ips
    ]
    return endpointslice("web", endpoints=ends, **changes)


def system(**labels: str) -> dict[str, Any]:
    """The namespace kube-system."""
    return namespace("kube-system", metadata={"labels": labels})


def pv(**changes: Any) -> dict[str, Any]:
    """A volume that can be reached from nodes of one zone."""
    term = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
    return volume(spec={"nodeAffinity": {"required": {"nodeSelectorTerms": [term]}}}, **changes)


def world(**changes: list[dict[str, Any]]) -> World:
    """A world with one of each; some of its lists replaced."""
    lists: World = {
        "nodes": [worker(), worker("worker-2")],
        "namespaces": [namespace(), system()],
        "deployments": [app("web", 2), app("coredns", 1, "kube-system"), app("api", 3, app="api")],
        "statefulsets": [replicated("db", 1, app="db")],
        "daemonsets": [daemonset("agent", 2)],
        "services": [service(), load_balancer(), node_port(*PORTS)],
        "endpointslices": [ready_slice("10.1.0.1", "10.1.0.2")],
        "horizontalpodautoscalers": [autoscaler("api", spec={"scaleTargetRef": {"name": "api"}})],
        "persistentvolumes": [pv()],
        "storageclasses": [storage_class("fast", metadata=DEFAULT), storage_class("slow")],
        "ingressclasses": [ingress_class()],
        "gateways": [gateway(status={"addresses": [{"value": "192.0.2.30"}]})],
        "customresourcedefinitions": [definition("widgets", "v1", "v1beta1")],
        "apiservices": [
            built_in("v1.apps"),
            built_in("v1.example.com"),
            api_service(),
            *map(built_in, ("v1.resource.k8s.io", "v1beta1.resource.k8s.io")),
        ],
        "mutatingwebhookconfigurations": [hook("inject")],
    }
    return good(**{**lists, **changes})


def built_in(name: str) -> dict[str, Any]:
    """A version of an API that the API server serves itself."""
    return api_service(name, spec={"service": None})


def node_port(*ports: dict[str, int]) -> dict[str, Any]:
    """A Service on ports of each node."""
    return service("node", spec={"type": "NodePort", "ports": list(ports)})


def templated(**spec: Any) -> dict[str, Any]:
    """The spec of a workload with that in its template."""
    return {"template": {"spec": spec}}


PORTS = ({"port": 80, "nodePort": 30080}, {"port": 443, "nodePort": 30443})
DEFAULT = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}


def hook(name: str, policy: str = "Ignore", **selector: Any) -> dict[str, Any]:
    """A webhook for namespaces that ask for it."""
    chosen = selector or {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    return thing(name, webhooks=[{"name": f"{name}.x", "failurePolicy": policy, "namespaceSelector": chosen}])


def before(**changes: list[dict[str, Any]]) -> Baseline:
    """The baseline of such a world, an hour ago."""
    return take_baseline(snapshot(world(**changes), taken=NOW - timedelta(hours=1)), None)


BEFORE = before()


def found(seen: World, baseline: Baseline = BEFORE, **more: Any) -> dict[str, list[str]]:
    """Which checks find which objects."""
    results = {id: judge(id, snapshot(seen, **more), baseline=baseline) for id in IDS}
    assert not {id: each.reason for id, each in results.items() if each.outcome == "inconclusive"}
    return {id: objects(each) for id, each in results.items() if each.findings}


def without(noun: str, *names: str, seen: Callable[..., World] = world) -> World:
    """The world without these objects."""
    lists = seen()
    return {**lists, noun: [each for each in lists[noun] if each["metadata"]["name"] not in names]}


@pytest.mark.parametrize("id", IDS)
def test_nothing_has_changed(id):
    """Where all is as it was, each check passes and has looked at something."""
    result = judge(id, world(), baseline=BEFORE)
    assert (result.outcome, result.findings) == ("passed", ())
    assert result.examined > 0


@pytest.mark.parametrize("id", IDS)
def test_the_battery_guards_comparing_checks(id):
    """Without a baseline they are skipped; where nothing could be seen, now or then, they are inconclusive."""
    assert judge(id, world()).outcome == "skipped"
    refused = judge(id, unseen("not permitted"), baseline=BEFORE)
    assert (refused.outcome, refused.reason) == ("inconclusive", "not permitted")
    assert battery()[id].title.endswith(".")
    assert battery()[id].why
    assert battery()[id].hint


@pytest.mark.parametrize("id", IDS)
def test_a_baseline_without_that_part(id, tmp_path):
    """An earlier version saved none of it; or it was not permitted, and the reason is told."""
    from msgspec.structs import replace

    assert BEFORE.inventory
    assert "earlier version" in judge(id, world(), baseline=replace(BEFORE, inventory=None)).reason
    lists = {noun: each for noun, each in world().items() if noun in ("nodes", "pods")}
    blind = take_baseline(snapshot(lists, gaps={"namespaces": "cannot list: not permitted"}), None)
    (tmp_path / "b").write_bytes(dump_baseline(blind))
    result = judge(id, world(), baseline=load_baseline(tmp_path / "b"))
    known = id in ("changes.nodes", "changes.capacity")
    assert result.outcome == ("passed" if known else "inconclusive")
    assert known or result.reason.startswith("the baseline does not know this part of the cluster: ")


RELABELLED = pod(metadata={"labels": {"app": "shop"}})
#: All Deployments but web.
REST = world()["deployments"][1:]
WEB, SHOP = "Deployment/shop/web", "Namespace/shop"
POOL = "NodePool/Ubuntu"
CHANGES: dict[str, tuple[World, dict[str, list[str]]]] = {
    "a Service is gone": (without("services", "edge"), {"changes.workloads": ["Service/shop/edge"]}),
    "a StatefulSet is gone": (without("statefulsets", "db"), {"changes.workloads": ["StatefulSet/shop/db"]}),
    "a DaemonSet is gone": (without("daemonsets", "agent"), {"changes.workloads": ["DaemonSet/shop/agent"]}),
    "a CronJob is gone": (world(cronjobs=[]), {"changes.workloads": ["CronJob/shop/backup"]}),
    "an Ingress is gone": (world(ingresses=[]), {"changes.workloads": ["Ingress/shop/front"]}),
    "a Gateway is gone": (world(gateways=[]), {"changes.workloads": ["Gateway/shop/entry"]}),
    "a NetworkPolicy is gone": (world(networkpolicies=[]), {"changes.workloads": ["NetworkPolicy/shop/web"]}),
    "a budget is gone": (world(poddisruptionbudgets=[]), {"changes.workloads": ["PodDisruptionBudget/shop/web"]}),
    "an object is being deleted": (
        world(cronjobs=[cronjob(metadata={"deletionTimestamp": ago(minutes=1)})]),
        {"changes.workloads": ["CronJob/shop/backup"]},
    ),
    "fewer replicas": (
        world(deployments=[app("web", 1), *REST], endpointslices=[ready_slice("10.1.0.1")]),
        {"changes.workloads": [WEB]},
    ),
    "scaled to zero": (
        world(deployments=[app("web", 0), *REST], endpointslices=[]),
        {"changes.workloads": [WEB]},
    ),
    "fewer are ready": (
        world(deployments=[app("web", 2, status={"readyReplicas": 1}), *REST]),
        {"changes.workloads": [WEB]},
    ),
    "a DaemonSet on fewer nodes": (
        world(daemonsets=[daemonset("agent", 1)]),
        {"changes.workloads": ["DaemonSet/shop/agent"]},
    ),
    "fewer endpoints": (
        world(endpointslices=[ready_slice("10.1.0.1")]),
        {"changes.endpoints": ["Service/shop/web"]},
    ),
    "an image": (
        world(deployments=[app("web", 2, spec=templated(containers=[container("shop/web:2")])), *REST]),
        {"changes.images": [WEB]},
    ),
    "a container more": (
        world(deployments=[app("web", 2, spec=templated(initContainers=[container("istio:1", "proxy")])), *REST]),
        {"changes.images": [WEB]},
    ),
    "an address": (
        world(services=[service(), load_balancer("edge", "192.0.2.99"), world()["services"][2]]),
        {"changes.addresses": ["Service/shop/edge"]},
    ),
    "the address of an Ingress": (
        world(ingresses=[ingress("front", "shop.example.com", "192.0.2.77")]),
        {"changes.addresses": ["Ingress/shop/front"]},
    ),
    "the address of a Gateway": (
        world(gateways=[gateway(status={"addresses": [{"value": "192.0.2.31"}]})]),
        {"changes.addresses": ["Gateway/shop/entry"]},
    ),
    "a clusterIP": (
        world(services=[service(spec={"clusterIP": "10.2.0.9"}), *world()["services"][1:]]),
        {"changes.addresses": ["Service/shop/web"]},
    ),
    "a node port": (
        world(services=[*world()["services"][:2], node_port({"port": 80, "nodePort": 31111}, PORTS[1])]),
        {"changes.addresses": ["Service/shop/node"]},
    ),
    "a port": (
        world(services=[*world()["services"][:2], node_port(PORTS[0])]),
        {"changes.addresses": ["Service/shop/node"]},
    ),
    "a label of a namespace": (
        world(namespaces=[namespace(metadata={"labels": {"policy": "strict"}}), system()]),
        {"changes.namespaces": [SHOP]},
    ),
    "a label of a namespace is lost": (
        world(namespaces=[namespace(), namespace("kube-system", metadata={"labels": None})]),
        {"changes.namespaces": ["Namespace/kube-system"]},
    ),
    "a label that a selector needs": (
        world(pods=[RELABELLED], deployments=[app("web", 2, app="shop"), *REST]),
        {
            "changes.selectors": [
                "Service/shop/web",
                "Service/shop/node",
                "PodDisruptionBudget/shop/web",
                "NetworkPolicy/shop/web",
            ]
        },
    ),
    "a label of nodes that a selector needs": (
        world(nodes=[worker(labels={"disk": "hdd"}), worker("worker-2", labels={"disk": "hdd"})]),
        {
            "changes.nodes": [POOL],
            "changes.selectors": [
                WEB,
                "Deployment/kube-system/coredns",
                "Deployment/shop/api",
                "PersistentVolume/pv-data",
            ],
        },
    ),
    "a webhook's namespaces": (
        world(mutatingwebhookconfigurations=[hook("inject", matchLabels={"inject": "yes"})]),
        {
            "changes.selectors": ["MutatingWebhookConfiguration/inject"],
            "changes.extensions": ["MutatingWebhookConfiguration/inject"],
        },
    ),
    "a NetworkPolicy's selector": (
        world(networkpolicies=[network_policy(spec={"podSelector": {"matchLabels": {"app": "wbe"}}})]),
        {"changes.selectors": ["NetworkPolicy/shop/web"]},
    ),
    "a budget's selector": (
        world(poddisruptionbudgets=[budget(spec={"selector": {"matchLabels": {"app": "wbe"}}})]),
        {"changes.selectors": ["PodDisruptionBudget/shop/web"]},
    ),
    "a Service's selector": (
        world(services=[service(spec={"selector": {"app": "wbe"}}), *world()["services"][1:]]),
        {"changes.selectors": ["Service/shop/web"]},
    ),
    "a taint is gone": (
        world(nodes=[worker(spec={"taints": None}), worker("worker-2", spec={"taints": None})]),
        {"changes.nodes": [POOL]},
    ),
    "a kernel without a new kubelet": (
        world(
            nodes=[worker(name, status={"nodeInfo": {"kernelVersion": "6.14.1"}}) for name in ("worker-1", "worker-2")]
        ),
        {"changes.nodes": [POOL]},
    ),
    "less memory": (
        world(nodes=[worker(status={"allocatable": {"memory": "8Gi"}}), worker("worker-2")]),
        {"changes.capacity": [POOL]},
    ),
    "a GPU": (
        world(nodes=[worker(status={"allocatable": {GPU: "0"}}), worker("worker-2")]),
        {"changes.capacity": [POOL]},
    ),
    "fewer pods": (
        world(nodes=[worker(status={"allocatable": {"pods": "33"}}), worker("worker-2")]),
        {"changes.capacity": [POOL]},
    ),
    "a webhook is new": (
        world(validatingwebhookconfigurations=[HARMLESS, hook("policy", "Fail")]),
        {"changes.extensions": ["ValidatingWebhookConfiguration/policy"]},
    ),
    "a webhook's failurePolicy": (
        world(mutatingwebhookconfigurations=[hook("inject", "Fail")]),
        {"changes.extensions": ["MutatingWebhookConfiguration/inject"]},
    ),
    "no default storage class": (
        world(storageclasses=[storage_class("fast"), storage_class("slow")]),
        {"changes.extensions": ["StorageClass/fast"]},
    ),
    "a storage class is gone": (
        world(storageclasses=[storage_class("fast", metadata=DEFAULT)]),
        {"changes.extensions": ["StorageClass/slow"]},
    ),
    "an Ingress class": (world(ingressclasses=[]), {"changes.extensions": ["IngressClass/nginx"]}),
    "a version of a CustomResourceDefinition": (
        world(customresourcedefinitions=[definition("widgets", "v1")]),
        {"changes.apis": ["CustomResourceDefinition/widgets.example.com"]},
    ),
    "a CustomResourceDefinition": (
        world(customresourcedefinitions=[]),
        {"changes.apis": ["CustomResourceDefinition/widgets.example.com"]},
    ),
    "an API version with objects": (
        without("apiservices", "v1.apps"),
        {"changes.apis": ["APIService/v1.apps"]},
    ),
    "an aggregated API": (
        without("apiservices", "v1beta1.metrics.k8s.io"),
        {"changes.apis": ["APIService/v1beta1.metrics.k8s.io"]},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_gives_its_finding_and_no_other(name):
    """All checks are asked about each change."""
    seen, expected = CHANGES[name]
    assert found(seen) == expected


def upgraded_node(name: str) -> dict[str, Any]:
    """A node that replaces another: another name and address, another kernel, kubelet and image."""
    info = {
        "kubeletVersion": "v1.37.0",
        "kernelVersion": "6.14.1",
        "osImage": "Ubuntu 26.04 LTS",
        "containerRuntimeVersion": "containerd://2.4.0",
    }
    status = {"nodeInfo": info, "addresses": [{"type": "InternalIP", "address": f"10.0.1.{name[-1]}"}]}
    return worker(name, status={**status, "allocatable": {"memory": "16250Mi"}})


def rolled(name: str) -> dict[str, Any]:
    """A pod that a rollout has made."""
    return pod(name, ip="10.1.0.77", metadata=owner("ReplicaSet", thing("web-6f7d9", "shop")))


def generated(name: str) -> dict[str, Any]:
    """A Deployment whose name its maker has generated."""
    return app(name, 1, metadata=owner("Revision", thing(name, "shop")))


def driver(nodes: int) -> dict[str, Any]:
    """A DaemonSet for nodes with GPUs."""
    return daemonset("driver", nodes, spec=templated(nodeSelector={"pool": "gpu"}))


OF_IMAGE = {"kubernetes.azure.com/node-image-version": "a", "eks.amazonaws.com/sourceLaunchTemplateVersion": "7"}
PREVIEW = {"namespace": "pr-7"}
FOR_JOBS = network_policy(spec={"podSelector": {"matchLabels": {"app": "job"}}})
RUNNER = pod("import-1", metadata={"labels": {"app": "job"}}, spec={"restartPolicy": "Never"})
TAINTS = worker()["spec"]["taints"]
CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
#: What was, what is, and what else is seen.
UNCHANGED: dict[str, tuple[World, World, dict[str, Any]]] = {
    "nodes of other names and a newer version": (
        world(),
        world(
            nodes=[upgraded_node("new-8"), upgraded_node("new-9")],
            deployments=[
                *world()["deployments"][::2],
                app("coredns", 1, "kube-system", spec=templated(containers=[container("coredns:1.14")])),
            ],
        ),
        {"version": "v1.37.0"},
    ),
    "an address of a node": (
        world(ingresses=[ingress("front", "a.example.com", "10.0.0.1")]),
        world(ingresses=[ingress("front", "a.example.com", "10.0.1.8")], nodes=[upgraded_node("new-8"), worker("w-2")]),
        {},
    ),
    "rolled pods": (
        world(),
        world(pods=[rolled("web-6f7d9-x")], endpointslices=[ready_slice("10.1.0.77", "10.1.0.78")]),
        {},
    ),
    "replicas under an autoscaler": (
        world(endpointslices=[ready_slice("10.1.0.1", "10.1.0.2"), endpointslice("api", "10.1.0.3", "10.1.0.4")]),
        world(
            deployments=[*world()["deployments"][:2], app("api", 1, app="api")],
            endpointslices=[ready_slice("10.1.0.1", "10.1.0.2"), endpointslice("api", "10.1.0.3")],
        ),
        {},
    ),
    "a node less and its DaemonSet": (world(), world(nodes=[worker()], daemonsets=[daemonset("agent", 1)]), {}),
    "generated names": (
        world(deployments=[*world()["deployments"], generated("hello-00001-deployment")]),
        world(deployments=[*world()["deployments"], generated("hello-00002-deployment")]),
        {},
    ),
    "revisions of a mesh": (
        world(mutatingwebhookconfigurations=[hook("istio-sidecar-injector-asm-1140-0")]),
        world(mutatingwebhookconfigurations=[hook("istio-sidecar-injector-asm-1150-2")]),
        {},
    ),
    "a preview of another number": (
        world(namespaces=[namespace(), system(), namespace("pr-7")], cronjobs=[cronjob(), cronjob(metadata=PREVIEW)]),
        world(namespaces=[namespace(), system(), namespace("pr-8")]),
        {},
    ),
    "an API version of a group that is still served": (world(), without("apiservices", "v1beta1.resource.k8s.io"), {}),
    "labels of versions and of a mesh's revision": (
        world(
            namespaces=[
                namespace(metadata={"labels": {"istio.io/rev": "asm-1130-0", "helm.sh/chart": "a-1"}}),
                system(),
            ]
        ),
        world(
            namespaces=[
                namespace(metadata={"labels": {"istio.io/rev": "asm-1140-2", "helm.sh/chart": "b-2"}}),
                system(),
            ]
        ),
        {},
    ),
    "limits of drivers that have moved": (
        world(nodes=[worker(status={"allocatable": {"attachable-volumes-aws-ebs": "25"}}), worker("worker-2")]),
        world(),
        {},
    ),
    "labels of an image and of a launch template": (
        world(nodes=[worker(labels=OF_IMAGE), worker("worker-2", labels=OF_IMAGE)]),
        world(),
        {},
    ),
    "more of everything": (
        world(),
        world(
            namespaces=[namespace(), system(), namespace("more")],
            deployments=[*world()["deployments"], app("more", app="more")],
            services=[*world()["services"], service("more", spec={"selector": {"app": "more"}})],
            nodes=[*world()["nodes"], worker("worker-3")],
            customresourcedefinitions=[definition("widgets", "v1", "v1beta1", "v2")],
        ),
        {},
    ),
    "a Service that becomes larger": (
        world(),
        world(endpointslices=[ready_slice("10.1.0.1", "10.1.0.2", "10.1.0.3")]),
        {},
    ),
    "a pod of a Job has ended": (
        world(networkpolicies=[FOR_JOBS], pods=[RUNNER]),
        world(networkpolicies=[FOR_JOBS], pods=[]),
        {},
    ),
    "an autoscaler has removed the nodes of a selector": (
        world(
            nodes=[worker(), worker("worker-2", labels={"pool": "gpu"})], daemonsets=[daemonset("agent", 2), driver(1)]
        ),
        world(nodes=[worker()], daemonsets=[daemonset("agent", 1), driver(0)]),
        {},
    ),
    "a cordon and what agents put there": (
        world(),
        world(nodes=[worker(spec={"unschedulable": True, "taints": [*TAINTS, CORDON]}), worker("worker-2")]),
        {},
    ),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_an_upgrade_changes_anyway_is_no_finding(name):
    """Names, addresses, versions, generated names, replicas under an autoscaler: nothing is found."""
    then, seen, more = UNCHANGED[name]
    baseline = take_baseline(snapshot(then, taken=NOW - timedelta(hours=1)), None)
    assert found(seen, baseline, **more) == {}


def test_a_namespace_that_is_gone_is_one_finding():
    """It says how much was in it."""
    result = judge("changes.workloads", without("namespaces", "shop"), baseline=BEFORE)
    assert objects(result) == [SHOP]
    gone = {
        noun: [each for each in every if each["metadata"].get("namespace") != "shop"] for noun, every in world().items()
    }
    result = judge("changes.workloads", without("namespaces", "shop", seen=lambda: gone), baseline=BEFORE)
    assert objects(result) == [SHOP]
    assert result.findings[0].observed == "gone, with 13 objects in it"


def test_a_new_pool_is_compared_with_those_that_are_gone():
    """A pool under another name, with smaller nodes and without the label, is found; a larger one is not."""
    old = {"eks.amazonaws.com/nodegroup": "blue"}
    then = before(nodes=[worker(labels=old), worker("worker-2", labels=old)])
    new = [worker(f"g-{each}", labels={"eks.amazonaws.com/nodegroup": "green"}) for each in (1, 2)]
    assert found(world(nodes=new), then) == {}
    small = [merged(each, {"status": {"allocatable": {"ephemeral-storage": "20Gi"}}}) for each in new]
    assert found(world(nodes=small), then) == {"changes.capacity": ["NodePool/green"]}
    result = judge("changes.capacity", world(nodes=small), baseline=then)
    assert result.findings[0].observed.startswith("ephemeral-storage: 100 GiB → 20 GiB")


def test_a_pool_beside_the_others_is_compared_with_the_smallest_node():
    """One that is smaller than any node before is found."""
    blue, green = {"eks.amazonaws.com/nodegroup": "blue"}, {"eks.amazonaws.com/nodegroup": "green"}
    then = before(nodes=[worker(labels=blue), worker("worker-2", labels=blue)])
    seen = world(nodes=[worker(labels=blue), worker("worker-2", labels=blue), worker("g-1", labels=green)])
    assert found(seen, then) == {}
    seen["nodes"][2]["status"]["allocatable"]["cpu"] = "1"
    assert found(seen, then) == {"changes.capacity": ["NodePool/green"]}


def test_karpenter_chooses_any_size():
    """Machines under an autoscaler may be smaller, but a resource that is gone altogether is found."""
    own = {"karpenter.sh/nodepool": "any"}
    then = before(nodes=[worker(labels=own), worker("worker-2", labels=own)])
    smaller = [worker(each, labels=own, status={"allocatable": {"cpu": "2"}}) for each in ("n-1", "n-2")]
    assert found(world(nodes=smaller), then) == {}
    bare = [worker(each, labels=own, status={"allocatable": {GPU: "0"}}) for each in ("n-1", "n-2")]
    assert found(world(nodes=bare), then) == {"changes.capacity": ["NodePool/any"]}


def test_a_node_that_has_just_joined_may_lack_its_gpu():
    """The device plugin needs its time: not yet is not wrong."""
    young = worker("worker-2", metadata={"creationTimestamp": ago(minutes=1)}, status={"allocatable": {GPU: "0"}})
    result = judge("changes.capacity", world(nodes=[worker(), young]), baseline=BEFORE)
    assert (result.outcome, result.findings[0].transitional) == ("inconclusive", True)


def test_another_default_class_is_a_warning():
    """A claim without a class still gets one."""
    seen = world(storageclasses=[storage_class("fast"), storage_class("slow", metadata=DEFAULT)])
    result = judge("changes.extensions", seen, baseline=BEFORE)
    assert (result.outcome, objects(result)) == ("warned", ["StorageClass/fast", "StorageClass/slow"])


def test_the_tolerance_for_endpoints():
    """`changes: {endpoints: 0.5}`: one of two is enough, none is not."""
    half = profile(changes={"endpoints": 0.5})
    assert judge(
        "changes.endpoints", world(endpointslices=[ready_slice("10.1.0.1")]), profile=half, baseline=BEFORE
    ).outcome == ("passed")
    assert judge("changes.endpoints", world(endpointslices=[]), profile=half, baseline=BEFORE).outcome == "failed"


def test_endpoints_of_two_families_are_one():
    """A pod has a slice for each of its IP families."""
    both = [ready_slice("10.1.0.1", "10.1.0.2"), ready_slice("fd00::1", metadata={"name": "web-x2"})]
    assert found(world(endpointslices=[ready_slice("10.1.0.1", "10.1.0.2")]), before(endpointslices=both[:1])) == {}
    one = [{"addresses": [ip], "targetRef": {"kind": "Pod", "name": "web-1"}} for ip in ("10.1.0.1", "fd00::1")]
    counted = before(endpointslices=[endpointslice("web", endpoints=one)]).inventory
    assert counted
    assert counted.part("endpoint_states")["Service/shop/web"].ready == 1


def test_the_scope_leaves_out_namespaces():
    """What is not in scope is not compared."""
    narrow = profile(scope={"namespaces": ["!shop"]})
    assert judge("changes.workloads", world(cronjobs=[]), profile=narrow, baseline=BEFORE).outcome == "passed"


def test_announced_changes_are_waived():
    """They stay visible; one that matches nothing is reported."""
    from upgate.judge.announced import overdue_announcements

    announcing = profile(
        changes={
            "allow": [
                {"check": "changes.workloads", "object": "CronJob/*"},
                {"check": "changes.images", "reason": "so"},
            ]
        }
    )
    result = judge("changes.workloads", world(cronjobs=[]), profile=announcing, baseline=BEFORE)
    assert (result.outcome, result.findings[0].waived) == ("waived", "announced under changes: in the profile")
    images = judge("changes.images", world(), profile=announcing, baseline=BEFORE)
    (note,) = overdue_announcements(announcing.changes.allow, [result, images])
    assert note.startswith("announced change matches nothing: changes.images for *")
    assert overdue_announcements(announcing.changes.allow, [judge("changes.images", world())]) == []


def test_only_comparing_checks_can_be_announced():
    """What others find needs a waiver with an end."""
    with pytest.raises(ValueError, match="must be a check of changes"):
        profile(changes={"allow": [{"check": "pods.ready"}]})


def answer(**changes: Any) -> Attempt:
    """An answer of the shop."""
    certificate = Certificate(issuer="CN=R10,O=Let's Encrypt,C=US", names=("shop.example.com",), sha256="a")
    fields = {"status": 301, "location": "https://shop.example.com/?a=1", "headers": {"x-frame-options": "DENY"}}
    elapsed = Elapsed(total=0.1)
    defaults = {"id": "external.shop", "target": "https://shop.example.com/", "started": NOW, "elapsed": elapsed}
    return Attempt(**{**defaults, "certificate": certificate, **fields, **changes})


OUTSIDE = profile(external=[{"name": "shop", "url": "https://shop.example.com/", "status": 301}])


def answered(now: Attempt, before: Attempt | None = None) -> CheckResult:
    """What changes.external says of an answer."""
    then = take_baseline(snapshot(world(), attempts=[before or answer()]), None)
    return judge("changes.external", snapshot(world(), attempts=[now]), profile=OUTSIDE, baseline=then)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": 302}, "status: 301 → 302"),
        (
            {"location": "https://login.example.com/"},
            "redirect: https://shop.example.com/ → https://login.example.com/",
        ),
        ({"certificate": Certificate(issuer="O=Fake", names=("shop.example.com",), sha256="b")}, "certificate of: "),
        ({"certificate": None}, "certificate of: "),
        ({"headers": {}}, "header x-frame-options: DENY → (none)"),
    ],
)
def test_an_answer_that_changed(changes, words):
    """Status, redirect, certificate and headers: old → new."""
    result = answered(answer(**changes))
    assert (result.outcome, objects(result)) == ("failed", ["https://shop.example.com/"])
    assert words in result.findings[0].observed


def test_what_answers_alike():
    """Another query, a renewed certificate, a slower answer within reason; no answer then, or now, is told elsewhere."""
    renewed = Certificate(issuer="CN=R11,O=Let's Encrypt,C=US", names=("shop.example.com", "b"), sha256="c")
    alike = answer(location="https://shop.example.com/?a=2", certificate=renewed, elapsed=Elapsed(total=0.9))
    assert answered(alike).outcome == "passed"
    silent = answer(failure=Failure("connect-refused"))
    assert answered(silent).findings == answered(answer(), before=silent).findings == ()
    assert answered(answer(elapsed=Elapsed(total=4))).outcome == "warned"
    assert judge("changes.external", world(), baseline=BEFORE).outcome == "skipped"


def front(host: str = "shop.example.com", ip: str = "192.0.2.10", **changes: Any) -> Attempt:
    """An answer of the Ingress front for one host at one address."""
    own = {"id": f"external.published-https[shop/front {ip} {host} /]", "target": f"https://{host}/", "status": 200}
    return answer(**{**own, "location": "", **changes})


def port(**changes: Any) -> Attempt:
    """What a port of the load balancer edge answers."""
    own = {"id": "external.tcp.published-port[shop/edge 192.0.2.20 80]", "target": "192.0.2.20:80", "status": None}
    return answer(**{**own, "certificate": None, "location": "", **changes})


def published(now: list[Attempt] | None, then: list[Attempt] | None = None, **gaps: Any) -> CheckResult:
    """What changes.ingresses says of these answers."""
    before = take_baseline(snapshot(world(), published=[front(), port()] if then is None else then), None)
    return judge("changes.ingresses", snapshot(world(), published=now, **gaps), baseline=before)


FAILED = {"failure": Failure("connect-timeout"), "status": None}


@pytest.mark.parametrize(
    ("now", "object", "words"),
    [
        ([front(**FAILED), port()], "Ingress/shop/front", "at 192.0.2.10: answered: 200 → no answer (connect-timeout)"),
        ([front(), port(**FAILED)], "Service/shop/edge", "192.0.2.20:80: answered: connected → no answer"),
        ([front(status=503), port()], "Ingress/shop/front", "status: 200 → 503"),
        ([front(status=302, location="https://x/"), port()], "Ingress/shop/front", "redirect: (none) → https://x/"),
        ([front(certificate=None), port()], "Ingress/shop/front", "certificate of: "),
    ],
)
def test_a_published_address_that_answers_otherwise(now, object, words):
    """It is told of the Ingress or Service that publishes it."""
    result = published(now)
    assert (result.outcome, objects(result)) == ("failed", [object])
    assert words in result.findings[0].observed


def test_published_addresses_that_are_as_before():
    """Another status of the same kind is; silence before, and addresses that are gone or new, are told elsewhere."""
    assert published([front(), port()]).outcome == "passed"
    assert published([front(status=204), port()]).outcome == "passed"
    assert published([front(**FAILED), port()], then=[front(**FAILED), port()]).outcome == "passed"
    assert published([front(ip="192.0.2.11", status=500), port()]).findings == ()
    assert published([front(failure=Failure("resolver")), port()]).findings == ()
    assert published([]).outcome == "passed"
    assert published(None).outcome == "inconclusive"
    assert published([], gaps={"ingresses": "not permitted"}).reason == "not permitted"


def test_all_that_is_published_is_asked():
    """Each host at each address, by http and https, and each port of a load balancer."""
    from upgate.sources.probes.published import published_entries
    from upgate.sources.probes.targets import probe_targets

    targets = probe_targets(published_entries(), snapshot(world()))
    assert [(each.url, each.address) for each in targets] == [
        ("http://shop.example.com/", "192.0.2.10"),
        ("https://shop.example.com/", "192.0.2.10"),
        ("tcp://192.0.2.20:80", ""),
    ]
    assert all(each.named_by_cluster for each in targets)
    assert list(front_states([front(), port()])) == ["Ingress/shop/front", "Service/shop/edge"]


def halved(progressing: str, slices: list[dict[str, Any]]) -> list[CheckResult]:
    """What is said of a Deployment that has one of two pods ready, and of its Service."""
    conditions = [condition("Available"), condition("Progressing", progressing, reason="ReplicaSetUpdated")]
    web = app("web", 2, status={"readyReplicas": 1, "availableReplicas": 1, "conditions": conditions})
    starting = pod("web-2", ready="False", metadata={"creationTimestamp": ago(seconds=20)})
    seen = world(deployments=[web, *REST], endpointslices=slices, pods=[pod(), starting])
    return run(["deployments.ready", "changes.endpoints", "changes.workloads"], seen, baseline=BEFORE)


def test_endpoints_that_a_workload_lacks_follow_from_it():
    """One cause is one red line: the Deployment is told, and its Service follows."""
    deployments, endpoints, workloads = halved("False", [ready_slice("10.1.0.1")])
    assert deployments.outcome == "failed"
    assert endpoints.findings[0].because == workloads.findings[0].because == "deployments.ready: Deployment/shop/web"


def test_a_service_without_the_ready_pods_has_a_fault_of_its_own():
    """What its workload lacks does not explain that no endpoint leads to the ready pod."""
    assert halved("False", [])[1].findings[0].because is None


def test_a_rollout_is_not_yet_a_change():
    """While a Deployment makes its pods the endpoints are fewer: run again."""
    _, endpoints, workloads = halved("True", [ready_slice("10.1.0.1")])
    assert (endpoints.outcome, workloads.outcome) == ("inconclusive", "inconclusive")
