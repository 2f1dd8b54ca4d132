"""Nodes that were asked for: by Machines of Cluster API, NodeClaims of Karpenter, and the cluster-autoscaler."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import NOW, ago, condition, good, judge, machine, node, nodeclaim, objects, run, snapshot, thing
from upgate.facts.autoscaler_status import groups_in

BEFORE_1_30 = """\
Cluster-autoscaler status at {written} +0000 UTC:
Cluster-wide:
  Health:      Healthy (ready=4 unready=0 (resourceUnready=0) notStarted=0 longNotStarted=0 registered=4 longUnregistered=7)
               LastProbeTime:      2026-11-21 00:59:55.1 +0000 UTC m=+86400.1
               LastTransitionTime: 2026-11-20 01:00:00.1 +0000 UTC m=+30.1
  ScaleUp:     NoActivity (ready=4 registered=4)
  ScaleDown:   NoCandidates (candidates=0)

NodeGroups:
  Name:        fine
  Health:      Healthy (ready=2 unready=0 notStarted=0 longNotStarted=0 registered=2 longUnregistered=0 \
cloudProviderTarget=2 (minSize=1, maxSize=10))
  ScaleUp:     NoActivity (ready=2 cloudProviderTarget=2)
  ScaleDown:   NoCandidates (candidates=0)

  Name:        web
  Health:      {health} (ready={ready} unready=0 notStarted=0 longNotStarted={unstarted} registered=2 \
longUnregistered={unregistered} cloudProviderTarget=4 (minSize=1, maxSize=10))
               LastProbeTime:      2026-11-21 00:59:55.1 +0000 UTC m=+86400.1
               LastTransitionTime: 2026-11-20 01:00:00.1 +0000 UTC m=+30.1
  ScaleUp:     {scale_up} (ready=2 cloudProviderTarget=4)
               LastProbeTime:      2026-11-21 00:59:55.1 +0000 UTC m=+86400.1
               LastTransitionTime: {since} +0000 UTC m=+30.1
  ScaleDown:   NoCandidates (candidates=0)
"""
SINCE_1_30 = """\
time: {written} +0000 UTC
autoscalerStatus: Running
clusterWide:
  health:
    status: Healthy
    nodeCounts:
      longUnregistered: 7
nodeGroups:
- name: fine
  health:
    status: Healthy
    nodeCounts: {{}}
    cloudProviderTarget: 2
  scaleUp:
    status: NoActivity
- name: web
  health:
    status: {health}
    nodeCounts:
      registered:
        total: 2
        ready: {ready}
        notStarted: 0
        unready:
          total: 0
          resourceUnready: 0
      longNotStarted: {unstarted}
      longUnregistered: {unregistered}
      unregistered: 0
    cloudProviderTarget: 4
    minSize: 1
    maxSize: 10
    lastProbeTime: "2026-11-21T00:59:55.1Z"
    lastTransitionTime: "2026-11-20T01:00:00.1Z"
  scaleUp:
    status: {scale_up}
    lastProbeTime: "2026-11-21T00:59:55.1Z"
    lastTransitionTime: "{since}"
  scaleDown:
    status: NoCandidates
