"""What nodes run, and how they are tainted: mixed pools, images that the profile denies, taints that nothing explains."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import ago, baseline, good, judge, merged, node, objects, profile, removal

#: The labels of one node group of EKS.
EKS = {"eks.amazonaws.com/nodegroup": "web", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}


def running(name: str, *, labels: dict[str, str] | None = None, **info: str) -> dict[str, Any]:
    """A node that runs this."""
    return node(name, metadata={"labels": EKS if labels is None else labels}, status={"nodeInfo": info})


def tainted(name: str, *keys: str, labels: dict[str, str] | None = None, effect: str = "NoSchedule") -> dict[str, Any]:
    """A node with these taints, each `key` or `key=value`."""
    pairs = (each.partition("=") for each in keys)
    taints = [{"key": key, "value": value, "effect": effect} for key, _, value in pairs]
    return node(name, metadata={"labels": EKS if labels is None else labels}, spec={"taints": taints})


def nodes_are(keys: dict[str, Any]):
    """A profile that expects this of nodes."""
    return profile(expect={"nodes": {key.replace("_", "-"): value for key, value in keys.items()}})


def uniform(*nodes: dict[str, Any], **expect: Any):
    """What nodes.uniform says of these nodes."""
    return judge("nodes.uniform", good(nodes=list(nodes)), profile=nodes_are(expect))


@pytest.mark.parametrize(
    ("key", "old", "word"),
    [
        ("kubeletVersion", "v1.35.2-eks-abc", "kubelet v1.36.3 on a, b, v1.35.2-eks-abc on c"),
        ("kernelVersion", "5.10.1", "kernel 6.12.10 on a, b, 5.10.1 on c"),
        (
            "containerRuntimeVersion",
            "docker://24.0.1",
            "container runtime containerd://2.3.7 on a, b, docker://24.0.1 on c",
        ),
        ("osImage", "Bottlerocket OS 1.26.0", "OS image Ubuntu 24.04.1 LTS on a, b, Bottlerocket OS 1.26.0 on c"),
    ],
)
def test_a_mixed_pool_is_one_finding_on_the_odd_node(key, old, word):
    """One node that differs from its pool is named, with what it runs and what the others run."""
    (finding,) = uniform(running("a"), running("b"), running("c", **{key: old})).findings
    assert (finding.object, finding.observed) == ("Node/c", word)


def test_an_upgrade_that_stopped_half_way_is_one_finding_for_the_pool():
    """Where several nodes differ there is one finding for the pool, not one for each node."""
    old = [running(each, kubeletVersion="v1.35.2", kernelVersion="6.1.0") for each in "abcd"]
    (finding,) = uniform(*old, *(running(each) for each in "efghi")).findings
    assert finding.object == "NodePool/web/linux/amd64"
    assert "kubelet v1.36.3 on 5 nodes, v1.35.2 on 4 nodes; kernel" in finding.observed


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_nodes_the_older_one_is_odd(order):
    """Of a pool that is half upgraded the nodes of the earlier version are left."""
    pair = [running("new"), running("old", kubeletVersion="v1.35.12")]
    assert objects(uniform(*(pair[index] for index in order))) == ["Node/old"]


@pytest.mark.parametrize("label", [("eks.amazonaws.com/compute-type", "fargate"), ("type", "virtual-kubelet")])
def test_nodes_that_are_no_machines_are_not_compared(label):
    """On Fargate each pod has a node of its own, as old as the pod."""
    assert not uniform(*(running(each, labels=dict([label]), kubeletVersion=f"v1.36.{each}") for each in "12")).findings


def test_a_drain_under_way_makes_a_mixture_not_yet():
    """While a node of the pool is cordoned the upgrade goes on."""
    going = merged(running("c", kubeletVersion="v1.35.2"), {"spec": {"unschedulable": True}})
    assert [each.transitional for each in uniform(running("a"), going).findings] == [True]


@pytest.mark.parametrize(
    "other",
    [
        {**EKS, "eks.amazonaws.com/nodegroup": "batch"},
        {**EKS, "kubernetes.io/arch": "arm64"},
        {**EKS, "kubernetes.io/os": "windows"},
    ],
)
def test_other_pools_and_platforms_may_differ(other):
    """Node groups, architectures and operating systems are not compared with each other."""
    assert not uniform(running("a"), running("b", labels=other, kernelVersion="10.0.20348")).findings


@pytest.mark.parametrize(
    "label", ["cloud.google.com/gke-nodepool", "kubernetes.azure.com/agentpool", "karpenter.sh/nodepool"]
)
def test_the_pools_of_clouds_are_known(label):
    """Without a pool-label in the profile the labels of clouds tell pools apart."""
    one, other = (running(each, labels={label: each}, osImage=f"Ubuntu {number}") for each, number in ("a1", "b2"))
    assert not uniform(one, other).findings
    assert uniform(one, merged(other, {"metadata": {"labels": {label: "a"}}})).findings


def test_the_profile_says_what_a_pool_is():
    """With a pool-label only that counts."""
    one, other = running("a", labels={"tier": "a"}), running("b", labels={"tier": "b"}, kernelVersion="5.4")
    assert uniform(one, other).findings
    assert not uniform(one, other, pool_label="tier").findings


def test_without_labels_kinds_of_linux_and_control_planes_are_pools():
    """In a cluster without pools Debian is not compared with Fedora, nor a worker with the control plane; old with new is."""
    debian, newer = (running(f"d{each}", labels={}, osImage=f"Debian GNU/Linux {each} (x)") for each in (12, 13))
    fedora = running("f", labels={}, osImage="Fedora CoreOS 43")
    master = running("m", labels={"node-role.kubernetes.io/control-plane": ""}, kernelVersion="6.18")
    assert not uniform(running("u", labels={}), debian, fedora, master).findings
    assert objects(uniform(debian, running("d", labels={}, osImage="Debian GNU/Linux 12 (x)"), newer)) == ["Node/d13"]


@pytest.mark.parametrize(
    "label", ["kubernetes.azure.com/node-image-version", "eks.amazonaws.com/nodegroup-image", "img"]
)
def test_machine_images_are_compared(label):
    """The AMI of EKS, the node image version of AKS, and the label that the profile names, are parts of a node."""
    pair = [running(each, labels={**EKS, label: f"image-{each}"}) for each in "ab"]
    (finding,) = uniform(*pair, **({"image_label": "img"} if label == "img" else {})).findings
    assert "machine image image-a on a, image-b on b" in finding.observed


def test_what_is_not_reported_or_goes_is_no_mixture():
    """A virtual node reports no kernel, and a node in deletion is still old: neither is a mixture."""
    virtual = running("v", kernelVersion="", osImage="", containerRuntimeVersion="")
    gone = merged(running("g", kernelVersion="5.4"), {"metadata": {"deletionTimestamp": ago(minutes=1)}})
    assert not uniform(running("a"), virtual, gone).findings


def image(of: dict[str, Any], **expect: Any):
    """What nodes.image says of a node."""
    return judge("nodes.image", good(nodes=[of]), profile=nodes_are(expect))


@pytest.mark.parametrize(
    ("expect", "right", "wrong"),
    [
        ({"kubelet": "1.36"}, {"kubeletVersion": "v1.36.1-eks-abc"}, {"kubeletVersion": "v1.35.9"}),
        ({"kubelet": ">=1.35, <1.37"}, {"kubeletVersion": "v1.35.4+k3s1"}, {"kubeletVersion": "v1.37.0-gke.1"}),
        ({"kernel": ">=6.1"}, {"kernelVersion": "6.12.10-1.amzn"}, {"kernelVersion": "5.10.225-213.878.amzn2"}),
        ({"kernel": "6.*"}, {"kernelVersion": "6.8.0-1014-azure"}, {"kernelVersion": "5.4"}),
        ({"runtime": "containerd://2.*"}, {}, {"containerRuntimeVersion": "containerd://1.7.22"}),
        ({"image": "Bottlerocket OS 1.2?.*"}, {"osImage": "Bottlerocket OS 1.26.0 (aws-k8s-1.31)"}, {}),
        ({"kernel": ">=6.1"}, {}, {"kernelVersion": ""}),
    ],
)
def test_nodes_are_as_the_profile_expects(expect, right, wrong):
    """Versions may be exact, ranges or patterns; what a node does not report is not as expected."""
    assert image(running("a", **right), **expect).outcome == "passed"
    assert image(running("a", **wrong), **expect).outcome == "failed"


def test_what_was_found_and_expected_is_said():
    """The finding names what the node runs and what the profile wants of it, and nothing that is right."""
    (finding,) = image(running("a", kernelVersion="5.4.0"), kernel=">=6.1", kubelet="1.36").findings
    assert (finding.observed, finding.expected) == ("kernel 5.4.0", "kernel >=6.1")


@pytest.mark.parametrize("label", ["kubernetes.azure.com/node-image-version", "eks.amazonaws.com/nodegroup-image"])
def test_an_image_may_be_a_label_of_the_cloud(label):
    """Without an image-label the OS image or the machine image of the cloud may match."""
    of = running("a", labels={label: "AKSUbuntu-2204gen2containerd-202611.01.0"})
    assert image(of, image="*202611.*").outcome == "passed"
    assert image(of, image="Ubuntu 24*").outcome == "passed"
    assert image(of, image="*202612*").outcome == "failed"


def test_an_image_label_that_a_node_lacks_is_a_finding():
    """With an image-label only that counts, and a node without it is not as expected."""
    (finding,) = image(running("a"), image="*", image_label="ami").findings
    assert finding.observed == "no label ami"


@pytest.mark.parametrize(
    ("denied", "count"),
    [
        ({"kernel": "5.4.0-1043*"}, 1),
        ({"kernel": "5.4.0-1043*", "runtime": "docker://*"}, 0),
        ({"image": "ami-bad"}, 1),
        ({"kubelet": "1.36.2"}, 0),
        ({"kubelet": "v1.36.*-gke.*"}, 0),
        ({"kubelet": "v1.36.*"}, 1),
        ({"kubelet": ">=1.36"}, 1),
    ],
)
def test_a_denied_node_is_found_with_the_reason(denied, count):
    """A node that is as all patterns of an entry say is denied; the reason is told."""
    of = running("a", labels={"eks.amazonaws.com/nodegroup-image": "ami-bad"}, kernelVersion="5.4.0-1043-azure")
    findings = image(of, deny=[{**denied, "reason": "AKS#2292: SMB mounts fail"}]).findings
    assert [each.observed.endswith("is denied: AKS#2292: SMB mounts fail") for each in findings] == [True] * count


def test_a_denial_may_name_a_cloud_image_or_the_os_image():
    """The list of denied images is searched for all that an image is called."""
    of = running("a", labels={"eks.amazonaws.com/nodegroup-image": "ami-bad"}, osImage="Amazon Linux 2023.6")
    for pattern in ("ami-bad", "Amazon Linux 2023*"):
        assert image(of, deny=[{"image": pattern, "reason": "x"}]).outcome == "failed"


def taints(*nodes: dict[str, Any], before: list[dict[str, Any]] | None = None, patterns: list[str] | None = None):
    """What nodes.taints says of these nodes."""
    return judge(
        "nodes.taints",
        good(nodes=list(nodes)),
        profile=profile(expect={"nodes": {"taints": patterns}} if patterns else {}),
        baseline=baseline(good(nodes=before)) if before else None,
    )


@pytest.mark.parametrize(
    "key",
    [
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
        "node-role.kubernetes.io/controlplane",
        "node.kubernetes.io/unschedulable",
        "node.kubernetes.io/memory-pressure",
        "CriticalAddonsOnly",
        "node.cilium.io/agent-not-ready",
        "DeletionCandidateOfClusterAutoscaler",
    ],
)
@pytest.mark.parametrize("before", [None, [node("a"), node("b"), node("c")]])
def test_well_known_taints_are_fine(key, before):
    """Taints of control planes are meant so; those that should pass are judged by nodes.schedulable."""
    assert not taints(tainted("a", key), node("b"), node("c"), before=before).findings


def test_a_taint_that_the_baseline_does_not_know_is_found():
    """A new taint is a finding; one that the node had is not."""
    before = [tainted("a", "dedicated=db"), node("b")]
    found = taints(tainted("a", "dedicated=db"), tainted("b", "debug=yes"), before=before).findings
    assert [(each.object, each.observed) for each in found] == [("Node/b", "taint debug=yes:NoSchedule")]


def test_another_value_or_effect_is_another_taint():
    """Pods that tolerate the old value do not tolerate the new one."""
    before = [tainted("a", "dedicated=db")]
    assert taints(tainted("a", "dedicated=web"), before=before).findings
    assert taints(tainted("a", "dedicated=db", effect="NoExecute"), before=before).findings


def test_new_nodes_have_the_taints_of_their_pool():
    """Replaced nodes are compared with what the baseline knows: of their pool, or of all where the pool is new."""
    gpu = {"eks.amazonaws.com/nodegroup": "gpu"}
    before = [tainted("g1", "gpu=yes", labels=gpu), node("w1", metadata={"labels": EKS})]
    assert not taints(
        tainted("g2", "gpu=yes", labels=gpu), node("w1", metadata={"labels": EKS}), before=before
    ).findings
    stray = taints(tainted("w1", "gpu=yes"), tainted("g1", "gpu=yes", labels=gpu), before=before)
    assert objects(stray) == ["Node/w1"]


@pytest.mark.parametrize(
    "pattern", ["dedicated", "dedicated=*", "dedicated=db:NoSchedule", "dedicated:NoSchedule", "*"]
)
def test_the_profile_names_taints_by_pattern(pattern):
    """A pattern may name the key, the value, the effect, or all of them."""
    assert not taints(tainted("a", "dedicated=db"), patterns=[pattern]).findings
    assert bool(taints(tainted("a", "debug=db"), patterns=[pattern]).findings) is (pattern != "*")


def test_without_profile_and_baseline_a_pool_is_compared_with_itself():
    """Taints that a pool shares are its own; one that a single node of it has is a finding."""
    pool = [tainted(each, "spot=true") for each in "abc"]
    assert not taints(*pool).findings
    assert objects(taints(*pool, tainted("d", "spot=true", "debug"))) == ["Node/d"]


def test_without_profile_baseline_and_pools_no_taint_is_judged():
    """In a cluster without pools a dedicated node is as good as any."""
    assert not taints(tainted("a", "dedicated=db", labels={}), *(node(each) for each in "bcd")).findings


def test_a_baseline_of_an_earlier_version_says_nothing_about_taints():
    """A baseline without taints is none."""
    from msgspec.structs import replace

    old = replace(baseline(good()), taints=None)
    assert not judge("nodes.taints", good(nodes=[tainted("a", "x", labels={})]), baseline=old).findings


def test_a_removal_is_judged_elsewhere():
    """The taint of a node that the autoscaler removes is not a stranger."""
    assert not taints(node("a", spec={"taints": [removal(5)]}), before=[node("a")]).findings


def test_a_node_that_is_being_drained_is_not_yet_replaced():
    """While a node of the old image is drained or removed the upgrade goes on."""
    draining = merged(running("a", kernelVersion="5.4"), {"spec": {"taints": [removal(2)]}})
    assert image(draining, kernel=">=6.1").outcome == "inconclusive"


def test_a_runtime_that_does_not_answer_is_no_other_runtime():
    """Its kubelet says containerd://Unknown; nodes.ready tells what is wrong."""
    runtimes = ("containerd://2.3.7", "containerd://Unknown")
    nodes = [
        node(f"n{number}", status={"nodeInfo": {"containerRuntimeVersion": each, "kernelVersion": "6.1.0"}})
        for number, each in enumerate(runtimes)
    ]
    assert judge("nodes.uniform", good(nodes=nodes)).outcome == "passed"
