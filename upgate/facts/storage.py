"""Storage: claims, volumes, classes, attachments, and what CSI drivers say of nodes."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.base.text import duration
from upgate.facts.affinity import NodeTerms
from upgate.facts.meta import AnnotatedMeta, Condition, Fact, KubernetesObject, Time
from upgate.facts.removed_drivers import VolumeSources

#: The scheduler names here the node of the pod that a volume is to be made for (volumeBindingMode WaitForFirstConsumer).
SELECTED_NODE = "volume.kubernetes.io/selected-node"
#: The class that claims without a class get, in its two spellings.
DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
#: Conditions of a claim that could not be made larger, or get the attributes of another class.
RESIZE_ERRORS = ("ControllerResizeError", "NodeResizeError", "ModifyVolumeError")
#: How long making a volume larger, or removing one that is released, may take.
RESIZING = RECLAIMING = timedelta(minutes=15)


class ClaimSpec(Fact):
    """`spec` of a PersistentVolumeClaim."""

    storage_class_name: str | None = None
    volume_name: str = ""


class ClaimStatus(Fact):
    """`status` of a PersistentVolumeClaim."""

    phase: str = "Pending"
    conditions: list[Condition] | None = None


class PersistentVolumeClaim(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/persistent-volumes/"""

    metadata: AnnotatedMeta
    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()

    @property
    def bound(self) -> bool:
        """It has its volume."""
        return self.status.phase == "Bound"

    @property
    def node_selected(self) -> bool:
        """The scheduler has chosen a node for its pod: its volume is due."""
        return SELECTED_NODE in (self.metadata.annotations or {})

    def resize_problem(self, moment: datetime) -> str:
        """Why it is not made larger. Empty where no resize was asked for, or it is under way."""
        return "; ".join(str(each) for each in self.status.conditions or () if resize_failed(each, moment))


def resize_failed(said: Condition, moment: datetime) -> bool:
    """This condition says that a resize failed, or has taken too long. FileSystemResizePending waits for a pod."""
    since = said.last_transition_time
    slow = said.type == "Resizing" and since is not None and moment - since > RESIZING
    return said.is_true and (said.type in RESIZE_ERRORS or slow)


class ClaimReference(Fact):
    """The claim that a PersistentVolume is for."""

    namespace: str = ""
    name: str = ""


class VolumeNodeAffinity(Fact):
    """`spec.nodeAffinity` of a PersistentVolume: the nodes that can reach it."""

    required: NodeTerms | None = None


class VolumeSpec(VolumeSources):
    """`spec` of a PersistentVolume."""

    node_affinity: VolumeNodeAffinity | None = None
    storage_class_name: str = ""
    persistent_volume_reclaim_policy: str = ""
    claim_ref: ClaimReference | None = None


class VolumeStatus(Fact):
    """`status` of a PersistentVolume."""

    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    #: When it got its phase; clusters before Kubernetes 1.28 do not say.
    last_phase_transition_time: Time | None = None


class PersistentVolume(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/persistent-volumes/"""

    spec: VolumeSpec = VolumeSpec()
    status: VolumeStatus = VolumeStatus()

    @property
    def failure(self) -> str:
        """Its phase Failed, and why. Empty for any other phase."""
        why = ": ".join(filter(None, ["phase Failed", self.status.reason, " ".join(self.status.message.split())]))
        return why if self.status.phase == "Failed" else ""

    def trouble(self, moment: datetime) -> str:
        """What is wrong with it. Empty where nothing is wrong: a volume without a claim, or one that is retained, is right."""
        return self.failure or self.not_reclaimed(moment)

    def not_reclaimed(self, moment: datetime) -> str:
        """It is released and was to be deleted, and is still there. Empty otherwise: Retain keeps it on purpose."""
        since = self.status.last_phase_transition_time
        deletes = self.status.phase == "Released" and self.spec.persistent_volume_reclaim_policy == "Delete"
        late = deletes and since is not None and moment - since > RECLAIMING
        return f"phase Released for {duration(moment - since)}, with reclaim policy Delete" if since and late else ""


class StorageClass(KubernetesObject):
    """https://kubernetes.io/docs/concepts/storage/storage-classes/"""

    metadata: AnnotatedMeta
    provisioner: str = ""
    volume_binding_mode: str = "Immediate"

    @property
    def is_default(self) -> bool:
        """Claims that name no class get this one."""
        annotations = self.metadata.annotations or {}
        return any(annotations.get(key) == "true" for key in DEFAULT_CLASS)

    @property
    def waits_for_consumer(self) -> bool:
        """It makes and binds volumes only when a pod needs them."""
        return self.volume_binding_mode == "WaitForFirstConsumer"


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

    @property
    def errors(self) -> list[str]:
        """What went wrong the last time; it is taken away as soon as it goes well."""
        said = (("cannot be attached", self.attach_error), ("cannot be detached", self.detach_error))
        return [": ".join(filter(None, (what, *error.message.split("\n")))) for what, error in said if error]


class VolumeAttachment(KubernetesObject):
    """https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/volume-attachment-v1/"""

    spec: AttachmentSpec = AttachmentSpec()
    status: AttachmentStatus = AttachmentStatus()

    def in_time(self, moment: datetime, limit: timedelta) -> bool:
        """It is being attached, or detached, no longer than that may take."""
        return moment - (self.metadata.deletion_timestamp or moment - self.age(moment)) <= limit

    @property
    def place(self) -> str:
        """The volume and the node, in words."""
        return f"volume {self.spec.source.persistent_volume_name or '(inline)'} on node {self.spec.node_name}"

    def problem(self, moment: datetime, limit: timedelta) -> str:
        """What is wrong with attaching or detaching it, whatever its node. Empty where nothing is."""
        goes = self.metadata.deletion_timestamp
        said = list(self.status.errors)
        if goes and not self.in_time(moment, limit):
            said.append(f"has been detaching for {duration(moment - goes)}")
        elif not goes and not self.status.attached and not self.in_time(moment, limit):
            said.append(f"not attached after {duration(self.age(moment))}")
        return "; ".join(said) and f"{self.place}: {'; '.join(said)}"


class CSINodeDriver(Fact):
    """One of `spec.drivers` of a CSINode."""

    name: str = ""


class CSINodeSpec(Fact):
    """`spec` of a CSINode."""

    drivers: list[CSINodeDriver] | None = None


class CSINode(KubernetesObject):
    """https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/csi-node-v1/"""

    spec: CSINodeSpec = CSINodeSpec()

    @property
    def drivers(self) -> set[str]:
        """The names of the drivers that the kubelet there knows."""
        return {each.name for each in self.spec.drivers or ()}
