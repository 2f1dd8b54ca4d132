"""Leaders, aggregated APIs and custom resources."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.control_worlds import LEADERS, api_service, bundle, converted, definition, leader, static
from tests.worlds import NOW, ago, condition, container_status, endpointslice, good, judge, namespace, objects, pod

MANAGER = leader("kube-controller-manager")


def led(*leases, **more):
    """What is said of these leases."""
    return judge("control-plane.leases", good(leader_leases=list(leases), **more))


@pytest.mark.parametrize(("seconds", "outcome"), [(3, "passed"), (30, "passed"), (31, "failed"), (86400, "failed")])
def test_a_leader_renews_within_two_lease_durations(seconds, outcome):
    """The lease says itself how long one renewal holds; after twice that time nothing leads."""
    assert led(MANAGER, leader(renewed=seconds)).outcome == outcome


def test_a_dead_leader_is_named_with_its_holder():
    """The finding says which component, since when, and who held the lease last."""
    (found,) = led(MANAGER, leader(renewed=120)).findings
    assert (found.object, found.observed) == ("Lease/kube-system/kube-scheduler", "renewed 2m ago by cp-1_x")


def test_the_api_servers_clock_judges():
    """A holder whose clock is hours off is heard when the API server wrote its renewal down."""
    written = [{"manager": "kube-scheduler", "time": ago(seconds=2), "fieldsV1": {"f:spec": {"f:renewTime": {}}}}]
    for off in (7200, -7200):
        assert led(MANAGER, leader(renewed=off, metadata={"managedFields": written})).outcome == "passed"
    late = [{**written[0], "time": ago(seconds=90)}]
    assert led(MANAGER, leader(renewed=-7200, metadata={"managedFields": late})).outcome == "failed"


def test_a_lease_of_longer_duration_is_given_its_time():
    """OpenShift and others lease for minutes; nothing that is written into a lease keeps it fresh for hours."""
    assert led(MANAGER, leader(renewed=200, spec={"leaseDurationSeconds": 137})).outcome == "passed"
    assert led(MANAGER, leader(renewed=7200, spec={"leaseDurationSeconds": 2**31 - 1})).outcome == "failed"
    assert led(MANAGER, leader(renewed=7200, spec={"leaseDurationSeconds": 0})).outcome == "failed"


def test_a_lease_that_was_given_up_is_not_yet_taken():
    """A holder that leaves empties its lease; the next one takes it within moments."""
    empty = {"holderIdentity": "", "leaseDurationSeconds": 1}
    assert led(MANAGER, leader(renewed=3, spec=empty)).outcome == "inconclusive"
    assert led(MANAGER, leader(renewed=60, spec=empty)).outcome == "failed"


def test_a_component_that_is_starting_is_not_yet_the_leader():
    """After its static pod was replaced a component waits until the old lease has run out."""
    ready = [condition("Ready", lastTransitionTime=ago(seconds=20)), condition("PodScheduled")]
    new = static("kube-scheduler", status={"conditions": ready})
    assert led(MANAGER, leader(renewed=50), pods=[new]).outcome == "inconclusive"
    assert led(MANAGER, leader(renewed=50), pods=[static("kube-scheduler")]).outcome == "failed"
    loops = [container_status("kube-scheduler", ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})]
    crashing = static("kube-scheduler", status={"conditions": ready, "containerStatuses": loops})
    assert led(MANAGER, leader(renewed=50), pods=[crashing]).outcome == "failed"


def test_a_lease_that_is_missing_counts_only_beside_the_other():
    """Without both there is no election (managed control planes, one instance); without one a component never led."""
    assert led().outcome == "passed"
    assert led(leader("apiserver-x", renewed=900), leader("snapshot-controller", renewed=86400)).outcome == "passed"
    (found,) = led(MANAGER).findings
    assert found.object == "Lease/kube-system/kube-scheduler"
    assert found.observed == "there is no such lease, although kube-controller-manager has one"
    assert (
        led(leader("kube-controller-manager", metadata={"creationTimestamp": ago(seconds=5)})).outcome == "inconclusive"
    )


def test_openshifts_scheduler_has_its_lease_elsewhere():
    """OpenShift keeps only the controller manager's lease in kube-system."""
    elsewhere = [namespace("openshift-kube-scheduler"), namespace()]
    assert led(MANAGER, namespaces=elsewhere).outcome == "passed"
    assert objects(led(MANAGER, leader(renewed=900), namespaces=elsewhere)) == ["Lease/kube-system/kube-scheduler"]


def test_a_lease_that_was_never_renewed_is_as_old_as_it_is():
    """A lease without a time is no sign of life."""
    assert led(MANAGER, leader(spec={"renewTime": None})).outcome == "failed"


def apis(*services):
    """What is said of these APIServices."""
    return judge("apiservices.available", good(apiservices=list(services)))


def gone(status="False", **since):
    """An APIService that became unavailable so long ago."""
    why = {"reason": "FailedDiscoveryCheck", "message": "no response", "lastTransitionTime": ago(**since)}
    return api_service(status={"conditions": [{"type": "Available", "status": status, **why}]})


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_an_api_that_is_not_available_is_found_with_its_reason(status):
    """The finding has the API server's own words."""
    (found,) = apis(api_service(), gone(status, minutes=5)).findings
    assert found.object == "APIService/v1beta1.metrics.k8s.io"
    assert found.observed == f"Available={status} (FailedDiscoveryCheck: no response)"


