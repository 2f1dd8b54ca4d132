"""Storage: claims, volumes, and the nodes that they are attached to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.base.text import duration
from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.facts.claims import Claims, VolumeNodes
    from upgate.facts.nodes import Node
    from upgate.facts.relations import WarningEvents
    from upgate.facts.storage import PersistentVolume, PersistentVolumeClaim, VolumeAttachment
    from upgate.profile.parts import Expected, Patience


@check("storage.bound", severity="critical", none_is_fine=True)
def test_every_claim_has_its_volume(
    persistentvolumeclaims: Subjects[PersistentVolumeClaim],
    persistentvolumes: Subjects[PersistentVolume],
    claims: Claims,
    warning_events: WarningEvents,
    patience: Patience,
    now: datetime,
) -> None:
    """Every PersistentVolumeClaim has its volume, and no PersistentVolume has failed.

    A claim whose class waits for the first consumer needs no volume before a pod with a node uses it, and a volume that is
    released and retained stays on purpose. A resize that fails, and a volume that should be deleted and is not, are warnings.
    Look first: kubectl describe {kind} {name} --namespace={namespace}
    """
    persistentvolumeclaims.where(lambda claim: not claim.metadata.deletion_timestamp).none(
        lambda claim: claims.trouble(claim, now),
        observed=lambda claim: "; ".join(filter(None, (claims.trouble(claim, now), warning_events.latest(claim)))),
        expected="phase Bound, with the size that it asks for",
        severity=lambda claim: "warning" if claim.bound else None,
        transitional=lambda claim: claims.coming(claim, now, patience.pending),
    )
    persistentvolumes.none(
        lambda volume: volume.trouble(now),
        expected="neither Failed nor kept after it was to be deleted",
        severity=lambda volume: None if volume.failure else "warning",
    )


@check("storage.attachments", severity="critical", none_is_fine=True, after=("nodes.ready", "nodes.heartbeat"))
def test_every_volume_is_attached_where_it_is_needed(
    volumeattachments: Subjects[VolumeAttachment],
    nodes: Subjects[Node],
    volume_nodes: VolumeNodes,
    expect: Expected,
    patience: Patience,
    now: datetime,
) -> None:
    """Every volume is attached to, or detached from, its node in time; and each node has the CSI drivers that nodes like it have.

    A volume that stays attached elsewhere keeps its pod from starting, and without its driver a node mounts no volume of it.
    Nodes are alike that have the same pool label and the same lasting taints.
    Look first: kubectl describe {kind} {name}; kubectl get csinodes
    """
    volumeattachments.none(
        lambda each: volume_nodes.trouble(each, now, patience.pending),
        expected=f"attached or detached within {duration(patience.pending)}",
        severity=lambda each: "warning" if volume_nodes.only_lost(each, now, patience.pending) else None,
        transitional=lambda each: each.in_time(now, patience.pending),
    )
    nodes.none(
        lambda node: volume_nodes.missing_drivers(node, expect.nodes.pool_label),
        expected="the drivers of its pool",
        transitional=lambda node: volume_nodes.registering(node, now, patience),
    )
