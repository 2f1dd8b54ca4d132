"""Where each kind of cluster keeps its services, certificates, static pods and logs on a machine: data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Preset:
    """What to look at; patterns are the shell's."""

    #: Units or containers that must run; `a|b` is satisfied by one of them.
    services: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    #: Kubeconfigs whose client certificates count.
    kubeconfigs: tuple[str, ...] = ()
    #: Folders of static pods.
    manifests: tuple[str, ...] = ()
    #: Units whose journal is read.
    journals: tuple[str, ...] = ()
    #: Log files.
    files: tuple[str, ...] = ()
    #: Docker containers: their state, arguments and logs are read.
    docker: tuple[str, ...] = ()
    #: Containers of the CRI, whose logs are read if crictl is installed.
    crictl: tuple[str, ...] = ()
    #: Folders whose file systems must not run full.
    folders: tuple[str, ...] = ()


CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
KUBELET_PKI = "/var/lib/kubelet/pki"
PRESETS = {
    # https://kubernetes.io/docs/setup/best-practices/certificates/
    "kubeadm": Preset(
        services=("kubelet", "containerd|docker|crio"),
        certificates=(
            "/etc/kubernetes/pki/*.crt",
            "/etc/kubernetes/pki/etcd/*.crt",
            f"{KUBELET_PKI}/kubelet-client-current.pem",
            f"{KUBELET_PKI}/kubelet-server-current.pem",
            f"{KUBELET_PKI}/kubelet.crt",
        ),
        kubeconfigs=("/etc/kubernetes/*.conf",),
        manifests=("/etc/kubernetes/manifests",),
        journals=("kubelet", "containerd", "docker", "crio"),
        crictl=CONTROL_PLANE,
        folders=("/var/lib/containerd", "/var/lib/docker", "/var/lib/etcd"),
    ),
    # https://rke.docs.rancher.com/
    "rke": Preset(
        services=("docker", "kubelet", "kube-proxy"),
        certificates=("/etc/kubernetes/ssl/*.pem",),
        journals=("docker", "containerd"),
        docker=("kubelet", "kube-proxy", *CONTROL_PLANE),
        folders=("/var/lib/docker", "/var/lib/etcd"),
    ),
    # https://docs.k3s.io/advanced
    "k3s": Preset(
        services=("k3s|k3s-agent",),
        certificates=(
            "/var/lib/rancher/k3s/server/tls/*.crt",
            "/var/lib/rancher/k3s/server/tls/etcd/*.crt",
            "/var/lib/rancher/k3s/agent/*.crt",
        ),
        journals=("k3s", "k3s-agent"),
        files=("/var/lib/rancher/k3s/agent/containerd/containerd.log",),
        folders=("/var/lib/rancher",),
    ),
    # https://docs.rke2.io/reference/logging
    "rke2": Preset(
        services=("rke2-server|rke2-agent",),
        certificates=(
            "/var/lib/rancher/rke2/server/tls/*.crt",
            "/var/lib/rancher/rke2/server/tls/etcd/*.crt",
            "/var/lib/rancher/rke2/agent/*.crt",
        ),
        manifests=("/var/lib/rancher/rke2/agent/pod-manifests",),
        journals=("rke2-server", "rke2-agent"),
        files=(
            "/var/lib/rancher/rke2/agent/logs/kubelet.log",
            "/var/lib/rancher/rke2/agent/containerd/containerd.log",
        ),
        folders=("/var/lib/rancher",),
    ),
    "containerd": Preset(services=("containerd",), journals=("containerd",), folders=("/var/lib/containerd",)),
    "docker": Preset(services=("docker",), journals=("docker", "containerd"), folders=("/var/lib/docker",)),
}


def combined(names: Iterable[str]) -> Preset:
    """Several presets as one."""
    presets = [PRESETS[name] for name in names]
    parts = {
        field.name: tuple(each for preset in presets for each in getattr(preset, field.name))
        for field in fields(Preset)
    }
    return Preset(**{name: tuple(dict.fromkeys(values)) for name, values in parts.items()})
