"""The mesh, stage by stage of an upgrade: the battery says exactly what is still to do, and nothing else."""

from __future__ import annotations

import pytest

from tests.mesh_worlds import (
    HOME,
    IDS,
    NEW,
    OLD,
    REGISTRY,
    VERSIONS,
    bare,
    before,
    called,
    front,
    home,
    ingress_gateway,
    injector,
    istiod,
    mesh,
    of_revision,
    proxied,
    seen,
    synced,
    tag,
    to_do,
    wanted,
)
from tests.worlds import ago, condition, judge, merged, objects, owner, profile, replicated, run, thing
from upgate.facts.proxies import ProxySync

SHOP_POD, GATEWAY_POD = "Pod/shop/web-1", f"Pod/{HOME}/gateway"
TAG, ENTRANCE = "MutatingWebhookConfiguration/istio-revision-tag-prod", f"Service/{HOME}/istiod"
LEFT = {
    "deployments": (istiod(OLD), f"Deployment/{HOME}/istiod-{OLD}"),
    "services": (front(OLD, f"istiod-{OLD}"), f"Service/{HOME}/istiod-{OLD}"),
    "horizontalpodautoscalers": (of_revision("istiod", OLD), f"HorizontalPodAutoscaler/{HOME}/istiod-{OLD}"),
    "poddisruptionbudgets": (of_revision("istiod", OLD), f"PodDisruptionBudget/{HOME}/istiod-{OLD}"),
    "mutatingwebhookconfigurations": (injector(OLD), f"MutatingWebhookConfiguration/istio-sidecar-injector-{OLD}"),
    "validatingwebhookconfigurations": (
        of_revision("istio-validator", OLD, ""),
        f"ValidatingWebhookConfiguration/istio-validator-{OLD}",
    ),
    "istiooperators": (
        thing(f"installed-state-{OLD}", HOME, spec={"revision": OLD}),
        f"IstioOperator/{HOME}/installed-state-{OLD}",
    ),
}
#: The old control plane, whole.
OLD_PLANE = [LEFT["deployments"][1], LEFT["services"][1], LEFT["mutatingwebhookconfigurations"][1]]


def more(**lists):
    """The world after the upgrade, with these objects beside its own."""
    whole = mesh()
    return mesh(**{noun: [*whole[noun], *items] for noun, items in lists.items()})


def test_when_all_is_done_it_is_clear():
    """After the upgrade, with nothing left of the old revision, every check passes and has looked at something."""
    results = run(IDS, seen(mesh()), wanted())
    assert [(each.outcome, each.reason) for each in results] == [("passed", "")] * len(IDS)
    assert all(each.examined for each in results)


def test_both_control_planes_run():
    """Before anything was moved all is still to do: labels, tag, Service, pods, gateway, and the old control plane."""
    assert to_do(before()) == {
        "control-plane": [ENTRANCE],
        "revision-tag": [TAG],
        "namespace-labels": ["Namespace/shop"],
        "sidecar-version": [SHOP_POD, GATEWAY_POD],
        "retired": OLD_PLANE,
    }


def test_half_of_the_namespaces_are_relabelled():
    """Of two namespaces the one that was forgotten is named, and the pods of both."""
    other = proxied("bank-1", OLD, metadata={"namespace": "bank"})
    world = before(namespaces=[home(HOME), home("shop", rev=NEW), home("bank", rev=OLD)], pods=[proxied(), other])
    assert to_do(world, retired=None, tags=None) == {
        "control-plane": [ENTRANCE],
        "revision-tag": [TAG],
        "namespace-labels": ["Namespace/bank"],
        "sidecar-version": ["Pod/bank/bank-1"],
    }


def test_labels_are_moved_and_pods_not_restarted():
    """What is left to do is to restart the pods."""
    assert to_do(mesh(pods=[proxied("web-1", OLD), proxied("web-2"), ingress_gateway()])) == {
        "sidecar-version": [SHOP_POD]
    }


def test_a_revision_of_the_same_version_is_restarted_too():
    """A sidecar that the old revision injected is found where both have one version: it is connected to what goes away."""
    world = mesh(pods=[proxied("web-1", OLD, f"{REGISTRY}/proxyv2:{VERSIONS[NEW]}")])
    assert to_do(world) == {"sidecar-version": [SHOP_POD]}
    (finding,) = judge("mesh.sidecar-version", seen(world), profile=wanted()).findings
    assert finding.observed == f"of revision {OLD}"


