"""Storage: claims get their volumes, volumes are attached where they are needed, and nodes have their drivers."""

from __future__ import annotations

import pytest

from tests.worlds import (
    NOW,
    ago,
    attachment,
    claim,
    condition,
    container_status,
    csi_node,
    good,
    judge,
    node,
    objects,
    owner,
    pod,
    profile,
    run,
    snapshot,
    storage_class,
    thing,
    volume,
    warning,
)


def using(name="data", **changes):
    """A pod whose volume is for a claim."""
    spec = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": name}}, {"name": "tmp", "emptyDir": {}}]}
    return pod("db-0", **{**changes, "spec": {**spec, **changes.get("spec", {})}})


def unscheduled(**changes):
    """A pod that waits for a node, for ten minutes now."""
    waits = condition("PodScheduled", "False", reason="Unschedulable", message="unbound PersistentVolumeClaims")
    made = {"creationTimestamp": ago(minutes=10)}
    status = {"phase": "Pending", "conditions": [waits], "containerStatuses": None}
    return using(metadata=made, spec={"nodeName": ""}, status=status, **changes)


def bound(*claims, **lists):
    """What storage.bound says of these claims."""
    return judge("storage.bound", good(persistentvolumeclaims=list(claims), **lists))


WAITING = {"storageclasses": [storage_class(binding="WaitForFirstConsumer")]}
SELECTED = {"annotations": {"volume.kubernetes.io/selected-node": "worker-1"}}


@pytest.mark.parametrize(
    ("why", "its", "lists"),
    [
        ("no consumer", claim(phase="Pending"), WAITING),
        ("its consumer waits for a node, and says why", claim(phase="Pending"), {**WAITING, "pods": [unscheduled()]}),
        ("a node was selected, and the consumer is gone", claim(phase="Pending", metadata=SELECTED), WAITING),
        ("being deleted", claim(phase="Lost", metadata={"deletionTimestamp": ago(minutes=1)}), {}),
        ("bound to a volume of a class without an object", claim(spec={"storageClassName": "manual"}), {}),
        ("grown, but for a pod", claim(status={"conditions": [condition("FileSystemResizePending")]}), {}),
    ],
)
def test_a_claim_that_needs_no_volume_is_right(why, its, lists):
    """A claim may wait for its first consumer, for ever, and be deleted whatever its phase."""
    assert bound(its, **lists).outcome == "passed", why


@pytest.mark.parametrize(
    ("its", "lists", "observed"),
    [
        (claim(phase="Pending"), {}, "phase Pending for 1d: provisioner csi.example.com"),
        (claim(phase="Pending"), {"storageclasses": []}, "phase Pending for 1d: its StorageClass fast does not exist"),
        (
            claim(phase="Pending", spec={"storageClassName": None}),
            {},
            "phase Pending for 1d: it names no StorageClass; the default one: none",
        ),
        (
            claim(phase="Pending", spec={"storageClassName": ""}),
            {},
            "phase Pending for 1d: it asks for a PersistentVolume without a StorageClass",
        ),
        (
            claim(phase="Pending", spec={"volumeName": "pv-7"}),
            WAITING,
            "phase Pending for 1d: it asks for PersistentVolume pv-7, which is not bound to it",
        ),
        (
            claim(phase="Pending", metadata=SELECTED),
            {**WAITING, "pods": [unscheduled()]},
            "phase Pending for 10m: provisioner csi.example.com",
        ),
        (claim(phase="Lost"), {}, "phase Lost: its PersistentVolume pv-data does not exist"),
        (claim(phase=""), {}, "phase  for 1d: it asks for PersistentVolume pv-data, which is not bound to it"),
    ],
)
def test_a_claim_without_its_volume_says_what_it_waits_for(its, lists, observed):
    """The class that is missing, the provisioner that does not answer, or the volume that is gone, is named."""
    result = bound(its, **lists)
    assert (result.outcome, [each.observed for each in result.findings]) == ("failed", [observed])


def test_the_provisioner_is_heard():
    """What the latest warning event says of the claim is told with it."""
    its = claim(phase="Pending")
    said = warning(its, "ProvisioningFailed", "PersistentVolumeClaim", message="quota exceeded")
    (found,) = bound(its, warnings=[said]).findings
    assert found.observed.endswith("; ProvisioningFailed: quota exceeded")


@pytest.mark.parametrize("made", [ago(minutes=2), ago(minutes=4)])
def test_a_young_claim_is_under_way(made):
    """A volume may take five minutes to be made."""
    result = bound(claim(phase="Pending", metadata={"creationTimestamp": made}))
    assert (result.outcome, result.findings[0].transitional) == ("inconclusive", True)


def test_an_old_claim_of_a_new_pod_is_under_way():
    """A volume that waits for its consumer is due when that comes, not when the claim was written."""
    young = using(metadata={"creationTimestamp": ago(minutes=1)}, spec={"nodeName": ""}, status={"phase": "Pending"})
    result = bound(claim(phase="Pending", metadata=SELECTED), **WAITING, pods=[young])
    assert [each.transitional for each in result.findings] == [True]


