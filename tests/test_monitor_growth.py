"""Trouble that grows after people were told of it, through the battery's own judgement of worlds."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import pytest

from tests.test_monitor_alerts import Pager, finding, result
from tests.worlds import (
    World,
    condition,
    container_status,
    endpointslice,
    good,
    lease,
    merged,
    node,
    owner,
    pod,
    replicated,
    run,
    snapshot,
)
from upgate.monitor.impact import NO_IMPACT, Impact, Size, impact_of
from upgate.monitor.signals import CheckSignal, signals
from upgate.results import CheckResult, Finding

IDS = ["nodes.ready", "nodes.heartbeat", "pods.crashing", "pods.ready", "deployments.ready", "services.endpoints"]
CRASHING = {
    "conditions": [condition("Ready", "False")],
    "containerStatuses": [container_status(ready=False, restarts=9, state={"waiting": {"reason": "CrashLoopBackOff"}})],
}


def shop(bad: int, of: int = 3) -> World:
    """A Deployment of which so many pods crash, behind a Service."""
    ready = {"readyReplicas": of - bad, "availableReplicas": of - bad}
    its = replicated("web", of, status=ready)
    behind = replicated("web-5d8f7c9b6d", of, metadata=owner("Deployment", its), status=ready)
    pods = [
        pod(
            f"web-5d8f7c9b6d-x2x4{end}",
            **merged({"metadata": owner("ReplicaSet", behind)}, {"status": CRASHING} if number < bad else {}),
        )
        for number, end in enumerate("bcdfghjklmnpqrstvwxz"[:of])
    ]
    return good(
        deployments=[its],
        replicasets=[behind],
        pods=pods,
        endpointslices=[endpointslice("web", "10.1.0.1", ready=bad < of)],
    )


def seen(world: World) -> list[CheckSignal]:
    """What a round says of a world."""
    looked = snapshot(world)
    return signals(run(IDS, looked, monitor=True), impact_of(looked))


def told(pager: Pager, worlds: Iterable[World]) -> str:
    """What people are told, round by round."""
    known: dict[int, list[CheckSignal]] = {}
    return "".join(pager.round(*known.setdefault(id(world), seen(world))) for world in worlds)


ONE, TWO, ALL, FINE = shop(1), shop(2), shop(3), shop(0)


@pytest.mark.parametrize(
    ("worlds", "expected"),
    [
        ([ONE] * 5 + [ALL] * 5, "-n----m---"),
        ([ONE] * 3 + [TWO] * 3 + [ALL] * 3, "-n--m--m-"),
        ([ALL] * 4 + [ONE] * 4 + [TWO] * 4, "-n----------"),
        ([ONE] * 3 + [ALL, ONE, ONE, ALL, ONE, ONE, ALL], "-n--------"),
        ([ONE] * 3 + [ALL, ONE] * 20, "-n--" + "-m" + "-" * 37),
        ([ALL] * 3 + [FINE] * 3 + [ONE] * 3 + [ALL] * 3, "-n---r-n--m-"),
        ([shop(2, 10)] * 3 + [shop(4, 20)] * 4, "-n-----"),
        ([shop(4, 10)] * 3 + [shop(5, 10)] * 3 + [shop(6, 10)] * 3, "-n-----m-"),
    ],
)
def test_growing_trouble_is_told_within_fail_after(worlds: list[World], expected: str) -> None:
    """A share that grows by half or reaches all, and a Service that is lost, is news once; shrinking is not."""
    assert told(Pager(), worlds) == expected.ljust(len(worlds), "-")


def test_what_shrank_for_an_hour_may_grow_again() -> None:
    """A second outage in the same night is told, although the trouble between was known."""
    rounds = told(Pager(), [ALL] * 3 + [ONE] * 70 + [ALL] * 3)
    assert rounds == "-n-" + "-" * 70 + "-m-"


def test_one_node_after_the_other_is_told() -> None:
    """One node, then all of them."""
    nodes = ["worker-1", "worker-2", "worker-3"]

    def down(number: int) -> World:
        made = [node(name, ready="Unknown" if place < number else "True") for place, name in enumerate(nodes)]
        return good(nodes=made, leases=[lease(name, renewed=400 if n < number else 5) for n, name in enumerate(nodes)])

    first, every = down(1), down(3)
    assert told(Pager(), [first] * 3 + [every] * 3) == "-n--m-"


def check(id: str, *findings: Finding) -> CheckResult:
    """A failed check, or a good one without findings."""
    return result("failed" if findings else "passed", *findings, id=id)


CRASH = finding("Pod/shop/web-5d8f7c9b6d-x2x4z")
LOST = finding("Service/shop/web", because="pods.crashing: Pod/shop/web-5d8f7c9b6d-x2x4z")
GONE_503 = finding("https://shop.example.com/", because="services.endpoints: Service/shop/web")


def rounds_of(pager: Pager, *rounds: list[CheckResult], impact: Impact = NO_IMPACT) -> str:
    """What people are told, round by round, of results."""
    return "".join(pager.round(*signals(each, impact)) for each in rounds)


def test_a_consequence_that_users_see_is_told_though_its_cause_is_known() -> None:
    """Pods, then the Service, then the address: each is news after two rounds, once."""
    pods = [check("pods.crashing", CRASH), check("services.endpoints"), check("external.shop")]
    lost = [pods[0], check("services.endpoints", LOST), pods[2]]
    away = [*lost[:2], check("external.shop", GONE_503)]
    assert rounds_of(Pager(), *[pods] * 4, *[lost] * 4, *[away] * 4) == "-n---m---no--"
    assert rounds_of(Pager(), *[away] * 60) == "-n" + "-" * 58


def test_a_check_that_was_clear_and_is_not_is_told_with_its_known_cause() -> None:
    """A node is known to be down; that its pods are stuck ten minutes later is news, once."""
    down = check("nodes.ready", finding("Node/a"))
    stuck = check("pods.terminating", finding("Pod/shop/db-0", because="nodes.ready: Node/a"))
    before, after = [down, check("pods.terminating")], [down, stuck]
    assert rounds_of(Pager(), *[before] * 4, *[after] * 4) == "-n---m--"
    assert rounds_of(Pager(), *[after] * 8) == "-n------"


def test_a_workload_without_a_ready_pod_is_told_though_its_cause_is_known() -> None:
    """Another workload on a node that is known to be down loses its last pod."""
    down = check("nodes.ready", finding("Node/a"))
    first, second = (finding(f"Deployment/shop/{it}", because="nodes.ready: Node/a") for it in ("web", "api"))
    one, two = [down, check("deployments.ready", first)], [down, check("deployments.ready", first, second)]
    whole = Impact({"Deployment/shop/web": Size(3, 3), "Deployment/shop/api": Size(2, 2)})
    part = Impact({"Deployment/shop/web": Size(1, 3), "Deployment/shop/api": Size(1, 2)})
    assert rounds_of(Pager(), *[one] * 4, *[two] * 4, impact=whole) == "-n---m--"
    assert rounds_of(Pager(), *[one] * 4, *[two] * 4, impact=part) == "-n------"


def test_a_consequence_that_stays_when_its_cause_goes_is_told() -> None:
    """The pods are well again and the Service is not: people do not read only that something recovered."""
    both = [check("pods.crashing", CRASH), check("services.endpoints", LOST)]
    alone = [check("pods.crashing"), check("services.endpoints", finding("Service/shop/web"))]
    well = [check("pods.crashing"), check("services.endpoints")]
    heard = rounds_of(Pager(), *[both] * 3, *[alone] * 4, *[well] * 4)
    assert (heard.count("n"), heard.count("r")) == (2, 2)


def test_a_consequence_that_finds_its_cause_is_not_told_twice() -> None:
    """The Service is known to be lost; that pods explain it is told as the pods' alert alone."""
    alone = [check("pods.crashing"), check("services.endpoints", finding("Service/shop/web"))]
    both = [check("pods.crashing", CRASH), check("services.endpoints", LOST)]
    heard = rounds_of(Pager(), *[alone] * 3, *[both] * 8)
    assert heard.count("n") == 2
    assert "m" not in heard


