"""Nodes that are Ready and do not work: told from workloads that are broken by comparing nodes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds import (
    ago,
    container_status,
    good,
    hanging,
    judge,
    merged,
    node,
    objects,
    owner,
    pod,
    profile,
    replicated,
    run,
    terminated,
    thing,
    warning,
)

NODES = ("a", "b", "c", "d")


def workload(name: str) -> dict[str, Any]:
    """Metadata of the pods of this workload."""
    return {"metadata": {**owner("ReplicaSet", thing(name, "shop")), "labels": {"pod-template-hash": name}}}


def runs(of: str, on: str, **changes: Any) -> dict[str, Any]:
    """A ready pod of a workload on a node."""
    return merged(merged(pod(f"{of}-{on}", spec={"nodeName": on}), workload(of)), changes)


def hangs(of: str, on: str, reason: str = "ContainerCreating", number: int = 1, **changes: Any) -> dict[str, Any]:
    """A pod of a workload that does not start on a node."""
    return merged(merged(hanging(f"{of}-{on}-{number}", reason, on), workload(of)), changes)


def sandbox(of: dict[str, Any], reason: str = "FailedCreatePodSandBox") -> dict[str, Any]:
    """The kubelet's complaint about a pod."""
    return warning(of, reason)


def work(
    *pods: dict[str, Any], warnings: list[dict[str, Any]] | None = None, nodes: list[dict[str, Any]] | None = None
):
    """What nodes.work says of these pods on four nodes, on which something runs."""
    usual = [runs("base", each, metadata={"creationTimestamp": ago(days=2)}) for each in "bcd"]
    world = good(nodes=nodes or [node(each) for each in NODES], pods=[*usual, *pods], warnings=warnings or [])
    return judge("nodes.work", world)


def test_two_workloads_that_run_elsewhere_and_not_here_blame_the_node():
    """Pods of two workloads hang on one node, and run on another."""
    (finding,) = work(hangs("web", "a"), runs("web", "b"), hangs("api", "a"), runs("api", "c")).findings
    assert finding.object == "Node/a"
    assert finding.observed == (
        "2 pods of 2 workloads, of which 2 run on other nodes, hang here for more than 5m: ContainerCreating"
    )


def test_one_workload_without_a_sandbox_blames_the_node():
    """A sandbox is made by the node alone: one pod is enough, if the same version runs elsewhere."""
    one = hangs("web", "a")
    assert objects(work(one, runs("web", "b"), warnings=[sandbox(one)])) == ["Node/a"]
    assert not work(one, runs("web", "b")).findings
    assert not work(one, warnings=[sandbox(one)]).findings


def test_two_workloads_that_run_nowhere_get_no_sandbox_here():
    """A network that fails on one node: what was new there cannot be compared, but nothing gets a sandbox."""
    pair = [hangs("web", "a"), hangs("api", "a")]
    assert objects(work(*pair, warnings=[sandbox(each) for each in pair])) == ["Node/a"]


def test_several_pods_of_one_workload_blame_the_node():
    """Two pods of one version hang here alone, and one runs elsewhere."""
    assert objects(work(hangs("web", "a"), hangs("web", "a", number=2), runs("web", "b"))) == ["Node/a"]


@pytest.mark.parametrize("reason", ["RunContainerError", "CreateContainerError", "StartError"])
def test_a_runtime_that_starts_no_container_blames_the_node(reason):
    """What runs elsewhere is not started here."""
    assert objects(work(hangs("web", "a", reason), runs("web", "b"))) == ["Node/a"]
    assert not work(hangs("web", "a", reason)).findings


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull"])
def test_images_that_come_on_other_nodes_blame_the_node(reason):
    """Two images cannot be pulled on one node; of one the registry may have lost it since the others pulled it."""
    web, api = hangs("web", "a", reason), hangs("api", "a", reason)
    assert objects(work(web, runs("web", "b"), api, runs("api", "c"))) == ["Node/a"]
    assert not work(web, runs("web", "b")).findings
    assert not work(web, hangs("web", "a", reason, 2), runs("web", "b")).findings


