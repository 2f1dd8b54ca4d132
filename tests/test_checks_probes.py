"""From inside: a broken node is named once, what closes a pod to all is no fault, and what was not asked is not green."""

from __future__ import annotations

from itertools import product

import pytest

from tests.inside_worlds import THREE, TIMEOUT, asked, mesh_of, probed
from tests.worlds import good, objects, pod, profile, run, snapshot
from upgate.facts.inside import Probed, ProbedNode

ALL = ["probe.starts", "probe.peers", "probe.service", "probe.dns", "probe.api", "probe.metadata", "probe.logs"]
PROFILE = profile(probe={"metadata": "http://169.254.169.254/", "logs": {"url": "http://loki.test/?q={mark}"}})


def judged(seen: Probed, ids=ALL):
    """What the checks say of it, by id."""
    return {each.id: each for each in run(ids, snapshot(good(), probed=seen), PROFILE)}


def roots(seen: Probed) -> list[str]:
    """What they find, without what is explained by something else."""
    return [
        f"{id}: {finding.object}"
        for id, result in judged(seen).items()
        for finding in result.findings
        if not finding.because
    ]


@pytest.mark.parametrize("subject", ["dns", "service", "api", "metadata", "logs"])
def test_a_node_without_answers_is_named_once(subject):
    """What one node does not get, and others do, is that node's fault."""
    result = judged(probed(THREE, {subject: ["node2"]}))[f"probe.{subject}"]
    assert objects(result) == ["Node/node2"]
    assert "2 other nodes have an answer" in result.findings[0].observed


@pytest.mark.parametrize("subject", ["dns", "service", "api", "metadata", "logs"])
def test_what_answers_no_node_is_named_itself(subject):
    """Not each node is at fault if none has an answer."""
    result = judged(probed(THREE, {subject: THREE}))[f"probe.{subject}"]
    assert len(result.findings) == 1
    assert not result.findings[0].object.startswith("Node/")
    assert "asked from 3 nodes" in result.findings[0].observed


@pytest.mark.parametrize("count", [3, 4, 30])
def test_a_node_that_is_cut_off_is_named_once(count):
    """Not once for each pair, and with words for both directions."""
    nodes = [f"node{number}" for number in range(1, count + 1)]
    result = judged(probed(nodes, cut=["node2"]))["probe.peers"]
    assert objects(result) == ["Node/node2"]
    others = count - 1
    assert f"from node2, {others} of {others} pods on other nodes do not answer" in result.findings[0].observed
    assert f"pods on node2 do not answer {others} of {others} other nodes" in result.findings[0].observed
    assert "the other nodes reach each other" in result.findings[0].observed


def test_two_nodes_that_are_cut_off_are_two_findings():
    """Each is named."""
    assert objects(judged(probed([f"node{n}" for n in range(6)], cut=["node2", "node4"]))["probe.peers"]) == [
        "Node/node2",
        "Node/node4",
    ]


def test_where_no_pod_reaches_another_node_no_node_is_blamed():
    """The overlay is broken everywhere."""
    assert objects(judged(probed(cut=THREE))["probe.peers"]) == ["Cluster/pod-network"]


def test_of_two_nodes_the_one_with_other_faults_is_named():
    """Who does not reach whom cannot be told of two; that one has no DNS decides."""
    result = judged(probed(["node1", "node2"], {"dns": ["node2"]}, cut=["node1"]))["probe.peers"]
    assert objects(result) == ["Node/node2"]
    assert "of two nodes it cannot be told for certain which is broken" in result.findings[0].observed


def test_what_a_cut_node_lacks_otherwise_is_explained():
    """One cause, one red line."""
    broken = {key: ["node2"] for key in ("dns", "service", "api", "metadata")}
    assert roots(probed(THREE, broken, cut=["node2"])) == ["probe.peers: Node/node2"]
    assert roots(probed(THREE, {**broken, "metadata": []})) == ["probe.service: Node/node2"]


