"""Warning events that tell something, and those that come to nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.worlds import NOW, ago, baseline, condition, good, judge, node, objects, owner, pod, snapshot, thing, warning

ID = "events.warnings"
NODE = thing("worker-1")


def told(*events, before=None, **lists):
    """What is said of these events, since that time."""
    world = snapshot(
        good(
            warnings=[{**each, "metadata": {**each["metadata"], "name": f"e{n}"}} for n, each in enumerate(events)],
            **lists,
        )
    )
    return judge(ID, world, baseline=before)


def test_events_that_repeat_are_grouped():
    """By reason and kind, with how many, about how many objects, and the newest message."""
    nodes = [node("worker-1"), node("worker-2")]
    result = told(
        warning(NODE, "ImageGCFailed", "Node", count=5, message="no space", lastTimestamp=ago(minutes=9)),
        warning(
            thing("worker-2"), "ImageGCFailed", "Node", count=4, message="no space left", lastTimestamp=ago(minutes=2)
        ),
        nodes=nodes,
    )
    assert objects(result) == ["Event/Node.ImageGCFailed"]
    assert result.findings[0].observed == "9 events about 2 objects, the last 2m ago, Node/worker-2: no space left"
    assert result.examined == 2


@pytest.mark.parametrize(
    "event",
    [
        warning(NODE, "ImageGCFailed", "Node", count=2),
        warning(NODE, "ImageGCFailed", "Node", count=9, lastTimestamp=ago(minutes=40)),
        warning(thing("gone"), "ImageGCFailed", "Node", count=9),
        warning(NODE, "DNSConfigForming", "Node", count=900),
        warning(NODE, "NodeNotReady", "Node", count=9),
        warning(thing("web", "shop"), "FailedToUpdateEndpoint", "Endpoints", count=9),
        warning(thing("web-rs", "shop"), "FailedCreate", "ReplicaSet", count=9),
        warning(pod("gone"), "BackOff", count=99),
        warning(pod("web-1", metadata={"uid": "earlier"}), "Unhealthy", count=99),
        warning(pod(), "FailedScheduling", count=9),
    ],
)
def test_events_that_come_to_nothing(event):
    """Seldom, over, of what is gone, usual, judged by its own check, or resolved."""
    assert told(event).findings == ()


def test_pods_that_are_not_well_are_judged_elsewhere():
    """Their checks say what is wrong; of a pod that is Ready in between the events tell."""
    unwell = [warning(pod(), "Unhealthy", count=9)]
    assert told(*unwell, pods=[pod(ready="False")]).findings == ()
    assert objects(told(*unwell)) == ["Event/Pod.Unhealthy"]


@pytest.mark.parametrize(("later", "expected"), [(0.4, []), (2, ["Event/Pod.Unhealthy"])])
def test_the_second_in_which_a_pod_became_ready(later, expected):
    """Conditions give whole seconds: what an event says within that second may have been before."""
    young = pod(status={"conditions": [condition("Ready", lastTransitionTime=ago(seconds=60))]})
    seen = {"eventTime": ago(seconds=60 - later), "lastTimestamp": None}
    assert objects(told(warning(young, "Unhealthy", count=9, **seen), pods=[young])) == expected


def test_a_static_pod():
    """Its kubelet reports events with another UID than that of the pod that shows it."""
    mirror = pod("etcd-a", metadata=owner("Node", NODE))
    event = warning(pod("etcd-a", metadata={"uid": "of-the-kubelet"}), "Unhealthy", count=9)
    assert objects(told(event, pods=[mirror])) == ["Event/Pod.Unhealthy"]


def test_one_event_for_each_time():
    """Reporters that make a new event each time, or a series, count just the same."""
    each = [warning(NODE, "SystemOOM", "Node") for _ in range(3)]
    assert objects(told(*each)) == ["Event/Node.SystemOOM"]
    again = {
        "series": {"count": 4, "lastObservedTime": ago(minutes=1)},
        "lastTimestamp": None,
        "eventTime": ago(days=1),
    }
    assert objects(told(warning(NODE, "SystemOOM", "Node", **again))) == ["Event/Node.SystemOOM"]


def test_what_the_baseline_had():
    """A reason and a kind that were there before are not new; before the reference time is not since."""
    event = warning(thing("web", "shop"), "SyncLoadBalancerFailed", "Service", count=9)
    old = baseline(good(warnings=[warning(thing("x", "shop"), "SyncLoadBalancerFailed", "Service")]))
    assert objects(told(event)) == ["Event/Service.SyncLoadBalancerFailed"]
    assert told(event, before=old).findings == ()
    assert NOW - old.taken == timedelta(hours=1)
