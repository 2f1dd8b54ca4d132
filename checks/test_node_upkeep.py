"""Nodes: what is done to them, and whether there is room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.judgement import Judgement
    from upgate.facts.headroom import Headroom
    from upgate.facts.kured import KuredLocks
    from upgate.facts.nodes import Node
    from upgate.facts.promised_nodes import PromisedNodes
    from upgate.facts.relapses import NodeRelapses
    from upgate.facts.relations import ClusterNodes
    from upgate.facts.work import NodeWork
    from upgate.profile.parts import Kured, Patience

DEAD_NODE = ("nodes.ready", "nodes.heartbeat")


@check(
    "nodes.kured-lock",
    severity="critical",
    after=(*DEAD_NODE, "nodes.schedulable"),
    monitor=True,
    preflight="critical",
    none_is_fine=True,
)
def test_no_kured_lock_is_left_over(
    kured_locks: KuredLocks, kured: Kured, judgement: Judgement, preflight: bool, now: datetime
) -> None:
    """No node has held kured's lock for longer than the profile's `kured: max-lock-age`, and its holder exists.

    While one node holds the lock no other is rebooted, so that no security update takes effect. A lock whose TTL has passed
    is free; without one it is held until its node gives it back. Before an upgrade, a node that is being rebooted is "not
    yet".
    Look first: kubectl -n {namespace} get daemonset {name} -o yaml  # left over?
    kubectl -n {namespace} annotate daemonset {name} {annotation}-
    """
    Subjects("kured locks", kured_locks.held(now), judgement).none(
        lambda lock: lock.stale(now, kured.max_lock_age) or (preflight and lock.said(now)),
        expected=f"given back within {duration(kured.max_lock_age)}",
        transitional=lambda lock: not lock.stale(now, kured.max_lock_age),
    )


@check(
    "nodes.joined",
    severity="critical",
    after=(*DEAD_NODE, "nodes.schedulable"),
    preflight="critical",
    none_is_fine=True,
)
def test_every_node_that_was_asked_for_has_joined(
    promised_nodes: PromisedNodes, judgement: Judgement, now: datetime
) -> None:
    """Every Machine, NodeClaim and node group has its nodes, Ready, within 15 minutes.

    A node that never came is in no list of nodes: Cluster API, Karpenter and the cluster-autoscaler know of it. That a node
    group makes no more nodes for a while, since one did not come, is a warning.
    Look first: {look}
    """
    Subjects("machines and node groups", promised_nodes.all(now), judgement).none(
        lambda asked: asked.late(now),
        expected="its node is there and Ready within 15m",
        severity=lambda asked: None if asked.lacks(now) else "warning",
    )


@check("nodes.headroom", severity="warning", preflight="warning", after=(*DEAD_NODE, "nodes.schedulable"))
def test_the_pods_of_each_node_fit_on_the_others(
    nodes: Subjects[Node], headroom: Headroom, cluster_nodes: ClusterNodes, judgement: Judgement
) -> None:
    """The pods of any node, as they request CPU, memory and storage, fit on the other nodes.

    An upgrade drains one node after the other, and nodes die. Pods that find no room stay Pending. Only nodes that take
    pods without tolerations count; DaemonSets' pods do not move. A cluster of one node has no others, and where an
    autoscaler is at work it makes the room.
    Look first: kubectl describe node {name}  # Allocated resources
    """
    autoscaled = cluster_nodes.scaled or any(node.autoscaled for node in nodes)
    Subjects("clusters", [headroom], judgement, counted=True).none(
        lambda room: not autoscaled and room.lacks,
        observed=lambda room: room.lacks,
        expected="its pods fit on the other nodes",
    )


@check("nodes.work", severity="critical", after=("nodes.heartbeat", "nodes.pressure", "probe.starts"))
def test_every_ready_node_does_its_work(
    nodes: Subjects[Node],
    node_work: NodeWork,
    node_relapses: NodeRelapses,
    patience: Patience,
    since: datetime,
    now: datetime,
) -> None:
    """On every Ready node pods start, and run as they do on other nodes.

    A node, or a whole node image, may be Ready in every list and start no container: pods hang in ContainerCreating, get no
    sandbox or no image, restart again and again, or do not end. Workloads are compared between nodes: one that runs nowhere has
    a fault of its own.
    Look first: kubectl get pods -A -o wide --field-selector spec.nodeName={name}; kubectl describe node {name}
    """
    nodes.where(lambda node: node.ready.is_true).none(
        lambda node: (
            node_work.fault(node, now, patience.pending, patience.terminating) or node_relapses.fault(node, since)
        ),
        expected="its pods start and run as on other nodes",
    )
