"""Tiny builders of what belongs to the control plane: its pods and leases, webhooks, what extends the API, and roles."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.x509.oid import NameOID

from tests.machines import NOW
from tests.worlds import ago, condition, daemonset, endpointslice, merged, owner, pod, service, thing

CORE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}


def static(component: str, version: str = "v1.36.3", node: str = "cp-1", **changes: Any) -> dict[str, Any]:
    """A static pod of a component of the control plane, as kubeadm makes it."""
    base = pod(
        f"{component}-{node}",
        "kube-system",
        metadata={"labels": {"component": component, "tier": "control-plane"}, **owner("Node", thing(node))},
        spec={
            "nodeName": node,
            "containers": [{"name": component, "image": f"registry.k8s.io/{component}:{version}"}],
        },
    )
    return merged(base, changes)


PROXIES = daemonset("kube-proxy", metadata={"namespace": "kube-system"})


def proxy(image: str = "registry.k8s.io/kube-proxy:v1.36.3", node: str = "worker-1", **changes: Any) -> dict[str, Any]:
    """A pod of the DaemonSet kube-proxy."""
    base = pod(
        f"kube-proxy-{node}",
        "kube-system",
        metadata={"labels": {"k8s-app": "kube-proxy"}, **owner("DaemonSet", PROXIES)},
        spec={
            "nodeName": node,
            "serviceAccountName": "kube-proxy",
            "containers": [{"name": "kube-proxy", "image": image}],
        },
    )
    return merged(base, changes)


def addon(image: str = "registry.k8s.io/coredns/coredns:v1.12.0", account: str = "coredns", **changes: Any) -> Any:
    """A pod of an add-on."""
    containers = [{"name": "main", "image": image}]
    return merged(
        pod("addon-1", "kube-system", spec={"serviceAccountName": account, "containers": containers}), changes
    )


def leader(name: str = "kube-scheduler", renewed: float = 3, **changes: Any) -> dict[str, Any]:
    """The lease of a leader, renewed so many seconds ago."""
    spec = {
        "holderIdentity": "cp-1_x",
        "leaseDurationSeconds": 15,
        "renewTime": ago(seconds=renewed).replace("Z", ".000000Z"),
    }
    return merged(thing(name, "kube-system", spec=spec), changes)


LEADERS = [leader("kube-controller-manager"), leader("kube-scheduler")]


@cache
def bundle(until: datetime = NOW + timedelta(days=365), since: datetime = NOW - timedelta(days=365)) -> str:
    """A caBundle with one authority that is valid until then."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    authority = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(until)
        .sign(key, hashes.SHA256())
    )
    return b64encode(authority.public_bytes(serialization.Encoding.PEM)).decode()


def webhook(name: str = "pods.example.com", rule: Any = CORE, policy: str = "Fail", **changes: Any) -> dict[str, Any]:
    """A webhook behind the Service web."""
    call = {"service": {"namespace": "shop", "name": "web", "port": 80}, "caBundle": bundle()}
    base = {"name": name, "clientConfig": call, "rules": [rule] if rule else [], "failurePolicy": policy}
    return merged(base, changes)


def webhooks(*each: dict[str, Any], name: str = "policy", **changes: Any) -> dict[str, Any]:
    """A configuration with these webhooks."""
    return merged(thing(name, webhooks=list(each or (webhook(),))), changes)


#: One that stands in nobody's way.
HARMLESS = webhooks(webhook(rule={**CORE, "apiGroups": ["shop.example.com"], "resources": ["orders"]}))


def api_service(name: str = "v1beta1.metrics.k8s.io", available: str = "True", **changes: Any) -> dict[str, Any]:
    """An aggregated API."""
    group = name.partition(".")[2]
    spec = {"group": group, "version": "v1beta1", "service": {"namespace": "shop", "name": "web", "port": 443}}
    return merged(thing(name, spec=spec, status={"conditions": [condition("Available", available)]}), changes)


def definition(name: str = "orders.shop.example.com", **changes: Any) -> dict[str, Any]:
    """A CustomResourceDefinition with two versions, both served."""
    plural, _, group = name.partition(".")
    versions = [{"name": "v1", "served": True, "storage": True}, {"name": "v1beta1", "served": True, "storage": False}]
    base = thing(
        name,
        spec={
            "group": group,
            "names": {"plural": plural, "kind": "Order"},
            "versions": versions,
            "conversion": {"strategy": "None"},
        },
        status={"conditions": [condition("Established"), condition("NamesAccepted")], "storedVersions": ["v1"]},
    )
    return merged(base, changes)


def converted(**changes: Any) -> dict[str, Any]:
    """The same, converted by a webhook behind the Service web."""
    call = {"clientConfig": merged(webhook()["clientConfig"], changes)}
    return definition(spec={"conversion": {"strategy": "Webhook", "webhook": call}})


def role(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """A ClusterRole."""
    return thing(name, rules=list(rules))


def rule(resources: str, group: str = "", verbs: str = "list watch", **more: Any) -> dict[str, Any]:
    """A rule of a role: names apart by blanks."""
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split(), **more}


def binding(to: str, account: str = "coredns", **subject: Any) -> dict[str, Any]:
    """A ClusterRoleBinding of a role to a service account of kube-system."""
    who = {"kind": "ServiceAccount", "namespace": "kube-system", "name": account, **subject}
    return thing(f"{to}-{account}", roleRef={"kind": "ClusterRole", "name": to}, subjects=[who])


COREDNS_ROLE = role("system:coredns", rule("services pods namespaces"), rule("endpointslices", "discovery.k8s.io"))
#: Pods that checks of the control plane look at, beside those of the good world.
SYSTEM = [static("kube-apiserver"), static("kube-scheduler"), proxy(), addon()]
#: The Service and the slice that webhooks are behind, with one more pod.
TWO = {
    "services": [service()],
    "endpointslices": [
        endpointslice("web", "10.1.0.1", "10.1.0.2"),
    ],
}