def test_a_tag_is_still_on_the_old_revision():
    """Namespaces that name the tag are right: the tag is to be moved, and nothing else."""
    world = more(deployments=[istiod(OLD)])
    world["mutatingwebhookconfigurations"] = [injector(), injector(OLD), tag(revision=OLD)]
    assert to_do(world, retired=None) == {"revision-tag": [TAG]}
    assert to_do(world, retired=None, tags=None) == {"revision-tag": [TAG]}
    assert "revision-tag" not in to_do(world, retired=None, tags={"prod": OLD})


def test_a_tag_that_is_labelled_and_not_moved():
    """A tag whose label is new and whose webhook calls the old istiod still injects the old sidecar."""
    moved = tag() | {"webhooks": tag(revision=OLD)["webhooks"]}
    lists = {"mutatingwebhookconfigurations": [injector(), injector(OLD), moved]}
    services = [front(), front(name=f"istiod-{NEW}"), front(OLD, f"istiod-{OLD}")]
    world = mesh(deployments=[istiod(), istiod(OLD)], services=services, **lists)
    (finding,) = judge("mesh.revision-tag", seen(world), profile=wanted()).findings
    assert finding.observed == f"tag prod is labelled with revision {NEW}, and calls the istiod of {OLD}"


def test_a_tag_that_is_expected_and_not_there():
    """A tag of the profile without a webhook is one finding; the namespaces that name it are none."""
    world = mesh(mutatingwebhookconfigurations=[injector()])
    assert to_do(world) == {"revision-tag": [TAG]}


def test_the_default_service_is_still_on_the_old_revision():
    """The Service istiod serves what names no revision; it is to be moved, also when the old istiod is gone."""
    world = more(deployments=[istiod(OLD)], mutatingwebhookconfigurations=[injector(OLD)])
    world["services"] = [front(OLD), front(name=f"istiod-{NEW}")]
    assert to_do(world, retired=None) == {"control-plane": [ENTRANCE]}
    gone = mesh(services=[front(OLD)])
    assert to_do(gone) == {"control-plane": [ENTRANCE]}


@pytest.mark.parametrize("noun", LEFT)
def test_one_thing_is_left_of_the_old_control_plane(noun):
    """Whatever was forgotten is named, and nothing else."""
    item, ref = LEFT[noun]
    assert to_do(more(**{noun: [item]})) == {"retired": [ref]}
    assert to_do(more(**{noun: [item]}), retired=[f"{OLD}0"]) == {}


@pytest.mark.parametrize(("minutes", "outcome"), [(1, "inconclusive"), (5, "failed")])
def test_what_is_being_removed_is_not_yet_gone(minutes, outcome):
    """An object that is being deleted has its time; one that a finalizer holds is left over."""
    going = merged(LEFT["istiooperators"][0], {"metadata": {"deletionTimestamp": ago(minutes=minutes)}})
    assert judge("mesh.retired", seen(more(istiooperators=[going])), profile=wanted()).outcome == outcome


def test_what_is_left_is_known_by_its_name_where_it_has_no_label():
    """A revision is part of names; one that begins alike is another."""
    item = thing(f"istio-validator-{OLD}-{HOME}", webhooks=[])
    assert to_do(more(validatingwebhookconfigurations=[item])) == {
        "retired": [f"ValidatingWebhookConfiguration/istio-validator-{OLD}-{HOME}"]
    }
    assert to_do(more(validatingwebhookconfigurations=[item]), retired=["asm-1130"]) == {}


def test_the_revision_without_a_name_is_retired():
    """From in-place to revisions: what is left of `default` is found by its label; the Service istiod is to be moved."""
    plane = [istiod("default", f"{REGISTRY}/pilot:1.13.2")]
    world = more(
        deployments=plane, mutatingwebhookconfigurations=[injector("default")], istiooperators=[thing("istio", HOME)]
    )
    assert to_do(world, retired=["default"]) == {
        "retired": [
            f"Deployment/{HOME}/istiod",
            "MutatingWebhookConfiguration/istio-sidecar-injector",
            f"IstioOperator/{HOME}/istio",
        ]
    }
    world["services"] = [front("default", istio="pilot")]
    assert to_do(world, retired=None) == {"control-plane": [ENTRANCE]}


