"""What reports show around the findings: the nodes by pool, and what is not wrong any more."""

from __future__ import annotations

from tests.test_reports_examples import finding, result
from tests.worlds import NOW, good, node, snapshot, unseen
from upgate.baseline import Baseline
from upgate.judge.surroundings import no_longer_wrong, node_pools


def labelled(name, **labels):
    return node(name, metadata={"labels": labels})


def pools(*nodes, label=None):
    return {pool.name: pool.nodes for pool in node_pools(snapshot(good(nodes=[*nodes])), label)}


def test_nodes_are_told_by_pool():
    """A cloud's label names the pool, or the profile's; else the control plane is one pool and all other nodes another."""
    a, b = labelled("b1", agentpool="b"), labelled("a1", agentpool="a", zone="z")
    rest = (node("w2"), node("w1"), labelled("m1", **{"node-role.kubernetes.io/control-plane": ""}))
    assert pools(a, b, *rest) == {"a": ("a1",), "b": ("b1",), "control plane": ("m1",), "nodes": ("w1", "w2")}
    assert pools(a, b, label="zone") == {"z": ("a1",), "nodes": ("b1",)}


def test_nodes_that_could_not_be_seen_are_no_picture():
    """Without a snapshot, or without the list of nodes, there is nothing to draw."""
    assert node_pools(None, None) == node_pools(unseen(), None) == ()


def test_what_is_not_wrong_any_more():
    """What the baseline had wrong is gone only if its check was judged and did not find it; without one nothing is said."""
    wrong = {name: {"Pod/a/x": "critical", "Pod/a/y": "critical"} for name in ("a.judged", "b.unjudged", "c.not-asked")}
    baseline = Baseline(taken=NOW, server="", pools={}, restarts={}, pods=set(), wrong=wrong)
    checks = [result("a.judged", "failed", finding("Pod/a/x", "bad")), result("b.unjudged", "inconclusive")]
    assert no_longer_wrong(checks, baseline) == ("a.judged: Pod/a/y",)
    assert no_longer_wrong(checks, None) is None
