"""A mesh on the real cluster: control planes, tags, namespaces and workloads, as Istio makes them, at any stage of an upgrade.

Its control planes are stand-ins that answer `/debug/syncz` and inject nothing; sidecars are written into the pods. What runs on
fake nodes becomes ready by itself, whatever its image.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.e2e.cluster import RealCluster
from tests.e2e.faults import definition, merged, namespace

Object = dict[str, Any]
OLD, NEW, HOME, FAULTY = "asm-1130-0", "asm-1140-0", "istio-system", "mesh-faulty"
CLOSED = "mesh-closed"
VERSIONS = {OLD: "1.13.2-asm.2", NEW: "1.14.0-asm.1"}
REGISTRY = "gcr.io/gke-release/asm"
PROFILE = {"expect": VERSIONS[NEW], "revision": NEW, "tags": {"prod": NEW}, "retired": [OLD]}
#: Whom the stand-ins' webhooks intercept: nothing that exists.
NOTHING = [{"apiGroups": ["unused.example.com"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["none"]}]
APP = {"name": "app", "image": "shop:1"}
#: An istiod that answers what its file says.
ANSWERS = "mkdir -p /www/debug; echo '[]' > /www/debug/syncz; exec httpd -f -p 15014 -h /www"


DEFINITION = definition("install.istio.io", "v1alpha1", "IstioOperator")


def image_of(revision: str, name: str = "proxyv2") -> str:
    """An image of a revision."""
    return f"{REGISTRY}/{name}:{VERSIONS[revision]}"


def named(kind: str, name: str, revision: str, **rest: Any) -> Object:
    """An object of a revision, in the mesh's own namespace if its kind is in one."""
    group = {
        "Service": "v1",
        "Deployment": "apps/v1",
        "HorizontalPodAutoscaler": "autoscaling/v2",
        "PodDisruptionBudget": "policy/v1",
        "IstioOperator": "install.istio.io/v1alpha1",
    }.get(kind, "admissionregistration.k8s.io/v1")
    wide = {} if group.startswith("admission") else {"namespace": HOME}
    labels = {"app": "istiod", "istio.io/rev": revision}
    base = {"apiVersion": group, "kind": kind, "metadata": {"name": name, "labels": labels, **wide}}
    return merged(base, rest)


def control_plane(revision: str, ca: str) -> list[Object]:
    """All objects of a revision; its istiod last."""
    labels = {"app": "istiod", "istio.io/rev": revision}
    name, target = f"istiod-{revision}", {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"istiod-{revision}"}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    return [
        named("Service", name, revision, spec=entrance(revision)),
        injector(f"istio-sidecar-injector-{revision}", revision, ca),
        named(
            "ValidatingWebhookConfiguration",
            f"istio-validator-{revision}-{HOME}",
            revision,
            webhooks=[hook(revision, ca)],
        ),
        named(
            "HorizontalPodAutoscaler",
            name,
            revision,
            spec={"scaleTargetRef": target, "maxReplicas": 5, "metrics": [cpu]},
        ),
        named("PodDisruptionBudget", name, revision, spec={"minAvailable": 1, "selector": {"matchLabels": labels}}),
        named("IstioOperator", f"installed-state-{revision}", revision, spec={"revision": revision}),
        named("Deployment", name, revision, spec=istiod(revision, labels)),
    ]


def istiod(revision: str, labels: dict[str, str]) -> Object:
    """The spec of a control plane that answers what its own files say."""
    discovery = {"name": "discovery", "image": image_of(revision, "pilot"), "command": ["sh", "-c", ANSWERS]}
    ready = {"readinessProbe": {"tcpSocket": {"port": 15014}, "periodSeconds": 1}}
    pod = {"terminationGracePeriodSeconds": 1, "nodeSelector": {"type": "real"}, "containers": [discovery | ready]}
    template = {"metadata": {"labels": {**labels, "sidecar.istio.io/inject": "false"}}, "spec": pod}
    return {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}


def entrance(revision: str) -> Object:
    """The spec of a Service that leads to a revision's istiod."""
    return {"selector": {"app": "istiod", "istio.io/rev": revision}, "ports": [{"port": 443, "targetPort": 15014}]}


def hook(revision: str, ca: str) -> Object:
    """A webhook that calls a revision's istiod, and intercepts nothing."""
    called = {"caBundle": ca, "service": {"name": f"istiod-{revision}", "namespace": HOME, "path": "/inject"}}
    more = {"admissionReviewVersions": ["v1"], "sideEffects": "None", "failurePolicy": "Ignore", "rules": NOTHING}
    return {"name": "rev.namespace.sidecar-injector.istio.io", "clientConfig": called, **more}


