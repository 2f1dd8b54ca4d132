"""What is done to nodes: kured's lock, and whether there is room for the pods of a node that goes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import daemonset, good, judge, kured, lock_holder, node, objects, profile, run

NANOSECONDS = 10**9


def locked(*holders: dict[str, Any], max_age: str | None = None, preflight: bool = False, **changes: Any):
    """What nodes.kured-lock says of these holders."""
    asked = profile(kured={"max-lock-age": max_age}) if max_age else None
    return judge("nodes.kured-lock", good(daemonsets=[kured(*holders, **changes)]), profile=asked, preflight=preflight)


@pytest.mark.parametrize("key", ["weave.works/kured-node-lock", "kured.dev/kured-node-lock"])
@pytest.mark.parametrize("others", [[], [lock_holder(minutes=1)]])
def test_an_old_lock_is_found_in_both_spellings_and_forms(key, others):
    """Whether one or several may hold it, and however the annotation is called: the node that has had it too long is named."""
    (finding,) = locked(lock_holder(hours=5), *others, key=key).findings
    assert finding.object == "Node/worker-1"
    assert finding.observed == "holds the lock of DaemonSet/reboots/kured for 4h59m"
    assert f"annotate daemonset kured {key}-" in finding.hint


@pytest.mark.parametrize(
    "holder",
    [
        lock_holder(minutes=30),
        lock_holder(ttl=30 * 60 * NANOSECONDS, hours=5),
        lock_holder("gone", ttl=60 * NANOSECONDS, hours=5),
        lock_holder(ttl=-1, minutes=5),
        lock_holder(ttl=2**63 - 1, minutes=5),
        lock_holder(seconds=-30),
    ],
)
def test_a_recent_lock_and_one_whose_term_is_over_are_fine(holder):
    """A node that is being rebooted holds it rightly; one whose TTL has passed holds nothing."""
    assert locked(holder).outcome == "passed"


@pytest.mark.parametrize("ttl", [0, -1, 2**63 - 1, 24 * 3600 * NANOSECONDS])
def test_a_ttl_of_0_means_no_end(ttl):
    """Without a TTL, or within it, a lock is held; and that is too long."""
    assert locked(lock_holder(ttl=ttl, hours=5)).outcome == "failed"


def test_a_lock_of_a_node_that_does_not_exist_is_found_at_once():
    """A node that was removed gives nothing back, however short ago it took the lock."""
    (finding,) = locked(lock_holder("gone", minutes=1)).findings
    assert finding.object == "Node/gone"
    assert "does not exist" in finding.observed


def test_several_may_hold_it():
    """Each holder is judged; a lock that is shared by none is free."""
    result = locked(lock_holder(minutes=1), lock_holder("gone"), lock_holder("also"))
    assert (objects(result), result.examined) == (["Node/gone", "Node/also"], 3)
    assert locked().outcome == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "7",
        "[]",
        '{"nodeID":"worker-1"}',
        '{"nodeID":"worker-1","created":"soon"}',
        '{"nodeID":"worker-1","created":"2026-11-21T01:00:00Z","TTL":"1h"}',
        '{"nodeID":7,"created":"2026-11-21T01:00:00Z"}',
        '{"locks":{}}',
        '{"locks":[7]}',
        "[" * 5000,
        '{"a":' + "[" * 5000,
    ],
)
def test_a_lock_that_cannot_be_read_says_so(text):
    """kured itself cannot read it either, so no node is rebooted."""
    changed = daemonset(
        "kured", metadata={"namespace": "kube-system", "annotations": {"kured.dev/kured-node-lock": text}}
    )
    result = judge("nodes.kured-lock", good(daemonsets=[changed]))
    assert [(each.object, each.transitional) for each in result.findings] == [("DaemonSet/kube-system/kured", False)]
    assert "cannot be read" in result.findings[0].observed


def test_a_lock_of_the_future_is_found():
    """A clock that is hours ahead makes a lock that does not age."""
    assert "ahead" in locked(lock_holder(hours=-5)).findings[0].observed


def test_the_profile_says_how_old_a_lock_may_be():
    """`kured: max-lock-age`."""
    assert locked(lock_holder(hours=5), max_age="6h").outcome == "passed"
    assert locked(lock_holder(minutes=40), max_age="30m").outcome == "failed"


def test_the_annotation_of_another_daemonset_is_no_lock():
    """Only kured's own DaemonSet counts: by its name, or its namespace."""
    other = kured(lock_holder(hours=5), metadata={"name": "agent", "namespace": "shop"})
    assert judge("nodes.kured-lock", good(daemonsets=[other])).examined == 0


def test_before_an_upgrade_a_reboot_is_not_yet():
    """`-m preflight`: a node that is being rebooted would be in the way; an old lock is wrong as ever."""
    assert locked(lock_holder(), preflight=True).outcome == "inconclusive"
    assert locked(lock_holder(hours=5), preflight=True).outcome == "failed"


def test_the_node_that_died_explains_its_lock():
    """A node that is not Ready cannot give its lock back: that is one cause."""
    world = good(nodes=[node(ready="Unknown")], daemonsets=[kured(lock_holder(hours=5))])
    assert run(["nodes.ready", "nodes.kured-lock"], world)[1].findings[0].because == "nodes.ready: Node/worker-1"
