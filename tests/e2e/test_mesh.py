"""A canary upgrade of a mesh, stage by stage, on the real cluster: at each the battery says exactly what is still to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import mesh, mesh_cases
from tests.e2e.battery import HEALTHY, Battery, Run
from tests.e2e.cluster import RealCluster, until
from tests.e2e.mesh import HOME, NEW, OLD, home, workload

#: By label of the old revision, by tag, by the old revision and left behind on purpose, and outside.
MOVED, TAGGED, LATE = "mesh-moved", "mesh-tagged", "mesh-late"
SPACES = (HOME, MOVED, TAGGED, LATE, mesh.FAULTY, mesh.CLOSED)
#: What the old control plane is made of beside its Deployment.
PARTS = [
    f"Service/{HOME}/istiod-{OLD}",
    f"HorizontalPodAutoscaler/{HOME}/istiod-{OLD}",
    f"PodDisruptionBudget/{HOME}/istiod-{OLD}",
    f"MutatingWebhookConfiguration/istio-sidecar-injector-{OLD}",
    f"ValidatingWebhookConfiguration/istio-validator-{OLD}-{HOME}",
    f"IstioOperator/{HOME}/installed-state-{OLD}",
]
Mesh = dict[str, Any]


@pytest.fixture(scope="module")
def ca(cluster: RealCluster) -> str:
    """A certificate that webhooks may trust."""
    return cluster.shell("base64 -w0 $P/ca.crt").strip()


@pytest.fixture(scope="module")
def meshed(cluster: RealCluster, ca: str) -> Iterator[RealCluster]:
    """The cluster with a mesh of the old revision, to which the new control plane was added."""
    try:
        mesh.add_images(cluster)
        cluster.apply(mesh.DEFINITION, home(HOME), home(MOVED, rev=OLD), home(TAGGED, rev="prod"))
        cluster.apply(home(LATE, rev=OLD), home(mesh.FAULTY, rev=NEW))
        until("the kind IstioOperator is served", lambda: cluster.ask("get", "istiooperators").returncode == 0)
        planes = [each for revision in (OLD, NEW) for each in mesh.control_plane(revision, ca)]
        cluster.apply(*planes, mesh.default_service(OLD), mesh.tag("prod", OLD, ca))
        cluster.apply(*(workload(space, "web", OLD) for space in (MOVED, TAGGED, LATE)), mesh.gateway(HOME, OLD))
        cluster.wait_complete(*SPACES)
        yield cluster
    finally:
        wide = "mutatingwebhookconfigurations,validatingwebhookconfigurations"
        cluster.ask("delete", wide, "--selector=istio.io/rev", "--wait=false")
        cluster.ask("delete", "mutatingwebhookconfiguration", mesh.CLOSED, "--ignore-not-found")
        cluster.remove([*SPACES, *mesh_cases.BESIDE])
        cluster.ask("delete", "crd", *mesh_cases.KINDS)


@pytest.fixture
def look(meshed: RealCluster, battery: Battery) -> Callable[..., Run]:
    """A look at the mesh with what it should be in the end, once its workloads are complete and istiod knows their proxies.

    Its autoscalers have no metrics.
    """

    def run(*stale: str, options: tuple[str, ...] = ()) -> Run:
        meshed.wait_complete(*SPACES)
        mesh.answer_syncz(meshed, SPACES, stale)
        checks = {"nodes.stable": "off", "hpas.active": "off"}
        return battery.run(*options, mesh=mesh.PROFILE, allow=["pods-proxy"], checks=checks)

    return run


def test_both_control_planes_run_and_nothing_has_moved(look: Callable[..., Run]) -> None:
    """With the new control plane beside the old one everything is still to do, and each thing is told once."""
    look().must_find(
        f"mesh.control-plane: Service/{HOME}/istiod",
        "mesh.revision-tag: MutatingWebhookConfiguration/istio-revision-tag-prod",
        *(f"mesh.namespace-labels: Namespace/{each}" for each in (MOVED, LATE)),
        *(f"mesh.sidecar-version: Pod/{each}/web-*" for each in (MOVED, TAGGED, LATE)),
        f"mesh.sidecar-version: Pod/{HOME}/gateway-*",
        f"mesh.retired: Deployment/{HOME}/istiod-{OLD}",
        *(f"mesh.retired: {each}" for each in PARTS),
    )


def test_half_of_the_namespaces_have_moved(meshed: RealCluster, look: Callable[..., Run], ca: str) -> None:
    """One namespace is done; behind the tag, which moved, pods were not made again; one has its label alone.

    Whatever names no revision still goes to the old istiod.
    """
    meshed.apply(home(MOVED, rev=NEW), workload(MOVED, "web", NEW), mesh.tag("prod", NEW, ca), home(LATE, rev=NEW))
    look().must_find(
        f"mesh.control-plane: Service/{HOME}/istiod",
        *(f"mesh.sidecar-version: Pod/{each}/web-*" for each in (TAGGED, LATE)),
        f"mesh.sidecar-version: Pod/{HOME}/gateway-*",
        f"mesh.retired: Deployment/{HOME}/istiod-{OLD}",
        *(f"mesh.retired: {each}" for each in PARTS),
    )


def test_the_old_control_plane_is_half_removed(meshed: RealCluster, look: Callable[..., Run]) -> None:
    """Its Deployment is gone and all else is left, and so is a gateway, which nothing injects, of the old version.

    That its webhooks, which ignore failures, lead nowhere is told as well: it is why they have to go.
    """
    meshed.apply(*(workload(space, "web", NEW) for space in (TAGGED, LATE)), mesh.default_service(NEW))
    meshed.kubectl("delete", "deployment", f"istiod-{OLD}", f"--namespace={HOME}")
    look().must_find(
        f"mesh.sidecar-version: Pod/{HOME}/gateway-*",
        *(f"mesh.retired: {each}" for each in PARTS),
    )


def test_all_is_done(meshed: RealCluster, look: Callable[..., Run]) -> None:
    """Without the old control plane, and with oddities that are none, all is clear.

    A variant of the image, another registry, a native sidecar, a pod that opts out, a namespace that does, and a pod on the
    network of its node.
    """
    for each in PARTS:
        kind, *where, name = each.split("/")
        meshed.kubectl("delete", kind, name, *(f"--namespace={space}" for space in where))
    meshed.apply(mesh.gateway(HOME, NEW), *mesh_cases.oddities(MOVED))
    look(options=("--settle=60s", "--every=1s")).must_be_clear()


def test_anthos_the_morning_after(meshed: RealCluster, battery: Battery, ca: str) -> None:
    """The story, with its profile of profiles/examples/: fault, finding, repair, clear.

    Pods keep the old sidecar, the tag was set back, a webhook without a Service keeps pods from being created at all, and the
    cluster says itself that it has the version before.
    """

    def look(*options: str) -> Run:
        meshed.wait_complete(MOVED)
        mesh.answer_syncz(meshed, SPACES)
        checks = {"nodes.stable": "off", "hpas.active": "off"}
        return battery.play("anthos", *options, checks=checks, external=HEALTHY["external"])

    meshed.apply(*mesh_cases.ANTHOS)
    until("the kinds of Anthos are served", lambda: mesh_cases.anthos_is(meshed, "1.35.2"), within=30)
    meshed.apply(workload(MOVED, "web", OLD), mesh.tag("prod", OLD, ca), *mesh_cases.closed_door(ca))
    meshed.apply(workload(mesh.CLOSED, "web", NEW))
    until("no pod is created", lambda: "failed calling webhook" in json.dumps(meshed.get("replicasets", mesh.CLOSED)))
    look().must_find(
        f"mesh.sidecar-version: Pod/{MOVED}/web-*",
        "mesh.revision-tag: MutatingWebhookConfiguration/istio-revision-tag-prod",
        f"webhooks.alive: MutatingWebhookConfiguration/{mesh.CLOSED}",
        "expect.anthos: Cluster/anthos/prod",
    )
    meshed.kubectl("delete", "mutatingwebhookconfiguration", mesh.CLOSED)
    until("pods can be made", lambda: mesh_cases.admits(meshed))
    meshed.apply(workload(MOVED, "web", NEW), mesh.tag("prod", NEW, ca))
    meshed.kubectl("delete", "deployment", "web", f"--namespace={mesh.CLOSED}")
    meshed.apply(workload(mesh.CLOSED, "web", NEW))
    assert mesh_cases.anthos_is(meshed, "1.36.0")
    meshed.wait_complete(mesh.CLOSED)
    look("--settle=60s", "--every=1s").must_be_clear()


def test_what_is_wrong_beside_it(meshed: RealCluster, look: Callable[..., Run], ca: str) -> None:
    """Faults that each break one thing of a mesh that was upgraded are each found alone."""
    meshed.apply(*mesh_cases.faults(ca))
    look("stale").must_find(*mesh_cases.FOUND)
