"""Pods whose node does not exist: nothing runs them, and nothing writes their status."""

from __future__ import annotations

import pytest

from tests.worlds import ago, good, judge, node_notice, pod, run, snapshot


def removed(**time):
    """The node controller said so long ago that it removes the node."""
    return node_notice("RemovingNode", of="gone-1", firstTimestamp=ago(**time), lastTimestamp=ago(**time))


@pytest.mark.parametrize(
    ("why", "its", "notices", "outcome"),
    [
        ("nothing says when its node went", {}, [], "failed"),
        ("its node went long ago", {}, [removed(minutes=10)], "failed"),
        ("its node went a moment ago", {}, [removed(seconds=50)], "inconclusive"),
        ("another node went a moment ago", {}, [node_notice("RemovingNode", of="x")], "failed"),
        ("it is newer than the list of nodes", {"metadata": {"creationTimestamp": ago(seconds=20)}}, [], "passed"),
        ("it is being deleted", {"metadata": {"deletionTimestamp": ago(seconds=20)}}, [], "passed"),
        ("it has ended", {"status": {"phase": "Succeeded"}}, [], "passed"),
    ],
)
def test_a_pod_of_a_node_that_does_not_exist_is_not_ready(why, its, notices, outcome):
    """Its last status says that it is ready. The garbage collector has a moment to delete it."""
    gone = pod("web-2", **{"spec": {"nodeName": "gone-1"}, **its})
    result = judge("pods.ready", good(pods=[pod(), gone], node_notices=notices))
    assert result.outcome == outcome, why
    assert [each.observed for each in result.active] == ["node gone-1 does not exist"] * (outcome != "passed")


def test_monitoring_sees_it_too():
    """A round of monitoring says the same."""
    seen = snapshot(good(pods=[pod(spec={"nodeName": "gone-1"})]))
    assert run(["pods.ready"], seen, monitor=True)[0].outcome == "failed"
