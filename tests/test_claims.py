"""Lists of one look are seconds apart, and that is no dead controller manager."""

from __future__ import annotations

import pytest

from tests.worlds import daemonset, good, judge, merged, owner, pod, replicated, snapshot
from upgate.base.errors import Inconclusive
from upgate.sources.cluster.claims import with_later_claims, with_later_pods
from upgate.sources.cluster.listing import Listing

WEB = replicated("web", 3)
VERSION = replicated("web-rs", 3, metadata=owner("Deployment", WEB))
NEXT = replicated("web-next", 2, metadata=owner("Deployment", WEB))
STRANGER = replicated("other-rs", 2)


def listings(world):
    """What the API server answers for this world."""
    return {noun: Listing(items, []) for noun, items in snapshot(world).lists.items()}


def looked(before, later, asked=None):
    """What a look comes to whose workloads are read before the pods of the first world, and again in the second."""
    first, second = listings(before), listings(later)

    def ask(nouns):
        (asked if asked is not None else []).extend(nouns)
        return {noun: second[noun] for noun in nouns}

    return with_later_claims(first, ask)


def outcomes(answers):
    """What each workload check says."""
    seen = snapshot(good())
    world = type(seen)(taken=seen.taken, lists={noun: each.items for noun, each in answers.items()})
    return {id: judge(id, world).outcome for id in ("deployments.ready", "replicasets.ready", "daemonsets.ready")}


def web(replicas, version=VERSION, *more):
    """The workloads where web wants so many and says that they are ready."""
    return {"deployments": [replicated("web", replicas)], "replicasets": [version, *more]}


TWO = [pod("web-1"), pod("web-2", ip="10.1.0.2")]
OF_NEXT = [merged(each, {"metadata": owner("ReplicaSet", NEXT)}) for each in TWO]


@pytest.mark.parametrize(
    ("why", "pods", "later", "outcome"),
    [
        ("an autoscaler took one away", TWO, web(2), "passed"),
        ("a new version has replaced the old one", OF_NEXT, web(2, VERSION, NEXT), "passed"),
        ("it was deleted", [], {"deployments": [replicated("x", 0)], "replicasets": []}, "inconclusive"),
        ("its controller is dead", TWO, web(3), "failed"),
        ("no other's pods count", [], web(3, VERSION, STRANGER), "failed"),
    ],
)
def test_a_status_that_counts_pods_which_are_gone_is_read_once_more(why, pods, later, outcome):
    """What was right a moment ago is right a moment later; what a dead controller wrote stays wrong."""
    before = good(**web(3), pods=pods)
    assert outcomes(looked(before, good(**later)))["deployments.ready"] == outcome


def test_only_what_overstates_is_renewed():
    """What was made since the pods were read is not compared with them."""
    grown = {"daemonsets": [daemonset("agent", 0), daemonset("new", 2)]}
    answers = looked(good(**web(3), pods=TWO), good(**web(2), **grown))
    assert "new" not in {each.name for each in answers["daemonsets"].items}
    assert [each.name for each in answers["deployments"].items] == ["web"]


def test_nothing_is_asked_twice_where_all_pods_are_there():
    """A second question is for a difference only."""
    asked = []
    looked(good(), good(), asked)
    assert asked == []


def test_a_second_answer_that_fails_changes_nothing():
    """Then the first one counts."""
    first = listings(good(**web(3), pods=TWO))
    answers = with_later_claims(first, lambda nouns: dict.fromkeys(nouns, Inconclusive("slow")))
    assert outcomes(answers)["deployments.ready"] == "failed"


def test_without_pods_nothing_is_compared():
    """A list that is a gap tells nothing."""
    answers = {**listings(good(**web(3))), "pods": Inconclusive("cannot list pods")}
    assert with_later_claims(answers, lambda nouns: pytest.fail("asked again")) == answers


THREE = [*TWO, pod("web-3", ip="10.1.0.3")]


@pytest.mark.parametrize(
    ("why", "later", "outcome"), [("it was scaled up", THREE, "passed"), ("its controller is dead", TWO, "failed")]
)
def test_pods_that_were_made_between_two_lists_are_read_once_more(why, later, outcome):
    """The list of pods is older than the status that counts the third."""
    asked = []

    def ask_pods(kinds):
        asked.extend((each.namespace, each.label_selector) for each in kinds)
        return listings(good(pods=later))["pods"]

    answers = with_later_pods(listings(good(**web(3), pods=TWO)), ask_pods)
    assert asked == [("shop", "app=web")]
    assert outcomes(answers)["deployments.ready"] == outcome


def test_pods_are_asked_for_once_more_only_where_some_are_missing():
    """And where they cannot be, the first list counts."""

    def refuse(kinds):
        raise Inconclusive("slow")

    complete, short = listings(good()), listings(good(**web(3), pods=TWO))
    assert with_later_pods(complete, lambda kinds: pytest.fail("asked again")) == complete
    assert with_later_pods(short, refuse) == short
