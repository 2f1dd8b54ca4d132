"""What is right and looks odd in a mesh, what is wrong in it, and what Anthos says of itself."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.cluster import RealCluster
from tests.e2e.faults import definition, namespace
from tests.e2e.mesh import (
    APP,
    CLOSED,
    DEFINITION,
    FAULTY,
    HOME,
    NEW,
    OLD,
    REGISTRY,
    VERSIONS,
    gateway,
    home,
    hook,
    image_of,
    named,
    sidecar,
    tag,
    workload,
)

Object = dict[str, Any]
#: The kinds of Anthos.
ANTHOS = [
    *(definition("baremetal.cluster.gke.io", "v1", kind) for kind in ("Cluster", "NodePool")),
    namespace("anthos"),
]
KINDS = [each["metadata"]["name"] for each in (DEFINITION, *ANTHOS[:2])]


def anthos_is(cluster: RealCluster, version: str) -> bool:
    """Let Anthos say that the cluster has that version. False while its kinds are not served yet."""
    objects = [
        {"kind": "Cluster", "metadata": {"name": "prod"}, "spec": {"anthosBareMetalVersion": "1.36.0"}},
        {"kind": "NodePool", "metadata": {"name": "pool"}, "status": {"readyNodes": 3}},
    ]
    objects[0]["status"] = {"anthosBareMetalVersion": version}
    texts = [json.dumps({"apiVersion": "baremetal.cluster.gke.io/v1", **each}) for each in objects]
    return cluster.ask("apply", "--namespace=anthos", "--filename=-", text="\n---\n".join(texts)).returncode == 0


def admits(cluster: RealCluster) -> bool:
    """A pod may be made in the namespace of that webhook."""
    options = ("--image=shop:1", "--dry-run=server", f"--namespace={CLOSED}")
    return cluster.ask("run", "try", *options).returncode == 0


def closed_door(ca: str) -> list[Object]:
    """A namespace, and a webhook that refuses its pods, because its Service is not there."""
    rules = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
    called = {"caBundle": ca, "service": {"name": "istiod-lost", "namespace": HOME, "path": "/inject"}}
    here = {"matchLabels": {"kubernetes.io/metadata.name": CLOSED}}
    more = {"failurePolicy": "Fail", "rules": rules, "namespaceSelector": here, "clientConfig": called}
    webhook = hook(NEW, ca) | more | {"name": "policy.example.com"}
    meta = {"name": CLOSED, "labels": {"app": "policy"}}
    configuration = named("MutatingWebhookConfiguration", CLOSED, NEW, webhooks=[webhook])
    return [home(CLOSED, rev=NEW), configuration | {"metadata": meta}]


def oddities(where: str) -> list[Object]:
    """What is right in a namespace of the new revision, and looks odd."""
    native = {"initContainers": [sidecar(NEW) | {"restartPolicy": "Always"}], "containers": [APP]}
    noted = {"sidecar.istio.io/inject": "false"}
    return [
        workload(where, "distroless", NEW, containers=[APP, sidecar(NEW, f"{image_of(NEW)}-distroless")]),
        workload(where, "mirrored", NEW, containers=[APP, sidecar(NEW, f"mirror.example.com/proxyv2:{VERSIONS[NEW]}")]),
        workload(where, "native", NEW, **native),
        workload(where, "opted-out", labels=noted),
        workload(where, "on-the-host", hostNetwork=True),
        home("mesh-opted-out", injection="disabled"),
        workload("mesh-opted-out", "web"),
        home("mesh-outside"),
        workload("mesh-outside", "web"),
    ]


def faults(ca: str) -> list[Object]:
    """What is wrong in a mesh that was upgraded, side by side."""
    return [
        home("mesh-both", rev=NEW, injection="enabled"),
        home("mesh-dead", rev="asm-1120-0"),
        home("mesh-unserved", injection="enabled"),
        tag("canary", "asm-1120-0", ca),
        workload(FAULTY, "bare"),
        workload(FAULTY, "patch", NEW, containers=[APP, sidecar(NEW, f"{REGISTRY}/proxyv2:1.14.0-asm.0")]),
        workload(
            FAULTY, "native-old", NEW, initContainers=[sidecar(OLD) | {"restartPolicy": "Always"}], containers=[APP]
        ),
        workload(FAULTY, "waits", containers=[sidecar(NEW, "auto")]),
        workload(FAULTY, "stale", NEW),
        gateway(FAULTY, NEW, image_of(OLD)),
    ]


#: The namespaces of these.
BESIDE = ("mesh-opted-out", "mesh-outside", "mesh-both", "mesh-dead", "mesh-unserved", "anthos")
#: What is found of them.
FOUND = [
    "mesh.namespace-labels: Namespace/mesh-both",
    "mesh.namespace-labels: Namespace/mesh-dead",
    "mesh.namespace-labels: Namespace/mesh-unserved",
    "mesh.revision-tag: MutatingWebhookConfiguration/istio-revision-tag-canary",
    *(f"mesh.sidecar-missing: Pod/{FAULTY}/{each}-*" for each in ("bare", "waits")),
    *(f"mesh.sidecar-version: Pod/{FAULTY}/{each}-*" for each in ("patch", "native-old", "gateway")),
    f"mesh.proxies-synced: Pod/{FAULTY}/stale-*",
]