@pytest.mark.parametrize(
    ("why", "labels", "said"),
    [
        ("both labels", {"rev": NEW, "injection": "enabled"}, "both labels"),
        ("both, one of which disables", {"rev": NEW, "injection": "disabled"}, "both labels"),
        ("a revision that does not exist", {"rev": "asm-1150-0"}, "neither a revision that runs nor a tag"),
        ("an empty revision", {"rev": ""}, "neither a revision that runs nor a tag"),
        ("no default revision", {"injection": "enabled"}, "no webhook injects"),
        ("a tag", {"rev": "prod"}, ""),
        ("opted out", {"injection": "disabled"}, ""),
        ("none", {}, ""),
        ("ambient", {"mode": "ambient"}, ""),
    ],
)
def test_what_the_labels_of_a_namespace_mean(why, labels, said):
    """A namespace has one label, of a revision that runs or of a tag."""
    result = judge("mesh.namespace-labels", seen(more(namespaces=[home("new", **labels)])), profile=wanted())
    assert objects(result) == (["Namespace/new"] if said else [])
    assert all(said in finding.observed for finding in result.findings)


def test_the_default_tag_is_what_injection_enabled_means():
    """`istio-injection=enabled` is right where the default tag points at the new revision; else the tag is to be moved."""
    lists = {"namespaces": [home("shop", injection="enabled")], "deployments": [istiod(), istiod(OLD)]}
    hooks = [injector(), tag()]
    keys = {"retired": None, "tags": {"prod": NEW}}
    assert to_do(mesh(mutatingwebhookconfigurations=[*hooks, tag("default")], **lists), **keys) == {}
    late = mesh(mutatingwebhookconfigurations=[*hooks, injector(OLD), tag("default", OLD)], **lists)
    assert to_do(late, **keys) == {"revision-tag": ["MutatingWebhookConfiguration/istio-revision-tag-default"]}
    unnamed = mesh(mutatingwebhookconfigurations=[*hooks, injector("default")], **lists)
    unnamed["deployments"].append(istiod("default", "istio/pilot:1.13.2"))
    assert to_do(unnamed, **keys) == {"namespace-labels": ["Namespace/shop"]}


def test_a_namespace_that_goes_is_not_relabelled():
    """A namespace that is being deleted is left aside."""
    going = merged(home("old", rev=OLD), {"metadata": {"deletionTimestamp": ago(seconds=5)}})
    assert to_do(more(namespaces=[going])) == {}


def test_a_revision_whose_webhook_was_forgotten():
    """An istiod without a webhook injects nothing: one finding, of the control plane."""
    assert to_do(mesh(mutatingwebhookconfigurations=[tag(revision="x")]), tags=None)["control-plane"]
    gone = to_do(mesh(mutatingwebhookconfigurations=[]), tags=None)
    assert gone == {"control-plane": [f"Deployment/{HOME}/istiod-{NEW}"], "namespace-labels": ["Namespace/tagged"]}


def test_a_revision_whose_istiod_is_gone():
    """A revision that the profile names and that does not run is one finding; its Service then leads nowhere."""
    assert to_do(mesh(deployments=[replicated("web")])) == {
        "control-plane": [f"Deployment/{HOME}/istiod-{NEW}", ENTRANCE]
    }
    asleep = mesh(deployments=[replicated("web"), istiod(spec={"replicas": 0})])
    assert to_do(asleep) == {"control-plane": [f"Deployment/{HOME}/istiod-{NEW}"]}


def test_an_istiod_that_is_not_available_yet():
    """While istiod rolls out within its deadline the control plane is "not yet"; afterwards it fails."""
    rolling = [
        condition("Available"),
        condition("Progressing", reason="ReplicaSetUpdated", lastUpdateTime=ago(minutes=1)),
    ]
    late = {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1, "conditions": rolling}
    world = mesh(deployments=[istiod(status=late)])
    assert judge("mesh.control-plane", seen(world), profile=wanted()).outcome == "inconclusive"
    stuck = [condition("Progressing", "False", reason="ProgressDeadlineExceeded")]
    world = mesh(deployments=[istiod(status=late | {"conditions": stuck})])
    assert judge("mesh.control-plane", seen(world), profile=wanted()).outcome == "failed"


