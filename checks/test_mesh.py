"""The mesh (Istio, Anthos Service Mesh): its revisions, tags and sidecars. Sidecars of the profile's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import Subjects, check
from upgate.facts.meta import lately

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.expectations import Sidecars
    from upgate.battery.mesh import Mesh
    from upgate.battery.mesh_parts import ConnectedProxy
    from upgate.facts.meta import KubernetesObject
    from upgate.facts.namespaces import Namespace
    from upgate.facts.pods import Pod
    from upgate.facts.proxies import PodRollouts
    from upgate.profile.parts import Patience


@check("sidecars.image", severity="critical", expects="sidecars")
def test_every_sidecar_has_the_expected_image(pods: Subjects[Pod], sidecars: Sidecars) -> None:
    """Every sidecar that the profile names runs the expected image.

    A sidecar is injected when its pod is made, so pods that were not restarted keep the old one after an upgrade:
    restart their workloads.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.where(lambda pod: pod.active and sidecars.in_(pod)).none(
        sidecars.unexpected, expected=lambda pod: sidecars.expected(pod)
    )
    sidecars.must_all_occur()


@check("mesh.control-plane", severity="critical", expects="mesh", after=("deployments.ready",))
def test_the_control_plane_of_each_active_revision_runs(mesh: Mesh, now: datetime) -> None:
    """Each active revision has an istiod that is available and a webhook, and the Service istiod leads to the right one.

    Active are the revision and the targets of the tags that the profile names; without them all that run and are not retired.
    The Service istiod serves whatever names no revision, and the webhook that validates Istio's own objects.
    Look first: kubectl -n {namespace} get deployments,services -l app=istiod -L istio.io/rev
    """
    mesh.control_planes.none(
        mesh.broken, expected="an available istiod and its webhook", transitional=lambda each: mesh.starting(each, now)
    )
    mesh.entrances.none(mesh.misled, expected=f"the istiod of revision {mesh.default or mesh.wanted}")


@check("mesh.revision-tag", severity="critical", expects="mesh", none_is_fine=True)
def test_every_revision_tag_points_at_the_expected_revision(mesh: Mesh) -> None:
    """Every revision tag points at the expected revision.

    Namespaces that name a tag get the sidecars of the revision that it points at when their pods are made again. The
    profile's `mesh.tags` says where each must point; any other must point at one of the revisions that the profile names.
    Look first: istioctl tag list
    """
    mesh.tags.none(mesh.mistagged, expected=mesh.target)


@check("mesh.namespace-labels", severity="critical", expects="mesh")
def test_every_namespace_names_one_living_revision(namespaces: Subjects[Namespace], mesh: Mesh) -> None:
    """Every namespace in the mesh names one revision, which runs and is the expected one, or a tag.

    With both labels `istio-injection` decides, whatever `istio.io/rev` says. A revision that does not exist injects nothing:
    pods that are made again lose their sidecars.
    Look first: kubectl get namespaces -L istio-injection -L istio.io/rev
    """
    there = namespaces.where(lambda each: not each.metadata.deletion_timestamp)
    there.where(in_mesh).none(mesh.mislabelled, expected=mesh.wanted_label)


def in_mesh(namespace: Namespace) -> bool:
    """One of Istio's labels is on it."""
    return bool({"istio-injection", "istio.io/rev"} & namespace.labels.keys())


@check("mesh.sidecar-missing", severity="critical", expects="mesh")
def test_every_pod_in_an_injected_namespace_has_its_sidecar(
    pods: Subjects[Pod], mesh: Mesh, pod_rollouts: PodRollouts, patience: Patience, now: datetime
) -> None:
    """Every pod whose labels or namespace ask for a sidecar has one.

    Pods that were made before the label, or while no webhook answered, have none. Pods that opt out (`sidecar.istio.io/inject`),
    use the network of their node, or are in ambient mode are left aside; what the injector's own configuration leaves out is not
    known here.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.where(lambda pod: pod.active and mesh.wants_sidecar(pod)).none(
        mesh.lacks_sidecar,
        expected="a sidecar: make the pod again",
        transitional=lambda pod: pod_rollouts.replace(pod, now, patience),
    )


@check("mesh.sidecar-version", severity="critical", expects="mesh")
def test_every_proxy_has_the_expected_version(
    pods: Subjects[Pod], mesh: Mesh, pod_rollouts: PodRollouts, patience: Patience, now: datetime
) -> None:
    """Every istio-proxy, injected or not, has the expected version and revision.

    A sidecar keeps the version of the control plane that injected it until its pod is made again: restart the workload. The
    expected version is that of the profile, or that of the revision's istiod; the registry and a variant of the image
    (`-distroless`) do not count as a difference.
    Look first: kubectl -n {namespace} get pod {name} -o yaml
    """
    pods.where(lambda pod: pod.active and mesh.has_proxy(pod)).none(
        mesh.outdated,
        expected=mesh.expected_proxy,
        transitional=lambda pod: pod_rollouts.replace(pod, now, patience),
    )


@check("mesh.retired", severity="critical", expects="mesh.retired", none_is_fine=True)
def test_nothing_is_left_of_a_retired_revision(
    leftovers: Subjects[KubernetesObject], mesh: Mesh, patience: Patience, now: datetime
) -> None:
    """Nothing is left of a retired revision.

    Deployments, Services, autoscalers, disruption budgets, webhook configurations and IstioOperators: a webhook that is left
    without its istiod refuses pods, or lets them go without sidecars. Tags and the Service istiod are moved, not removed.
    Look first: kubectl -n {namespace} get {kind} {name} --show-labels
    """
    leftovers.none(
        mesh.retired,
        expected="not there any more, or of another revision",
        transitional=lambda each: lately(each.metadata.deletion_timestamp, now, patience.terminating),
    )


@check("mesh.proxies-synced", severity="critical", expects="mesh", after=("mesh.sidecar-version",))
def test_every_proxy_has_the_latest_configuration(mesh: Mesh, proxies: Subjects[ConnectedProxy]) -> None:
    """Every proxy has acknowledged what istiod sent it, and runs the expected version.

    Each istiod is asked through the API server for the proxies that are connected to it, which the profile must allow:
    `allow: [pods-proxy]`. What was not acknowledged is looked at twice.
    Look first: istioctl proxy-status
    """
    proxies.none(mesh.out_of_sync, expected="all acknowledged, and the version of the profile")
