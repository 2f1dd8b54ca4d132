"""What the add-ons of a cluster may read, worked out from its roles and bindings."""

from __future__ import annotations

import pytest

from tests.control_worlds import COREDNS_ROLE, addon, binding, proxy, role, rule
from tests.worlds import good, judge, merged, profile, snapshot

OLD = role("system:coredns", rule("services pods namespaces endpoints"))
BOUND = [binding("system:coredns")]
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
OTHER = binding("view", "somebody")


def rights(pods, roles, bindings=BOUND, *, server="v1.36.3", preflight=False, **keys):
    """What is said of these pods with these roles."""
    world = good(pods=pods, clusterroles=roles, clusterrolebindings=bindings)
    return judge("rbac.addons", snapshot(world, version=server), preflight=preflight, profile=profile(**keys))


def test_coredns_must_follow_endpointslices():
    """From 1.8 on CoreDNS reads EndpointSlices: without that right it never becomes ready, and no name resolves."""
    assert rights([addon()], [COREDNS_ROLE]).outcome == "passed"
    (found,) = rights([addon()], [OLD]).findings
    assert found.object == "ServiceAccount/kube-system/coredns"
    assert found.observed == "CoreDNS 1.12 must list, watch endpointslices.discovery.k8s.io, and may not"


@pytest.mark.parametrize(
    ("image", "outcome"),
    [
        ("registry.k8s.io/coredns:1.7.0", "passed"),
        ("registry.k8s.io/coredns/coredns:v1.8.0", "failed"),
        ("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11.4-eksbuild.2", "failed"),
        ("rancher/mirrored-coredns-coredns:1.12.0", "failed"),
        # Without a version only what every version reads is asked for.
        ("registry:5000/coredns@sha256:0123456789abcdef", "passed"),
        ("registry.k8s.io/dns/k8s-dns-node-cache:1.25.0", "passed"),
    ],
)
def test_the_installed_version_decides(image, outcome):
    """What is read changes from version to version; the image says which one runs."""
    assert rights([addon(image)], [OLD]).outcome == outcome


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ([EVERYTHING], "passed"),
        ([rule("*"), rule("*", "discovery.k8s.io", "*")], "passed"),
        ([rule("services namespaces"), rule("endpointslices", "*")], "passed"),
        # Each verb may come from another rule.
        (
            [rule("services namespaces"), rule("endpointslices", "discovery.k8s.io", "list"), rule("*", "*", "watch")],
            "passed",
        ),
        ([rule("services namespaces"), rule("endpointslices", "discovery.k8s.io", "list")], "failed"),
        ([rule("services namespaces"), rule("endpointslices")], "failed"),
        (
            [rule("services namespaces"), rule("endpointslices", "discovery.k8s.io", resourceNames=["kube-dns"])],
            "failed",
        ),
        ([rule("services namespaces"), {"nonResourceURLs": ["*"], "verbs": ["*"]}], "failed"),
        ([], "failed"),
    ],
)
def test_rules_mean_what_rbac_means(rules, outcome):
    """Wildcards count for verbs, groups and resources; a rule for named objects allows no list."""
    assert rights([addon()], [role("system:coredns", *rules)]).outcome == outcome


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [
        ({}, "passed"),
        ({"kind": "User", "name": "system:serviceaccount:kube-system:coredns", "namespace": ""}, "passed"),
        ({"kind": "Group", "name": "system:serviceaccounts", "namespace": ""}, "passed"),
        ({"kind": "Group", "name": "system:serviceaccounts:kube-system", "namespace": ""}, "passed"),
        ({"kind": "Group", "name": "system:authenticated", "namespace": ""}, "passed"),
        ({"kind": "Group", "name": "system:serviceaccounts:other", "namespace": ""}, "failed"),
        ({"kind": "Group", "name": "coredns", "namespace": ""}, "failed"),
        ({"namespace": "other"}, "failed"),
        ({"name": "core-dns"}, "failed"),
    ],
)
def test_a_service_account_is_also_a_user_and_in_groups(subject, outcome):
    """A binding may mean it by its name, as a user, or by a group of service accounts."""
    assert (
        rights(
            [addon()], [COREDNS_ROLE], [merged(BOUND[0], {"subjects": [{**BOUND[0]["subjects"][0], **subject}]})]
        ).outcome
        == outcome
    )


def test_a_binding_to_a_role_that_is_gone_allows_nothing():
    """A role that an upgrade removed leaves its binding behind."""
    assert rights([addon()], []).outcome == "failed"
    assert rights([addon()], [COREDNS_ROLE], [OTHER]).outcome == "failed"


def test_without_any_binding_it_is_not_rbac_that_decides():
    """A cluster that authorizes otherwise has no bindings."""
    assert rights([addon()], [], []).outcome == "passed"


def test_kube_proxy_may_log_in_by_a_kubeconfig():
    """kubeadm binds its service account, others a user of a kubeconfig: one without any role of its own is left out."""
    full = role("system:node-proxier", rule("services"), rule("nodes"), rule("endpointslices", "discovery.k8s.io"))
    user = binding("system:node-proxier", "system:kube-proxy", kind="User", namespace="")
    assert rights([proxy()], [full], [binding("system:node-proxier", "kube-proxy")]).outcome == "passed"
    assert rights([proxy()], [full], [user]).outcome == "passed"
    poor = role("system:node-proxier", rule("services endpoints"), rule("nodes"))
    result = rights([proxy()], [poor], [binding("system:node-proxier", "kube-proxy")])
    assert "kube-proxy 1.36 must list, watch endpointslices.discovery.k8s.io" in result.findings[0].observed
    assert rights([proxy()], [poor], [user]).outcome == "passed"