def existing(answers, on="node1"):
    """An existing pod on a node, asked by these nodes: whether it answers each."""
    return [
        asked(node, "peers", "Pod/shop/web-1 at 10.1.0.1:80", "" if well else TIMEOUT, about="Pod/shop/web-1", on=on)
        for node, well in zip(THREE, answers, strict=True)
    ]


def test_an_existing_pod_that_answers_no_node_is_no_fault():
    """A NetworkPolicy may close it to all."""
    assert judged(probed(THREE, {}, *existing([False] * 3)))["probe.peers"].outcome == "passed"


def test_an_existing_pod_that_answers_only_its_own_node_is_cut_off():
    """New pods work, and old ones do not: the finding is on the node of the old one."""
    result = judged(probed(THREE, {}, *existing([True, False, False])))["probe.peers"]
    assert objects(result) == ["Node/node1"]


def test_a_node_that_does_not_reach_an_existing_pod_is_found():
    """Others reach it."""
    both = existing([True, True, False]) + [
        asked(node, "peers", "Pod/shop/web-2 at 10.1.0.2:80", TIMEOUT if node == "node3" else "", on="node2")
        for node in THREE
    ]
    assert objects(judged(probed(THREE, {}, *both))["probe.peers"]) == ["Node/node3"]


def service(answers, behind):
    """An existing Service, asked by all nodes."""
    what = "Service/shop/web at 10.96.0.7:80"
    return [
        asked(node, "service", what, "" if well else TIMEOUT, about="Service/shop/web", behind=behind)
        for node, well in zip(THREE, answers, strict=True)
    ]


def test_a_service_in_front_of_a_cut_node_blames_no_other_node():
    """It answers only where its pods are: those of the node that is cut off."""
    seen = probed(THREE, {"service": ["node2"]}, *service([False, True, False], ("node2",)), cut=["node2"])
    assert roots(seen) == ["probe.peers: Node/node2"]


def test_an_existing_service_that_one_node_does_not_reach_is_found():
    """kube-proxy may know the new Service and not the old one."""
    assert objects(judged(probed(THREE, {}, *service([True, True, False], ("node1",))))["probe.service"]) == [
        "Node/node3"
    ]
    assert judged(probed(THREE, {}, *service([False] * 3, ("node1",))))["probe.service"].outcome == "passed"


def resolvers(*failing):
    """Two DNS pods on node1 and node2; the pairs of node and pod without an answer."""
    return [
        asked(
            node, "dns", f"the DNS of {pod}", TIMEOUT if (node, on) in failing else "", about=f"Pod/kube-system/{pod}", on=on
        )
        for node, (pod, on) in product(THREE, [("dns-1", "node1"), ("dns-2", "node2")])
    ]  # fmt: skip


def test_a_dns_pod_that_answers_no_node_is_named():
    """The other one answers, so the way is open."""
    seen = probed(THREE, {}, *resolvers(("node1", "node2"), ("node2", "node2"), ("node3", "node2")))
    assert objects(judged(seen)["probe.dns"]) == ["Pod/kube-system/dns-2"]


def test_dns_pods_that_answer_no_node_are_no_fault_while_names_resolve():
    """A NetworkPolicy may leave the way open only to a cache on the node."""
    seen = probed(THREE, {}, *resolvers(*product(THREE, ["node1", "node2"])))
    assert judged(seen)["probe.dns"].outcome == "passed"


def test_a_dns_pod_on_a_broken_node_is_not_named_beside_it():
    """Its node says it."""
    seen = probed(
        THREE, {"dns": ["node2"]}, *resolvers(*product(["node1", "node2", "node3"], ["node2"]), ("node2", "node1"))
    )
    assert objects(judged(seen)["probe.dns"]) == ["Node/node2"]


def test_a_node_that_the_dns_service_sent_to_a_cut_node_is_not_at_fault():
    """One of two DNS pods is behind the cut; by chance the Service took that one for node1, which reaches the other."""
    away = [("node1", "node2"), ("node3", "node2"), ("node2", "node1")]
    seen = probed(THREE, {"dns": ["node1"]}, *resolvers(*away), cut=["node2"])
    assert roots(seen) == ["probe.peers: Node/node2"]


