"""Worlds with a mesh: Anthos Service Mesh 1.14 that was upgraded from 1.13, revision by revision, and its stages before."""

from __future__ import annotations

import json
from typing import Any

from tests.worlds import World, good, merged, owner, pod, profile, replicated, run, service, snapshot, thing
from upgate.facts.proxies import ProxyStatus, ProxySync
from upgate.profile import Profile
from upgate.snapshot import Snapshot

OLD, NEW = "asm-1130-0", "asm-1140-0"
VERSIONS = {OLD: "1.13.2-asm.2", NEW: "1.14.0-asm.1"}
REGISTRY = "gcr.io/gke-release/asm"
HOME = "istio-system"
IDS = [
    *("mesh.control-plane", "mesh.revision-tag", "mesh.namespace-labels", "mesh.sidecar-missing"),
    *("mesh.sidecar-version", "mesh.retired", "mesh.proxies-synced"),
]
MESH = {"expect": VERSIONS[NEW], "revision": NEW, "tags": {"prod": NEW}, "retired": [OLD]}


def suffix(revision: str) -> str:
    """What stands behind the names of a revision's objects."""
    return "" if revision == "default" else f"-{revision}"


def of_revision(name: str, revision: str, namespace: str = HOME, **changes: Any) -> dict[str, Any]:
    """Any object of a revision."""
    labels = {"app": "istiod", "istio.io/rev": revision}
    return merged(thing(f"{name}{suffix(revision)}", namespace, metadata={"labels": labels}), changes)


def istiod(revision: str = NEW, image: str = "", **changes: Any) -> dict[str, Any]:
    """The control plane of a revision."""
    labels = {"app": "istiod", "istio.io/rev": revision, "istio": "istiod" if suffix(revision) else "pilot"}
    image = image or f"{REGISTRY}/pilot:{VERSIONS[revision]}"
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "discovery", "image": image}]}}
    base = replicated(
        f"istiod{suffix(revision)}", 1, HOME, metadata={"labels": labels}, spec={"template": template}, status={}
    )
    return merged(base, changes)


def called(revision: str) -> dict[str, Any]:
    """How webhooks call a revision's istiod."""
    return {"service": {"name": f"istiod{suffix(revision)}", "namespace": HOME, "path": "/inject"}}


def injector(revision: str = NEW, **changes: Any) -> dict[str, Any]:
    """The webhook that injects for a revision."""
    labels = {"app": "sidecar-injector", "istio.io/rev": revision}
    selector = {"matchExpressions": [{"key": "istio.io/rev", "operator": "In", "values": [revision]}]}
    webhooks = [
        {"name": "rev.namespace.istio.io", "namespaceSelector": selector, "clientConfig": called(revision), "rules": []}
    ]
    base = thing(f"istio-sidecar-injector{suffix(revision)}", metadata={"labels": labels}, webhooks=webhooks)
    return merged(base, changes)


def tag(name: str = "prod", revision: str = NEW) -> dict[str, Any]:
    """A revision tag."""
    labels = {"app": "sidecar-injector", "istio.io/rev": revision, "istio.io/tag": name}
    webhooks = [{"name": "rev.namespace.istio.io", "clientConfig": called(revision), "rules": []}]
    return thing(f"istio-revision-tag-{name}", metadata={"labels": labels}, webhooks=webhooks)


def front(revision: str = NEW, name: str = "istiod", **selector: str) -> dict[str, Any]:
    """The Service of istiod; `istiod` is the one of whatever names no revision."""
    selector = selector or {"app": "istiod", "istio.io/rev": revision}
    base = service(name, metadata={"namespace": HOME, "labels": {"app": "istiod", "istio.io/rev": revision}})
    return base | {"spec": base["spec"] | {"selector": selector, "ports": [{"port": 15012}]}}


def home(name: str, **labels: str) -> dict[str, Any]:
    """A namespace with these labels."""
    names = {"rev": "istio.io/rev", "injection": "istio-injection", "mode": "istio.io/dataplane-mode"}
    its = {names[key]: value for key, value in labels.items()}
    return thing(name, metadata={"labels": its}, status={"phase": "Active"})