"""


def autoscaler(form: str = SINCE_1_30, **said: Any) -> dict[str, Any]:
    """The status that the cluster-autoscaler writes: a group that is fine, and `web`."""
    usual = {
        "written": "2026-11-21 00:59:55.123456789",
        "health": "Healthy",
        "ready": 2,
        "unstarted": 0,
        "unregistered": 0,
    }
    usual |= {"scale_up": "NoActivity", "since": "2026-11-20 01:00:00.1"}
    return thing("cluster-autoscaler-status", "kube-system", data={"status": form.format(**usual | said)})


def joined(**lists: Any):
    """What nodes.joined says."""
    return judge("nodes.joined", good(**{"machines": [], **lists}))


@pytest.mark.parametrize("form", [BEFORE_1_30, SINCE_1_30])
@pytest.mark.parametrize(
    ("said", "outcome", "words"),
    [
        ({}, "passed", ""),
        ({"unregistered": 1}, "failed", "1 node did not register within the autoscaler's time"),
        ({"unstarted": 2}, "failed", "2 nodes did not become ready within the autoscaler's time"),
        ({"health": "Unhealthy"}, "failed", "health Unhealthy"),
        ({"scale_up": "InProgress", "since": "2026-11-21 00:40:00.1"}, "failed", "2 of 4 nodes ready"),
        ({"scale_up": "InProgress", "since": "2026-11-21 00:50:00.1"}, "passed", ""),
        ({"scale_up": "InProgress", "ready": 4}, "passed", ""),
        ({"scale_up": "Backoff"}, "warned", "scale-up Backoff: the last node that was asked for did not come"),
        ({"unregistered": 1, "written": "2026-11-20 20:00:00"}, "passed", ""),
    ],
)
def test_both_forms_of_the_autoscalers_status_are_read(form, said, outcome, words):
    """A node group whose nodes did not come in time is found; a status that nobody writes any more says nothing."""
    result = joined(autoscaler_statuses=[autoscaler(form, **said)])
    assert result.outcome == outcome
    assert [(each.object, each.observed) for each in result.findings] == ([("NodeGroup/web", words)] if words else [])


def test_the_reason_of_a_backoff_is_told():
    """The YAML form says why no node came."""
    why = "Backoff\n    backoffInfo:\n      errorCode: QuotaExceeded\n      errorMessage: 'vCPU: none left'"
    (finding,) = joined(autoscaler_statuses=[autoscaler(scale_up=why)]).findings
    assert finding.observed.endswith("(QuotaExceeded)")
    assert "get configmap cluster-autoscaler-status" in finding.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Initializing",
        "nodeGroups:",
        "NodeGroups:\n  Name:",
        "nodeGroups: []",
        "- " * 5000,
        "a: &a [*a, *a]",
        "nodeGroups:\n- ",
        "NodeGroups:\n Name: x\n Health: (longUnregistered=" + "9" * 5000,
        "time: 9999-99-99 99:99:99",
    ],
)
def test_a_status_that_is_none_does_no_harm(text):
    """Whatever the ConfigMap holds, nothing breaks, and no group is made up."""
    status = thing("cluster-autoscaler-status", "kube-system", data={"status": text})
    assert joined(autoscaler_statuses=[status]).outcome == "passed"


def test_a_long_status_is_read_in_a_moment():
    """A ConfigMap of a megabyte takes no more than a moment."""
    assert (
        len(
            groups_in(
                SINCE_1_30.format_map(
                    dict.fromkeys(("written", "health", "ready", "unstarted", "unregistered", "scale_up", "since"), "1")
                )
                + "- name: a\n" * 50_000,
                NOW,
            )
        )
        == 50_002
    )


def test_a_status_holds_no_secret():
    """What a cloud said in an error is kept without what looks like a secret."""
    status = thing(
        "cluster-autoscaler-status", "kube-system", data={"status": "nodeGroups:\n- name: a\n  x: password=hunter2"}
    )
    (fact,) = snapshot(good(autoscaler_statuses=[status])).facts("autoscaler_statuses")
    assert "hunter2" not in fact.data["status"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (machine(), ""),
        (machine(node="", metadata={"creationTimestamp": ago(minutes=10)}), ""),
        (machine(node="", metadata={"creationTimestamp": ago(minutes=20)}), "no node that works after 20m"),
        (machine(node="", metadata={"deletionTimestamp": ago(minutes=20)}), ""),
        (
            machine(node="", status={"conditions": [condition("InfrastructureReady", "False", reason="NoCapacity")]}),
            "no node that works after 1d: InfrastructureReady=False (NoCapacity)",
        ),
        (machine(status={"phase": "Failed"}, metadata={"creationTimestamp": ago(minutes=1)}), "phase Failed"),
        (machine(node="unready"), "its node unready has Ready=False (KubeletReady)"),
        (machine(node="unready", metadata={"creationTimestamp": ago(minutes=1)}), ""),
    ],
)
def test_a_machine_has_its_node_in_time(asked, words):
    """A Machine without a node, or whose node is not Ready, is found after 15 minutes; one that failed at once."""
    result = joined(machines=[asked], nodes=[node(), node("unready", "False")])
    assert [each.observed for each in result.findings] == ([words] if words else [])


def test_the_machines_of_other_clusters_are_asked_for_their_nodes():
    """A management cluster has none of the nodes of its clusters: their Machines say how those are."""
    away = {"spec": {"clusterName": "other"}}
    fine = machine("a", "far-1", **away, status={"conditions": [condition("NodeHealthy")]})
    silent = machine("b", "far-2", **away)
    bad = machine("c", "far-3", **away, status={"conditions": [condition("NodeReady", "False")]})
    assert objects(joined(machines=[machine(), fine, silent, bad])) == ["Machine/default/c"]


def test_a_machine_whose_node_is_gone_is_found():
    """Where other Machines of its cluster have their nodes here, its own should be here, too."""
    assert objects(joined(machines=[machine(), machine("m-2", "gone")])) == ["Machine/default/m-2"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (nodeclaim(), ""),
        (nodeclaim(node="", metadata={"creationTimestamp": ago(minutes=5)}), ""),
        (nodeclaim(node=""), "no node that works after 1d"),
        (nodeclaim(node="gone"), "its node gone does not exist"),
        (
            nodeclaim(status={"conditions": [condition("Launched"), condition("Registered", "Unknown")]}),
            "no node that works after 1d: Registered=Unknown",
        ),
        (nodeclaim(node="", metadata={"deletionTimestamp": ago(minutes=5)}), ""),
    ],
)
def test_a_nodeclaim_has_its_node_in_time(asked, words):
    """A NodeClaim that does not get beyond one of its steps, or has lost its node, is found after 15 minutes."""
    assert [each.observed for each in joined(nodeclaims=[asked]).findings] == ([words] if words else [])


def test_a_node_that_is_down_explains_its_machine():
    """One cause: the node is not Ready, and so its Machine and its NodeClaim have none that works."""
    world = good(nodes=[node(ready="False")], nodeclaims=[nodeclaim()])
    findings = run(["nodes.ready", "nodes.joined"], world)[1].findings
    assert [each.because for each in findings] == ["nodes.ready: Node/worker-1"] * 2


def test_none_of_them_is_fine():
    """A cluster may have neither Cluster API nor Karpenter nor an autoscaler."""
    assert (joined().outcome, joined().examined) == ("passed", 0)
