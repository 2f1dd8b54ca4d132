"""Versions beside each other: kubelets, kube-proxy and the control plane, now and after the upgrade."""

from __future__ import annotations

import pytest

from tests.control_worlds import PROXIES, proxy, static
from tests.worlds import ago, good, judge, node, objects, pod, profile, snapshot, unseen


def kubelets(*versions, **changes):
    """A world whose nodes run these kubelets."""
    each = [
        node(f"worker-{number}", status={"nodeInfo": {"kubeletVersion": version}}, **changes)
        for number, version in enumerate(versions, 1)
    ]
    return good(nodes=each)


def verdict(id, world, server="v1.36.3", **options):
    """What a check says of a world whose API server has that version."""
    return judge(id, snapshot(world, version=server), **options)


@pytest.mark.parametrize(
    ("server", "kubelet", "outcome"),
    [
        ("v1.36.3", "v1.36.3", "passed"),
        ("v1.36.3", "v1.33.0", "passed"),
        ("v1.36.3", "v1.32.9", "failed"),
        # A patch later than the API server's is not newer.
        ("v1.36.3", "v1.36.9", "passed"),
        ("v1.36.3", "v1.37.0", "failed"),
        # Three minors from 1.28 on, two before.
        ("v1.28.0", "v1.25.4", "passed"),
        ("v1.27.0", "v1.25.4", "passed"),
        ("v1.27.0", "v1.24.4", "failed"),
        # Minors are numbers.
        ("v1.10.0", "v1.9.0", "passed"),
        ("v1.36.3", "v1.4.0", "failed"),
        # Vendors' suffixes say nothing.
        ("v1.36.3-gke.1014001", "v1.36.1-gke.2000", "passed"),
        ("v1.36.3-eks-1a2b3c4", "v1.35.9-eks-113cf36", "passed"),
        ("v1.36.3+k3s1", "v1.36.3+k3s2", "passed"),
        ("v1.36.3+rke2r1", "v1.32.3+rke2r1", "failed"),
        ("v1.36.3", "v2.0.0", "failed"),
    ],
)
def test_kubelets_are_at_most_three_minors_older(server, kubelet, outcome):
    """A kubelet may be of the API server's minor or one of the three before it; before 1.28 of the two before."""
    assert verdict("version.kubelet-skew", kubelets(kubelet), server).outcome == outcome


def test_a_kubelet_out_of_step_is_named_with_both_versions():
    """The finding says what the kubelet has, what the API server has, and how far they are apart."""
    (found,) = verdict("version.kubelet-skew", kubelets("v1.36.3", "v1.31.2")).findings
    assert (found.object, found.observed) == (
        "Node/worker-2",
        "v1.31.2 is 5 minors older than the API server's v1.36.3",
    )
    (found,) = verdict("version.kubelet-skew", kubelets("v1.37.2")).findings
    assert found.observed == "v1.37.2 is newer than the API server's v1.36.3"


def test_before_an_upgrade_the_next_version_counts():
    """A node that is fine now and too old after the upgrade fails with -m preflight, and the finding says from where on."""
    world = kubelets("v1.33.9")
    assert verdict("version.kubelet-skew", world).outcome == "passed"
    (found,) = verdict("version.kubelet-skew", world, preflight=True).findings
    assert found.observed == "v1.33.9 is 4 minors older than 1.37, which the upgrade brings"


@pytest.mark.parametrize(
    ("wanted", "outcome"), [("1.36", "passed"), ("1.37", "failed"), (">=1.37, <1.38", "failed"), ("1.36.9", "passed")]
)
def test_the_profile_may_name_the_next_version(wanted, outcome):
    """`expect.next-version` says where the upgrade leads: a version, its beginning, or a range."""
    expect = profile(expect={"next-version": wanted})
    assert verdict("version.kubelet-skew", kubelets("v1.33.9"), preflight=True, profile=expect).outcome == outcome


