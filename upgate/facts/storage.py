"""Storage: claims, volumes, classes, attachments, and what CSI drivers say of nodes."""

from __future__ import annotations

from upgate.facts.meta import AnnotatedMeta, Fact, KubernetesObject, Time
from upgate.facts.removed_drivers import VolumeSources


class ClaimSpec(Fact):
    """`spec` of a PersistentVolumeClaim."""

    storage_class_name: str | None = None
    volume_name: str = ""


class ClaimStatus(Fact):
    """`status` of a PersistentVolumeClaim."""

    phase: str = "Pending"


class PersistentVolumeClaim(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/persistent-volumes/"""

    metadata: AnnotatedMeta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class VolumeSpec(VolumeSources):
    """`spec` of a PersistentVolume."""

    storage_class_name: str = ""
    persistent_volume_reclaim_policy: str = ""


class VolumeStatus(Fact):
    """`status` of a PersistentVolume."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""


class PersistentVolume(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/persistent-volumes/"""

    spec: VolumeSpec = VolumeSpec()
    status: VolumeStatus = VolumeStatus()


class StorageClass(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/storage-classes/"""

    metadata: AnnotatedMeta
    provisioner: str = ""
    volume_binding_mode: str = "Immediate"


class AttachmentSource(Fact):
    """`spec.source` of a VolumeAttachment."""

    persistent_volume_name: str = ""


class AttachmentSpec(Fact):
    """`spec` of a VolumeAttachment."""

    attacher: str = ""
    node_name: str = ""
    source: AttachmentSource = AttachmentSource()


class VolumeError(Fact):
    """The last error of attaching or detaching."""

    message: str = ""
    time: Time | None = None


class AttachmentStatus(Fact):
    """`status` of a VolumeAttachment."""

    attached: bool = False
    attach_error: VolumeError | None = None
    detach_error: VolumeError | None = None


class VolumeAttachment(KubernetesObject):
    """https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/"""

    spec: AttachmentSpec = AttachmentSpec()
    status: AttachmentStatus = AttachmentStatus()


class CSINodeDriver(Fact):
    """One of `spec.drivers` of a CSINode."""

    name: str = ""


class CSINodeSpec(Fact):
    """`spec` of a CSINode."""

    drivers: list[CSINodeDriver] | None = None


class CSINode(KubernetesObject):
    """https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/"""

    spec: CSINodeSpec = CSINodeSpec()