def test_whoever_labels_a_deployment_makes_no_control_plane():
    """An istiod counts where webhooks lead, not in a namespace of a tenant."""
    fake = istiod(metadata={"namespace": "tenant"})
    assert "control-plane" in to_do(mesh(deployments=[fake]))


UNINJECTED = {"containers": [{"name": "istio-proxy", "image": "auto"}]}


@pytest.mark.parametrize(
    ("why", "changes", "missing"),
    [
        ("it was made before the label", {}, True),
        ("label says no", {"metadata": {"labels": {"sidecar.istio.io/inject": "false"}}}, False),
        ("annotation says no", {"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}}, False),
        ("annotation says No", {"metadata": {"annotations": {"sidecar.istio.io/inject": "No"}}}, False),
        (
            "the label counts before the annotation",
            {
                "metadata": {
                    "labels": {"sidecar.istio.io/inject": "true"},
                    "annotations": {"sidecar.istio.io/inject": "false"},
                }
            },
            True,
        ),
        ("network of its node", {"spec": {"hostNetwork": True}}, False),
        ("completed", {"status": {"phase": "Succeeded"}}, False),
        ("failed", {"status": {"phase": "Failed"}}, False),
        ("going", {"metadata": {"deletionTimestamp": ago(seconds=1)}}, False),
        ("static", {"metadata": owner("Node", thing("worker-1"))}, False),
        ("ambient", {"metadata": {"labels": {"istio.io/dataplane-mode": "ambient"}}}, False),
        ("in kube-system", {"metadata": {"namespace": "kube-system"}}, False),
        ("outside of the mesh", {"metadata": {"namespace": "outside"}}, False),
        (
            "outside, but asks for it",
            {"metadata": {"namespace": "outside", "labels": {"sidecar.istio.io/inject": "true"}}},
            True,
        ),
        (
            "outside, but names a revision",
            {"metadata": {"namespace": "outside", "labels": {"istio.io/rev": NEW}}},
            True,
        ),
        ("of a tag", {"metadata": {"namespace": "tagged"}}, True),
        ("in an ambient namespace", {"metadata": {"namespace": "calm"}}, False),
        ("in a namespace that opts out", {"metadata": {"namespace": "none"}}, False),
        ("by another template", {"metadata": {"annotations": {"sidecar.istio.io/status": '{"revision": "x"}'}}}, False),
        ("pending", {"status": {"phase": "Pending"}}, True),
        ("a gateway without its image", {"spec": UNINJECTED}, True),
        ("such a gateway outside", {"spec": UNINJECTED, "metadata": {"namespace": "outside"}}, True),
        (
            "an init container that only has its name",
            {"spec": {"initContainers": [{"name": "istio-proxy", "image": "x:1"}]}},
            True,
        ),
        (
            "a native sidecar",
            {"spec": {"initContainers": [{"name": "istio-proxy", "image": "x:1", "restartPolicy": "Always"}]}},
            False,
        ),
    ],
)
def test_which_pods_lack_their_sidecar(why, changes, missing):
    """A pod whose labels or namespace ask for a sidecar has one, opt-outs aside."""
    homes = [home("kube-system", rev=NEW), home("calm", rev=NEW, mode="ambient"), home("none", injection="disabled")]
    world = more(namespaces=homes, pods=[bare("odd", **changes)])
    result = judge("mesh.sidecar-missing", seen(world), profile=wanted())
    assert [each.rpartition("/")[2] for each in objects(result)] == (["odd"] if missing else [])


EARLIER_PATCH = {"containers": [{"name": "istio-proxy", "image": "a:1.14.0-asm.0"}]}
DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "expect", "outcome"),
    [
        ("gcr.io/gke-release/asm/proxyv2:1.14.0-asm.1", "1.14.0-asm.1", "passed"),
        ("gcr.io/gke-release/asm/proxyv2:1.14.0-asm.1-distroless", "1.14.0-asm.1", "passed"),
        ("mirror.corp:5000/istio/proxyv2:1.14.0-asm.1", "1.14.0-asm.1", "passed"),
        (f"mirror.corp:5000/istio/proxyv2:1.14.0-asm.1-distroless{DIGEST}", "1.14.0-asm.1", "passed"),
        ("istio/proxyv2:v1.14.0-asm.1", "1.14.0-asm.1", "passed"),
        ("istio/proxyv2:1.14.0-asm.10", "1.14.0-asm.1", "failed"),
        ("istio/proxyv2:1.14.0-asm.2-distroless", "1.14.0-asm.1", "failed"),
        ("istio/proxyv2:1.14.1", "1.14.0", "failed"),
        ("istio/proxyv2:1.14.1", "1.14", "passed"),
        ("istio/proxyv2:1.14.1", ">=1.14.0, <1.15", "passed"),
        ("istio/proxyv2:latest", ">=1.14.0", "failed"),
        ("istio/proxyv2", "1.14", "failed"),
        ("mirror.corp:5000/proxyv2", "1.14", "failed"),
        (f"istio/proxyv2{DIGEST}", "1.14", "inconclusive"),
        (f"istio/proxyv2{DIGEST}", f"*{DIGEST}", "passed"),
        (f"istio/proxyv2{DIGEST}", "*@sha256:1*", "failed"),
        ("mirror.corp:5000/istio/proxyv2:1.14.0", "mirror.corp:5000/istio/*:1.14.0", "passed"),
        ("istio/proxyv2:1.14.0", "mirror.corp:5000/istio/*:1.14.0", "failed"),
        # Without an expectation: the version of the revision's istiod, 1.14.0-asm.1, exactly.
        ("gcr.io/gke-release/asm/proxyv2:1.14.0-asm.1-distroless", None, "passed"),
        ("istio/proxyv2:1.14.0", None, "failed"),
        ("istio/proxyv2:1.14.0-asm.1.1", None, "failed"),
    ],
)
def test_the_version_of_a_proxy_is_that_of_its_tag(image, expect, outcome):
    """Registry and variant are no difference, a patch level is; a digest alone says no version, unless it is the expected one."""
    world = mesh(pods=[proxied(image=image)])
    assert judge("mesh.sidecar-version", seen(world), profile=wanted(expect=expect)).outcome == outcome