@pytest.mark.parametrize("before", ["waived", "warning"])
def test_what_was_accepted_and_is_no_longer_is_told(before: str) -> None:
    """A waiver that ends, and a warning that becomes critical, are news after two rounds."""
    mild = finding(waived="OPS-1") if before == "waived" else finding(severity="warning")
    accepted = result("waived" if before == "waived" else "warned", mild)
    assert rounds_of(Pager(), *[[accepted]] * 4, *[[check("nodes.ready", finding())]] * 3) == "-----n-"


def test_growth_in_maintenance_is_told_at_its_end() -> None:
    """It is not lost, and not told before."""
    pager = Pager()
    assert told(pager, [ONE] * 3) == "-n-"
    assert "".join(pager.round(*seen(ALL), muted=True) for _ in range(3)) == "---"
    assert told(pager, [ALL] * 3) == "m--"


def test_what_earlier_versions_remembered_is_still_understood() -> None:
    """A history of a version that knew no sizes tells nothing twice, and growth from now on."""
    pager = Pager()
    assert told(pager, [ONE] * 3) == "-n-"
    for state in pager.states.values():
        state.failing.peaks, state.failing.known_follows = {}, {}
        state.failing.window = [msgspec.structs.replace(it, sizes={}, follows=()) for it in state.failing.window]
    assert told(pager, [ONE] * 5 + [ALL] * 3) in ("------m-", "-m----m-")
