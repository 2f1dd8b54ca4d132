"""Before and after: what changed since the baseline that an upgrade does not change by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.compared.answers import ChangedAnswer, ChangedFront
    from upgate.battery.compared.nodes import ChangedPool
    from upgate.battery.compared.services import ChangedAddresses, ChangedEndpoints
    from upgate.battery.compared.settings import ChangedApi, ChangedExtension, ChangedNamespace, ChangedSelectors
    from upgate.battery.compared.workloads import ChangedImages, ChangedWorkload

#: Findings that explain why nothing answers at an address.
FRONTS = ("ingresses.served", "services.load-balancer", "services.endpoints", "changes.addresses")
#: Findings that explain why replicas are missing.
REPLICAS = ("deployments.ready", "replicasets.ready", "statefulsets.ready", "daemonsets.ready")


@check("changes.workloads", severity="critical", after=("namespaces.terminating", *REPLICAS))
def test_nothing_of_the_baseline_is_gone(changed_workloads: Subjects[ChangedWorkload]) -> None:
    """No workload, Service, Ingress or CronJob of the baseline is gone, and no workload has fewer replicas.

    What is not there is in no list, and no other check misses it. Replicas under a HorizontalPodAutoscaler may change, and
    so may names that are generated. A namespace that is gone is told once, with all that was in it.
    Look first: kubectl get {kind} -n {namespace} {name}
    """
    changed_workloads.none(lambda each: each.lost, severity=lambda each: each.severity, expected="as in the baseline")


@check("changes.endpoints", severity="critical", after=("services.endpoints", *REPLICAS))
def test_every_service_has_as_many_endpoints(changed_endpoints: Subjects[ChangedEndpoints]) -> None:
    """Every Service of the baseline has as many ready endpoints as before.

    A Service that lost half of its endpoints still answers, until there is load. Replicas that are not wanted any more are
    not missed here. `changes: {endpoints: 0.8}` in the profile says which share is enough.
    Look first: kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}
    """
    changed_endpoints.none(lambda each: each.fewer, expected="as many ready endpoints as in the baseline")


@check("changes.selectors", severity="critical", after=("services.endpoints", "daemonsets.ready"))
def test_no_selector_matches_nothing(changed_selectors: Subjects[ChangedSelectors]) -> None:
    """No selector that matched something in the baseline matches nothing now.

    A label that an upgrade removes from nodes, namespaces or pods takes away whatever chose them by it, and nothing reports
    an error. Asked are Services, NetworkPolicies, PodDisruptionBudgets, the node selectors, node affinities and topology keys
    of workloads, the node affinity of volumes and the namespace selectors of webhooks.
    Look first: kubectl get {kind} -n {namespace} {name} -o yaml
    """
    changed_selectors.none(lambda each: each.blind, expected="matches something, as in the baseline")


@check("changes.addresses", severity="critical", after=("services.load-balancer", "ingresses.served"))
def test_every_address_is_kept(changed_addresses: Subjects[ChangedAddresses]) -> None:
    """Every Service, Ingress and Gateway of the baseline is reached by the same addresses and ports.

    A controller that replaces a load balancer gives it another address, and DNS records, firewalls and clients know the old
    one. Addresses of nodes are left out, since a node that is replaced has others.
    Look first: kubectl get {kind} -n {namespace} {name} -o yaml
    """
    changed_addresses.none(lambda each: each.changes, expected="as in the baseline")


@check("changes.apis", severity="critical", after=("apiservices.available", "crds.established"))
def test_every_api_is_still_served(changed_apis: Subjects[ChangedApi]) -> None:
    """Every API version of the baseline that has objects is still served.

    Clients that ask for a version that is not served any more fail, and objects of a CustomResourceDefinition that is gone
    are gone too. Of custom resources it is not known how many there are, so that each version counts.
    Look first: kubectl api-versions
    """
    changed_apis.none(lambda each: each.unserved, severity=lambda each: each.severity, expected="served")


@check("changes.capacity", severity="critical", after=("nodes.ready",))
def test_no_pool_has_smaller_nodes(changed_capacity: Subjects[ChangedPool], now: datetime) -> None:
    """No pool has smaller nodes than in the baseline.

    Compared is what pods can get of each resource, those of device plugins (GPUs) included. A pool that is new is compared
    with those that are gone, else with the smallest node of the baseline. A twentieth of CPU, memory and storage is no
    change: releases reserve more or less of it. Machines that an autoscaler chooses may have any size.
    Look first: kubectl get nodes -o custom-columns=NAME:.metadata.name,ALLOCATABLE:.status.allocatable
    """
    changed_capacity.none(
        lambda each: each.smaller, expected="no less than in the baseline", transitional=lambda each: each.joining(now)
    )


@check("changes.nodes", severity="warning")
def test_pools_have_their_labels_and_taints(changed_nodes: Subjects[ChangedPool]) -> None:
    """The nodes of every pool have the labels, taints, kernel and container runtime of the baseline.

    Pods choose nodes by labels and are kept away by taints: whoever replaces a node has to set them again. Names, addresses,
    zones and labels of versions are not compared; kernel, runtime and operating system only by family where the kubelet was
    upgraded too. New taints are told by nodes.taints.
    Look first: kubectl get nodes --show-labels
    """
    changed_nodes.none(lambda each: each.changes, expected="as in the baseline")


@check("changes.namespaces", severity="warning")
def test_namespaces_have_their_labels(changed_namespaces: Subjects[ChangedNamespace]) -> None:
    """Every namespace of the baseline has the same labels, and no annotation of it is lost or changed.

    Policies, injection of sidecars and Pod Security choose namespaces by label: one label less can block every new pod.
    Look first: kubectl get namespace {name} --show-labels
    """
    changed_namespaces.none(lambda each: each.changes, expected="as in the baseline")


@check("changes.extensions", severity="critical", none_is_fine=True)
def test_webhooks_and_classes_are_as_before(changed_extensions: Subjects[ChangedExtension]) -> None:
    """Admission webhooks, storage classes and Ingress classes are those of the baseline.

    A claim without a class waits for a default class, and a new webhook intercepts requests that nothing refused before. A
    class or a webhook that is gone, and a default that no other class has become, are critical; other changes are warnings.
    Look first: kubectl get {kind} {name} -o yaml
    """
    changed_extensions.none(
        lambda each: each.changes, severity=lambda each: each.severity, expected="as in the baseline"
    )


@check("changes.external", severity="critical", none_is_fine=True, expects="external")
def test_everything_outside_answers_as_before(changed_answers: Subjects[ChangedAnswer]) -> None:
    """Every entry of `external:` answers as in the baseline: status, redirect, certificate and the headers that matter.

    A front that was upgraded may still answer, and differently: another redirect, a default certificate, a lost security
    header. A certificate that the same authority has renewed does not count. An answer that takes three times as long, and a
    second longer, is a warning.
    Look first: curl -sSI {name}
    """
    changed_answers.none(lambda each: each.changes, severity=lambda each: each.severity, expected="as in the baseline")


@check("changes.ingresses", severity="critical", none_is_fine=True, after=FRONTS)
def test_everything_published_answers_as_before(changed_fronts: Subjects[ChangedFront]) -> None:
    """Every address that Ingresses and load balancers publish answers from here as in the baseline.

    Each host of an Ingress is asked at each of its addresses, and each TCP port of a load balancer, without an entry in the
    profile. Compared are whether it answers at all, the kind of status, the redirect and the certificate's names and
    authority. What did not answer before is silent, and addresses that are gone are told by changes.addresses.
    Look first: kubectl -n {namespace} describe {kind} {name}
    """
    changed_fronts.none(lambda each: each.changes, expected="answers as in the baseline")


@check("changes.images", severity="warning", none_is_fine=True)
def test_images_are_those_of_the_baseline(changed_images: Subjects[ChangedImages]) -> None:
    """The containers of every workload have the images of the baseline.

    Whatever was released together with the upgrade makes its faults hard to tell apart. Namespaces of Kubernetes and of the
    cloud are left out where the API server was upgraded: their components are upgraded with it.
    Look first: kubectl -n {namespace} rollout history {kind}/{name}
    """
    changed_images.none(lambda each: each.changes, expected="as in the baseline")
