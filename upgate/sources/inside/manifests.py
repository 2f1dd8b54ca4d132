"""The objects that the probe creates: a namespace, a Service, and pods under the restricted Pod Security Standard.

https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upgate.profile.probe import InsideProbe

Manifest = dict[str, Any]
MANAGED = "app.kubernetes.io/managed-by"
#: Whoever has this label is ours.
OURS = {MANAGED: "upgate"}
#: On a namespace that a run has made, and that a run therefore deletes.
MADE = "upgate.dev/made-by-run"
#: The name of the Service, and of what selects the pods that listen.
SERVICE, ROLE = "upgate-probe", "upgate.dev/role"
PORT = 8080
#: Neither a mesh nor another injector puts containers beside ours.
UNMESHED = {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled"}
LISTEN, ASK = ((Path(__file__).parent / name).read_text() for name in ("listen.sh", "ask.sh"))
#: A user that is not root.
USER = 65534


def namespace_manifest(name: str, run: str) -> Manifest:
    """The namespace, as a run makes it."""
    labels = {**OURS, "pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels, "annotations": {MADE: run}},
    }


def service_manifest() -> Manifest:
    """The Service in front of all pods that listen."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "labels": OURS},
        "spec": {"selector": {**OURS, ROLE: "listen"}, "ports": [{"port": PORT, "targetPort": PORT}]},
    }


def listening_pod(name: str, node: str, probe: InsideProbe, seconds: int) -> Manifest:
    """A pod that listens on its node."""
    return pod_manifest(name, node, probe, seconds, "listen", LISTEN, {})


def asking_pod(name: str, node: str, probe: InsideProbe, seconds: int, questions: str, mark: str) -> Manifest:
    """A pod that asks from its node, and ends."""
    return pod_manifest(name, node, probe, seconds, "ask", ASK, {"ASK": questions, "MARK": mark})


def pod_manifest(
    name: str, node: str, probe: InsideProbe, seconds: int, role: str, script: str, environ: dict[str, str]
) -> Manifest:
    """A pod that is bound to its node and ends by itself after so many seconds, also where nobody is left to delete it.

    It asks for no CPU and no memory, so that it fits wherever one more pod does.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {**OURS, **UNMESHED, ROLE: role}, "annotations": UNMESHED},
        "spec": {
            "nodeName": node,
            "restartPolicy": "Never",
            "activeDeadlineSeconds": seconds,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "tolerations": [each.model_dump(exclude_none=True) for each in probe.tolerations],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "runAsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container(role, probe.image, script, environ)],
        },
    }


def container(role: str, image: str, script: str, environ: dict[str, str]) -> Manifest:
    """Its only container."""
    return {
        "name": role,
        "image": image,
        "command": ["sh", "-c", script],
        "env": [{"name": name, "value": value} for name, value in environ.items()],
        "resources": {"requests": {"cpu": "0", "memory": "0"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