def test_an_api_that_went_away_moments_ago_may_come_back():
    """One that is new, or whose server is being replaced, is not yet available."""
    assert apis(gone(seconds=20)).outcome == "inconclusive"
    new = api_service(metadata={"creationTimestamp": ago(seconds=20)}, status={"conditions": []})
    assert apis(new).outcome == "inconclusive"
    assert apis(api_service(status={"conditions": []})).outcome == "failed"


def test_an_api_that_is_being_deleted_is_left_out():
    """Nobody waits for an APIService that is going."""
    going = api_service(available="False", metadata={"deletionTimestamp": ago(seconds=1)})
    assert apis(api_service("v1.other.example.com"), going).outcome == "passed"


def resources(*definitions, preflight=False, **more):
    """What is said of these CustomResourceDefinitions."""
    return judge("crds.established", good(customresourcedefinitions=list(definitions), **more), preflight=preflight)


@pytest.mark.parametrize("type", ["Established", "NamesAccepted"])
@pytest.mark.parametrize("status", ["False", "Unknown", None])
def test_a_definition_is_established_under_its_names(type, status):
    """Both conditions must be there and True."""
    other = {"Established": "NamesAccepted", "NamesAccepted": "Established"}[type]
    said = [condition(type, status)] if status else []
    (found,) = resources(definition(status={"conditions": [condition(other), *said]})).findings
    assert found.observed.startswith(f"{type}={status or 'Unknown'}")


def versions(**changes):
    """A definition that has stored v1beta1 and v1, the former with these changes."""
    old = {"name": "v1beta1", "served": True, "storage": False, **changes}
    new = {"name": "v1", "served": True, "storage": True}
    return definition(spec={"versions": [new, old]}, status={"storedVersions": ["v1beta1", "v1"]})


def test_a_stored_version_is_still_served():
    """Clients of a version that is stored and no longer served get 404; of a deprecated one that is a warning."""
    assert resources(versions()).outcome == "passed"
    (found,) = resources(versions(served=False)).findings
    assert (found.severity, found.observed) == ("critical", "stored version v1beta1 is not served")
    assert resources(versions(served=False, deprecated=True)).outcome == "warned"
    lost = definition(status={"storedVersions": ["v1alpha1", "v1"]})
    assert resources(lost).outcome == "failed"


def test_a_definition_without_objects_is_fine():
    """A version that was never stored need not be served, and a new definition may take a moment."""
    unused = {"name": "v1alpha1", "served": False, "storage": False}
    assert (
        resources(definition(spec={"versions": [{"name": "v1", "served": True, "storage": True}, unused]})).findings
        == ()
    )
    new = definition(metadata={"creationTimestamp": ago(seconds=5)}, status={"conditions": []})
    assert resources(new).outcome == "inconclusive"
    going = definition(metadata={"deletionTimestamp": ago(seconds=5)}, status={"conditions": []})
    assert resources(going, definition("other.example.com")).outcome == "passed"


def test_a_conversion_webhook_must_be_alive():
    """It is judged as admission webhooks are: Service, port, ready endpoint, caBundle."""
    assert resources(converted()).outcome == "passed"
    (found,) = resources(converted(), endpointslices=[endpointslice("web", "10.1.0.1", ready=False)]).findings
    assert found.observed == "conversion webhook: Service shop/web has no ready endpoint for port 80"
    assert "does not exist" in resources(converted(service={"name": "gone"})).findings[0].observed
    assert "has no port 443" in resources(converted(service={"port": 443})).findings[0].observed
    expired = converted(caBundle=bundle(NOW - timedelta(days=1)))
    assert "its caBundle expired on" in resources(expired).findings[0].observed
    assert resources(converted(service=None, url="https://outside.example.com/convert")).outcome == "passed"


def test_a_conversion_webhook_whose_pods_start_is_not_yet_there():
    """After a drain the conversion waits for its pods as an admission webhook does."""
    starting = pod(ready="False", metadata={"creationTimestamp": ago(seconds=20)})
    nowhere = [endpointslice("web", "10.1.0.1", ready=False)]
    assert resources(converted(), endpointslices=nowhere, pods=[starting]).outcome == "inconclusive"
    assert resources(converted(), endpointslices=nowhere, pods=[pod(ready="False")]).outcome == "failed"


def test_with_one_version_nothing_is_converted():
    """A conversion webhook that nothing ever calls may be dead."""
    lone = converted(service={"name": "gone"})
    lone["spec"]["versions"] = [{"name": "v1", "served": True, "storage": True}]
    assert resources(lone).outcome == "passed"
    lone["status"]["storedVersions"] = ["v1beta1", "v1"]
    assert len(resources(lone).findings[0].observed.split("; ")) == 2


def test_they_are_asked_before_an_upgrade_too():
    """An upgrade over a broken extension does not end well."""
    assert resources(definition(status={"conditions": []}), preflight=True).outcome == "failed"
    assert judge("apiservices.available", good(apiservices=[gone(hours=1)]), preflight=True).outcome == "failed"


def test_leaders_are_those_of_two_components_alone():
    """Leases of operators in kube-system come and go; nobody waits for them."""
    stale = leader("old-operator-lock", renewed=10**6)
    assert objects(led(*LEADERS, stale)) == []
