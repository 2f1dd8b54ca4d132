"""Nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import counted, duration
from upgate.battery import Subjects, check
from upgate.facts.reboots import reboots, silent_for_reboot

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.before import Before, Pool
    from upgate.battery.node_demands import NodeDemands
    from upgate.battery.node_pools import KnownTaints, NodePools
    from upgate.facts.flapping import NodeNotices
    from upgate.facts.nodes import Node
    from upgate.facts.relations import ClusterNodes
    from upgate.facts.upkeep import Cordons, Heartbeats
    from upgate.profile.parts import Patience


@check("nodes.ready", severity="critical", monitor=True, preflight="critical")
def test_every_node_is_ready(nodes: Subjects[Node], patience: Patience, now: datetime) -> None:
    """Every node is Ready.

    A node that is not Ready gets no new pods, and its own are evicted after five minutes. Unknown means that its
    kubelet has stopped reporting. One that was cordoned before, or says that it shuts down, has five minutes to reboot.
    Look first: kubectl describe node {name}
    """
    nodes.all(
        lambda node: node.ready.is_true,
        observed=lambda node: node.ready,
        expected="Ready=True",
        transitional=lambda node: node.joining(now) or node.going(now) or reboots(node, now, patience.cordoned),
    )


@check("nodes.pressure", severity="critical", monitor=True, preflight="critical")
def test_no_node_is_under_pressure(nodes: Subjects[Node], now: datetime) -> None:
    """No node is under memory, disk or PID pressure, or without network.

    A node under pressure evicts pods and takes no new ones. A node whose kubelet has stopped reporting says nothing
    about its pressure and is not counted here.
    Look first: kubectl describe node {name}
    """
    nodes.where(lambda node: node.reports).none(
        lambda node: node.pressures,
        expected="no pressure condition is True",
        transitional=lambda node: node.waits_for_network(now),
    )


@check("nodes.schedulable", severity="critical", monitor=True, preflight="critical")
def test_every_node_takes_pods(nodes: Subjects[Node], cordons: Cordons, patience: Patience, now: datetime) -> None:
    """Every node takes pods.

    A cordon that an upgrade or a reboot left behind takes capacity away, and nothing lifts it automatically. So does a taint
    of the control plane, the cloud or an agent that waits for something which never comes, and a node that does not finish
    being deleted. Taints of pools and control planes are fine; a drain under way is "not yet".
    Look first: kubectl describe node {name}  # cordoned, and no work in progress? kubectl uncordon {name}
    """
    nodes.none(
        lambda node: cordons.over(node, now, patience),
        expected=f"takes pods within {duration(patience.cordoned)}",
        transitional=lambda node: cordons.under_way(node, now, patience),
    )


@check("nodes.heartbeat", severity="critical", after=("nodes.ready",), monitor=True)
def test_every_kubelet_renews_its_lease(
    nodes: Subjects[Node], heartbeats: Heartbeats, patience: Patience, now: datetime
) -> None:
    """Every kubelet has renewed its lease recently.

    A node stays Ready for some time after it has died; its lease in kube-node-lease tells earlier.
    Look first: kubectl -n kube-node-lease get lease {name} -o yaml
    """
    nodes.all(
        lambda node: heartbeats.recent(node, now),
        observed=lambda node: heartbeats.words(node, now),
        expected=lambda node: f"renewed within 4 lease durations, {duration(4 * heartbeats.term(node))}",
        transitional=lambda node: (
            node.going(now) or silent_for_reboot(node, now, patience.cordoned, heartbeats.silence(node, now))
        ),
    )


@check("nodes.stable", severity="warning", after=("nodes.heartbeat", "nodes.pressure"))
def test_no_node_goes_and_comes(
    nodes: Subjects[Node], said_of_nodes: NodeNotices, before: Before, since: datetime
) -> None:
    """No node that is Ready was not Ready for a while since the reference time, but for its upgrade.

    A node that comes and goes moves its pods and serves no requests meanwhile; a list of nodes does not show it. One time is fine
    for a node that was upgraded or rebooted; without a baseline nothing tells, so one time is fine for each.
    Look first: kubectl get events -A --field-selector involvedObject.kind=Node,involvedObject.name={name}
    """
    nodes.where(lambda node: node.ready.is_true).all(
        lambda node: said_of_nodes.recoveries(node, since) <= before.explains_absence(node),
        observed=lambda node: f"not Ready and back {counted(said_of_nodes.recoveries(node, since), 'time')}",
        expected=lambda node: (
            f"{'at most once not Ready' if before.explains_absence(node) else 'Ready'} since {since:%Y-%m-%dT%H:%M:%SZ}"
        ),
    )


@check("nodes.taints", severity="warning")
def test_no_node_has_an_unknown_taint(nodes: Subjects[Node], known_taints: KnownTaints) -> None:
    """No node has a taint that neither the profile nor the baseline knows.

    A taint that somebody left keeps pods away, or evicts them. With neither, a node whose pool has a label is compared with
    the others of its pool. Taints of control planes are fine, and nodes.schedulable judges those that should pass.
    Look first: kubectl describe node {name}  # left behind? kubectl taint node {name} KEY:EFFECT-
    """
    known = known_taints.beside(list(nodes))
    nodes.none(known.strange, expected=known.words)


@check("nodes.uniform", severity="warning")
def test_nodes_of_one_pool_are_alike(nodes: Subjects[Node], node_pools: NodePools, now: datetime) -> None:
    """All nodes of a pool have the same kubelet, kernel, container runtime and image.

    A mixture is an upgrade that stopped half-way, or a node that came back with another image. Pools come from the profile's
    pool-label, or from the labels of EKS, GKE, AKS, Karpenter and others; without one, from roles and kinds of Linux.
    Look first: kubectl get nodes -o wide
    """
    node_pools.of(nodes).none(
        lambda pool: pool.mixtures,
        expected="the same on all nodes of the pool",
        transitional=lambda pool: pool.under_way(now),
    )


@check(
    "nodes.image",
    severity="critical",
    monitor=True,
    expects=" or ".join(f"expect.nodes.{key}" for key in ("kubelet", "kernel", "runtime", "image", "deny")),
)
def test_every_node_runs_what_the_profile_expects(
    nodes: Subjects[Node], node_demands: NodeDemands, cordons: Cordons, patience: Patience, now: datetime
) -> None:
    """Every node runs the kubelet, kernel, container runtime and image that the profile expects, and none that it denies.

    A node that was not replaced still runs the old one; and a bad image is Ready in every list. A node that is being drained
    or removed is "not yet".
    Look first: kubectl get node {name} -o wide
    """
    nodes.none(
        node_demands.unmet,
        expected=node_demands.wanted,
        transitional=lambda node: cordons.under_way(node, now, patience),
    )


@check("nodes.count", severity="critical", monitor=True)
def test_there_are_as_many_nodes_as_expected(expected_pools: Subjects[Pool], cluster_nodes: ClusterNodes) -> None:
    """There are at least as many nodes as the profile expects, and in each pool no fewer than in the baseline.

    A node that never came back after its upgrade is in no list of unready nodes; its cloud's node group knows more. Nodes that
    Karpenter manages are not compared; where a cluster-autoscaler is at work, fewer than in the baseline is a warning. So is
    a pool that is gone, if new pools have at least as many nodes.
    Look first: kubectl get nodes
    """
    expected_pools.all(
        lambda pool: pool.count(cluster_nodes.nodes) >= pool.least,
        observed=lambda pool: counted(pool.count(cluster_nodes.nodes), "node"),
        expected=lambda pool: f"at least {pool.least} ({pool.source})",
        severity=lambda pool: (
            "warning" if pool.compared and (cluster_nodes.scaled or pool.replaced(cluster_nodes.nodes)) else None
        ),
    )