@pytest.mark.parametrize(
    ("why", "it"),
    [
        ("a gateway that an installer wrote", ingress_gateway(OLD)),
        (
            "a native sidecar",
            proxied(
                spec={
                    "containers": [{"name": "app", "image": "app:1"}],
                    "initContainers": [
                        {"name": "istio-proxy", "image": "istio/proxyv2:1.13.0", "restartPolicy": "Always"}
                    ],
                }
            ),
        ),
        (
            "a gateway at the patch level",
            ingress_gateway(spec=EARLIER_PATCH),
        ),
        ("a pod that pends", proxied("x", OLD, status={"phase": "Pending"})),
    ],
)
def test_every_proxy_is_looked_at(why, it):
    """Gateways, injected or not, and native sidecars are judged like any other proxy."""
    assert to_do(mesh(pods=[it])).keys() == {"sidecar-version", "sidecar-missing"} - (
        {"sidecar-missing"} if it["metadata"]["namespace"] == "shop" else set()
    )


def test_pods_that_are_being_replaced_are_not_yet_right():
    """While a restart rolls out within its deadline its old pods are "not yet", and not a failure."""
    rolling = [
        condition("Available"),
        condition("Progressing", reason="ReplicaSetUpdated", lastUpdateTime=ago(minutes=1)),
    ]
    deployment = replicated("web", 2, status={"conditions": rolling, "updatedReplicas": 1, "replicas": 3})
    versions = [replicated("web-rs", metadata=owner("Deployment", deployment))]
    lists = {"deployments": [deployment, istiod()], "replicasets": versions}
    for id, it in (("mesh.sidecar-version", proxied("web-1", OLD)), ("mesh.sidecar-missing", bare())):
        assert judge(id, seen(mesh(pods=[it], **lists)), profile=wanted()).outcome == "inconclusive"
        assert judge(id, seen(mesh(pods=[it])), profile=wanted()).outcome == "failed"


def test_the_pod_of_a_job_ends_by_itself():
    """A Job that still runs with the old sidecar is waited for; the next one gets the new one."""
    its = proxied("import-1", OLD, metadata=owner("Job", thing("import", "shop")))
    assert judge("mesh.sidecar-version", seen(mesh(pods=[its])), profile=wanted()).outcome == "inconclusive"
    done = merged(its, {"status": {"phase": "Succeeded"}})
    assert judge("mesh.sidecar-version", seen(mesh(pods=[proxied(), done])), profile=wanted()).outcome == "passed"