def test_a_claim_of_an_ephemeral_volume_is_that_of_its_pod():
    """The claim of a generic ephemeral volume is called after the pod and the volume."""
    young = unscheduled()
    young["spec"]["volumes"] = [{"name": "v", "ephemeral": {"volumeClaimTemplate": {}}}]
    assert bound(claim("db-0-v", "Pending", metadata=SELECTED), **WAITING, pods=[young]).outcome == "failed"


@pytest.mark.parametrize(
    "said",
    [
        condition("Resizing"),
        condition("ControllerResizeError", message="no space"),
        condition("NodeResizeError"),
        condition("ModifyVolumeError"),
    ],
)
def test_a_resize_that_fails_is_a_warning(said):
    """A claim that is bound but does not grow works on, for a while."""
    assert bound(claim(status={"conditions": [said]})).outcome == "warned"


@pytest.mark.parametrize(
    ("its", "outcome"),
    [
        (volume(phase="Failed", status={"reason": "", "message": "no deleter"}), "failed"),
        (volume(phase="Released"), "warned"),
        (volume(phase="Released", status={"lastPhaseTransitionTime": ago(minutes=3)}), "passed"),
        (volume(phase="Released", status={"lastPhaseTransitionTime": None}), "passed"),
        (volume(phase="Released", spec={"persistentVolumeReclaimPolicy": "Retain"}), "passed"),
        (volume(phase="Available"), "passed"),
    ],
)
def test_a_volume_that_nobody_needs_is_right_unless_it_should_be_gone(its, outcome):
    """Retained and unclaimed volumes stay on purpose; one that failed, or is not deleted in time, is told."""
    assert judge("storage.bound", good(persistentvolumes=[its])).outcome == outcome


def attached(*attachments, **lists):
    """What storage.attachments says of these attachments."""
    return judge("storage.attachments", good(volumeattachments=list(attachments), **lists))


ERROR = {"message": "volume is in use by i-1", "time": ago(minutes=1)}


@pytest.mark.parametrize(
    ("its", "outcome", "observed"),
    [
        (attachment(), "passed", None),
        (attachment(status={"attached": False}), "failed", "not attached after 1d"),
        (
            attachment(status={"attached": False, "attachError": ERROR}),
            "failed",
            "cannot be attached: volume is in use by i-1; not attached after 1d",
        ),
        (attachment(status={"detachError": ERROR}), "failed", "cannot be detached: volume is in use by i-1"),
        (attachment(metadata={"deletionTimestamp": ago(minutes=6)}), "failed", "has been detaching for 6m"),
        (attachment(metadata={"deletionTimestamp": ago(minutes=4)}), "passed", None),
        (
            attachment(metadata={"deletionTimestamp": ago(minutes=4)}, status={"detachError": ERROR}),
            "inconclusive",
            "cannot be detached: volume is in use by i-1",
        ),
        (
            attachment(metadata={"creationTimestamp": ago(minutes=2)}, status={"attached": False}),
            "passed",
            None,
        ),
        (attachment(node="gone"), "warned", "the node does not exist"),
        (
            attachment(node="gone", metadata={"deletionTimestamp": ago(minutes=9)}),
            "failed",
            "has been detaching for 9m; volume pv-data on node gone: the node does not exist",
        ),
    ],
)
def test_an_attachment_takes_minutes_at_most(its, outcome, observed):
    """Errors and delays are told with volume and node; what has just begun is under way."""
    result = attached(its)
    assert result.outcome == outcome
    expected = [f"volume pv-data on node {its['spec']['nodeName']}: {observed}"] if observed else []
    assert [each.observed for each in result.findings] == expected


def csi_with(name, drivers):
    """What the kubelet of a node knows: these drivers, or none."""
    return thing(name, spec={"drivers": [{"name": each} for each in drivers]})


@pytest.mark.parametrize(("pending", "outcome"), [("1m", "failed"), ("10m", "inconclusive")])
def test_how_long_it_may_take_is_the_profiles(pending, outcome):
    """`patience: {pending: …}` is for claims and attachments, too."""
    patience, young = profile(patience={"pending": pending}), {"creationTimestamp": ago(minutes=6)}
    waits = good(persistentvolumeclaims=[claim(phase="Pending", metadata=young)])
    assert judge("storage.bound", waits, profile=patience).outcome == outcome
    late = attachment(metadata=young, status={"attached": False, "attachError": ERROR})
    assert judge("storage.attachments", good(volumeattachments=[late]), profile=patience).outcome == outcome


def pool(*sets, **changes):
    """Nodes with these drivers each, alike but for what is changed."""
    names = [f"worker-{number}" for number in range(1, len(sets) + 1)]
    return {
        "nodes": [node(name, **changes.get(name.replace("-", "_"), {})) for name in names],
        "csinodes": [
            thing(name, spec={"drivers": [{"name": each} for each in its]})
            for name, its in zip(names, sets, strict=True)
        ],
        "volumeattachments": [],
    }


EBS, EFS = "ebs.csi.aws.com", "efs.csi.aws.com"


