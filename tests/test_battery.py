"""The battery guards itself: no check can be blind, and none can be green where it did not look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.machines import BAD_HOSTS, DEMANDS, host
from tests.worlds import (
    CHECKS,
    NOW,
    ago,
    battery,
    condition,
    container_status,
    daemonset,
    empty,
    endpointslice,
    good,
    job,
    judge,
    lease,
    namespace,
    node,
    pod,
    profile,
    replicated,
    snapshot,
    terminated,
    unseen,
)
from upgate.battery import catalogue
from upgate.battery.inputs import names
from upgate.facts.conditioned import Complaint, Swept
from upgate.facts.health import HealthEndpoint
from upgate.facts.monitored import FiringAlert, MonitorAnswers
from upgate.results import CheckResult

#: The checks for entries of the profile have worlds of their own.
INSIDE = [id for id, check in battery().items() if check.entries is None]
PROFILE = profile(
    expect={"version": "1.36", "hosts": {"kubelet": "1.36"}},
    sidecars=[{"container": "app", "image": "app:1"}],
    hosts=DEMANDS,
    prometheus={"url": "http://prometheus.test"},
    conditions={"kinds": 200},
)
#: One bad world for each check: the lists that differ from the good one.
BAD: dict[str, dict[str, Any]] = {
    "nodes.ready": {"nodes": [node(ready="Unknown")]},
    "nodes.pressure": {"nodes": [node(status={"conditions": [condition("Ready"), condition("DiskPressure")]})]},
    "nodes.schedulable": {"nodes": [node(spec={"unschedulable": True})]},
    "nodes.heartbeat": {"leases": [lease(renewed=170)]},
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
    "namespaces.terminating": {"namespaces": [namespace(metadata={"deletionTimestamp": ago(minutes=3)})]},
    "services.endpoints": {"endpointslices": []},
    "services.endpoints-live": {"endpointslices": [endpointslice("web", "10.1.0.1", "10.1.0.99")]},
    "sidecars.image": {"pods": [pod(spec={"containers": [{"name": "app", "image": "app:0"}]})]},
}


#: The checks of kinds that a cluster may lack.
LACKING = ("replicasets.ready", "statefulsets.ready", "daemonsets.ready")


def bad(id: str) -> CheckResult:
    """What a check says of its bad world."""
    if id == "api.ready":
        return judge(id, snapshot(good(), health=[HealthEndpoint("readyz", 500, "[-]etcd failed: reason withheld\n")]))
    if id == "api.version":
        return judge(id, good(), profile=profile(expect={"version": "1.37"}))
    if id == "conditions.false":
        said = Complaint("Widget/shop/a", "Ready=False", NOW - timedelta(hours=1))
        return judge(id, snapshot(good(), conditions=Swept(objects=1, complaints=[said])), profile=PROFILE)
    if id == "alerts.firing":
        return judge(
            id, snapshot(good(), monitored=MonitorAnswers(rules=1, alerts=[FiringAlert("Broken")])), profile=PROFILE
        )
    if id in BAD_HOSTS:
        return judge(id, snapshot(good(), hosts=[host(**BAD_HOSTS[id])]), profile=PROFILE)
    return judge(id, good(**BAD[id]), profile=PROFILE)


@pytest.mark.parametrize("id", INSIDE)
def test_every_check_passes_in_a_good_world(id):
    """In a world where all is well each check passes, has looked at something, and finds nothing."""
    result = judge(id, good(), profile=PROFILE)
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
    result = judge(id, unseen("cannot list: not permitted"), profile=PROFILE)
    assert (result.outcome, result.reason) == ("inconclusive", "cannot list: not permitted")


@pytest.mark.parametrize("id", [id for id in INSIDE if id not in ("api.ready", "api.version")])
def test_no_check_passes_in_an_empty_world(id):
    """Where there is nothing to look at no check passes but those of kinds that a cluster may lack; it cannot lack nodes."""
    result = judge(id, empty(), profile=PROFILE)
    if battery()[id].none_is_fine:
        assert (result.outcome, result.examined) == ("passed", 0)
        return
    assert result.outcome == ("failed" if id == "nodes.count" else "inconclusive")
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