def proxied(name: str = "web-1", revision: str = NEW, image: str = "", **changes: Any) -> dict[str, Any]:
    """A pod with a sidecar of that revision."""
    image = image or f"{REGISTRY}/proxyv2:{VERSIONS[revision]}"
    status = json.dumps({"containers": ["istio-proxy"], "volumes": ["istio-envoy"], "revision": revision})
    base = pod(
        name,
        metadata={"annotations": {"sidecar.istio.io/status": status}},
        spec={"containers": [{"name": "app", "image": "app:1"}, {"name": "istio-proxy", "image": image}]},
    )
    return merged(base, changes)


def bare(name: str = "web-1", **changes: Any) -> dict[str, Any]:
    """A pod without a sidecar."""
    return pod(name, **changes)


def ingress_gateway(revision: str = NEW, **changes: Any) -> dict[str, Any]:
    """A gateway that an installer wrote whole: no webhook injects it."""
    labels = {"app": "istio-ingressgateway", "istio.io/rev": revision, "sidecar.istio.io/inject": "false"}
    image = f"{REGISTRY}/proxyv2:{VERSIONS[revision]}"
    meta = {"namespace": HOME, "labels": labels, "ownerReferences": None}
    base = pod("gateway", HOME, metadata=meta, spec={"containers": [{"name": "istio-proxy", "image": image}]})
    return merged(base, changes)


def mesh(**changes: list[dict[str, Any]]) -> World:
    """The world after the upgrade, with some lists replaced."""
    deployment = replicated("web")
    world = {
        "namespaces": [home(HOME), home("shop", rev=NEW), home("tagged", rev="prod"), home("outside")],
        "deployments": [deployment, istiod()],
        "replicasets": [replicated("web-rs", metadata=owner("Deployment", deployment))],
        "services": [front(), front(name=f"istiod-{NEW}")],
        "pods": [proxied(), ingress_gateway()],
        "mutatingwebhookconfigurations": [injector(), tag()],
        "validatingwebhookconfigurations": [of_revision("istio-validator", NEW, "")],
        "horizontalpodautoscalers": [of_revision("istiod", NEW)],
        "poddisruptionbudgets": [of_revision("istiod", NEW)],
    }
    return good(**(world | changes))


def before(**changes: list[dict[str, Any]]) -> World:
    """The world in the midst of the upgrade: both control planes run, all else is of the old one."""
    lists = {
        "namespaces": [home(HOME), home("shop", rev=OLD), home("tagged", rev="prod")],
        "deployments": [replicated("web"), istiod(OLD), istiod()],
        "services": [front(OLD), front(OLD, f"istiod-{OLD}"), front(name=f"istiod-{NEW}")],
        "pods": [proxied("web-1", OLD), ingress_gateway(OLD)],
        "mutatingwebhookconfigurations": [injector(OLD), injector(), tag(revision=OLD)],
    }
    return mesh(**(lists | changes))


def synced(*proxies: ProxySync, unanswered: tuple[str, ...] = ()) -> ProxyStatus:
    """What istiods say; by default that the pod web-1 has all it needs."""
    one = ProxySync("web-1.shop", f"{HOME}/istiod-1", VERSIONS[NEW])
    return ProxyStatus(list(proxies) or [one], list(unanswered))


def seen(world: World, proxies: ProxyStatus | None = None) -> Snapshot:
    """A look at such a world, in which all proxies have their configuration."""
    return snapshot(world, proxies=proxies or synced())


def wanted(**keys: Any) -> Profile:
    """A profile that expects the new revision, with some keys of its `mesh:` changed; None leaves one out."""
    its = {key: value for key, value in (MESH | keys).items() if value is not None}
    return profile(mesh=its, allow=["pods-proxy"])


def to_do(world: World, **keys: Any) -> dict[str, list[str]]:
    """What the battery finds wrong with the mesh: check → objects. Whatever cannot be judged is there with its reason."""
    results = run(IDS, seen(world, synced(ProxySync("web-1.shop"))), wanted(**keys))
    short = {each.id.partition(".")[2]: each for each in results if each.outcome not in ("passed", "skipped")}
    return {id: [finding.object for finding in each.findings] or [each.reason] for id, each in short.items()}