def drivers(world, **keys):
    """The nodes that lack a driver, and whether that is under way."""
    result = judge("storage.attachments", good(**world), profile=profile(**keys))
    return {each.object.partition("/")[2]: each.transitional for each in result.findings}


def test_a_node_has_the_drivers_of_its_like():
    """A driver that most nodes have and one has not is named; a driver that only a few have is theirs."""
    world = pool([EBS, EFS], [EBS], [])
    assert drivers(world) == {"worker-3": False}
    (found,) = judge("storage.attachments", good(**world)).findings
    assert found.observed == f"its kubelet has no CSI driver {EBS}, which most nodes like it have"


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]}},
        {"metadata": {"labels": {"kubernetes.io/os": "windows"}}},
        {"metadata": {"labels": {"eks.amazonaws.com/compute-type": "fargate"}}},
    ],
)
def test_nodes_that_are_not_alike_are_not_compared(changes):
    """Control planes, Windows and serverless nodes run other agents."""
    assert drivers(pool([EBS], [EBS], [], worker_3=changes)) == {}


def test_pools_of_the_profile_are_not_compared():
    """Pools on purpose have other drivers: the profile's label says which they are."""
    own = {"metadata": {"labels": {"team": "gpu"}}}
    assert drivers(pool([EBS], [EBS], [], worker_3=own), expect={"nodes": {"pool-label": "team"}}) == {}


def test_a_lasting_passing_taint_makes_no_other_pool():
    """A cordon or an agent's start-up taint does not make a node another kind of node."""
    cordoned = {"spec": {"taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}}
    assert drivers(pool([EBS], [EBS], [], worker_3=cordoned)) == {"worker-3": False}


def test_a_node_that_joins_registers_its_drivers():
    """Drivers come with their DaemonSets, minutes after the node; and again when those are replaced."""
    young = {"metadata": {"creationTimestamp": ago(minutes=3)}}
    assert drivers(pool([EBS], [EBS], [], worker_3=young)) == {"worker-3": True}
    agent = pod("ebs-x", spec={"nodeName": "worker-3"}, metadata=owner("DaemonSet", thing("ebs", "shop")))
    agent["metadata"]["creationTimestamp"] = ago(seconds=20)
    agent["status"]["conditions"] = [condition("Ready", lastTransitionTime=ago(seconds=5))]
    assert drivers({**pool([EBS], [EBS], []), "pods": [agent]}) == {"worker-3": True}


def test_a_node_needs_the_driver_of_what_is_attached_to_it():
    """A volume is attached and its driver is gone, whatever other nodes have: no pod there mounts it."""
    world = good(csinodes=[csi_node("worker-1", EFS)])
    (found,) = judge("storage.attachments", world).findings
    assert found.observed == "its kubelet has no CSI driver csi.example.com, which its attached volumes need"


def test_a_claim_without_a_volume_explains_its_pod():
    """A pod that no node takes since its claim is not bound is explained by the claim."""
    world = good(pods=[unscheduled()], persistentvolumeclaims=[claim(phase="Pending")])
    pending, _ = run(["pods.pending", "storage.bound"], world)
    assert [each.because for each in pending.findings] == ["storage.bound: PersistentVolumeClaim/shop/data"]


def test_a_stuck_attachment_explains_its_pod():
    """A pod that has a node and waits for its volume is explained by the attachment, also by one on another node."""
    waits = {"phase": "Pending", "containerStatuses": [container_status(ready=False, state={"waiting": {}})]}
    stuck = attachment(node="worker-2", metadata={"deletionTimestamp": ago(minutes=9)})
    world = good(pods=[using(status=waits)], nodes=[node(), node("worker-2")], volumeattachments=[stuck])
    pending, _ = run(["pods.pending", "storage.attachments"], world)
    assert [each.because for each in pending.findings] == ["storage.attachments: VolumeAttachment/csi-pv-data-worker-2"]


def test_a_dead_node_explains_its_attachments():
    """What cannot be detached from a node that is not Ready follows from that."""
    world = good(nodes=[node(ready="Unknown")], volumeattachments=[attachment(status={"detachError": ERROR})])
    _, stuck = run(["nodes.ready", "storage.attachments"], world)
    assert [each.because for each in stuck.findings] == ["nodes.ready: Node/worker-1"]


def test_volumes_of_pods_are_kept_as_far_as_they_are_for_claims():
    """Of the volumes of a pod nothing is kept but the claims: most are tokens, which every pod has."""
    (its,) = snapshot(good(pods=[using()]), taken=NOW).lists["pods"]
    assert [each.name for each in its.spec.volumes] == ["v"]
    (its,) = snapshot(good()).lists["pods"]
    assert its.spec.volumes is None


def test_names_are_those_of_the_objects():
    """Findings name the kind: a claim, a volume, an attachment, a node."""
    world = good(persistentvolumeclaims=[claim(phase="Lost")], persistentvolumes=[volume(phase="Failed")], csinodes=[])
    found = [*objects(judge("storage.bound", world)), *objects(judge("storage.attachments", world))]
    assert found == ["PersistentVolumeClaim/shop/data", "PersistentVolume/pv-data", "Node/worker-1"]
