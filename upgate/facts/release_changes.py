"""What releases remove or turn round, and whether that concerns this cluster.

Each entry has the release, what happens then, and a question to the facts that answers with the objects that are concerned:
where there are none nothing is said. Only what Kubernetes or the distribution has announced is here.
"""

from __future__ import annotations

from typing import NamedTuple

from upgate.base.harmless import Typed
from upgate.base.text import counted
from upgate.base.versions import minor_of
from upgate.facts.concerned import (
    CONTROL_PLANE,
    MASTER,
    TEMPLATES,
    ClusterFacts,
    Concerned,
    Lists,
    configured_by_api,
    info,
    of_driver,
    of_flex,
    of_image,
    of_runtime,
    selecting_masters,
    streaming_by_get,
    tolerating_masters_only,
    using_cgroup_v1,
    using_psp,
    with_seccomp_annotation,
    with_volume,
)
from upgate.facts.removed_drivers import DRIVERS

#: So many objects are named.
NAMED = 5
CHANGELOG = "https://github.com/kubernetes/kubernetes/blob/master/CHANGELOG/CHANGELOG-{}.md"


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