def injector(name: str, revision: str, ca: str, **labels: str) -> Object:
    """The webhook that injects for a revision, or, with a label, for a tag."""
    selector = {"matchLabels": {"istio.io/rev": labels.get("istio.io/tag", revision)}}
    meta = {"labels": {"app": "sidecar-injector", **labels}}
    webhook = hook(revision, ca) | {"namespaceSelector": selector}
    return named("MutatingWebhookConfiguration", name, revision, metadata=meta, webhooks=[webhook])


def tag(name: str, revision: str, ca: str) -> Object:
    """A revision tag."""
    return injector(f"istio-revision-tag-{name}", revision, ca, **{"istio.io/tag": name})


def default_service(revision: str) -> Object:
    """The Service of whatever names no revision."""
    return named("Service", "istiod", revision, spec=entrance(revision))


def home(name: str, **labels: str) -> Object:
    """A namespace with Istio's labels: `rev` and `injection`."""
    keys = {"rev": "istio.io/rev", "injection": "istio-injection"}
    return namespace(name, **{keys[key]: value for key, value in labels.items()})


def sidecar(revision: str, image: str = "") -> Object:
    """The proxy's container."""
    return {"name": "istio-proxy", "image": image or image_of(revision)}


def workload(where: str, name: str, revision: str = "", **pod: Any) -> Object:
    """A Deployment whose pods have a sidecar of that revision; or none."""
    noted = {"sidecar.istio.io/status": json.dumps({"containers": ["istio-proxy"], "revision": revision})}
    proxy = [sidecar(revision)] if revision else []
    spec = {"nodeSelector": {"type": "fake"}, "containers": [APP, *proxy]}
    labels = {"app": name, **pod.pop("labels", {})}
    meta = {"labels": labels, "annotations": noted if revision else {}}
    template = {"metadata": meta, "spec": spec | pod}
    whole = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": where},
        "spec": whole,
    }


def gateway(where: str, revision: str, image: str = "") -> Object:
    """A gateway that an installer wrote whole: nothing injects it."""
    labels = {"istio.io/rev": revision, "sidecar.istio.io/inject": "false"}
    return workload(where, "gateway", labels=labels, containers=[sidecar(revision, image)])


def add_images(cluster: RealCluster) -> None:
    """Give both real nodes the images of both control planes: they hold busybox."""
    for node in ("node1", "node2"):
        for revision in VERSIONS:
            ctr = f"$B/ctr -a $R/{node}/containerd.sock -n k8s.io images tag --force"
            cluster.shell(f"{ctr} docker.io/library/busybox:1.36 {image_of(revision, 'pilot')}")


def answer_syncz(cluster: RealCluster, spaces: Iterable[str], stale: Iterable[str] = ()) -> None:
    """Let every istiod that runs say that it knows the proxies in these namespaces; those of some Deployments are stale."""
    pods = [each for each in cluster.get("pods") if each["metadata"]["namespace"] in spaces]
    known = [proxy_in(pod, tuple(stale)) for pod in pods if has_proxy(pod)]
    for pod in pods:
        if pod["metadata"]["labels"].get("app") == "istiod" and "deletionTimestamp" not in pod["metadata"]:
            write = f"printf '%s' '{json.dumps(known)}' > /www/debug/syncz"
            cluster.kubectl("exec", pod["metadata"]["name"], f"--namespace={HOME}", "--", "sh", "-c", write)


def has_proxy(pod: Object) -> bool:
    """It has a sidecar, or is a gateway, and runs."""
    names = {each["name"] for each in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", []))}
    return "istio-proxy" in names and "deletionTimestamp" not in pod["metadata"]


def proxy_in(pod: Object, stale: tuple[str, ...]) -> Object:
    """What istiod says of the proxy in a pod: everything that was sent is acknowledged, but for those that are stale."""
    name = f"{pod['metadata']['name']}.{pod['metadata']['namespace']}"
    types = {f"{each}_{what}": "1" for each in ("cluster", "listener", "route") for what in ("sent", "acked")}
    late = {"route_acked": "0"} if pod["metadata"]["labels"]["app"] in stale else {}
    return {"proxy": name, "istio_version": VERSIONS[NEW], **types, **late}
