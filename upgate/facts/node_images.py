"""What nodes run: kubelet, kernel, container runtime, and the image that they were made of."""

from __future__ import annotations

from upgate.facts.nodes import Node, NodeInfo

#: Where clouds write the machine image of a node: the AMI on EKS, the node image version on AKS.
IMAGE_LABELS = ("eks.amazonaws.com/nodegroup-image", "kubernetes.azure.com/node-image-version")


def info_of(node: Node) -> NodeInfo:
    """`status.nodeInfo`, never None."""
    return node.status.node_info or NodeInfo()


def machine_image(node: Node, label: str | None) -> str:
    """The machine image that the label of the profile holds, or else one of the clouds'. Empty where none does."""
    keys = (label,) if label else IMAGE_LABELS
    return next((node.labels[key] for key in keys if node.labels.get(key)), "")


def images_of(node: Node, label: str | None) -> list[str]:
    """What its image is called: by the label that the profile names; else in the node's own words and those of its cloud."""
    names = [machine_image(node, label)] if label else [info_of(node).os_image, machine_image(node, None)]
    return list(filter(None, names))


def parts_of(node: Node, label: str | None) -> dict[str, str]:
    """What should be the same on all nodes of a pool, by its name."""
    info = info_of(node)
    return {
        "kubelet": info.kubelet_version,
        "kernel": info.kernel_version,
        "container runtime": reported(info.container_runtime_version),
        "OS image": info.os_image,
        "machine image": machine_image(node, label),
    }


def reported(runtime: str) -> str:
    """The runtime; empty for `containerd://Unknown`, which a kubelet says while its runtime does not answer."""
    return "" if runtime.endswith("://Unknown") else runtime


def build_of(node: Node, label: str | None = None) -> tuple[str, ...]:
    """What tells a node image from another: all that a node runs beside the kubelet's own version."""
    return tuple(value for name, value in parts_of(node, label).items() if name != "kubelet")
