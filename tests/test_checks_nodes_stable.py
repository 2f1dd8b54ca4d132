"""Nodes that come and go: what is left of it in events and conditions, and what an upgrade explains."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import ago, baseline, condition, good, judge, node, node_notice


def stable(*notices: dict[str, Any], now: dict[str, Any] | None = None, before: dict[str, Any] | None = None):
    """What nodes.stable says of one node, with or without a baseline of an hour ago."""
    world = good(nodes=[now or node()], node_notices=list(notices))
    return judge("nodes.stable", world, baseline=baseline(good(nodes=[before])) if before else None)


def booted(boot: str, kubelet: str = "v1.36.3", ready: str = "True", **time: float) -> dict[str, Any]:
    """A node with this boot ID, that became what it is so long ago."""
    changed = condition("Ready", ready, lastTransitionTime=ago(**(time or {"days": 1})))
    return node(status={"conditions": [changed], "nodeInfo": {"bootID": boot, "kubeletVersion": kubelet}})


@pytest.mark.parametrize(
    ("notices", "count"),
    [
        ([], 0),
        ([node_notice()], 0),
        ([node_notice(count=2)], 1),
        ([node_notice(), node_notice(metadata={"name": "event-2"})], 1),
        ([node_notice(), node_notice(component="node-controller")], 0),
        ([node_notice(), node_notice(metadata={"name": "event-2"}), node_notice("NodeReady")], 0),
        ([node_notice("NodeReady", count=3)], 1),
        ([node_notice(count=9, firstTimestamp=ago(days=3))], 0),
        ([node_notice(count=9, firstTimestamp=ago(days=3), lastTimestamp=ago(hours=2))], 0),
        ([node_notice(of="worker-2", count=9)], 0),
        ([node_notice("NodeNotSchedulable", count=9)], 0),
    ],
)
def test_twice_is_a_flap(notices, count):
    """A node that was lost twice flaps; once is an upgrade; kubelet and node controller may speak of the same loss."""
    assert len(stable(*notices).findings) == count


def test_a_flap_is_said_with_its_number():
    """The finding says how often, and since when."""
    (finding,) = stable(node_notice("NodeReady", count=3)).findings
    assert finding.observed == "not Ready and back 3 times"
    assert finding.expected.startswith("at most once not Ready since 2026-")


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (booted("a"), 0),
        (booted("a", minutes=20), 1),
        (booted("b", minutes=20), 0),
        (booted("a", "v1.37.0", minutes=20), 0),
        (booted("a", ready="False", minutes=20), 0),
    ],
)
def test_with_a_baseline_an_upgrade_or_a_reboot_explains_one_loss(now, count):
    """The same boot and the same kubelet: then nothing explains that it was not Ready. One that is not is nodes.ready's."""
    assert len(stable(now=now, before=booted("a")).findings) == count


def test_a_reboot_explains_no_second_loss():
    """A node that was booted for its upgrade and then flaps is found."""
    assert stable(node_notice("NodeReady", count=2), now=booted("b", minutes=5), before=booted("a")).findings


def test_a_node_that_joins_becomes_ready_once_more():
    """How a new node joined does not count."""
    new = node(metadata={"creationTimestamp": ago(minutes=8)})
    assert not stable(node_notice("NodeReady", lastTimestamp=ago(minutes=7), count=2), now=new).findings


def test_a_baseline_without_the_node_says_nothing_of_it():
    """A node that came later may have been booted."""
    before = node("other")
    assert not stable(now=booted("a", minutes=20), before=before).findings
