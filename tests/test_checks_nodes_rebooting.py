"""Nodes that reboot: drained first, away for minutes, and back by themselves."""

from __future__ import annotations

import pytest

from tests.worlds import ago, good, judge, lease, node

CORDON = "node.kubernetes.io/unschedulable"


def away(status="Unknown", message="", *, cordoned=None, **since):
    """A node that has not been Ready for so long, cordoned so many minutes ago."""
    taint = {"key": CORDON, "effect": "NoSchedule", "timeAdded": ago(minutes=cordoned or 0)}
    spec = {"unschedulable": True, "taints": [taint]} if cordoned else {}
    its = node("worker-2", status, spec=spec)
    its["status"]["conditions"][-1].update(lastTransitionTime=ago(**since), message=message)
    return its


@pytest.mark.parametrize(
    ("why", "its", "outcome"),
    [
        ("drained before", away(cordoned=4, seconds=70), "inconclusive"),
        ("its kubelet came back first", away("False", cordoned=4, seconds=70), "inconclusive"),
        ("for too long", away(cordoned=8, minutes=6), "failed"),
        ("cordoned long ago", away(cordoned=50, seconds=70), "failed"),
        ("not cordoned", away(seconds=70), "failed"),
        ("it shuts down", away("False", "node is shutting down", seconds=40), "inconclusive"),
        ("it shuts down for too long", away("False", "node is shutting down", minutes=9), "failed"),
        ("it says something else", away("False", "PLEG is not healthy", seconds=40), "failed"),
    ],
)
def test_a_node_that_reboots_is_not_yet_ready(why, its, outcome):
    """A drained node reboots within minutes; one that nobody drained is lost."""
    world = good(nodes=[node(), its], leases=[lease(), lease("worker-2")])
    assert judge("nodes.ready", world).outcome == outcome, why


@pytest.mark.parametrize(
    ("why", "its", "silent", "outcome"),
    [
        ("drained before", away(cordoned=9, seconds=150), 190, "inconclusive"),
        ("for too long", away(cordoned=9, minutes=6), 400, "failed"),
        ("not cordoned", away(seconds=150), 190, "failed"),
        ("Ready, and not cordoned", node("worker-2"), 190, "failed"),
    ],
)
def test_a_node_that_reboots_need_not_be_heard_of(why, its, silent, outcome):
    """Its lease is renewed when it is back."""
    world = good(nodes=[node(), its], leases=[lease(), lease("worker-2", renewed=silent)])
    assert judge("nodes.heartbeat", world).outcome == outcome, why
