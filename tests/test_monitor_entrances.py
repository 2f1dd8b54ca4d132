"""What users come in by is told, whatever is under way behind it, through the battery's own judgement of worlds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.test_monitor_alerts import Pager
from tests.worlds import (
    World,
    ago,
    condition,
    container_status,
    endpointslice,
    good,
    owner,
    pod,
    replicated,
    run,
    snapshot,
)
from upgate.monitor.impact import impact_of
from upgate.monitor.signals import signals

IDS = ["pods.ready", "pods.pending", "deployments.ready", "statefulsets.ready", "services.endpoints"]


def told(worlds: Iterable[World]) -> str:
    """What people are told, round by round."""
    pager, seen = Pager(), map(snapshot, worlds)
    return "".join(pager.round(*signals(run(IDS, each, monitor=True), impact_of(each))) for each in seen)


def rolled_out(minute: int, **lists: Any) -> World:
    """A rollout within its deadline took the only pod behind a Service away so many minutes ago."""
    progress = condition("Progressing", reason="ReplicaSetUpdated", lastTransitionTime=ago(minutes=9))
    its = replicated(
        "web",
        spec={"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}},
        status={"readyReplicas": 0, "availableReplicas": 0, "conditions": [condition("Available"), progress]},
    )
    begun = {"creationTimestamp": ago(minutes=minute)}
    version = replicated(
        "web-rs", metadata=owner("Deployment", its), status={"readyReplicas": 0, "availableReplicas": 0}
    )
    running = container_status(ready=False, state={"running": {"startedAt": ago(minutes=minute)}})
    new = pod(
        ready="False", metadata={**owner("ReplicaSet", version), **begun}, status={"containerStatuses": [running]}
    )
    new["status"]["conditions"][0]["lastTransitionTime"] = ago(minutes=minute)
    slices = [endpointslice("web", "10.1.0.1", ready=False)]
    return good(deployments=[its], replicasets=[version], pods=[new], endpointslices=slices, **lists)


def test_a_rollout_does_not_cover_the_service_that_users_come_in_by() -> None:
    """The only pod behind an Ingress takes minutes to start: people are told within three rounds that are too long."""
    assert "n" in told(map(rolled_out, range(1, 6)))


def test_a_rollout_behind_a_service_that_nothing_leads_to_from_outside_wakes_no_one() -> None:
    """Without an Ingress it is a deploy like any other."""
    assert told(rolled_out(minute, ingresses=[]) for minute in range(1, 10)) == "-" * 9


def initializing(minute: int) -> World:
    """The only pod behind an Ingress was recreated, and its init container works, so many minutes ago."""
    none = {"readyReplicas": 0, "availableReplicas": 0}
    its = replicated("db", app="web", status=none)
    begun = ago(minutes=minute)
    working = {**container_status("dl", ready=False), "state": {"running": {"startedAt": begun}}}
    waiting = {**container_status(ready=False), "state": {"waiting": {"reason": "PodInitializing"}}}
    new = pod(
        "db-0",
        ready="False",
        metadata={**owner("StatefulSet", its), "creationTimestamp": begun},
        spec={"initContainers": [{"name": "dl", "image": "x"}]},
        status={"phase": "Pending", "initContainerStatuses": [working], "containerStatuses": [waiting]},
    )
    slices = [endpointslice("web", "10.1.0.1", ready=False)]
    other = replicated("x", app="x")
    version = replicated("x-rs", app="x", metadata=owner("Deployment", other))
    beside = pod("x-1", ip="10.1.0.9", metadata={"labels": {"app": "x"}, **owner("ReplicaSet", version)})
    return good(
        deployments=[other], replicasets=[version], statefulsets=[its], pods=[beside, new], endpointslices=slices
    )


def blinking() -> World:
    """The only pod behind an Ingress was ready until half a minute ago."""
    none = {"readyReplicas": 0, "availableReplicas": 0}
    its = replicated("web", status=none)
    version = replicated("web-rs", metadata=owner("Deployment", its), status=none)
    its_pod = pod(ready="False", metadata=owner("ReplicaSet", version))
    its_pod["status"]["conditions"][0]["lastTransitionTime"] = ago(seconds=30)
    slices = [endpointslice("web", "10.1.0.1", ready=False)]
    return good(deployments=[its], replicasets=[version], pods=[its_pod], endpointslices=slices)


BLINKS, FINE = blinking(), good()


@pytest.mark.parametrize(
    ("why", "worlds", "expected"),
    [
        ("it blinks once", [BLINKS, FINE, FINE, FINE, FINE, FINE] * 3, "-" * 18),
        ("it is away in every second round", [BLINKS, FINE] * 9, "-" * 18),
        ("it is away in two of three rounds", [FINE, BLINKS, BLINKS] * 4, "-------n----"),
        ("each round sees it away", [BLINKS] * 8, "----n---"),
        ("and then it stays", [BLINKS] * 8 + [FINE] * 3, "----n-----r"),
    ],
)
def test_not_yet_in_most_rounds_is_an_outage_of_what_users_come_in_by(
    why: str, worlds: list[World], expected: str
) -> None:
    """A blink is not news, but one round after the other in which users come to nothing is."""
    assert told(worlds) == expected, why


def test_an_init_container_that_works_for_long_is_an_outage_for_users() -> None:
    """People are told within five rounds."""
    assert told(map(initializing, range(1, 8))) == "----n--"