@pytest.mark.parametrize(
    "pods",
    [
        [hangs("web", each, "ImagePullBackOff") for each in NODES],
        [hangs("web", "a", "ImagePullBackOff"), hangs("api", "a", "ImagePullBackOff")],
        [hangs("new", "a", "ImagePullBackOff"), hangs("new", "b", "ImagePullBackOff"), runs("old", "c")],
        [hangs("web", "a"), hangs("web", "a", number=2)],
        [hangs("web", "a"), hangs("api", "a")],
        [
            hangs("web", "a", "CreateContainerConfigError"),
            runs("web", "b"),
            hangs("api", "a", "CreateContainerConfigError"),
        ],
        [hangs("web", "a"), hangs("web", "b"), runs("web", "c")],
        [hangs("web", "a", "CrashLoopBackOff"), hangs("api", "a", "CrashLoopBackOff")],
    ],
    ids=[
        "everywhere",
        "nowhere else",
        "a bad version",
        "one workload",
        "two missing Secrets",
        "config",
        "two nodes",
        "crash",
    ],
)
def test_a_workload_that_is_broken_blames_no_node(pods):
    """One bad image, a version that runs nowhere, or a Secret that is missing, are not the node's fault."""
    assert not work(*pods).findings


def test_a_volume_that_does_not_come_blames_no_node_by_itself():
    """Several pods of one workload may wait for one volume that another node has."""
    pair = [hangs("web", "a"), hangs("web", "a", number=2)]
    assert not work(*pair, runs("web", "b"), warnings=[sandbox(each, "FailedAttachVolume") for each in pair]).findings


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ('MountVolume.SetUp failed for volume "ca" : configmap "ca" not found', 0),
        ('MountVolume.SetUp failed for volume "key" : secret "key" not found', 0),
        ("references non-existent secret key: tls.crt", 0),
        ("driver name smb.csi.k8s.io not found in the list of registered CSI drivers", 1),
        ("mount error(5): Input/output error", 1),
    ],
)
def test_what_is_missing_in_the_cluster_blames_no_node(said, count):
    """A ConfigMap that two workloads share is gone: those that had it still run. A driver that is missing is the node's."""
    pair = [hangs("web", "a"), hangs("api", "a")]
    warnings = [warning(each, "FailedMount", message=said) for each in pair]
    assert len(work(*pair, runs("web", "b"), runs("api", "b"), warnings=warnings).findings) == count


def test_a_node_on_which_later_pods_start_works():
    """What came later is ready there, in the network of pods: then what hangs has a reason of its own."""
    pair = [hangs("web", "a"), runs("web", "b"), hangs("api", "a"), runs("api", "c")]
    later = runs("new", "a", metadata={"creationTimestamp": ago(minutes=10)})
    assert not work(*pair, later).findings
    assert work(*pair, merged(later, {"spec": {"hostNetwork": True}})).findings


@pytest.mark.parametrize(("minutes", "count"), [(2, 0), (6, 1)])
def test_pods_may_take_their_time(minutes, count):
    """Until pods may no longer be pending nothing is said; a pod that was ready counts from when it ceased to be."""
    since = {"minutes": minutes}
    young = [merged(hanging(f"{of}-a", on="a", **since), workload(of)) for of in ("web", "api")]
    assert len(work(*young, runs("web", "b"), runs("api", "b")).findings) == count
    old = [merged(each, {"metadata": {"creationTimestamp": ago(days=3)}}) for each in young]
    assert len(work(*old, runs("web", "b"), runs("api", "b")).findings) == count


def test_where_most_nodes_fail_no_node_is_to_blame():
    """A network that is down everywhere is not the fault of a node."""
    pods = [hangs(of, on) for of in ("web", "api") for on in "abc"]
    assert not work(*pods, runs("web", "d"), runs("api", "d"), warnings=[sandbox(each) for each in pods]).findings


def test_an_image_alone_is_named():
    """Three of four nodes have a new image, on all of which nothing starts: that is the image."""
    new = [node(each, status={"nodeInfo": {"kernelVersion": "6.18"}}) for each in "abc"]
    pods = [hangs(of, on) for of in ("web", "api") for on in "abc"]
    result = work(*pods, runs("web", "d"), runs("api", "d"), nodes=[*new, node("d")])
    assert objects(result) == ["Node/a", "Node/b", "Node/c"]
    assert result.findings[0].observed.endswith("so do all 3 nodes of its image, and no others")


def test_a_node_that_is_not_ready_is_judged_elsewhere():
    """nodes.ready speaks of it."""
    down = [node("a", ready="Unknown"), *(node(each) for each in "bcd")]
    assert not work(hangs("web", "a"), runs("web", "b"), hangs("api", "a"), runs("api", "c"), nodes=down).findings


