"""Versions beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check
from upgate.facts.control_plane import component_version, leads, lone_proxy, serves

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.skew import Skew
    from upgate.facts.control_plane import ControlPlane
    from upgate.facts.daemonsets import DaemonSet
    from upgate.facts.nodes import Node
    from upgate.facts.pods import Pod
    from upgate.facts.upkeep import Cordons
    from upgate.profile.parts import Expected, Patience

SUPPORTED = "not newer than the API server, and no more minors older than the version skew policy supports"


@check("version.kubelet-skew", severity="critical", preflight="critical")
def test_no_kubelet_is_out_of_step(nodes: Subjects[Node], control_plane: ControlPlane, skew: Skew) -> None:
    """Every kubelet's version is supported beside the API server's.

    No kubelet may be newer than an API server, and none more than three minors older (two before API server 1.28). Before an
    upgrade that is asked of the next version too: nodes that it would leave too far behind are upgraded first.
    Look first: kubectl get node {name} -o wide
    """
    nodes.where(lambda node: not node.virtual).none(
        lambda node: skew.on_nodes(node.kubelet_version, control_plane.server_versions()), expected=SUPPORTED
    )


@check("version.kube-proxy-skew", severity="critical", preflight="critical", none_is_fine=True)
def test_no_kube_proxy_is_out_of_step(
    daemonsets: Subjects[DaemonSet], pods: Subjects[Pod], control_plane: ControlPlane, skew: Skew
) -> None:
    """Every kube-proxy's version is supported beside the API server's.

    It is read from its pods' images. A cluster may do without kube-proxy.
    Look first: kubectl -n kube-system get pods -o wide | grep kube-proxy
    """
    daemonsets.where(control_plane.proxies).none(
        lambda each: skew.each_on_nodes(
            map(component_version, control_plane.proxies(each)), control_plane.server_versions()
        ),
        expected=SUPPORTED,
    )
    pods.where(lone_proxy).none(
        lambda pod: skew.on_nodes(component_version(pod), control_plane.server_versions()), expected=SUPPORTED
    )


@check("version.control-plane-skew", severity="critical", preflight="critical", none_is_fine=True)
def test_the_control_plane_is_in_step(pods: Subjects[Pod], control_plane: ControlPlane, skew: Skew) -> None:
    """The API servers are within one minor of each other, and controller managers and schedulers no newer and at most one older.

    It is read from the images of their pods; a managed control plane shows none. Before an upgrade all have to be of the
    present minor.
    Look first: kubectl -n kube-system get pod {name} -o wide
    """
    pods.where(leads).none(
        lambda pod: skew.in_control_plane(component_version(pod), control_plane.server_versions(pod)),
        expected="the API server's minor, or the one before",
    )
    pods.where(serves).none(
        lambda pod: skew.among_servers(component_version(pod), control_plane.server_versions()),
        expected="the minor of the other API servers, or the one before",
    )


@check("version.nodes-upgraded", severity="critical")
def test_every_node_has_been_upgraded(
    nodes: Subjects[Node], expect: Expected, skew: Skew, cordons: Cordons, patience: Patience, now: datetime
) -> None:
    """Every node runs the kubelet version that the profile expects, or else the API server's minor.

    Clouds have reported upgrades as done that left nodes on the old version. A node that is being drained or removed is
    "not yet". Where nodes stay behind on purpose, say so: `expect: {nodes: {kubelet: ">=1.35"}}`.
    Look first: kubectl get node {name} -o wide
    """
    nodes.where(lambda node: not node.virtual).all(
        lambda node: skew.meets(node.kubelet_version, expect.nodes.kubelet or skew.minor),
        observed=lambda node: f"kubelet {node.kubelet_version}",
        expected=f"kubelet {expect.nodes.kubelet or skew.minor}",
        transitional=lambda node: cordons.under_way(node, now, patience),
    )
