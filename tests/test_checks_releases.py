"""What releases change, told where it concerns the cluster."""

from __future__ import annotations

import pytest

from tests.worlds import daemonset, good, judge, node, objects, profile, replicated, snapshot, thing, warning
from upgate.facts.relations import lists_for


def changes(world, version="v1.36.3", to="1.37"):
    """What release.changes says on the way from one version to another."""
    seen = snapshot(world, version=version)
    return judge("release.changes", seen, profile=profile(expect={"next-version": to}), preflight=True)


def labelled(**spec):
    """A DaemonSet with this pod template."""
    return daemonset("agent", 0, spec={"template": {"spec": spec}})


def running(runtime: str, **more):
    """A node with this container runtime."""
    return node(status={"nodeInfo": {"containerRuntimeVersion": runtime, **more}})


KUBEADM = {"metadata": {"annotations": {"kubeadm.alpha.kubernetes.io/cri-socket": "/run/containerd.sock"}}}
MASTER, CONTROL_PLANE = "node-role.kubernetes.io/master", "node-role.kubernetes.io/control-plane"
#: What concerns a cluster, and the release from which on it does.
CONCERNED = [
    ("1.24", "dockershim", {"nodes": [running("docker://20.10.7")]}),
    ("1.24", "master-label", {"nodes": [node(**KUBEADM)], "daemonsets": [labelled(nodeSelector={MASTER: ""})]}),
    (
        "1.24",
        "control-plane-taint",
        {"nodes": [node(**KUBEADM)], "daemonsets": [labelled(tolerations=[{"key": MASTER, "operator": "Exists"}])]},
    ),
    ("1.24", "dynamic-kubelet-configuration", {"nodes": [node(spec={"configSource": {"configMap": {"name": "a"}}})]}),
    (
        "1.25",
        "pod-security-policy",
        {"clusterroles": [thing("psp", rules=[{"verbs": ["use"], "resources": ["podsecuritypolicies"]}])]},
    ),
    ("1.26", "cri-v1alpha2", {"nodes": [running("containerd://1.5.11")]}),
    ("1.26", "glusterfs", {"persistentvolumes": [thing("data", spec={"glusterfs": {"path": "vol"}})]}),
    ("1.23", "aws-ebs", {"storageclasses": [thing("gp2", provisioner="kubernetes.io/aws-ebs")]}),
    ("1.31", "rbd", {"persistentvolumes": [thing("data", spec={"rbd": {"image": "a"}})]}),
    (
        "1.31",
        "cephfs",
        {"deployments": [replicated("web", spec={"template": {"spec": {"volumes": [{"cephfs": {}}]}}})]},
    ),
    (
        "1.33",
        "amazon-linux-2",
        {"nodes": [running("containerd://1.7.1", osImage="Amazon Linux 2", kubeletVersion="v1.32.1-eks-5d632ec")]},
    ),
    ("1.33", "git-repo-volumes", {"daemonsets": [labelled(volumes=[{"name": "a", "gitRepo": {"repository": "b"}}])]}),
    ("1.35", "cgroup-v1", {"warnings": [warning(node(), "CgroupV1", "Node")]}),
    (
        "1.35",
        "streams-need-create",
        {"clusterroles": [thing("look", rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}])]},
    ),
    ("1.31", "portworx-volume", {"persistentvolumes": [thing("data", spec={"portworxVolume": {"volumeID": "a"}})]}),
    ("1.37", "containerd-1", {"nodes": [running("containerd://1.7.27")]}),
]


@pytest.mark.parametrize(("release", "name", "world"), CONCERNED)
def test_what_a_release_changes_is_told_where_it_concerns_the_cluster(release, name, world):
    """One finding for the change, with the release, the objects and a source; none on the way to other releases."""
    minor = int(release.partition(".")[2])
    (finding,) = changes(good(**world), f"v1.{minor - 1}.2", release).findings
    assert (finding.object, finding.severity) == (f"ReleaseChange/{release}-{name}", "warning")
    assert finding.observed.startswith(f"{release}: ")
    assert "Concerned: " in finding.observed
    assert "https://" in finding.hint
    assert changes(good(**world), f"v1.{minor}.0", f"1.{minor + 1}").findings == ()


#: What looks alike and is fine.
FINE = [
    ("1.24", {"daemonsets": [labelled(nodeSelector={MASTER: ""})]}),
    ("1.24", {"nodes": [node(**KUBEADM)], "daemonsets": [labelled(tolerations=[{"operator": "Exists"}])]}),
    (
        "1.24",
        {"nodes": [node(**KUBEADM)], "daemonsets": [labelled(tolerations=[{"key": MASTER}, {"key": CONTROL_PLANE}])]},
    ),
    ("1.26", {"nodes": [running("containerd://1.6.8"), running("cri-o://1.25.1")]}),
    (
        "1.23",
        {
            "storageclasses": [thing("gp2", provisioner="kubernetes.io/aws-ebs")],
            "csinodes": [thing("worker-1", spec={"drivers": [{"name": "ebs.csi.aws.com"}]})],
        },
    ),
    ("1.33", {"nodes": [running("containerd://1.7.1", osImage="Amazon Linux 2023", kubeletVersion="v1.32.1-eks-5d")]}),
    ("1.33", {"nodes": [running("containerd://1.7.1", osImage="Amazon Linux 2", kubeletVersion="v1.32.1")]}),
    (
        "1.35",
        {
            "clusterroles": [
                thing("system:odd", rules=[{"verbs": ["get"], "apiGroups": [""], "resources": ["pods/exec"]}])
            ]
        },
    ),
    ("1.35", {"clusterroles": [thing("admin", rules=[{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}])]}),
    ("1.37", {"nodes": [running("containerd://2.1.4"), running("containerd://odd")]}),
]


@pytest.mark.parametrize(("release", "world"), FINE)
def test_what_does_not_concern_the_cluster_is_silent(release, world):
    """Each entry of the table asks for more than a name."""
    minor = int(release.partition(".")[2])
    assert changes(good(**world), f"v1.{minor - 1}.2", release).findings == ()


def test_a_long_way_tells_all_that_lies_on_it():
    """From 1.33 to 1.37 the changes of four releases count; those of the present one do not."""
    world = good(
        nodes=[running("containerd://1.7.27"), node("worker-2")], warnings=[warning(node(), "CgroupV1", "Node")]
    )
    assert objects(changes(world, "v1.33.4", "1.37")) == [
        "ReleaseChange/1.35-cgroup-v1",
        "ReleaseChange/1.37-containerd-1",
    ]


def test_what_goes_in_two_steps_is_told_once():
    """gitRepo volumes can be turned on from 1.33 to 1.35 and not after that: on the whole way the first step counts."""
    world = good(daemonsets=[labelled(volumes=[{"name": "a", "gitRepo": {"repository": "b"}}])])
    assert objects(changes(world, "v1.32.1", "1.36")) == ["ReleaseChange/1.33-git-repo-volumes"]
    assert objects(changes(world, "v1.35.1", "1.36")) == ["ReleaseChange/1.36-git-repo-volumes"]


def test_many_objects_are_counted():
    """Five are named, of the others it says how many."""
    nodes = [running("containerd://1.7.27") | {"metadata": {"name": f"worker-{number}"}} for number in range(9)]
    assert "and 4 others" in changes(good(nodes=nodes)).findings[0].observed


def test_pods_are_not_asked():
    """What releases change is read from templates: tens of thousands of pods are not listed for it."""
    assert "pods" not in lists_for(["release_changes"])