def test_the_oldest_api_server_counts_for_newer_kubelets():
    """While API servers are of two minors, no kubelet may be newer than the older one."""
    world = kubelets("v1.36.3") | {"pods": [static("kube-apiserver", "v1.35.9", "cp-2")]}
    (found,) = verdict("version.kubelet-skew", world).findings
    assert found.observed == "v1.36.3 is newer than the API server's v1.35.9"


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"labels": {"type": "virtual-kubelet"}}},
        {"metadata": {"annotations": {"kwok.x-k8s.io/node": "fake"}}},
        {},
    ],
)
def test_virtual_nodes_have_no_kubelet(changes):
    """Virtual nodes report a version of their own, which nothing upgrades with the cluster."""
    virtual = node("virtual", status={"nodeInfo": {"kubeletVersion": "v1.19.10-vk-azure-aci-1.6.2"}}, **changes)
    for id in ("version.kubelet-skew", "version.nodes-upgraded"):
        result = judge(id, good(nodes=[node(), virtual]))
        assert (result.outcome, result.examined) == ("passed", 1)


@pytest.mark.parametrize("id", ["version.kubelet-skew", "version.nodes-upgraded"])
@pytest.mark.parametrize("version", ["", "unknown", "1", "v1"])
def test_a_version_that_cannot_be_read_is_not_green(id, version):
    """A node whose kubelet says no version cannot be judged; the others are."""
    result = judge(id, kubelets("v1.30.0", version))
    assert objects(result) == ["Node/worker-1"]
    assert "Node/worker-2 could not be judged" in result.reason


def test_without_the_api_servers_version_nothing_is_compared():
    """An API server that does not say its version, or none that can be read, makes these checks inconclusive."""
    for id in ("version.kubelet-skew", "version.nodes-upgraded", "version.kube-proxy-skew"):
        assert verdict(id, good(), "unknown").outcome == "inconclusive"
        assert judge(id, unseen()).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("image", "outcome"),
    [
        ("registry.k8s.io/kube-proxy:v1.36.3", "passed"),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.36.3-minimal-eksbuild.2", "passed"),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.30.6-eks-1", "failed"),
        ("registry:5000/mirror/kube-proxy:v1.33.1@sha256:0123456789abcdef", "passed"),
        ("mcr.microsoft.com/oss/kubernetes/kube-proxy:v1.37.0", "failed"),
        ("rancher/hardened-kubernetes:v1.32.6-rke2r1-build20260101", "failed"),
        ("registry:5000/kube-proxy", "inconclusive"),
        ("registry:5000/kube-proxy@sha256:0123456789abcdef", "inconclusive"),
        ("registry.k8s.io/kube-proxy:latest", "inconclusive"),
    ],
)
def test_kube_proxys_version_is_its_images_tag(image, outcome):
    """The tag says the version, whatever the registry and the vendor's suffix; without one it cannot be told."""
    world = good(pods=[pod(), proxy(image)], daemonsets=[PROXIES])
    assert judge("version.kube-proxy-skew", world).outcome == outcome


def test_kube_proxys_of_one_daemonset_are_one_finding():
    """A DaemonSet that updates its pods one by one is found once, with how many are behind."""
    old = [proxy("kube-proxy:v1.30.1", f"worker-{number}") for number in (2, 3)]
    result = judge("version.kube-proxy-skew", good(pods=[pod(), proxy(), *old], daemonsets=[PROXIES]))
    assert [(each.object, each.observed) for each in result.findings] == [
        ("DaemonSet/kube-system/kube-proxy", "2 pods: v1.30.1 is 6 minors older than the API server's v1.36.3")
    ]


def test_static_kube_proxys_are_judged_one_by_one():
    """GKE, kops and RKE2 run kube-proxy as a static pod of each node."""
    lone = static("kube-proxy", "v1.32.1", "worker-1")
    assert objects(judge("version.kube-proxy-skew", good(pods=[lone]))) == ["Pod/kube-system/kube-proxy-worker-1"]


@pytest.mark.parametrize("place", [{"namespace": "shop"}, {"deletionTimestamp": ago(minutes=1)}])
def test_only_the_clusters_own_kube_proxy_counts(place):
    """A pod of that name elsewhere, or one that is going, is not the cluster's kube-proxy."""
    result = judge("version.kube-proxy-skew", good(pods=[proxy("kube-proxy:v1.20.0", metadata=place)]))
    assert (result.outcome, result.examined) == ("passed", 0)


