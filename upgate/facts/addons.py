"""What the add-ons of a cluster must be allowed to read, by their versions.

The tables are the roles that the projects ship, reduced to what each version asks for in every configuration:
coredns/deployment, kubernetes cmd/kubeadm/app/phases/addons, kubernetes-sigs/metrics-server, kubernetes/autoscaler,
kubernetes-csi/external-*, cilium/cilium.
"""

from __future__ import annotations

from typing import NamedTuple

from upgate.base.versions import minor_of
from upgate.facts.images import image_name, image_version

Minor = tuple[int, int]
FOLLOW = ("list", "watch")
ALWAYS: Minor = (0, 0)
FOR_EVER: Minor = (9999, 0)


class Reading(NamedTuple):
    """Something that an add-on reads, from one of its versions until before another."""

    resource: str
    group: str = ""
    verbs: tuple[str, ...] = FOLLOW
    since: Minor = ALWAYS
    until: Minor = FOR_EVER

    def asked_by(self, version: Minor | None) -> bool:
        """An add-on of that version reads it; of one that is not known, what all versions read."""
        if version is None:
            return (self.since, self.until) == (ALWAYS, FOR_EVER)
        return self.since <= version < self.until

    @property
    def words(self) -> str:
        """`list, watch endpointslices.discovery.k8s.io`."""
        return f"{', '.join(self.verbs)} {self.resource}{'.' if self.group else ''}{self.group}"


class Addon(NamedTuple):
    """An add-on, known by the name of its image."""

    name: str
    #: How the names of its images end; mirrors put something in front (`mirrored-coredns-coredns`).
    images: tuple[str, ...]
    readings: tuple[Reading, ...]
    #: Only there it is the cluster's own; empty: anywhere.
    namespace: str = ""
    #: It always asks as its service account; else a kubeconfig may name somebody else where that has no rights at all.
    as_itself: bool = False


STORAGE = "storage.k8s.io"
#: CoreDNS 1.8 follows EndpointSlices instead of Endpoints: https://github.com/coredns/coredns/blob/master/notes/coredns-1.8.0.md
SLICES_IN_COREDNS: Minor = (1, 8)
COREDNS = Addon(
    "CoreDNS",
    ("coredns",),
    (
        Reading("services"),
        Reading("namespaces"),
        Reading("endpoints", until=SLICES_IN_COREDNS),
        Reading("endpointslices", "discovery.k8s.io", since=SLICES_IN_COREDNS),
    ),
    namespace="kube-system",
    as_itself=True,
)
ADDONS = (
    COREDNS,
    Addon(
        "kube-proxy",
        ("kube-proxy",),
        (
            Reading("services"),
            Reading("nodes"),
            Reading("endpoints", until=(1, 19)),
            Reading("endpointslices", "discovery.k8s.io", since=(1, 19)),
        ),
        namespace="kube-system",
    ),
    Addon(
        "metrics-server",
        ("metrics-server",),
        (
            Reading("nodes", verbs=("get", *FOLLOW)),
            Reading("pods", verbs=("get", *FOLLOW)),
            Reading("nodes/stats", verbs=("get",), until=(0, 6)),
            Reading("nodes/metrics", verbs=("get",), since=(0, 6)),
        ),
        as_itself=True,
    ),
    Addon(
        "cluster-autoscaler",
        ("cluster-autoscaler",),
        (
            *(Reading(each) for each in ("nodes", "pods", "persistentvolumeclaims", "persistentvolumes")),
            *(Reading(each, "apps") for each in ("daemonsets", "replicasets", "statefulsets")),
            Reading("poddisruptionbudgets", "policy"),
            *(Reading(each, STORAGE) for each in ("storageclasses", "csinodes")),
            Reading("namespaces", since=(1, 23)),
            *(Reading(each, STORAGE, since=(1, 23)) for each in ("csidrivers", "csistoragecapacities")),
        ),
    ),
    Addon(
        "csi-provisioner",
        ("csi-provisioner", "external-provisioner"),
        (Reading("persistentvolumes"), Reading("persistentvolumeclaims"), Reading("storageclasses", STORAGE)),
    ),
    Addon(
        "csi-attacher",
        ("csi-attacher", "external-attacher"),
        (Reading("persistentvolumes"), Reading("volumeattachments", STORAGE)),
    ),
    Addon(
        "csi-resizer",
        ("csi-resizer", "external-resizer"),
        (Reading("persistentvolumes"), Reading("persistentvolumeclaims")),
    ),
    Addon(
        "Cilium",
        ("cilium",),
        (
            *(Reading(each) for each in ("namespaces", "services", "pods", "nodes")),
            Reading("endpointslices", "discovery.k8s.io", since=(1, 11)),
        ),
    ),
)
#: The CoreDNS that kubeadm brings with each minor of Kubernetes, as far as that changes what it reads; later ones are newer.
#: https://github.com/kubernetes/kubernetes/blob/master/cmd/kubeadm/app/constants/constants.go CoreDNSVersion
COREDNS_OF: dict[Minor, Minor] = {(1, 18): (1, 6), (1, 19): (1, 7), (1, 20): (1, 7), (1, 21): (1, 8)}


def coredns_of(kubernetes: Minor) -> Minor:
    """The CoreDNS that comes with that minor of Kubernetes, or a little less."""
    return max((version for minor, version in COREDNS_OF.items() if minor <= kubernetes), default=ALWAYS)


class Installed(NamedTuple):
    """An add-on that an image holds, and the version that the image says; None: it says none."""

    addon: Addon
    version: Minor | None


def installed_by(image: str) -> list[Installed]:
    """The add-on that an image holds; none for most."""
    name = image_name(image)
    return [Installed(addon, version_in(image)) for addon in ADDONS if name.endswith(addon.images)]


def version_in(image: str) -> Minor | None:
    """Major and minor of an image; None where it does not say them."""
    try:
        return minor_of(image_version(image))
    except ValueError:
        return None