def test_a_canary_that_stays_on_its_own_revision():
    """With tags for two revisions both are right, and each pod has the version of its own revision's istiod."""
    tags = {"prod": OLD, "canary": NEW}
    world = before(
        mutatingwebhookconfigurations=[injector(OLD), injector(), tag(revision=OLD), tag("canary")],
        namespaces=[home("shop", rev="prod"), home("bank", rev="canary")],
        pods=[proxied("web-1", OLD), proxied("bank-1", metadata={"namespace": "bank"}), ingress_gateway(OLD)],
    )
    keys = {"revision": OLD, "expect": VERSIONS[OLD], "retired": None}
    assert to_do(world, tags=tags, **keys) == {}
    world["pods"][1] = proxied("bank-1", image="istio/proxyv2:1.14.0-asm.0", metadata={"namespace": "bank"})
    assert to_do(world, tags=tags, **keys) == {"sidecar-version": ["Pod/bank/bank-1"]}


def in_place(image, *pods):
    """A mesh without revisions."""
    return mesh(
        deployments=[replicated("web"), istiod("default", f"docker.io/istio/pilot:{image}")],
        mutatingwebhookconfigurations=[injector("default")],
        services=[front("default", istio="pilot")],
        namespaces=[home(HOME), home("shop", injection="enabled")],
        pods=list(pods),
        validatingwebhookconfigurations=[],
        horizontalpodautoscalers=[],
        poddisruptionbudgets=[],
    )


IN_PLACE = {"revision": None, "tags": None, "retired": None}


def test_an_upgrade_in_place():
    """Before it istiod and the pods are old, in its midst the pods are, and after it it is clear; with and without a version."""
    old, new = (proxied("web-1", "default", f"istio/proxyv2:1.{minor}.4-distroless") for minor in (19, 20))
    expect = {"expect": "1.20.4", **IN_PLACE}
    assert to_do(in_place("1.19.4", old), **expect) == {
        "control-plane": [f"Deployment/{HOME}/istiod"],
        "sidecar-version": [SHOP_POD],
    }
    assert to_do(in_place("1.20.4", old), **expect) == {"sidecar-version": [SHOP_POD]}
    assert to_do(in_place("1.20.4", new), **expect).keys() == set()
    unsaid = {"expect": None, **IN_PLACE}
    assert to_do(in_place("1.20.4", old), **unsaid) == {"sidecar-version": [SHOP_POD]}
    assert to_do(in_place("1.20.4", new), **unsaid) == {}


def managed(**changes):
    """Google runs the control plane: there is no istiod, and the webhook has a URL."""
    hook = injector("asm-managed", webhooks=[{"name": "x", "clientConfig": {"url": "https://example.com/inject"}}])
    lists = {
        "deployments": [replicated("web")],
        "services": [front(OLD)],
        "mutatingwebhookconfigurations": [hook],
        "namespaces": [home("shop", rev="asm-managed")],
        "pods": [proxied("web-1", "asm-managed", "istio/proxyv2:1.14.0-asm.1")],
    }
    return mesh(**(lists | changes))


def test_a_control_plane_that_google_runs():
    """A managed channel is a revision that runs, though no istiod is here; its proxies have the version of the profile."""
    keys = {"revision": "asm-managed", "tags": None, "retired": None}
    assert to_do(managed(), **keys) == {}
    declared = managed(
        mutatingwebhookconfigurations=[],
        controlplanerevisions=[thing("asm-managed", HOME, spec={"type": "managed_service"})],
    )
    assert to_do(declared, **keys) == {}
    unsaid = to_do(managed(), expect=None, **keys)
    assert unsaid.keys() == {"sidecar-version"}
    assert "say mesh.expect" in unsaid["sidecar-version"][0]


def test_a_control_plane_of_another_cluster():
    """A webhook whose Service selects no pods leads to a control plane elsewhere."""
    elsewhere = front(name="istiod") | {"spec": {"type": "ExternalName", "ports": [{"port": 15017}]}}
    world = in_place("1.20.4", proxied("web-1", "default", "istio/proxyv2:1.20.4"))
    world |= {"deployments": [replicated("web")], "services": [elsewhere]}
    assert to_do(world, expect="1.20.4", **IN_PLACE) == {}


