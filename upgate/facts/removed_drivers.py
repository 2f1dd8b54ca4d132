"""The storage drivers that were part of Kubernetes: from which release on each is gone, and which CSI driver follows it.

https://kubernetes.io/docs/concepts/storage/volumes/#csi-migration
"""

from __future__ import annotations

from typing import NamedTuple

from upgate.facts.meta import Fact

MIGRATION = "https://kubernetes.io/docs/concepts/storage/volumes/#csi-migration"


class Present(Fact):
    """A part of an object of which it matters only that it is there."""


class VolumeSources(Fact):
    """The types of volumes that releases have removed, in a pod template or a PersistentVolume."""

    git_repo: Present | None = None
    flex_volume: Present | None = None
    aws_elastic_block_store: Present | None = None
    gce_persistent_disk: Present | None = None
    azure_disk: Present | None = None
    azure_file: Present | None = None
    vsphere_volume: Present | None = None
    cinder: Present | None = None
    portworx_volume: Present | None = None
    glusterfs: Present | None = None
    rbd: Present | None = None
    cephfs: Present | None = None
    flocker: Present | None = None
    quobyte: Present | None = None
    storageos: Present | None = None

    @property
    def source_types(self) -> set[str]:
        """Those that are there, by the names of their fields in the API."""
        names = zip(VolumeSources.__struct_fields__, VolumeSources.__struct_encode_fields__, strict=True)
        return {encoded for name, encoded in names if getattr(self, name) is not None}


class Driver(NamedTuple):
    """A driver of Kubernetes' own."""

    provisioner: str
    #: The field of a volume that uses it.
    field: str
    release: str
    #: The CSI driver that works for its volumes from then on; empty where none does.
    follower: str = ""
    source: str = MIGRATION

    @property
    def name(self) -> str:
        """Its name without the part that all have."""
        return self.provisioner.rpartition("/")[2]

    @property
    def what(self) -> str:
        """What happens to its volumes."""
        if self.follower:
            return f"volumes of {self.provisioner} need the CSI driver {self.follower}, and no node has it."
        return f"the driver {self.provisioner} is removed: its volumes cannot be mounted."

    @property
    def todo(self) -> str:
        """What to do before."""
        return f"the CSI driver {self.follower} on the nodes" if self.follower else "volumes of another driver"


DRIVERS = (
    Driver("kubernetes.io/aws-ebs", "awsElasticBlockStore", "1.23", "ebs.csi.aws.com"),
    Driver("kubernetes.io/gce-pd", "gcePersistentDisk", "1.23", "pd.csi.storage.gke.io"),
    Driver("kubernetes.io/azure-disk", "azureDisk", "1.23", "disk.csi.azure.com"),
    Driver("kubernetes.io/azure-file", "azureFile", "1.24", "file.csi.azure.com"),
    Driver("kubernetes.io/vsphere-volume", "vsphereVolume", "1.25", "csi.vsphere.vmware.com"),
    Driver("kubernetes.io/flocker", "flocker", "1.25"),
    Driver("kubernetes.io/quobyte", "quobyte", "1.25"),
    Driver("kubernetes.io/storageos", "storageos", "1.25"),
    Driver("kubernetes.io/cinder", "cinder", "1.26", "cinder.csi.openstack.org"),
    Driver("kubernetes.io/glusterfs", "glusterfs", "1.26"),
    Driver("kubernetes.io/rbd", "rbd", "1.31"),
    Driver("kubernetes.io/cephfs", "cephfs", "1.31"),
    Driver("kubernetes.io/portworx-volume", "portworxVolume", "1.31", "pxd.portworx.com"),
)