def test_a_dns_pod_that_one_node_does_not_reach_is_that_nodes_fault():
    """Others reach it."""
    seen = probed(THREE, {}, *resolvers(("node3", "node1"), ("node3", "node2")))
    assert objects(judged(seen)["probe.dns"]) == ["Node/node3"]


def test_a_name_outside_that_resolves_nowhere_is_no_fault():
    """A cluster need not have a way out; but if one node has it, the others must."""

    def outside(*failing):
        return [asked(node, "dns", "the name kubernetes.io", TIMEOUT if node in failing else "") for node in THREE]

    assert judged(probed(THREE, {}, *outside(*THREE)))["probe.dns"].outcome == "passed"
    assert objects(judged(probed(THREE, {}, *outside("node3")))["probe.dns"]) == ["Node/node3"]


def test_a_node_that_could_not_be_asked_is_inconclusive():
    """Each check says so, and judges the others."""
    nodes = (ProbedNode("node1", 1.0), ProbedNode("node2", unasked="it has no room"))
    seen = Probed(nodes=nodes, asked=probed(["node1"]).asked)
    for result in judged(seen).values():
        assert (result.outcome, result.reason) == ("inconclusive", "Node/node2 was not asked: it has no room")


def test_a_node_on_which_no_pod_starts_is_found_once():
    """The checks that would ask from there say that they could not."""
    nodes = (ProbedNode("node1", 1.0), ProbedNode("node2", problem="ContainerCreating: no network"))
    seen = Probed(nodes=nodes, asked=probed(["node1"]).asked)
    assert roots(seen) == ["probe.starts: Node/node2"]
    assert judged(seen)["probe.dns"].outcome == "inconclusive"


def test_a_network_policy_may_be_why_nothing_answers():
    """What none of the nodes has an answer from cannot be told then."""
    result = judged(probed(THREE, {"dns": THREE}, policies=("default-deny",)))["probe.dns"]
    assert result.outcome == "inconclusive"
    assert "default-deny" in result.reason
    assert objects(judged(probed(THREE, {"dns": ["node2"]}, policies=("default-deny",)))["probe.dns"]) == ["Node/node2"]


def test_slow_answers_are_a_warning():
    """A node whose fastest answer is slow is named; one slow answer beside fast ones is not."""
    slow = [asked("node2", "dns", "the name shop.example", seconds=5.0, strict=True)]
    assert judged(probed(THREE, {}, *slow))["probe.dns"].outcome == "passed"
    nodes = ("node1", "node2")
    only = tuple(asked(node, "dns", "the name", seconds=3.0 if node == "node2" else 0.1, strict=True) for node in nodes)
    result = judged(Probed(nodes=tuple(ProbedNode(each, 1.0) for each in nodes), asked=only))["probe.dns"]
    assert (result.outcome, objects(result)) == ("warned", ["Node/node2"])


def test_one_node_has_no_peers():
    """A cluster of one node is whole."""
    assert judged(probed(["node1"]))["probe.peers"].outcome == "passed"
    assert mesh_of(["node1"]) == []


def test_a_log_store_that_cannot_be_asked_is_inconclusive():
    """Its check alone."""
    results = judged(probed(THREE, no_logs="the log store was not asked: status 502"))
    assert results["probe.logs"].reason == "the log store was not asked: status 502"
    assert results["probe.dns"].outcome == "passed"


def test_what_a_killed_run_has_left_is_not_judged():
    """It is deleted by the next run; in a namespace that is not the probe's the same pod is a finding."""
    left = [
        pod(
            "listen-0-1",
            space,
            status={"phase": "Failed", "reason": "DeadlineExceeded"},
            metadata={"ownerReferences": None},
        )
        for space in ("upgate-probe", "shop")
    ]
    for wanted, found in (
        (PROFILE, ["Pod/shop/listen-0-1"]),
        (profile(), ["Pod/upgate-probe/listen-0-1", "Pod/shop/listen-0-1"]),
    ):
        (result,) = run(["pods.failed"], snapshot(good(pods=[pod(), *left])), wanted)
        assert objects(result) == found