def test_a_revision_that_webhooks_were_switched_off_for():
    """`istioctl tag set default` leaves the old webhook, with a selector that matches nothing: it injects for no namespace."""
    off = injector("default")
    nothing = {"matchLabels": {"istio.io/deactivated": "never-match"}}
    off["webhooks"] = [{"namespaceSelector": nothing, "clientConfig": called("default")}]
    world = in_place("1.20.4") | {"mutatingwebhookconfigurations": [off]}
    result = judge("mesh.namespace-labels", seen(world), profile=wanted(expect="1.20.4", **IN_PLACE))
    assert objects(result) == ["Namespace/shop"]


def test_a_revision_that_is_gone_under_its_sidecars():
    """Without a revision in the profile, too: sidecars whose istiod is gone are found, and so is the label of their namespace."""
    world = mesh(pods=[proxied("web-1", OLD)], namespaces=[home("shop", rev=OLD)])
    assert to_do(world, expect=None, **IN_PLACE) == {
        "namespace-labels": ["Namespace/shop"],
        "sidecar-version": [SHOP_POD],
    }


def test_without_a_mesh_nothing_is_asked():
    """Without `mesh:` the checks are skipped, visibly, and nothing of the mesh is listed; nothing retired, nothing left."""
    results = run(IDS, seen(mesh()), profile())
    assert {(each.outcome, each.reason) for each in results} >= {("skipped", "the profile says nothing under mesh:")}
    assert {each.outcome for each in results} == {"skipped"}
    (result,) = run(["mesh.retired"], seen(mesh()), wanted(retired=None))
    assert result.outcome == "skipped"


STALE = ProxySync("web-1.shop", f"{HOME}/istiod-1", VERSIONS[NEW], ("CDS", "EDS"))


@pytest.mark.parametrize(
    ("why", "proxies", "outcome", "said"),
    [
        ("synced", synced(), "passed", ""),
        ("stale", synced(STALE), "failed", f"has not acknowledged CDS, EDS of {HOME}/istiod-1"),
        ("old", synced(ProxySync("web-1.shop", "i", "1.13.2-asm.2")), "failed", "runs version 1.13.2-asm.2"),
        ("of no version", synced(ProxySync("web-1.shop", "i", "")), "passed", ""),
        (
            "one istiod is silent",
            synced(unanswered=("istiod-2 did not answer",)),
            "inconclusive",
            "istiod-2 did not answer",
        ),
        ("silent, and another's is stale", synced(STALE, unanswered=("x",)), "failed", f"{HOME}/istiod-1"),
        ("of two istiods", synced(ProxySync("web-1.shop", "i", VERSIONS[NEW]), STALE), "failed", f"{HOME}/istiod-1"),
    ],
)
def test_proxies_have_the_latest_configuration(why, proxies, outcome, said):
    """What any istiod says of a proxy counts; one that did not answer leaves the check open."""
    result = judge("mesh.proxies-synced", seen(mesh(), proxies), profile=wanted())
    assert result.outcome == outcome
    assert said in result.reason + "".join(each.observed for each in result.findings)


def test_istiod_is_asked_only_where_the_profile_allows_it():
    """Without the word in `allow:` the check is open, and says which word."""
    unallowed = profile(mesh={"revision": NEW})
    result = judge("mesh.proxies-synced", seen(mesh()), profile=unallowed)
    assert (result.outcome, result.reason) == (
        "inconclusive",
        "istiod was not asked: the profile's allow: does not name pods-proxy; "
        "`checks: {mesh.proxies-synced: off}` leaves the check out",
    )


def test_an_old_sidecar_is_one_red_line():
    """That istiod sees an old version follows from the pod that was not restarted."""
    status = synced(ProxySync("web-1.shop", "i", VERSIONS[OLD]))
    world = mesh(pods=[proxied("web-1", OLD)])
    results = run(["mesh.sidecar-version", "mesh.proxies-synced"], seen(world, status), wanted())
    assert [each.findings[0].because for each in results] == [None, f"mesh.sidecar-version: {SHOP_POD}"]
