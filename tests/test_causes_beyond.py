"""What follows from the control plane, from webhooks, aggregated APIs and rights says so, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.control_worlds import LEADERS, addon, api_service, binding, leader, role, static, webhook, webhooks
from tests.worlds import (
    NOW,
    ago,
    autoscaler,
    condition,
    container_status,
    cronjob,
    daemonset,
    endpointslice,
    good,
    job,
    merged,
    namespace,
    owner,
    pod,
    replicated,
    run,
    service,
    warning,
)

IDS = [
    *("control-plane.leases", "apiservices.available", "webhooks.alive", "rbac.addons", "services.endpoints"),
    *("services.endpoints-live", "pods.crashing", "pods.scheduler-silent", "pods.pending", "pods.ready"),
    *("deployments.ready", "replicasets.ready", "statefulsets.ready", "daemonsets.ready", "jobs.failed"),
    *("namespaces.terminating", "cronjobs.on-time", "hpas.active"),
]


def roots(**lists):
    """The red lines of a world."""
    return [f"{each.id}: {f.object}" for each in run(IDS, good(**lists)) for f in each.findings if f.because is None]


def because(**lists):
    """Every finding of a world that follows from another."""
    found = ((each.id, f) for each in run(IDS, good(**lists)) for f in each.findings if f.because)
    return {f"{id}: {f.object}": f.because for id, f in found}


DEAD = webhooks(webhook(clientConfig={"service": {"name": "gone"}}), name="dead")
SAYS = 'Internal error occurred: failed calling webhook "pods.example.com": failed to call webhook: service "gone" not found'
DENIES = 'admission webhook "pods.example.com" denied the request: no'
ALIVE = "webhooks.alive: ValidatingWebhookConfiguration/dead"
SHORT = {"readyReplicas": 0, "availableReplicas": 0, "replicas": 0}


def refused(message=SAYS):
    """A Deployment and its ReplicaSet, whose pods cannot be made for that reason."""
    failure = [condition("ReplicaFailure", reason="FailedCreate", message=message)]
    its = replicated("web", status={**SHORT, "conditions": failure})
    versions = replicated("web-rs", status={**SHORT, "conditions": failure}, metadata=owner("Deployment", its))
    return {"deployments": [its], "replicasets": [versions], "services": [], "pods": []}


def test_a_dead_webhook_explains_the_pods_that_cannot_be_made():
    """A Deployment whose ReplicaFailure names the webhook follows from it."""
    assert roots(**refused(), validatingwebhookconfigurations=[DEAD]) == [ALIVE]


def test_a_webhook_that_refuses_explains_nothing():
    """A webhook that answers is not dead; and one that is dead explains only what its name is said for."""
    assert "deployments.ready: Deployment/shop/web" in roots(**refused(DENIES), validatingwebhookconfigurations=[DEAD])
    quota = refused("exceeded quota: compute")
    assert "deployments.ready: Deployment/shop/web" in roots(**quota, validatingwebhookconfigurations=[DEAD])
    other = merged(DEAD, {"webhooks": [webhook("other", clientConfig={"service": {"name": "gone"}})]})
    assert "deployments.ready: Deployment/shop/web" in roots(**refused(), validatingwebhookconfigurations=[other])


def test_events_tell_it_of_other_workloads():
    """StatefulSets, DaemonSets and Jobs have no such condition: their events say which webhook did not answer."""
    db = replicated("db", app="db", status=SHORT)
    agent = daemonset("agent", status={"numberReady": 0, "updatedNumberScheduled": 0})
    told = [
        warning(db, "FailedCreate", "StatefulSet", message=SAYS),
        warning(agent, "FailedCreate", "DaemonSet", message=SAYS),
    ]
    world = {"statefulsets": [db], "daemonsets": [agent], "warnings": told}
    assert roots(**world, validatingwebhookconfigurations=[DEAD]) == [ALIVE]


def test_pods_that_are_there_and_fail_are_not_explained_by_it():
    """A cause explains only what it covers: a pod that crashes does so whatever a webhook does."""
    crash = {"containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]}
    broken = pod(ready="False", status=crash)
    lines = roots(**{**refused(), "pods": [broken]}, validatingwebhookconfigurations=[DEAD])
    assert "deployments.ready: Deployment/shop/web" in lines


def test_the_pods_behind_a_webhook_explain_it():
    """A webhook without an endpoint follows from the Service, and that from its pods; one with another fault does not."""
    crash = {"containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]}
    down = {
        "pods": [pod(ready="False", status=crash)],
        "endpointslices": [endpointslice("web", "10.1.0.1", ready=False)],
    }
    lines = because(**down, validatingwebhookconfigurations=[webhooks()])
    assert lines["webhooks.alive: ValidatingWebhookConfiguration/policy"] == "pods.crashing: Pod/shop/web-1"
    spoilt = webhooks(webhook(clientConfig={"caBundle": "bm9uZQ=="}))
    assert "webhooks.alive: ValidatingWebhookConfiguration/policy" in roots(
        **down, validatingwebhookconfigurations=[spoilt]
    )


STOPPED = [leader("kube-controller-manager", renewed=600), leader()]
MANAGER = "control-plane.leases: Lease/kube-system/kube-controller-manager"
SCHEDULER = "control-plane.leases: Lease/kube-system/kube-scheduler"


def test_a_dead_controller_manager_explains_what_stopped_moving():
    """What its controllers do not see, pods that nobody makes, stale endpoints, and namespaces that stay."""
    unseen = replicated("db", app="db", replicas=0, metadata={"generation": 2})
    lost = replicated("web", 2)
    versions = replicated("web-rs", 2, metadata=owner("Deployment", lost))
    world = {
        "leader_leases": STOPPED,
        "statefulsets": [unseen],
        "deployments": [lost],
        "replicasets": [versions],
        "endpointslices": [endpointslice("web", "10.1.0.1", "10.1.0.99")],
        "namespaces": [namespace("old", metadata={"deletionTimestamp": ago(minutes=9)})],
    }
    assert roots(**world) == [MANAGER]
    assert len(because(**world)) == 4


def test_a_dead_controller_manager_explains_nothing_that_has_a_cause_of_its_own():
    """Pods that are there and do not become ready, and pods that are refused, have another cause."""
    down = pod(ready="False")
    short = replicated("web", status={"readyReplicas": 0, "availableReplicas": 0})
    lines = roots(leader_leases=STOPPED, pods=[down], deployments=[short], endpointslices=[])
    assert {MANAGER, "pods.ready: Pod/shop/web-1"} <= set(lines)
    lines = roots(**refused("exceeded quota: compute"), leader_leases=STOPPED)
    assert "deployments.ready: Deployment/shop/web" in lines
    held = namespace("old", metadata={"deletionTimestamp": ago(minutes=9), "finalizers": ["example.com/hold"]})
    assert "namespaces.terminating: Namespace/old" in roots(leader_leases=STOPPED, namespaces=[held])


def daily(due: timedelta) -> dict[str, Any]:
    """A CronJob that was due each day, last so long ago, and missed that time."""
    last = NOW - due
    written = {"schedule": f"{last.minute} {last.hour} * * *"}
    status = {"lastScheduleTime": (last - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    return cronjob(spec=written, status=status)


def test_a_dead_controller_manager_explains_the_cronjobs_that_are_late_since():
    """A time that it missed while the controller manager still renewed its lease, and a suspended CronJob, have another cause."""
    stopped = [leader("kube-controller-manager", renewed=3600), leader()]
    assert roots(leader_leases=stopped, cronjobs=[daily(timedelta(minutes=30))]) == [MANAGER]
    earlier = roots(leader_leases=stopped, cronjobs=[daily(timedelta(hours=3))])
    assert earlier == [MANAGER, "cronjobs.on-time: CronJob/shop/backup"]
    assert "cronjobs.on-time: CronJob/shop/backup" in roots(cronjobs=[daily(timedelta(minutes=30))])


@pytest.mark.parametrize(
    ("reason", "explained"),
    [("FailedGetResourceMetric", True), ("FailedGetExternalMetric", False), ("InvalidSelector", False)],
)
def test_an_autoscaler_without_metrics_follows_from_the_api_of_those(reason, explained):
    """An autoscaler whose metrics come from another API, or that is broken otherwise, is told beside the API that is gone."""
    gone = api_service(available="False")
    inactive = condition("ScalingActive", "False", reason=reason)
    lines = roots(apiservices=[gone], horizontalpodautoscalers=[autoscaler(status={"conditions": [inactive]})])
    assert "apiservices.available: APIService/v1beta1.metrics.k8s.io" in lines
    assert ("hpas.active: HorizontalPodAutoscaler/shop/web" not in lines) == explained


def test_a_dead_scheduler_explains_the_pods_that_it_does_not_see():
    """A pod that waits for the default scheduler follows from its lease; one of another scheduler does not."""
    waits = pod(spec={"nodeName": ""}, status={"phase": "Pending", "conditions": []})
    dead = [leader("kube-controller-manager"), leader(renewed=600)]
    world = {"leader_leases": dead, "pods": [waits], "services": [], "validatingwebhookconfigurations": []}
    assert roots(**world) == [SCHEDULER]
    other = merged(waits, {"spec": {"schedulerName": "volcano"}})
    assert "pods.scheduler-silent: Pod/shop/web-1" in roots(**{**world, "pods": [other]})
    assert "pods.scheduler-silent: Pod/shop/web-1" in roots(**{**world, "leader_leases": LEADERS})


def test_the_pods_of_a_leader_explain_its_lease():
    """A controller manager that crashes renews nothing."""
    crash = {"containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]}
    broken = static("kube-controller-manager", status={**crash, "conditions": [condition("Ready", "False")]})
    lines = because(leader_leases=STOPPED, pods=[pod(), broken])
    assert lines[MANAGER] == "pods.crashing: Pod/kube-system/kube-controller-manager-cp-1"


def test_a_namespace_waits_for_an_api_that_is_gone():
    """Where an aggregated API is not available nobody knows what is in a namespace: nothing else may hold it."""
    gone = api_service(available="False")
    unknown = condition(
        "NamespaceDeletionDiscoveryFailure", message="unable to retrieve: metrics.k8s.io/v1beta1: stale GroupVersion"
    )
    stuck = namespace("old", metadata={"deletionTimestamp": ago(minutes=9)}, status={"conditions": [unknown]})
    assert roots(apiservices=[gone], namespaces=[stuck]) == ["apiservices.available: APIService/v1beta1.metrics.k8s.io"]
    more = {"conditions": [unknown, condition("NamespaceContentRemaining", message="foos.x has 2 resource instances")]}
    both = merged(stuck, {"status": more})
    assert "namespaces.terminating: Namespace/old" in roots(apiservices=[gone], namespaces=[both])


def test_an_api_follows_from_the_service_behind_it():
    """An aggregated API whose server has no ready pod is explained by that."""
    down = pod(ready="False")
    nowhere = [endpointslice("web", "10.1.0.1", ready=False)]
    lines = because(apiservices=[api_service(available="False")], pods=[down], endpointslices=nowhere)
    assert lines["apiservices.available: APIService/v1beta1.metrics.k8s.io"] == "pods.ready: Pod/shop/web-1"


def test_missing_rights_explain_an_addon_that_is_not_ready():
    """CoreDNS that may not list EndpointSlices runs and never becomes ready; one without an image has another cause."""
    roles = {"clusterroles": [role("system:coredns")], "clusterrolebindings": [binding("system:coredns")]}
    runs = addon(
        status={"conditions": [condition("Ready", "False")], "containerStatuses": [container_status(ready=False)]}
    )
    assert roots(**roles, pods=[pod(), runs]) == ["rbac.addons: ServiceAccount/kube-system/coredns"]
    pulls = addon(
        status={
            "phase": "Pending",
            "conditions": [condition("Ready", "False")],
            "containerStatuses": [container_status(ready=False, state={"waiting": {"reason": "ImagePullBackOff"}})],
        }
    )
    assert "pods.crashing: Pod/kube-system/addon-1" in roots(**roles, pods=[pod(), pulls])


def test_a_job_whose_pods_nobody_makes_follows_too():
    """A Job without a pod waits for the webhook that its event names, or for the controller manager."""
    idle = job(done="", status={"active": 0})
    stopped = roots(jobs=[idle], leader_leases=STOPPED)
    assert stopped == [MANAGER]
    told = [warning(idle, "FailedCreate", "Job", message=SAYS)]
    assert roots(jobs=[idle], warnings=told, validatingwebhookconfigurations=[DEAD]) == [ALIVE]


def test_a_service_is_not_explained_by_webhooks_in_front_of_it():
    """A Service that leads nowhere is what explains its webhook, and never the other way round."""
    lone = service(spec={"selector": {"app": "none"}})
    world = {"services": [lone], "endpointslices": [], "validatingwebhookconfigurations": [webhooks()]}
    assert "services.endpoints: Service/shop/web" in roots(**world)
