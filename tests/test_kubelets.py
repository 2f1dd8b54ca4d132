"""The API server reaches every kubelet, again and again; one failure is a warning, and a broken way is named once."""

from __future__ import annotations

import pytest

from tests.hostile_api import empty, page, serving
from tests.test_cluster_bounds import kubeconfig
from tests.worlds import good, judge, node, objects, profile, snapshot
from upgate.facts.kubelets import KubeletAnswer, KubeletAnswers
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.kubelets import TIMES
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

ALLOWED = profile(allow=["nodes-proxy"])


def judged(*failed, gaps=()):
    """What the check says of nodes of whose five requests so many failed."""
    answers = tuple(
        KubeletAnswer(f"node{number}", 5, count, "status 503, no agent available" if count else "")
        for number, count in enumerate(failed)
    )
    seen = snapshot(good(), kubelet_answers=KubeletAnswers(answers, tuple(gaps)))
    return judge("apis.kubelets-reachable", seen, profile=ALLOWED)


def look(folder, healthz, *nodes):
    """A look at a server with these nodes, whose kubelets answer so."""
    with serving(
        empty, nodes=lambda handler, kind, query: handler.whole(page(kind, list(nodes))), healthz=healthz
    ) as url:
        login = connect(kubeconfig(folder, url), patience=Timeouts(connect=1, read=2, deadline=6))
        return look_at_cluster(login, ["nodes", "kubelet_answers"], lambda *_: None)


@pytest.mark.parametrize(("failed", "outcome"), [(0, "passed"), (1, "warned"), (2, "failed"), (5, "failed")])
def test_one_failure_is_a_warning_and_more_are_critical(failed, outcome):
    """A kubelet may restart in between."""
    result = judged(0, failed)
    assert (result.outcome, objects(result)) == (outcome, ["Node/node1"] if failed else [])


def test_where_no_kubelet_is_reached_the_way_is_named():
    """Not each node."""
    assert objects(judged(5, 5, 5)) == ["APIServer/kubelets"]
    assert objects(judged(5)) == ["Node/node0"]


def test_nodes_that_were_not_asked_are_a_gap():
    """Time was over."""
    assert judged(0, gaps=["the kubelet of Node/node9 was not asked"]).outcome == "inconclusive"


def test_each_ready_node_is_asked_several_times(tmp_path):
    """Those that are not Ready, and virtual ones, have no kubelet to ask."""
    asked = []

    def healthz(handler, kind, query):
        asked.append(handler.path)
        handler.whole(b"ok")

    virtual = node("node3", metadata={"labels": {"type": "virtual-kubelet"}})
    seen = look(tmp_path, healthz, node("node1"), node("node2", "Unknown"), virtual).kubelet_answers
    assert [(each.node, each.asked, each.failed) for each in seen.answers] == [("node1", TIMES, 0)]
    assert len(asked) == TIMES
    assert asked[0].startswith("/api/v1/nodes/node1/proxy/healthz")


def test_a_refusal_of_the_api_server_is_a_gap_and_one_of_the_kubelet_a_finding(tmp_path):
    """The kubelet may refuse the API server's own certificate: that breaks logs and exec for all."""

    def saying(text):
        return lambda handler, *_: handler.whole(b'{"message": "' + text + b'"}', 403)

    mine = b'nodes \\"node1\\" is forbidden: User \\"dev\\" cannot get resource \\"nodes/proxy\\" in API group'
    assert "nodes/proxy" in look(tmp_path, saying(mine), node("node1")).gaps["kubelet_answers"]
    theirs = b"Forbidden (user=kube-apiserver, verb=get, resource=nodes, subresource=proxy)"
    assert look(tmp_path, saying(theirs), node("node1")).kubelet_answers.answers[0].failed == TIMES
