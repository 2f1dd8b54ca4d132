"""The components of Kubernetes that listen on well-known ports, and the settings for the address."""

from __future__ import annotations

from typing import NamedTuple

from upgate.facts.nodes import Node
from upgate.facts.pods import Pod


class Component(NamedTuple):
    """A component of Kubernetes that listens on a well-known port."""

    name: str
    #: What listens on the port, for messages.
    port: str
    #: The setting for the address on which it listens.
    setting: str


#: The API server's usual port.
API_SERVER = 6443
#: https://kubernetes.io/docs/reference/networking/ports-and-protocols/ and the components' references.
COMPONENTS = {
    2379: Component("etcd", "etcd", "--listen-client-urls"),
    API_SERVER: Component("kube-apiserver", "kube-apiserver", "--bind-address"),
    10248: Component("kubelet", "the kubelet's health port", "healthzBindAddress in its configuration"),
    10249: Component("kube-proxy", "kube-proxy's metrics port", "--metrics-bind-address, metricsBindAddress"),
    10250: Component("kubelet", "the kubelet", "address in its configuration"),
    10255: Component("kubelet", "the kubelet's read-only port", "readOnlyPort in its configuration"),
    10256: Component("kube-proxy", "kube-proxy's health port", "--healthz-bind-address, healthzBindAddress"),
    10257: Component("kube-controller-manager", "kube-controller-manager", "--bind-address"),
    10259: Component("kube-scheduler", "kube-scheduler", "--bind-address"),
}


def is_pod_of(component: Component, node: Node, pod: Pod) -> bool:
    """The pod is this component on this node, as kubeadm names it."""
    return pod.spec.node_name == node.name and pod.name.startswith(f"{component.name}-") and pod.spec.host_network
