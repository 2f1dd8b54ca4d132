"""The battery guards itself: no check can be blind, and none can be green where it did not look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import mesh_worlds
from tests.control_worlds import (
    CORE,
    PROXIES,
    SYSTEM,
    addon,
    api_service,
    definition,
    leader,
    proxy,
    role,
    static,
    webhook,
    webhooks,
)
from tests.machines import BAD_HOSTS, DEMANDS, host
from tests.mesh_worlds import OLD, bare, before, front, injector, istiod, mesh, proxied, synced
from tests.worlds import (
    CHECKS,
    NOW,
    ago,
    attachment,
    autoscaler,
    battery,
    budget,
    claim,
    condition,
    container_status,
    credential,
    cronjob,
    daemonset,
    empty,
    endpointslice,
    good,
    hanging,
    ingress,
    job,
    judge,
    kured,
    lease,
    load_balancer,
    lock_holder,
    machine,
    metrics,
    namespace,
    node,
    node_notice,
    pod,
    profile,
    replicated,
    serving,
    signing_request,
    snapshot,
    terminated,
    thing,
    tls_secret,
    unseen,
    warning,
)
from upgate.battery import catalogue
from upgate.battery.inputs import names
from upgate.facts.conditioned import Complaint, Swept
from upgate.facts.custom_reads import CustomRead, CustomReads
from upgate.facts.health import HealthEndpoint
from upgate.facts.monitored import FiringAlert, MonitorAnswers
from upgate.facts.proxies import ProxySync
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

#: The checks for entries of the profile have worlds of their own.
INSIDE = [id for id, check in battery().items() if check.entries is None]
PROFILE = profile(
    expect={
        "version": "1.36",
        "hosts": {"kubelet": "1.36"},
        "nodes": {"kernel": ">=6.1", "image": "Ubuntu 24.*", "taints": ["dedicated=*"]},
    },
    sidecars=[{"container": "app", "image": "app:1"}],
    hosts=DEMANDS,
    mesh={"revision": mesh_worlds.NEW, "retired": [OLD]},
    allow=["secrets", "pods-proxy"],
    prometheus={"url": "http://prometheus.test"},
    conditions={"kinds": 200},
)
#: One bad world for each check: the lists that differ from the good one.
BAD: dict[str, dict[str, Any]] = {
    "nodes.ready": {"nodes": [node(ready="Unknown")]},
    "nodes.pressure": {"nodes": [node(status={"conditions": [condition("Ready"), condition("DiskPressure")]})]},
    "nodes.schedulable": {"nodes": [node(spec={"unschedulable": True})]},
    "nodes.heartbeat": {"leases": [lease(renewed=170)]},
    "nodes.taints": {"nodes": [node(spec={"taints": [{"key": "debug", "effect": "NoSchedule"}]})]},
    "nodes.uniform": {"nodes": [node(), node("worker-2", status={"nodeInfo": {"kubeletVersion": "v1.35.9"}})]},
    "nodes.image": {"nodes": [node(status={"nodeInfo": {"kernelVersion": "5.4.0-1043-azure"}})]},
    "nodes.kured-lock": {"daemonsets": [kured(lock_holder(hours=3))]},
    "nodes.joined": {"machines": [machine(node="")]},
    "nodes.stable": {"node_notices": [node_notice(count=2)]},
    "nodes.headroom": {
        "nodes": [node(), node("worker-2", status={"allocatable": {"cpu": "1"}})],
        "pods": [
            pod(spec={"containers": [{"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "2"}}}]}),
        ],
    },
    "nodes.work": {
        "nodes": [node(), node("worker-2")],
        "pods": [pod(), hanging("web-2", on="worker-2"), hanging("web-3", on="worker-2")],
    },
    "nodes.count": {"nodes": []},
    "pods.crashing": {
        "pods": [
            pod(status={"containerStatuses": [container_status(state={"waiting": {"reason": "CrashLoopBackOff"}})]})
        ]
    },
    "pods.failed": {"pods": [pod(metadata={"ownerReferences": None}, status={"phase": "Failed"})]},
    "pods.terminating": {"pods": [pod(metadata={"deletionTimestamp": ago(minutes=3)})]},
    "pods.pending": {"pods": [pod(status={"phase": "Pending"})]},
    "pods.scheduler-silent": {"pods": [pod(spec={"nodeName": ""}, status={"phase": "Pending", "conditions": []})]},
    "pods.ready": {"pods": [pod(ready="False")]},
    "pods.restarts": {
        "pods": [
            pod(
                metadata={"creationTimestamp": ago(minutes=30)},
                status={"containerStatuses": [container_status(restarts=3)]},
            )
        ]
    },
    "pods.oom": {
        "pods": [
            pod(status={"containerStatuses": [container_status(restarts=1, lastState=terminated(137, "OOMKilled"))]})
        ]
    },
    "pods.bare": {"pods": [pod(metadata={"ownerReferences": None})]},
    "deployments.ready": {"deployments": [replicated("web", 3, status={"readyReplicas": 2})]},
    "replicasets.ready": {"replicasets": [replicated("web-rs", 3, status={"readyReplicas": 0})]},
    "statefulsets.ready": {"statefulsets": [replicated("db", 3, status={"readyReplicas": 2})]},
    "daemonsets.ready": {"daemonsets": [daemonset(desired=3, status={"numberReady": 1})]},
    "jobs.failed": {"jobs": [job(done="Failed")]},
    "cronjobs.on-time": {"cronjobs": [cronjob(status={"lastScheduleTime": ago(hours=3)})]},
    "hpas.active": {
        "horizontalpodautoscalers": [autoscaler(status={"conditions": [condition("AbleToScale", "False")]})]
    },
    "pdbs.allow-drain": {"poddisruptionbudgets": [budget(allowed=0)]},
    "workloads.churn": {
        "deployments": [
            replicated(
                "web",
                metadata={
                    "generation": 900,
                    "managedFields": [{"manager": "helm", "time": ago(minutes=1)}],
                },
                status={"observedGeneration": 900},
            )
        ]
    },
    "workloads.single-replica": {},
    "workloads.readiness-probe": {},
    "events.warnings": {"warnings": [warning(thing("worker-1"), "ImageGCFailed", "Node", count=5)]},
    "namespaces.terminating": {"namespaces": [namespace(metadata={"deletionTimestamp": ago(minutes=3)})]},
    "services.endpoints": {"endpointslices": []},
    "services.endpoints-live": {"endpointslices": [endpointslice("web", "10.1.0.1", "10.1.0.99")]},
    "release.changes": {"nodes": [node(status={"nodeInfo": {"containerRuntimeVersion": "containerd://1.7.27"}})]},
    "services.load-balancer": {"services": [load_balancer(status={"loadBalancer": {"ingress": None}})]},
    "services.survivable": {
        "services": [load_balancer()],
        "endpointslices": [endpointslice("edge", endpoints=[{"addresses": ["10.1.0.1"], "nodeName": "worker-1"}])],
        "nodes": [node(), node("worker-2")],
    },
    "ingresses.served": {"ingresses": [ingress(spec={"ingressClassName": "gone"})]},
    "storage.bound": {"persistentvolumeclaims": [claim(phase="Pending")]},
    "storage.attachments": {"volumeattachments": [attachment(status={"attached": False})]},
    "certs.csr": {"certificatesigningrequests": [signing_request()]},
    "certs.secrets": {"tls_secrets": [tls_secret(days=-1)]},
    "sidecars.image": {"pods": [pod(spec={"containers": [{"name": "app", "image": "app:0"}]})]},
    "version.kubelet-skew": {"nodes": [node(status={"nodeInfo": {"kubeletVersion": "v1.32.9"}})]},
    "version.kube-proxy-skew": {"pods": [proxy("kube-proxy:v1.37.0")], "daemonsets": [PROXIES]},
    "version.control-plane-skew": {"pods": [static("kube-scheduler", "v1.37.0")]},
    "version.nodes-upgraded": {"nodes": [node(status={"nodeInfo": {"kubeletVersion": "v1.35.9"}})]},
    "control-plane.leases": {
        "leader_leases": [leader("kube-scheduler", renewed=60), leader("kube-controller-manager")]
    },
    "apiservices.available": {"apiservices": [api_service(available="False")]},
    "crds.established": {
        "customresourcedefinitions": [definition(status={"conditions": [condition("Established", "False")]})]
    },
    "webhooks.alive": {
        "validatingwebhookconfigurations": [webhooks(webhook(clientConfig={"service": {"name": "gone"}}))]
    },
    "webhooks.scope": {"mutatingwebhookconfigurations": [webhooks(webhook(rule={**CORE, "resources": ["*"]}))]},
    "rbac.addons": {"pods": [addon()], "clusterroles": [role("system:coredns")]},
}

#: The same of what the API server was asked beside the lists.
REMOVED = (
    'apiserver_requested_deprecated_apis{group="a.k8s.io",removed_release="1.37",resource="as",version="v1beta1"} 1'
)
UNREAD = CustomRead("widgets.example.com", "example.com", "v1", "widgets", 500, "conversion webhook failed")
UNCONVERTED = (
    'apiserver_crd_conversion_webhook_duration_seconds_count{crd_name="widgets.example.com",succeeded="false"} 2'
)
BAD_SERVER: dict[str, dict[str, Any]] = {
    "apis.deprecated": {"metrics": metrics(REMOVED)},
    "webhooks.answer": {"metrics": metrics(UNCONVERTED)},
    "clients.rejected": {"metrics": metrics("serviceaccount_stale_tokens_total 3", started=30)},
    "apis.custom-readable": {"custom_reads": CustomReads([UNREAD])},
}
#: Checks that ask the API server itself, which is there in any world, or a table of the battery.
OF_SERVER = (
    *("api.ready", "api.version", "apis.deprecated", "webhooks.answer", "clients.rejected", "release.changes"),
    *("certs.api-server", "certs.client"),
)
#: The same for the checks of a mesh: worlds of their own.
BAD_MESH: dict[str, Any] = {
    "mesh.control-plane": before(services=[front(OLD)]),
    "mesh.revision-tag": before(),
    "mesh.namespace-labels": before(),
    "mesh.sidecar-missing": mesh(pods=[bare()]),
    "mesh.sidecar-version": mesh(deployments=[istiod(), istiod(OLD)], pods=[proxied("web-1", OLD)]),
    "mesh.retired": mesh(mutatingwebhookconfigurations=[injector(OLD)]),
    "mesh.proxies-synced": mesh(),
}

#: What some checks look at beside the good world.
MORE: dict[str, dict[str, Any]] = {
    "version.kube-proxy-skew": {"pods": SYSTEM, "daemonsets": [PROXIES]},
    "version.control-plane-skew": {"pods": SYSTEM},
    "rbac.addons": {"pods": SYSTEM},
}

#: What differs from the good world for checks that ask more of it.
PROBED = {"containers": [{"name": "app", "image": "app:1", "readinessProbe": {"httpGet": {"path": "/", "port": 80}}}]}
GOOD: dict[str, dict[str, Any]] = {
    "workloads.single-replica": {"deployments": [replicated("web", 2)]},
    "workloads.readiness-probe": {"pods": [pod(spec=PROBED)]},
}


#: The checks of kinds that a cluster may lack.
def asked(id: str, seen: Any) -> CheckResult:
    """What a check says of a world; one that is asked before an upgrade only is asked then."""
    return judge(id, seen, profile=PROFILE, preflight=battery()[id].only_preflight)


def bad(id: str) -> CheckResult:
    """What a check says of its bad world."""
    if id == "api.ready":
        return judge(id, snapshot(good(), health=[HealthEndpoint("readyz", 500, "[-]etcd failed: reason withheld\n")]))
    if id == "api.version":
        return judge(id, good(), profile=profile(expect={"version": "1.37"}))
    if id in BAD_SERVER:
        return judge(id, snapshot(good(), **BAD_SERVER[id]), profile=PROFILE)
    if id == "certs.api-server":
        return judge(id, snapshot(good(), api_certificates=[serving(days=3)]))
    if id == "certs.client":
        return judge(id, snapshot(good(), credentials=[credential(days=3)]))
    if id == "conditions.false":
        said = Complaint("Widget/shop/a", "Ready=False", NOW - timedelta(hours=1))
        return judge(id, snapshot(good(), conditions=Swept(objects=1, complaints=[said])), profile=PROFILE)
    if id == "alerts.firing":
        return judge(
            id, snapshot(good(), monitored=MonitorAnswers(rules=1, alerts=[FiringAlert("Broken")])), profile=PROFILE
        )
    if id in BAD_HOSTS:
        return judge(id, snapshot(good(), hosts=[host(**BAD_HOSTS[id])]), profile=PROFILE)
    if id in BAD_MESH:
        stale = ProxySync("web-1.shop", "istio-system/istiod-1", stale=("CDS",))
        return judge(id, snapshot(BAD_MESH[id], proxies=synced(stale)), profile=PROFILE)
    return asked(id, good(**BAD[id]))


def fine(id: str) -> Snapshot:
    """The world in which a check passes: with a mesh for those of the mesh."""
    if id in BAD_MESH:
        return mesh_worlds.seen(mesh())
    return snapshot(good(**MORE.get(id, {}), **GOOD.get(id, {})))


@pytest.mark.parametrize("id", INSIDE)
def test_every_check_passes_in_a_good_world(id):
    """In a world where all is well each check passes, has looked at something, and finds nothing."""
    result = asked(id, fine(id))
    assert (result.outcome, result.findings, result.reason) == ("passed", (), "")
    assert result.examined > 0


@pytest.mark.parametrize("id", INSIDE)
def test_every_check_fails_in_a_bad_world(id):
    """In a world where one thing is wrong the check for it says so, and names an object, what it saw and what it expected."""
    result = bad(id)
    assert result.outcome == ("failed" if result.severity == "critical" else "warned")
    assert result.findings
    assert all(finding.object and finding.observed and finding.expected and finding.hint for finding in result.findings)
    assert not any(
        "{" in finding.hint.replace("{name}", "") for finding in result.findings if "jsonpath" not in finding.hint
    )


@pytest.mark.parametrize("id", INSIDE)
def test_no_check_passes_where_everything_is_refused(id):
    """Against an API server that answers 403 to everything each check is inconclusive, with the reason."""
    result = asked(id, unseen("cannot list: not permitted"))
    assert (result.outcome, result.reason) == ("inconclusive", "cannot list: not permitted")


@pytest.mark.parametrize("id", [id for id in INSIDE if id not in OF_SERVER])
def test_no_check_passes_in_an_empty_world(id):
    """Where there is nothing to look at no check passes but those of kinds that a cluster may lack.

    It cannot lack nodes, nor the revision of a mesh that the profile names.
    """
    result = asked(id, empty())
    if battery()[id].none_is_fine:
        assert (result.outcome, result.examined) == ("passed", 0)
        return
    assert result.outcome == ("failed" if id in ("nodes.count", "mesh.control-plane") else "inconclusive")
    assert result.reason or result.findings


@pytest.mark.parametrize("id", INSIDE)
def test_every_check_explains_itself(id):
    """Title, reason and first command come from the docstring; the title is a sentence."""
    check = battery()[id]
    assert check.title.endswith(".")
    assert check.why
    assert check.hint


def test_causes_are_checks_that_exist():
    """A check can only follow from checks of the battery."""
    assert {cause for each in battery().values() for cause in each.after} <= set(battery())


def test_the_list_of_checks_is_current():
    """docs/checks.md is what `upgate checks --format=markdown` prints."""
    assert (CHECKS.parent / "docs" / "checks.md").read_text() == catalogue.checks_as_markdown(battery().values()), (
        "upgate checks --format=markdown > docs/checks.md"
    )


def test_there_is_a_word_for_every_noun():
    """Every parameter of every check is a noun that there is."""
    taken = {name for check in battery().values() for name in check.inputs}
    assert taken <= set(names())
