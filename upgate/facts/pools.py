"""Pools of nodes: those that are meant to be alike."""

from __future__ import annotations

import re

from upgate.facts.node_images import info_of
from upgate.facts.nodes import Node

#: Where clouds and installers write the pool of a node: EKS, eksctl, Karpenter, GKE, AKS, kops, DigitalOcean, OVH, Scaleway,
#: Linode, OpenShift, Cluster API, Rancher, Gardener. The first that a node has counts.
POOL_LABELS = (
    *("eks.amazonaws.com/nodegroup", "alpha.eksctl.io/nodegroup-name", "karpenter.sh/nodepool"),
    *("karpenter.sh/provisioner-name", "cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "agentpool"),
    *("kops.k8s.io/instancegroup", "doks.digitalocean.com/node-pool", "nodepool", "k8s.scaleway.com/pool-name"),
    *("lke.linode.com/pool-id", "machineconfiguration.openshift.io/pool", "worker.gardener.cloud/pool"),
    *("cluster.x-k8s.io/deployment-name", "rke.cattle.io/rke-machine-pool-name"),
)
#: The labels of a node that runs the control plane, also in the words of earlier versions and of RKE.
CONTROL_PLANE = (
    *("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"),
    *("node-role.kubernetes.io/controlplane", "node-role.kubernetes.io/etcd"),
)
#: The labels of nodes that stand for no machine: EKS on Fargate, virtual kubelets.
SERVERLESS = (("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet"))
#: The name of an operating system in front of its version: "Ubuntu" of "Ubuntu 24.04.1 LTS".
FAMILY = re.compile(r"[^\d(]{0,80}")


def pool_name(node: Node, label: str | None) -> str:
    """The pool that a label names: that of the profile, else one of the clouds'. Empty where none does."""
    keys = (label,) if label else POOL_LABELS
    return next((node.labels[key] for key in keys if node.labels.get(key)), "")


def runs_control_plane(node: Node) -> bool:
    """A label says that it runs the control plane."""
    return any(key in node.labels for key in CONTROL_PLANE)


def likeness(node: Node, label: str | None) -> tuple[str, ...]:
    """What nodes that should be alike have in common: pool, operating system, architecture.

    A node that its cloud makes for one pod is not like any other. Where no label names pools, nodes of the control plane, and
    of other kinds of Linux, are pools of their own.
    """
    if any(node.labels.get(key) == value for key, value in SERVERLESS):
        return (node.name,)
    platform = tuple(node.labels.get(f"kubernetes.io/{each}", "") for each in ("os", "arch"))
    if pool := pool_name(node, label):
        return (pool, *platform)
    family = FAMILY.match(info_of(node).os_image)
    role = "control plane" if runs_control_plane(node) else ""
    return (role, *platform, family[0].strip() if family else "")
