"""What in a cluster a change of a release concerns: questions to the facts, each answered with objects in words.

Only what objects show can be asked: flags of processes are on the hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from upgate.base.versions import minor_of
from upgate.facts.meta import KubernetesObject
from upgate.facts.nodes import Node, NodeInfo
from upgate.facts.rbac import ClusterRole
from upgate.facts.removed_drivers import Driver
from upgate.facts.workloads import Workload

Lists = Mapping[str, list[Any]]
#: The kinds whose pod templates are looked at.
TEMPLATES = ("deployments", "statefulsets", "daemonsets")
MASTER, CONTROL_PLANE = "node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"
#: kubeadm writes this annotation on each node.
KUBEADM = "kubeadm.alpha.kubernetes.io/cri-socket"
#: A kubelet says at its start that its node uses cgroup v1.
CGROUP_EVENT = "CgroupV1"
#: Subresources of pods that are spoken to through a WebSocket.
STREAMS = ("pods/exec", "pods/attach", "pods/portforward")
PSP = "podsecuritypolicies"

#: The objects that are concerned, in words.
Concerned = Callable[["ClusterFacts"], Iterator[str]]


class ClusterFacts(NamedTuple):
    """The facts that entries ask."""

    lists: Lists

    @property
    def nodes(self) -> list[Node]:
        """All nodes."""
        nodes: list[Node] = self.lists["nodes"]
        return nodes

    @property
    def templates(self) -> Iterator[Workload]:
        """All workloads whose pod templates are looked at, also those scaled to zero: they will run again."""
        return (each for noun in TEMPLATES for each in self.lists[noun])

    @property
    def roles(self) -> list[ClusterRole]:
        """The roles for the whole cluster; those of namespaces are not read."""
        roles: list[ClusterRole] = self.lists["clusterroles"]
        return roles

    @property
    def by_kubeadm(self) -> bool:
        """kubeadm has made its nodes."""
        return any(KUBEADM in (node.metadata.annotations or {}) for node in self.nodes)

    @property
    def drivers(self) -> set[str]:
        """The CSI drivers that are installed on some node."""
        return {driver.name for each in self.lists["csinodes"] for driver in each.spec.drivers or ()}


def info(node: Node) -> NodeInfo:
    """`status.nodeInfo`, never None."""
    return node.status.node_info or NodeInfo()


def grants(role: ClusterRole, verb: str, resource: str) -> bool:
    """The role allows this verb on a resource of the core group."""
    return any(
        {verb, "*"} & {*(rule.verbs or ())}
        and {resource, "*"} & {*(rule.resources or ())}
        and {"", "*"} & {*(rule.api_groups or ())}
        for rule in role.rules or ()
    )


def refs(items: Iterator[KubernetesObject]) -> Iterator[str]:
    """What these objects are called in reports."""
    return (each.ref for each in items)


def of_runtime(prefix: str, below: tuple[int, int] | None = None) -> Concerned:
    """The nodes with this container runtime, in a version below that one."""

    def concerned(cluster: ClusterFacts) -> Iterator[str]:
        for node in cluster.nodes:
            runtime = info(node).container_runtime_version
            name, _, version = runtime.partition("://")
            minor = minor_of(version)
            if name == prefix and (below is None or (minor is not None and minor < below)):
                yield f"{node.ref} ({runtime})"

    return concerned


def of_image(image: str, mark: Callable[[Node], bool]) -> Concerned:
    """The nodes with this operating system, of one distribution."""

    def concerned(cluster: ClusterFacts) -> Iterator[str]:
        named = (node for node in cluster.nodes if info(node).os_image.startswith(image) and mark(node))
        return (f"{node.ref} ({info(node).os_image})" for node in named)

    return concerned


def using_cgroup_v1(cluster: ClusterFacts) -> Iterator[str]:
    """The nodes whose kubelet has said so, within the time that events are kept."""
    events = (each for each in cluster.lists["warnings"] if each.reason == CGROUP_EVENT)
    return (f"Node/{each.involved_object.name}" for each in events)


def selecting_masters(cluster: ClusterFacts) -> Iterator[str]:
    """What selects nodes by the label that kubeadm takes away."""
    return refs(
        each for each in cluster.templates if cluster.by_kubeadm and each.spec.template.spec.names_label(MASTER)
    )


def tolerating_masters_only(cluster: ClusterFacts) -> Iterator[str]:
    """What runs on control-plane nodes, and does not tolerate their new taint."""
    if not cluster.by_kubeadm:
        return
    for each in cluster.templates:
        spec = each.spec.template.spec
        if spec.tolerates(MASTER) and not spec.tolerates(CONTROL_PLANE):
            yield each.ref


def configured_by_api(cluster: ClusterFacts) -> Iterator[str]:
    """The nodes whose kubelet takes its configuration from a ConfigMap."""
    return refs(node for node in cluster.nodes if node.spec.config_source)


def with_volume(name: str) -> Concerned:
    """What has a volume of this type in its pod template."""
    return lambda cluster: refs(each for each in cluster.templates if name in each.spec.template.spec.volume_types)


def with_seccomp_annotation(cluster: ClusterFacts) -> Iterator[str]:
    """What asks for a seccomp profile by an annotation alone."""
    for each in cluster.templates:
        marks, security = each.spec.template.metadata.marks, each.spec.template.spec.security_context
        if marks and marks.seccomp and not (security and security.seccomp_profile):
            yield each.ref


def streaming_by_get(cluster: ClusterFacts) -> Iterator[str]:
    """The roles that allow to open streams with the verb `get` alone, system roles aside."""
    own = (role for role in cluster.roles if not role.name.startswith("system:"))
    return refs(
        role for role in own if any(grants(role, "get", each) and not grants(role, "create", each) for each in STREAMS)
    )


def using_psp(cluster: ClusterFacts) -> Iterator[str]:
    """The roles that allow to use a PodSecurityPolicy."""
    rules = ((role, rule) for role in cluster.roles for rule in role.rules or ())
    return refs(role for role, rule in rules if "use" in (rule.verbs or ()) and PSP in (rule.resources or ()))


def of_driver(driver: Driver) -> Concerned:
    """The classes, volumes and templates that use a driver of Kubernetes' own, where the one that follows it is missing."""

    def concerned(cluster: ClusterFacts) -> Iterator[str]:
        if driver.follower and driver.follower in cluster.drivers:
            return
        yield from refs(each for each in cluster.lists["storageclasses"] if each.provisioner == driver.provisioner)
        yield from refs(each for each in cluster.lists["persistentvolumes"] if driver.field in each.spec.source_types)
        yield from with_volume(driver.field)(cluster)

    return concerned


def of_flex(cluster: ClusterFacts) -> Iterator[str]:
    """The FlexVolumes of a cluster that kubeadm has made."""
    if cluster.by_kubeadm:
        yield from refs(each for each in cluster.lists["persistentvolumes"] if "flexVolume" in each.spec.source_types)
        yield from with_volume("flexVolume")(cluster)