@pytest.mark.parametrize(
    ("version", "resource", "outcome"),
    [
        ("v0.8.0", "nodes/metrics", "passed"),
        ("v0.8.0", "nodes/stats", "failed"),
        ("v0.5.2", "nodes/stats", "passed"),
        ("v0.5.2", "nodes/metrics", "failed"),
        ("v0.8.0", "*/metrics", "passed"),
        ("v0.8.0", "nodes", "failed"),
    ],
)
def test_metrics_server_reads_another_part_of_nodes_since_0_6(version, resource, outcome):
    """A subresource is allowed by its own name, by */name or by *: the resource itself is not enough."""
    image, account = f"registry.k8s.io/metrics-server/metrics-server:{version}", "metrics-server"
    ours = role("metrics", rule("nodes pods", verbs="get list watch"), rule(resource, verbs="get"))
    assert rights([addon(image, account)], [ours], [binding("metrics", account)]).outcome == outcome


@pytest.mark.parametrize(
    ("image", "granted", "outcome"),
    [
        (
            "registry.k8s.io/sig-storage/csi-provisioner:v5.0.1",
            "persistentvolumes persistentvolumeclaims storageclasses",
            "passed",
        ),
        ("public.ecr.aws/eks-distro/kubernetes-csi/external-provisioner:v5.0.1-eks-1", "persistentvolumes", "failed"),
        ("registry.k8s.io/sig-storage/csi-attacher:v4.6.1", "persistentvolumes volumeattachments", "passed"),
        ("registry.k8s.io/sig-storage/csi-attacher:v4.6.1", "persistentvolumes", "failed"),
        ("registry.k8s.io/sig-storage/csi-attacher:v4.6.1", "secrets", "passed"),
        ("registry.k8s.io/sig-storage/csi-resizer:v1.11.1", "persistentvolumes", "failed"),
        ("quay.io/cilium/cilium:v1.16.0", "namespaces services pods nodes endpointslices", "passed"),
        ("quay.io/cilium/cilium:v1.16.0", "namespaces services pods nodes endpoints", "failed"),
        ("quay.io/cilium/operator-generic:v1.16.0", "namespaces", "passed"),
        ("registry.k8s.io/autoscaling/cluster-autoscaler:v1.30.0", "nodes pods", "failed"),
    ],
)
def test_storage_network_and_autoscaler_are_known(image, granted, outcome):
    """Each add-on of the table is known by its image, whatever the registry."""
    granting = role("own", rule(granted, "*"))
    assert rights([addon(image, "own")], [granting], [binding("own", "own")]).outcome == outcome


def test_an_autoscaler_of_another_cluster_is_left_out():
    """In a cluster of Cluster API it may read nodes by a kubeconfig, and here nothing but its lease and machines."""
    here = role("own", rule("leases", "coordination.k8s.io", "*"), rule("machines", "cluster.x-k8s.io", "*"))
    pods = [addon("registry.k8s.io/autoscaling/cluster-autoscaler:v1.30.0", "own")]
    assert rights(pods, [here], [binding("own", "own")]).outcome == "passed"


def test_only_the_clusters_own_coredns_counts():
    """A CoreDNS of somebody's own, or one that runs without an account of its own, may follow nothing."""
    elsewhere = addon(metadata={"namespace": "tenant"})
    assert rights([elsewhere], [OLD], [OTHER]).outcome == "passed"
    assert rights([addon(account="default")], [], [OTHER]).outcome == "passed"


def test_before_an_upgrade_the_next_coredns_counts():
    """kubeadm 1.21 brought CoreDNS 1.8: an old role is found before the upgrade, and said to be of the next version."""
    pods = [addon("k8s.gcr.io/coredns:1.7.0")]
    assert rights(pods, [OLD], server="v1.20.9").outcome == "passed"
    (found,) = rights(pods, [OLD], server="v1.20.9", preflight=True).findings
    assert "CoreDNS 1.8, which the upgrade brings, must list, watch endpointslices" in found.observed
    near = {"next-version": "1.20.15"}
    assert rights(pods, [OLD], server="v1.20.9", preflight=True, expect=near).outcome == "passed"
    assert rights([addon()], [COREDNS_ROLE], preflight=True).outcome == "passed"


def test_accounts_are_judged_once():
    """Two pods of the same account are one finding; sidecars of one pod are all judged."""
    both = [addon(), addon(metadata={"name": "addon-2"})]
    assert len(rights(both, [OLD]).findings) == 1
    images = ["csi-provisioner:v5.0.1", "csi-attacher:v4.6.1"]
    pod = addon(account="csi", spec={"containers": [{"name": each, "image": each} for each in images]})
    (found,) = rights([pod], [role("csi", rule("persistentvolumes"))], [binding("csi", "csi")]).findings
    assert "csi-attacher 4.6 must" in found.observed
    assert "csi-provisioner 5.0 must" in found.observed
