"""The kinds that checks may ask for: one entry makes an input, a list request, a permission and a place in the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from upgate.base.errors import UsageError
from upgate.facts.admission import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from upgate.facts.autoscaling import HorizontalPodAutoscaler
from upgate.facts.cronjobs import CronJob
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.deployments import Deployment
from upgate.facts.disruption import PodDisruptionBudget
from upgate.facts.events import Event
from upgate.facts.extensions import APIService, CustomResourceDefinition
from upgate.facts.gateways import Gateway, HTTPRoute
from upgate.facts.ingresses import Ingress, IngressClass
from upgate.facts.jobs import Job
from upgate.facts.joining import ConfigMap, Machine, NodeClaim
from upgate.facts.mesh_objects import ControlPlaneRevision, IstioOperator
from upgate.facts.meta import KubernetesObject
from upgate.facts.namespaces import Namespace
from upgate.facts.network_policies import NetworkPolicy
from upgate.facts.nodes import Lease, Node
from upgate.facts.pods import Pod
from upgate.facts.rbac import ClusterRole, ClusterRoleBinding, Role, RoleBinding
from upgate.facts.secrets import Secret
from upgate.facts.services import EndpointSlice, Service
from upgate.facts.signing import CertificateSigningRequest
from upgate.facts.statefulsets import StatefulSet
from upgate.facts.storage import (
    CSINode,
    PersistentVolume,
    PersistentVolumeClaim,
    StorageClass,
    VolumeAttachment,
)
from upgate.facts.workloads import ReplicaSet

#: What is said of pods beside what happens to each of them: autoscalers say here whether they make a node.
NOTICES = ",".join(
    ["type=Normal", "involvedObject.kind=Pod"]
    + [f"reason!={usual}" for usual in ("Scheduled", "Pulling", "Pulled", "Created", "Started", "Killing")]
)

#: What is said of nodes beside warnings: they become Ready, and not Ready.
NODE_NOTICES = ",".join(
    ["type=Normal", "involvedObject.kind=Node"]
    + [f"reason!={usual}" for usual in ("Starting", "NodeAllocatableEnforced", "RegisteredNode")]
    + [f"reason!={usual}" for usual in ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID")]
)


#: The groups and versions of several kinds.
GATEWAY, ADMISSION = "gateway.networking.k8s.io/v1", "admissionregistration.k8s.io/v1"
DEFINITIONS = "customresourcedefinitions"
#: Asks for names, labels and the like alone: what else an object holds stays with the API server.
#: https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


#: A list with this selector may be granted for one name:
#: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
NAMED = "metadata.name="


class Kind(NamedTuple):
    """Where a kind is listed."""

    noun: str
    type: type[KubernetesObject]
    #: API group and version: `v1` or `apps/v1`.
    version: str
    resource: str
    #: Only this namespace is of interest.
    namespace: str = ""
    field_selector: str = ""
    label_selector: str = ""
    #: Earlier versions to ask for where the API server does not serve this one, the latest first.
    earlier: tuple[str, ...] = ()
    #: A cluster may not serve it at all: then there are no such objects, and that is no gap.
    optional: bool = False
    #: Only the metadata of its objects leaves the API server (PartialObjectMetadata).
    metadata_only: bool = False

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        return self.version.rpartition("/")[0]

    @property
    def path(self) -> str:
        """The path of its list."""
        root = f"/apis/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{self.namespace}/{self.resource}" if self.namespace else f"{root}/{self.resource}"

    @property
    def only(self) -> str:
        """The name of the only object that is of interest; empty where all are."""
        return self.field_selector.removeprefix(NAMED) if self.field_selector.startswith(NAMED) else ""

    @property
    def accept(self) -> str:
        """The media type that it is asked for as."""
        return METADATA if self.metadata_only else "application/json"

    @property
    def list_kind(self) -> str:
        """What the API server calls a list of it."""
        return "PartialObjectMetadataList" if self.metadata_only else f"{self.type.__name__}List"

    @property
    def permission(self) -> str:
        """What one must be allowed to do, in words."""
        group = f" in API group {self.group}" if self.group else ""
        where = f" in namespace {self.namespace}" if self.namespace else " cluster-wide"
        return f"`list` on `{self.resource}`{group}{where}"


KINDS: dict[str, Kind] = {
    kind.noun: kind
    for kind in (
        Kind("nodes", Node, "v1", "nodes"),
        Kind("leases", Lease, "coordination.k8s.io/v1", "leases", namespace="kube-node-lease"),
        Kind("namespaces", Namespace, "v1", "namespaces"),
        Kind("pods", Pod, "v1", "pods"),
        Kind("deployments", Deployment, "apps/v1", "deployments"),
        Kind("replicasets", ReplicaSet, "apps/v1", "replicasets"),
        Kind("statefulsets", StatefulSet, "apps/v1", "statefulsets"),
        Kind("daemonsets", DaemonSet, "apps/v1", "daemonsets"),
        Kind("services", Service, "v1", "services"),
        Kind("endpointslices", EndpointSlice, "discovery.k8s.io/v1", "endpointslices"),
        Kind("ingresses", Ingress, "networking.k8s.io/v1", "ingresses"),
        Kind("networkpolicies", NetworkPolicy, "networking.k8s.io/v1", "networkpolicies"),
        Kind("jobs", Job, "batch/v1", "jobs"),
        Kind("cronjobs", CronJob, "batch/v1", "cronjobs"),
        Kind("horizontalpodautoscalers", HorizontalPodAutoscaler, "autoscaling/v2", "horizontalpodautoscalers"),
        Kind("poddisruptionbudgets", PodDisruptionBudget, "policy/v1", "poddisruptionbudgets"),
        Kind("ingressclasses", IngressClass, "networking.k8s.io/v1", "ingressclasses"),
        Kind("gateways", Gateway, GATEWAY, "gateways", earlier=(f"{GATEWAY}beta1",), optional=True),
        Kind("httproutes", HTTPRoute, GATEWAY, "httproutes", earlier=(f"{GATEWAY}beta1",), optional=True),
        Kind("persistentvolumeclaims", PersistentVolumeClaim, "v1", "persistentvolumeclaims"),
        Kind("persistentvolumes", PersistentVolume, "v1", "persistentvolumes"),
        Kind("storageclasses", StorageClass, "storage.k8s.io/v1", "storageclasses"),
        Kind("volumeattachments", VolumeAttachment, "storage.k8s.io/v1", "volumeattachments"),
        Kind("csinodes", CSINode, "storage.k8s.io/v1", "csinodes"),
        Kind("leader_leases", Lease, "coordination.k8s.io/v1", "leases", namespace="kube-system"),
        Kind("apiservices", APIService, "apiregistration.k8s.io/v1", "apiservices"),
        Kind("customresourcedefinitions", CustomResourceDefinition, "apiextensions.k8s.io/v1", DEFINITIONS),
        Kind(
            "validatingwebhookconfigurations",
            ValidatingWebhookConfiguration,
            ADMISSION,
            "validatingwebhookconfigurations",
        ),
        Kind("mutatingwebhookconfigurations", MutatingWebhookConfiguration, ADMISSION, "mutatingwebhookconfigurations"),
        Kind("clusterroles", ClusterRole, "rbac.authorization.k8s.io/v1", "clusterroles"),
        Kind("clusterrolebindings", ClusterRoleBinding, "rbac.authorization.k8s.io/v1", "clusterrolebindings"),
        Kind("roles", Role, "rbac.authorization.k8s.io/v1", "roles", namespace="kube-system"),
        Kind("rolebindings", RoleBinding, "rbac.authorization.k8s.io/v1", "rolebindings", namespace="kube-system"),
        Kind(
            "certificatesigningrequests",
            CertificateSigningRequest,
            "certificates.k8s.io/v1",
            "certificatesigningrequests",
        ),
        Kind(
            "machines",
            Machine,
            "cluster.x-k8s.io/v1beta2",
            "machines",
            earlier=("cluster.x-k8s.io/v1beta1",),
            optional=True,
        ),
        Kind(
            "nodeclaims", NodeClaim, "karpenter.sh/v1", "nodeclaims", earlier=("karpenter.sh/v1beta1",), optional=True
        ),
        Kind(
            "autoscaler_statuses",
            ConfigMap,
            "v1",
            "configmaps",
            "kube-system",
            "metadata.name=cluster-autoscaler-status",
            optional=True,
        ),
        # Only where the profile's `allow:` names secrets.
        Kind("tls_secrets", Secret, "v1", "secrets", field_selector="type=kubernetes.io/tls"),
        Kind("secret_metadata", Secret, "v1", "secrets", metadata_only=True),
        Kind("istiooperators", IstioOperator, "install.istio.io/v1alpha1", "istiooperators", optional=True),
        Kind(
            "controlplanerevisions",
            ControlPlaneRevision,
            "mesh.cloud.google.com/v1beta1",
            "controlplanerevisions",
            earlier=("mesh.cloud.google.com/v1alpha1",),
            optional=True,
        ),
        Kind("warnings", Event, "v1", "events", field_selector="type=Warning"),
        Kind("notices", Event, "v1", "events", field_selector=NOTICES),
        Kind("node_notices", Event, "v1", "events", field_selector=NODE_NOTICES),
    )
}

T = TypeVar("T", bound=KubernetesObject)


def kind(noun: str, version: str, resource: str, *, raw: bool = False) -> Callable[[type[T]], type[T]]:
    """Declare a kind of one's own: a class with the fields that checks need, named as the kind.

    `noun` is the input that checks take, `version` the API group and version, `resource` the plural in paths. With `raw`
    each object also has `.raw`, all that the API server sent. Raises UsageError where the noun is another kind's.
    """

    def declare(type: type[T]) -> type[T]:
        declared = Kind(noun, with_raw(type) if raw else type, version, resource)
        known = KINDS.setdefault(noun, declared)
        if known._replace(type=declared.type) != declared:
            raise UsageError(f"the noun {noun} is taken: it is {known.resource} in {known.version}")
        KINDS[noun] = declared
        return cast(Any, declared.type)

    return declare


def with_raw(type: type[T]) -> type[T]:
    """The same type with a field for the whole object."""
    field: tuple[str, Any, Any] = ("raw", dict[str, Any], msgspec.field(default_factory=dict))
    made = msgspec.defstruct(type.__name__, [field], bases=(type,), module=type.__module__, frozen=True, gc=False)
    return cast(Any, made)