def test_pods_that_do_not_end_blame_the_node():
    """Two workloads whose pods should long be gone, without a finalizer, on one node: its runtime ends none."""
    gone = {"metadata": {"deletionTimestamp": ago(minutes=10)}}
    held = {"metadata": {"deletionTimestamp": ago(minutes=10), "finalizers": ["example.com/x"]}}
    assert objects(work(runs("web", "a", **gone), runs("api", "a", **gone))) == ["Node/a"]
    assert not work(runs("web", "a", **gone)).findings
    assert not work(runs("web", "a", **held), runs("api", "a", **held)).findings


def test_an_event_about_an_earlier_pod_of_the_same_name_does_not_count():
    """A StatefulSet's pod has the name of those before it."""
    one = hangs("web", "a")
    other = merged(one, {"metadata": {"uid": "earlier"}})
    assert not work(one, runs("web", "b"), warnings=[sandbox(other)]).findings


def restarts(of: str, on: str, count: int = 6) -> dict[str, Any]:
    """A pod that restarts again and again on a node."""
    status = container_status(
        restarts=count, lastState=terminated(minutes=2), state={"running": {"startedAt": ago(minutes=2)}}
    )
    return runs(of, on, status={"containerStatuses": [status]})


def test_two_workloads_that_restart_on_one_node_alone_blame_it():
    """The same versions do not restart elsewhere."""
    (finding,) = work(restarts("web", "a"), runs("web", "b"), restarts("api", "a"), runs("api", "c")).findings
    assert finding.object == "Node/a"
    assert finding.observed == "2 of 2 pods of 2 workloads restart again and again on this node, 0 of 2 pods on others"


def test_an_image_on_which_pods_restart_is_named():
    """All nodes of an image on which pods restart are found."""
    new = [node(each, status={"nodeInfo": {"kernelVersion": "6.18"}}) for each in "ab"]
    pods = [restarts(of, on) for of in ("web", "api") for on in "ab"] + [
        runs(of, on) for of in ("web", "api") for on in "cd"
    ]
    result = work(*pods, nodes=[*new, node("c"), node("d")])
    assert objects(result) == ["Node/a", "Node/b"]
    assert "4 of 4 pods of 2 workloads restart again and again on nodes of its image" in result.findings[0].observed


@pytest.mark.parametrize(
    "pods",
    [
        [restarts("web", each) for each in NODES] + [restarts("api", each) for each in NODES],
        [restarts("web", "a"), runs("web", "b")],
        [restarts("web", "a"), restarts("api", "a")],
        [restarts("web", "a", 2), runs("web", "b"), restarts("api", "a", 2), runs("api", "b")],
    ],
    ids=["everywhere", "one workload", "nothing to compare", "a reboot"],
)
def test_workloads_that_restart_blame_no_node_by_themselves(pods):
    """A workload that crashes everywhere, or alone, or a node that was booted, are other things."""
    assert not work(*pods).findings


def test_a_node_that_does_not_work_explains_the_pods_there():
    """One cause: what hangs on the node follows from it, and its Deployment, too. A bad image there is one of its own."""
    web = replicated("web", 3, status={"readyReplicas": 1, "availableReplicas": 1, "unavailableReplicas": 2})
    rs = replicated("web-rs", 3, metadata=owner("Deployment", web), status={"readyReplicas": 1, "availableReplicas": 1})
    bad = hangs("bad", "worker-2", "ImagePullBackOff")
    world = good(
        nodes=[node(), node("worker-2")],
        deployments=[web],
        replicasets=[rs],
        pods=[pod(), hanging("web-2", on="worker-2"), hanging("web-3", on="worker-2"), bad],
    )
    results = run(["nodes.work", "pods.crashing", "pods.pending", "pods.ready", "deployments.ready"], world)
    because = {
        finding.object: finding.because for each in results for finding in each.findings if each.id != "pods.pending"
    }
    pending = {finding.object: finding.because for finding in results[2].findings}
    assert pending["Pod/shop/web-2"] == "nodes.work: Node/worker-2"
    assert because["Deployment/shop/web"] == "nodes.work: Node/worker-2"
    assert because["Pod/shop/bad-worker-2-1"] is None
    assert because["Node/worker-2"] is None


def test_patience_is_the_profiles():
    """`patience: pending` says how long a pod may hang."""
    pods = [runs("base", "b"), hangs("web", "a"), runs("web", "b"), hangs("api", "a"), runs("api", "b")]
    world = good(nodes=[node(each) for each in NODES], pods=pods)
    assert judge("nodes.work", world, profile=profile(patience={"pending": "30m"})).outcome == "passed"
    assert judge("nodes.work", world).outcome == "failed"
