"""What releases remove or turn round, and whether that concerns this cluster.

Each entry has the release, what happens then, and a question to the facts that answers with the objects that are concerned:
where there are none nothing is said. Only what Kubernetes or the distribution has announced and what objects show is here:
flags of processes are on the hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from upgate.base.harmless import Typed
from upgate.base.text import counted
from upgate.base.versions import minor_of
from upgate.facts.meta import KubernetesObject
from upgate.facts.nodes import Node, NodeInfo
from upgate.facts.rbac import ClusterRole
from upgate.facts.removed_drivers import DRIVERS, Driver
from upgate.facts.workloads import Workload

Lists = Mapping[str, list[Any]]
#: The kinds whose pod templates are looked at.
TEMPLATES = ("deployments", "statefulsets", "daemonsets")
#: So many objects are named.
NAMED = 5
MASTER, CONTROL_PLANE = "node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"
#: kubeadm writes this annotation on each node.
KUBEADM = "kubeadm.alpha.kubernetes.io/cri-socket"
#: A kubelet says at its start that its node uses cgroup v1.
CGROUP_EVENT = "CgroupV1"
#: Subresources of pods that are spoken to through a WebSocket.
STREAMS = ("pods/exec", "pods/attach", "pods/portforward")
PSP = "podsecuritypolicies"
CHANGELOG = "https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-{}.md"

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


class Change(NamedTuple):
    """What one release removes or turns round."""

    name: str
    release: str
    what: str
    todo: str
    source: str
    concerned: Concerned

    @property
    def ref(self) -> str:
        """`ReleaseChange/1.35-cgroup-v1`."""
        return f"ReleaseChange/{self.release}-{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name, "source": Typed(self.source)}

    @property
    def order(self) -> tuple[int, int]:
        """Major and minor of its release."""
        return minor_of(self.release) or (0, 0)

    def within(self, version: str, to: str) -> bool:
        """It lies on the way from this version to that one."""
        here, there = minor_of(version), minor_of(to)
        return here is not None and there is not None and here < self.order <= there

    def said(self, cluster: ClusterFacts) -> str:
        """What happens in which release, and what it concerns. Empty where it concerns nothing."""
        found = list(dict.fromkeys(self.concerned(cluster)))
        if not found:
            return ""
        more = f" and {counted(len(found) - NAMED, 'other')}" if len(found) > NAMED else ""
        return f"{self.release}: {self.what} Concerned: {', '.join(found[:NAMED])}{more}"


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


CHANGES: tuple[Change, ...] = (
    Change(
        "dockershim",
        "1.24",
        "the kubelet no longer speaks to Docker Engine.",
        "containerd, CRI-O or cri-dockerd on each node before its kubelet is upgraded",
        "https://kubernetes.io/blog/2022/02/17/dockershim-faq/",
        of_runtime("docker"),
    ),
    Change(
        "master-label",
        "1.24",
        f"kubeadm takes the label {MASTER} from control-plane nodes.",
        f"a node selector with {CONTROL_PLANE}",
        "https://kubernetes.io/blog/2022/04/07/upcoming-changes-in-kubernetes-1-24/",
        selecting_masters,
    ),
    Change(
        "control-plane-taint",
        "1.24",
        f"kubeadm gives control-plane nodes the taint {CONTROL_PLANE}:NoSchedule.",
        f"a toleration for {CONTROL_PLANE}",
        "https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/kubeadm/2067-rename-master-label-taint",
        tolerating_masters_only,
    ),
    Change(
        "dynamic-kubelet-configuration",
        "1.24",
        "the kubelet no longer takes its configuration from a ConfigMap.",
        "the configuration in a file on each node",
        "https://kubernetes.io/blog/2022/04/07/upcoming-changes-in-kubernetes-1-24/",
        configured_by_api,
    ),
    Change(
        "pod-security-policy",
        "1.25",
        "PodSecurityPolicy is removed: what the policies forbid is allowed from then on.",
        "Pod Security Admission or another policy webhook",
        "https://kubernetes.io/docs/reference/using-api/deprecation-guide/#psp-v125",
        using_psp,
    ),
    Change(
        "ubuntu-22.04",
        "1.25",
        "AKS gives node pools Ubuntu 22.04, which uses cgroup v2.",
        "runtimes that know cgroup v2: Java 8u372, 11.0.16 or 15, Node.js 20.3",
        "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions",
        of_image("Ubuntu 18.04", lambda node: any(each.startswith("kubernetes.azure.com/") for each in node.labels)),
    ),
    Change(
        "cri-v1alpha2",
        "1.26",
        "the kubelet needs CRI v1, and does not register its node with containerd 1.5 or earlier.",
        "containerd 1.6 or later on each node before its kubelet is upgraded",
        "https://kubernetes.io/blog/2022/11/18/upcoming-changes-in-kubernetes-1-26/",
        of_runtime("containerd", (1, 6)),
    ),
    Change(
        "seccomp-annotation",
        "1.27",
        "the annotation seccomp.security.alpha.kubernetes.io/pod has no effect any more.",
        "securityContext.seccompProfile",
        "https://kubernetes.io/blog/2023/03/17/upcoming-changes-in-kubernetes-v1-27/",
        with_seccomp_annotation,
    ),
    Change(
        "amazon-linux-2",
        "1.33",
        "EKS has no AMI with Amazon Linux 2.",
        "nodes with Amazon Linux 2023 or Bottlerocket",
        "https://docs.aws.amazon.com/eks/latest/userguide/eks-ami-deprecation-faqs.html",
        of_image(
            "Amazon Linux 2", lambda node: "-eks-" in info(node).kubelet_version and "2023" not in info(node).os_image
        ),
    ),
    Change(
        "git-repo-volumes",
        "1.33",
        "the kubelet no longer mounts gitRepo volumes, unless its feature gate GitRepoVolumeDriver is on.",
        "an init container that clones the repository",
        "https://kubernetes.io/docs/concepts/storage/volumes/#gitrepo",
        with_volume("gitRepo"),
    ),
    Change(
        "cgroup-v1",
        "1.35",
        "the kubelet does not start on a node with cgroup v1, unless its configuration says failCgroupV1: false.",
        "cgroup v2 on each node before its kubelet is upgraded",
        CHANGELOG.format("1.35"),
        using_cgroup_v1,
    ),
    Change(
        "streams-need-create",
        "1.35",
        "pods/exec, pods/attach and pods/portforward need the verb create through a WebSocket as well.",
        "the verb create in the role, or no right to open streams at all",
        CHANGELOG.format("1.35"),
        streaming_by_get,
    ),
    Change(
        "git-repo-volumes",
        "1.36",
        "gitRepo volumes cannot be mounted any more.",
        "an init container that clones the repository",
        CHANGELOG.format("1.36"),
        with_volume("gitRepo"),
    ),
    Change(
        "flex-volumes",
        "1.36",
        "kubeadm no longer supports FlexVolumes.",
        "a CSI driver, or a kube-controller-manager that finds its plugins",
        CHANGELOG.format("1.36"),
        of_flex,
    ),
    Change(
        "containerd-1",
        "1.37",
        "Kubernetes ends its support for containerd 1.x.",
        "containerd 2 on each node before its kubelet is upgraded",
        CHANGELOG.format("1.36"),
        of_runtime("containerd", (2, 0)),
    ),
    *(Change(each.name, each.release, each.what, each.todo, each.source, of_driver(each)) for each in DRIVERS),
)


class ReleaseChanges:
    """What the releases on the way to a version change for this cluster."""

    needs = (
        "nodes",
        *TEMPLATES,
        "storageclasses",
        "persistentvolumes",
        "csinodes",
        "clusterroles",
        "warnings",
    )

    def __init__(self, lists: Lists) -> None:
        self._cluster = ClusterFacts(lists)

    def said(self, change: Change) -> str:
        """What the change is, and what it concerns here. Empty where it concerns nothing."""
        return change.said(self._cluster)


def changes_between(version: str, to: str) -> list[Change]:
    """All entries on the way from this version to that one, in the order of releases; of those of one name the first."""
    coming = sorted((each for each in CHANGES if each.within(version, to)), key=lambda each: each.order)
    first = {each.name: each for each in reversed(coming)}
    return [each for each in coming if first[each.name] is each]