def test_a_cluster_without_kube_proxy_or_control_plane_pods_is_fine():
    """Cilium, k3s and managed control planes show no such pods."""
    for id in ("version.kube-proxy-skew", "version.control-plane-skew"):
        assert judge(id, good()).outcome == "passed"


@pytest.mark.parametrize(
    ("component", "version", "outcome"),
    [
        ("kube-scheduler", "v1.36.3", "passed"),
        ("kube-scheduler", "v1.35.9", "passed"),
        ("kube-scheduler", "v1.34.9", "failed"),
        ("kube-controller-manager", "v1.37.0", "failed"),
        ("kube-controller-manager", "v1.36.9", "passed"),
        ("kube-apiserver", "v1.35.1", "passed"),
        ("kube-apiserver", "v1.34.1", "failed"),
        ("kube-scheduler", "v1.36.3-gke.100", "passed"),
    ],
)
def test_the_control_plane_is_within_one_minor(component, version, outcome):
    """API servers are within one minor; controller manager and scheduler of the same minor or the one before."""
    assert judge("version.control-plane-skew", good(pods=[static(component, version)])).outcome == outcome


def test_half_way_through_an_upgrade_each_control_plane_node_is_judged_by_its_own_api_server():
    """kubeadm's components call the API server of their own node: the first node upgraded whole is in step."""
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    pods = [static(each, version, at) for each in names for version, at in (("v1.36.3", "cp-1"), ("v1.35.9", "cp-2"))]
    assert judge("version.control-plane-skew", good(pods=pods)).outcome == "passed"
    ahead = [static("kube-apiserver", "v1.35.9", "cp-2"), static("kube-scheduler", "v1.36.3", "cp-2")]
    assert objects(judge("version.control-plane-skew", good(pods=ahead))) == ["Pod/kube-system/kube-scheduler-cp-2"]


def test_before_an_upgrade_the_control_plane_is_of_one_minor():
    """What is a minor behind now is two behind after the next step; a patch within the minor asks for nothing."""
    world = good(pods=[static("kube-scheduler", "v1.35.9")])
    (found,) = judge("version.control-plane-skew", world, preflight=True).findings
    assert found.observed == "v1.35.9 is 1 minor older than 1.36, the present one, from which the upgrade begins"
    patch = profile(expect={"next-version": "1.36.9"})
    assert judge("version.control-plane-skew", world, preflight=True, profile=patch).outcome == "passed"


def test_pods_that_only_look_like_the_control_plane_are_left_out():
    """A pod named kube-scheduler-… that runs something else, or in another namespace, is nobody's control plane."""
    other = static("kube-scheduler", spec={"containers": [{"name": "my", "image": "my-scheduler:v1.2.0"}]})
    elsewhere = static("kube-scheduler", "v1.20.0", metadata={"namespace": "tenant"})
    assert judge("version.control-plane-skew", good(pods=[other, elsewhere])).outcome == "passed"


@pytest.mark.parametrize(
    ("kubelet", "wanted", "outcome"),
    [
        ("v1.36.1", None, "passed"),
        ("v1.35.9", None, "failed"),
        ("v1.37.0", None, "failed"),
        ("v1.35.9", ">=1.35", "passed"),
        ("v1.36.1", "1.36.3", "failed"),
        ("v1.36.3-eks-1a2b3c4", "1.36.3", "passed"),
    ],
)
def test_nodes_run_the_version_that_is_expected(kubelet, wanted, outcome):
    """Without a word of the profile each node runs the API server's minor; else what `expect.nodes.kubelet` says."""
    expect = profile(expect={"nodes": {"kubelet": wanted}})
    assert verdict("version.nodes-upgraded", kubelets(kubelet), profile=expect).outcome == outcome


@pytest.mark.parametrize(
    "changes",
    [
        {
            "spec": {
                "unschedulable": True,
                "taints": [{"key": "node.kubernetes.io/unschedulable", "timeAdded": ago(minutes=3)}],
            }
        },
        {"metadata": {"deletionTimestamp": ago(minutes=1)}},
    ],
)
def test_a_node_that_is_being_upgraded_is_not_yet(changes):
    """A node that was cordoned a moment ago, or is being removed, is still to come."""
    assert verdict("version.nodes-upgraded", kubelets("v1.35.9", **changes)).outcome == "inconclusive"
