"""Tiny worlds: Kubernetes objects as the API server would send them, and a way to let one check judge them.

`good()` is a world in which every check passes; tests change one thing in it. Times are relative to NOW.
"""

from __future__ import annotations

import json
from base64 import b64encode
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.inside_worlds import probed
from tests.machines import NOW, host
from upgate.baseline import Baseline, take_baseline
from upgate.battery.check import Check
from upgate.battery.registry import load_checks
from upgate.facts.api_servers import ApiServerAnswer, ApiServers
from upgate.facts.certificates import read_chain
from upgate.facts.conditioned import Swept
from upgate.facts.credentials import Credential, ServingCertificate
from upgate.facts.custom_reads import CustomReads
from upgate.facts.decoding import Page, decode_page
from upgate.facts.health import HealthEndpoint
from upgate.facts.inside import Probed
from upgate.facts.kinds import KINDS
from upgate.facts.kubelets import KubeletAnswer, KubeletAnswers
from upgate.facts.metrics import Exposition, ServerMetrics, samples_in
from upgate.facts.monitored import MonitorAnswers
from upgate.facts.pod_logs import ComponentLog
from upgate.facts.relations import ASIDES
from upgate.facts.settings import Configuration, SettingGroup
from upgate.judge.gate import Gate
from upgate.judge.judge import judge as judge_on
from upgate.judge.options import PREFLIGHT, Options
from upgate.profile import Profile
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

CHECKS = Path(__file__).parents[1] / "checks"
World = dict[str, list[dict[str, Any]]]
#: What every cluster since 1.33 says of itself.
ENDPOINTS = 'apiserver_requested_deprecated_apis{group="",removed_release="",resource="endpoints",subresource="",version="v1"} 1'


def ago(**time: float) -> str:
    """A moment before NOW, as the API server writes it."""
    return (NOW - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The base with the changes laid over it, deeply; lists are replaced."""
    both = dict(base)
    for key, value in changes.items():
        both[key] = merged(both[key], value) if isinstance(value, dict) and isinstance(both.get(key), dict) else value
    return both


def thing(name: str, namespace: str = "", **changes: Any) -> dict[str, Any]:
    """Any object, a day old."""
    meta = {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}", "creationTimestamp": ago(days=1)}
    return merged({"metadata": {key: value for key, value in meta.items() if value}}, changes)


def condition(type: str, status: str = "True", **more: str) -> dict[str, Any]:
    """A condition, a day old."""
    return {"type": type, "status": status, "lastTransitionTime": ago(days=1), **more}


def owner(kind: str, of: dict[str, Any]) -> dict[str, Any]:
    """Metadata that says: this object is its controller."""
    meta = of["metadata"]
    return {"ownerReferences": [{"kind": kind, "name": meta["name"], "uid": meta["uid"], "controller": True}]}


def node(name: str = "worker-1", ready: str = "True", **changes: Any) -> dict[str, Any]:
    """A node."""
    conditions = [condition(kind, "False") for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")]
    status = {
        "conditions": [*conditions, condition("Ready", ready, reason="KubeletReady")],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
        "allocatable": {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"},
        "nodeInfo": {
            "kubeletVersion": "v1.36.3",
            "kernelVersion": "6.12.10",
            "osImage": "Ubuntu 24.04.1 LTS",
            "containerRuntimeVersion": "containerd://2.3.7",
        },
    }
    return merged(thing(name, spec={}, status=status), changes)


def removal(minutes: float) -> dict[str, Any]:
    """The taint of a node that the cluster-autoscaler began to remove so many minutes ago."""
    began = NOW - timedelta(minutes=minutes)
    return {"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule", "value": str(int(began.timestamp()))}


def lease(name: str = "worker-1", renewed: float = 5, **changes: Any) -> dict[str, Any]:
    """A node's lease, renewed so many seconds ago."""
    spec = {
        "leaseDurationSeconds": 40,
        "renewTime": ago(seconds=renewed).replace("Z", ".000000Z"),
        "holderIdentity": name,
    }
    return merged(thing(name, "kube-node-lease", spec=spec), changes)


def container_status(name: str = "app", *, ready: bool = True, restarts: int = 0, **state: Any) -> dict[str, Any]:
    """One container's status; running unless `state` or `lastState` says otherwise."""
    running = {"state": {"running": {"startedAt": ago(hours=20)}}}
    return {"name": name, "ready": ready, "restartCount": restarts, "image": "app:1", **running, **state}


def terminated(code: int = 1, reason: str = "Error", **when: float) -> dict[str, Any]:
    """An end, so long ago, after ten seconds of running."""
    end = timedelta(**(when or {"minutes": 1}))
    started = (NOW - end - timedelta(seconds=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "terminated": {
            "exitCode": code,
            "reason": reason,
            "finishedAt": ago(seconds=end.total_seconds()),
            "startedAt": started,
        }
    }


def pod(
    name: str = "web-1", namespace: str = "shop", *, ready: str = "True", ip: str = "10.1.0.1", **changes: Any
) -> dict[str, Any]:
    """A running pod of the ReplicaSet web-rs on worker-1."""
    base = thing(
        name,
        namespace,
        metadata={"labels": {"app": "web"}, **owner("ReplicaSet", thing("web-rs", namespace))},
        spec={"nodeName": "worker-1", "containers": [{"name": "app", "image": "app:1"}]},
        status={
            "phase": "Running",
            "podIPs": [{"ip": ip}],
            "conditions": [condition("Ready", ready), condition("PodScheduled")],
            "containerStatuses": [container_status(ready=ready == "True")],
        },
    )
    return merged(base, changes)


def hanging(
    name: str = "web-1", reason: str = "ContainerCreating", on: str = "worker-1", minutes: float = 20, **changes: Any
) -> dict[str, Any]:
    """A pod that got its node so long ago, and whose container waits for that reason since."""
    since = {"lastTransitionTime": ago(minutes=minutes)}
    conditions = [condition("PodScheduled", **since), condition("Ready", "False", **since)]
    waiting = container_status(ready=False, state={"waiting": {"reason": reason}})
    status = {"phase": "Pending", "conditions": conditions, "containerStatuses": [waiting]}
    made = {"creationTimestamp": ago(minutes=minutes)}
    return merged(pod(name, metadata=made, spec={"nodeName": on}, status=status), changes)


def started(restarts: int = 0, **time: float) -> dict[str, Any]:
    """A pod that is a day old and not ready: its container was started so long ago."""
    running = {"running": {"startedAt": ago(**time)}}
    return pod(
        ready="False", status={"containerStatuses": [container_status(ready=False, restarts=restarts, state=running)]}
    )


def template(app: str) -> dict[str, Any]:
    """A pod template."""
    return {"template": {"metadata": {"labels": {"app": app}}, "spec": {}}}


def replicated(
    name: str, replicas: int = 1, namespace: str = "shop", app: str = "web", **changes: Any
) -> dict[str, Any]:
    """A complete Deployment, ReplicaSet or StatefulSet."""
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), replicas)
    conditions = [condition("Available"), condition("Progressing", reason="NewReplicaSetAvailable")]
    base = thing(
        name,
        namespace,
        metadata={"generation": 1},
        spec={"replicas": replicas, **template(app)},
        status={
            "observedGeneration": 1,
            **counts,
            "conditions": conditions,
            "currentRevision": "a",
            "updateRevision": "a",
        },
    )
    return merged(base, changes)


def job(name: str = "import", *, done: str = "Complete", **changes: Any) -> dict[str, Any]:
    """A Job of a day ago with that condition; empty: one that is under way."""
    status = {"startTime": ago(days=1), "conditions": [condition(done)] if done else [], "active": 0 if done else 1}
    return merged(thing(name, "shop", spec={"backoffLimit": 6}, status=status), changes)


def attempt(of: dict[str, Any], name: str = "import-1", **changes: Any) -> dict[str, Any]:
    """A pod of a Job; running unless its status says otherwise."""
    labels = {"app": "import", "job-name": of["metadata"]["name"]}
    base = pod(name, metadata={"labels": labels, **owner("Job", of)}, spec={"restartPolicy": "Never"})
    return merged(base, changes)


def cronjob(name: str = "backup", **changes: Any) -> dict[str, Any]:
    """A CronJob that is due at each full hour, and was on time."""
    spec = {"schedule": "0 * * * *", "concurrencyPolicy": "Allow", "suspend": False}
    last = NOW.replace(minute=0, second=0, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    return merged(thing(name, "shop", spec=spec, status={"lastScheduleTime": last}), changes)


def autoscaler(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A HorizontalPodAutoscaler that is active."""
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 5}
    conditions = [condition("AbleToScale", reason="ReadyForNewScale"), condition("ScalingActive")]
    status = {"currentReplicas": 1, "desiredReplicas": 1, "conditions": conditions}
    return merged(thing(name, "shop", spec=spec, status=status), changes)


def budget(name: str = "web", allowed: int = 1, **changes: Any) -> dict[str, Any]:
    """A PodDisruptionBudget for the pods of web that lets one of them go."""
    status = {
        "observedGeneration": 1,
        "disruptionsAllowed": allowed,
        "currentHealthy": 1,
        "desiredHealthy": 1 - allowed,
        "expectedPods": 1,
        "conditions": [condition("DisruptionAllowed", "True" if allowed else "False")],
    }
    spec = {"maxUnavailable": allowed, "selector": {"matchLabels": {"app": "web"}}}
    return merged(thing(name, "shop", metadata={"generation": 1}, spec=spec, status=status), changes)


def daemonset(name: str = "agent", desired: int = 1, **changes: Any) -> dict[str, Any]:
    """A complete DaemonSet."""
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberReady",
        "numberAvailable",
    )
    base = thing(
        name,
        "shop",
        metadata={"generation": 1},
        spec=template("agent"),
        status={"observedGeneration": 1, **dict.fromkeys(counts, desired)},
    )
    return merged(base, changes)


def kured(*holders: dict[str, Any], key: str = "kured.dev/kured-node-lock", **changes: Any) -> dict[str, Any]:
    """kured's DaemonSet with its lock, in the form for one holder or for several."""
    lock = holders[0] if len(holders) == 1 else {"maxOwners": 2, "locks": list(holders)}
    meta = {"namespace": "reboots", "annotations": {key: json.dumps(lock)}}
    return merged(
        daemonset("kured", 0, metadata=meta, spec={"template": {"spec": {"nodeSelector": {"no": "such"}}}}), changes
    )


def lock_holder(node: str = "worker-1", ttl: object = 0, **time: float) -> dict[str, Any]:
    """A node that has held kured's lock since so long ago, as Go writes it."""
    created = ago(**(time or {"minutes": 10})).replace("Z", ".123456789Z")
    return {"nodeID": node, "metadata": {"unschedulable": False}, "created": created, "TTL": ttl}


def machine(name: str = "m-1", node: str = "worker-1", **changes: Any) -> dict[str, Any]:
    """A Machine of Cluster API, a day old."""
    status = {"phase": "Running", "nodeRef": {"name": node} if node else None}
    return merged(thing(name, "default", spec={"clusterName": "prod"}, status=status), changes)


def nodeclaim(name: str = "c-1", node: str = "worker-1", **changes: Any) -> dict[str, Any]:
    """A NodeClaim of Karpenter, a day old, whose node has joined."""
    steps = [condition(each) for each in ("Launched", "Registered", "Initialized", "Ready")]
    return merged(thing(name, status={"nodeName": node, "conditions": steps}), changes)


def service(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A Service on port 80 for the pods of web."""
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.2.0.1",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080}],
    }
    return merged(thing(name, "shop", spec=spec), changes)


def load_balancer(name: str = "edge", *ips: str, **changes: Any) -> dict[str, Any]:
    """A Service of type LoadBalancer with these addresses, whose endpoints Kubernetes does not keep."""
    status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips or ("192.0.2.20",)]}}
    return merged(service(name, spec={"type": "LoadBalancer", "selector": None}, status=status), changes)


def endpointslice(service: str = "web", *ips: str, ready: bool = True, **changes: Any) -> dict[str, Any]:
    """A slice of a Service's endpoints."""
    endpoints = [
        {"addresses": [ip], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": "web-1"}} for ip in ips
    ]
    base = thing(f"{service}-x1", "shop", metadata={"labels": {"kubernetes.io/service-name": service}})
    return merged(base, {"endpoints": endpoints, "ports": [{"name": "", "port": 8080, "protocol": "TCP"}], **changes})


def webhook(name: str = "policy", *hooks: str, **changes: Any) -> dict[str, Any]:
    """A webhook configuration with a webhook of each of these names."""
    client = {"service": {"namespace": "shop", "name": "web"}, "caBundle": ""}
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]
    own = [{"name": each, "clientConfig": client, "rules": rules} for each in hooks or (f"{name}.example.com",)]
    return merged(thing(name, webhooks=own), changes)


def definition(plural: str = "widgets", *versions: str, **changes: Any) -> dict[str, Any]:
    """An established CustomResourceDefinition of example.com that serves these versions."""
    served = [{"name": each, "served": True, "storage": True} for each in versions or ("v1",)]
    names = {"plural": plural, "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": served}
    conditions = [condition("NamesAccepted"), condition("Established")]
    status = {"conditions": conditions, "storedVersions": [served[0]["name"]]}
    return merged(thing(f"{plural}.example.com", spec=spec, status=status), changes)


def ingress(name: str = "front", host: str = "shop.example.com", *ips: str, **changes: Any) -> dict[str, Any]:
    """An Ingress that leads requests for a host to the Service web, at these addresses."""
    paths = [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]
    spec = {"rules": [{"host": host, "http": {"paths": paths}}], "tls": [{"hosts": [host], "secretName": "front-tls"}]}
    status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips or ("192.0.2.10",)]}}
    return merged(thing(name, "shop", spec=spec, status=status), changes)


def claim(name: str = "data", phase: str = "Bound", **changes: Any) -> dict[str, Any]:
    """A claim of the class fast, and its volume."""
    bound = {"volumeName": f"pv-{name}"} if phase != "Pending" else {}
    return merged(thing(name, "shop", spec={"storageClassName": "fast", **bound}, status={"phase": phase}), changes)


def volume(name: str = "pv-data", phase: str = "Bound", **changes: Any) -> dict[str, Any]:
    """A PersistentVolume that is deleted with its claim."""
    spec = {"storageClassName": "fast", "persistentVolumeReclaimPolicy": "Delete"}
    return merged(thing(name, spec=spec, status={"phase": phase, "lastPhaseTransitionTime": ago(hours=1)}), changes)


def storage_class(name: str = "fast", binding: str = "Immediate", **changes: Any) -> dict[str, Any]:
    """A StorageClass."""
    return merged(thing(name, provisioner="csi.example.com", volumeBindingMode=binding), changes)


def attachment(volume: str = "pv-data", node: str = "worker-1", **changes: Any) -> dict[str, Any]:
    """A volume that is attached to a node."""
    spec = {"attacher": "csi.example.com", "nodeName": node, "source": {"persistentVolumeName": volume}}
    return merged(thing(f"csi-{volume}-{node}", spec=spec, status={"attached": True}), changes)


def csi_node(name: str = "worker-1", *drivers: str, **changes: Any) -> dict[str, Any]:
    """What the kubelet of a node knows of CSI drivers."""
    spec = {"drivers": [{"name": each, "nodeID": name} for each in drivers or ("csi.example.com",)]}
    return merged(thing(name, spec=spec), changes)


def ingress_class(name: str = "nginx", *, default: bool = False, **changes: Any) -> dict[str, Any]:
    """An IngressClass."""
    mark = {"annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}} if default else {}
    return merged(thing(name, metadata=mark, spec={"controller": "k8s.io/ingress-nginx"}), changes)


def signing_request(name: str = "csr-1", *conditions: str, **changes: Any) -> dict[str, Any]:
    """A kubelet's request for a certificate, with these conditions."""
    spec = {"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:worker-1"}
    status = {"conditions": [condition(each) for each in conditions]}
    return merged(thing(name, spec=spec, status=status), changes)


def gateway(name: str = "entry", accepted: str = "True", programmed: str = "True", **changes: Any) -> dict[str, Any]:
    """A Gateway."""
    said = [condition("Accepted", accepted), condition("Programmed", programmed, reason="Programmed")]
    return merged(thing(name, "shop", spec={"gatewayClassName": "any"}, status={"conditions": said}), changes)


def http_route(name: str = "web", parent: str = "entry", *conditions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A route of a Gateway, with what that says of it."""
    ref = {"name": parent}
    said = list(conditions or (condition("Accepted"), condition("ResolvedRefs")))
    status = {"parents": [{"parentRef": ref, "conditions": said}]}
    return merged(thing(name, "shop", spec={"parentRefs": [ref]}, status=status), changes)


def tls_secret(
    name: str = "front-tls",
    days: float = 60,
    *,
    lifetime: float = 90,
    names: tuple[str, ...] = ("shop.example.com",),
    **changes: Any,
) -> dict[str, Any]:
    """A TLS Secret whose certificate has so many days left."""
    public, key = pem(days, lifetime, names), b"-- a key --"
    data = {"tls.crt": b64encode(public).decode(), "tls.key": b64encode(key).decode()}
    return merged(thing(name, "shop", type="kubernetes.io/tls", data=data), changes)


@cache
def pem(days: float, lifetime: float = 90, names: tuple[str, ...] = ("shop.example.com",)) -> bytes:
    """A certificate that ends so many days after NOW, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    end = NOW + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, end - timedelta(days=lifetime), end)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
    signed = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def serving(days: float = 200, *, authority: bool = False) -> ServingCertificate:
    """The API server's certificate, or its authority's, with so many days left."""
    (seen,) = read_chain(pem(days, 365, ("kube-apiserver",)))
    return ServingCertificate(server="10.0.0.1:6443", certificate=seen, authority=authority)


def credential(days: float = 200, lifetime: float = 365, type: str = "client certificate") -> Credential:
    """What we log in with, with so many days left."""
    end = NOW + timedelta(days=days)
    return Credential(type=type, subject="ops", not_before=end - timedelta(days=lifetime), not_after=end)


def warning(
    about: dict[str, Any], reason: str = "FailedScheduling", kind: str = "Pod", **changes: Any
) -> dict[str, Any]:
    """A warning event about an object."""
    meta = about["metadata"]
    target = {"kind": kind, "name": meta["name"], "namespace": meta.get("namespace", ""), "uid": meta["uid"]}
    event = {
        "type": "Warning",
        "reason": reason,
        "message": "0/1 nodes",
        "involvedObject": target,
        "lastTimestamp": ago(minutes=1),
    }
    return merged(thing("event-1", meta.get("namespace", "default"), **event), changes)


def node_notice(
    reason: str = "NodeNotReady", of: str = "worker-1", component: str = "kubelet", **changes: Any
) -> dict[str, Any]:
    """A Normal event about a node, of five minutes ago."""
    seen = {"lastTimestamp": ago(minutes=5), "firstTimestamp": ago(minutes=5), "count": 1}
    by = {"type": "Normal", "source": {"component": component}, **seen}
    return merged(warning(node(of), reason, "Node"), {**by, **changes})


def namespace(name: str = "shop", **changes: Any) -> dict[str, Any]:
    """An active namespace."""
    labels = {"labels": {"kubernetes.io/metadata.name": name}}
    return merged(thing(name, metadata=labels, status={"phase": "Active"}), changes)


def network_policy(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A NetworkPolicy for the pods of web, which lets in all pods of the namespace shop."""
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [peer]}]}
    return merged(thing(name, "shop", spec=spec), changes)


def good(**changes: list[dict[str, Any]]) -> World:
    """A world in which every check passes, with some lists replaced."""
    from tests.control_worlds import COREDNS_ROLE, HARMLESS, LEADERS, api_service, binding
    from tests.control_worlds import definition as orders

    deployment = replicated("web")
    replicaset = replicated("web-rs", metadata=owner("Deployment", deployment))
    return deepcopy(
        {
            "nodes": [node()],
            "leases": [lease()],
            "namespaces": [namespace()],
            "pods": [pod()],
            "deployments": [deployment],
            "replicasets": [
                replicaset,
                replicated("canary", 0, app="canary", metadata=owner("Rollout", thing("web", "shop"))),
            ],
            # Scaled to zero, so that the pods that a test gives are all that there have to be.
            "statefulsets": [replicated("db", 0, app="db")],
            "daemonsets": [
                daemonset("agent", 0, spec={"template": {"spec": {"nodeSelector": {"gpu": "yes"}}}}),
                kured(lock_holder()),
            ],
            "services": [service(), load_balancer()],
            "endpointslices": [endpointslice("web", "10.1.0.1")],
            "ingresses": [ingress()],
            "networkpolicies": [network_policy()],
            "jobs": [job()],
            "cronjobs": [cronjob()],
            "horizontalpodautoscalers": [autoscaler()],
            "poddisruptionbudgets": [budget()],
            "ingressclasses": [],
            "persistentvolumeclaims": [claim()],
            "persistentvolumes": [volume()],
            "storageclasses": [storage_class()],
            "volumeattachments": [attachment()],
            "csinodes": [csi_node()],
            "leader_leases": LEADERS,
            "apiservices": [api_service()],
            "customresourcedefinitions": [definition(), orders()],
            "validatingwebhookconfigurations": [HARMLESS],
            "mutatingwebhookconfigurations": [],
            "clusterroles": [COREDNS_ROLE],
            "clusterrolebindings": [binding("system:coredns")],
            "roles": [],
            "rolebindings": [],
            "certificatesigningrequests": [signing_request("csr-1", "Denied")],
            "tls_secrets": [tls_secret()],
            "secret_metadata": [thing("front-tls", "shop")],
            # Not served by most clusters.
            "gateways": [],
            "httproutes": [],
            "machines": [machine()],
            "nodeclaims": [],
            "autoscaler_statuses": [],
            "istiooperators": [],
            "controlplanerevisions": [],
            "notices": [],
            "node_notices": [],
            # Its pods could not be made at first.
            "warnings": [warning(replicaset, "FailedCreate", "ReplicaSet", lastTimestamp=ago(days=1))],
            **changes,
        }
    )


def by_resource(world: World) -> dict[str, list[dict[str, Any]]]:
    """The objects as an API server serves them: two nouns may be of one resource."""
    served: dict[str, list[dict[str, Any]]] = {}
    for noun, items in world.items():
        kind = KINDS[noun]
        # A kind that a cluster may not serve is named with its group and version; the core group's are always served.
        custom = kind.optional and bool(kind.group)
        # The metadata alone are of objects that another noun serves.
        if (items or not kind.optional) and not kind.metadata_only:
            resource = f"{kind.version}/{kind.resource}" if custom else kind.resource
            served.setdefault(resource, []).extend(
                {"kind": kind.type.__name__, **each} if custom else each for each in items
            )
    return served | custom_resources(world)


def custom_resources(world: World) -> dict[str, list[dict[str, Any]]]:
    """One object for each version that a definition serves."""
    specs = [each["spec"] for each in world.get("customresourcedefinitions", [])]
    return {
        f"{spec['group']}/{version['name']}/{spec['names']['plural']}": [thing("one", kind=spec["names"]["kind"])]
        for spec in specs
        for version in spec["versions"]
    }


def empty() -> World:
    """Every list is there, and holds nothing."""
    return {noun: [] for noun in KINDS}


def exposition(*lines: str, started: float = 60 * 24, **ago: float) -> Exposition:
    """What /metrics said so long ago (now), of a process that had started so many minutes before NOW (a day)."""
    began = f"process_start_time_seconds {(NOW - timedelta(minutes=started)).timestamp()}"
    return Exposition(NOW - timedelta(**ago), samples_in([began, ENDPOINTS, *lines]))


def metrics(*lines: str, started: float = 60 * 24, earlier: list[str] | None = None) -> ServerMetrics:
    """One look at /metrics; or two, five seconds apart."""
    first = [] if earlier is None else [exposition(*earlier, started=started, seconds=5)]
    return ServerMetrics([*first, exposition(*lines, started=started)])


def settings(component: str, nodes: str, *given: str, version: str = "v1.36.3") -> Configuration:
    """A configuration with the settings `name=value` of one component, on these nodes, with spaces between them."""
    pairs = dict(each.split("=", 1) for each in given)
    return Configuration([SettingGroup(component, nodes.split() or [""], pairs, version)])


def snapshot(world: World, **fields: Any) -> Snapshot:
    """What a look at this world gives."""
    lists, malformed = {}, {}
    for noun, objects in world.items():
        page = msgspec.json.decode(msgspec.json.encode({"kind": "List", "items": objects}), type=Page)
        lists[noun], bad = decode_page(KINDS[noun].type, page)
        malformed |= {noun: bad} if bad else {}
    health = [HealthEndpoint(name, 200, f"[+]ping ok\n{name} check passed\n") for name in ("readyz", "livez")]
    defaults: dict[str, Any] = {
        "taken": NOW,
        "version": "v1.36.3",
        "health": health,
        "malformed": malformed,
        "metrics": metrics(),
        "custom_reads": CustomReads([]),
        "hosts": [host()],
        "api_certificates": [serving()],
        "credentials": [credential()],
        "api_servers": ApiServers((ApiServerAnswer("10.0.0.1:6443", version="v1.36.3"),) * any(world.values())),
        "kubelet_answers": KubeletAnswers(tuple(KubeletAnswer("worker-1", 5) for _ in range(any(world.values())))),
        "control_logs": [ComponentLog("Pod/kube-system/kube-apiserver-1", "kube-apiserver")]
        if any(world.values())
        else [],
        "probed": probed() if any(world.values()) else Probed(),
        "conditions": Swept(objects=int(any(world.values()))),
        "configuration": settings("APIServer", "", "--v=2") if any(world.values()) else Configuration(),
        "kubelet_settings": settings("Kubelet", "worker-1", "maxPods=110") if any(world.values()) else Configuration(),
        "monitored": MonitorAnswers(url="http://prometheus.test", rules=int(any(world.values()))),
    }
    return Snapshot(lists=lists, **{**defaults, **fields})


def unseen(reason: str = "cannot list: not permitted") -> Snapshot:
    """What a look gives that was refused everything."""
    gaps = dict.fromkeys([*KINDS, *ASIDES, "health", "version", "conditions", "probed"], reason)
    return Snapshot(taken=NOW, gaps=gaps, monitored=MonitorAnswers(problem=reason))


def baseline(world: World, label: str | None = None) -> Baseline:
    """The baseline that this world makes, taken an hour ago."""
    return take_baseline(snapshot(world, taken=NOW - timedelta(hours=1)), label)


def profile(**keys: Any) -> Profile:
    """A profile with these keys."""
    return Profile.model_validate(frozen(keys))


def frozen(value: Any) -> Any:
    """The same with tuples for lists, as a profile holds them."""
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, list) else value


@cache
def battery() -> dict[str, Check]:
    """All checks by id."""
    return load_checks([CHECKS]).by_id


def judge(
    id: str,
    seen: World | Snapshot,
    *,
    profile: Profile | None = None,
    baseline: Baseline | None = None,
    entry: Any = None,
    preflight: bool | None = None,
) -> CheckResult:
    """What one check says of a world; one that is asked before an upgrade only is asked so."""
    preflight = battery()[id].only_preflight if preflight is None else preflight
    return run([id], seen, profile, baseline, entry, preflight=preflight)[0]


def run(
    ids: list[str],
    seen: World | Snapshot,
    profile: Profile | None = None,
    baseline: Baseline | None = None,
    entry: Any = None,
    *,
    monitor: bool = False,
    preflight: bool = False,
) -> list[CheckResult]:
    """What some checks say of a world, with their root causes."""
    part = PREFLIGHT if preflight else ""
    gate = Gate(profile or Profile(), Options(home=Path("reports"), part=part, monitor=monitor))
    gate.snapshot, gate.baseline = seen if isinstance(seen, Snapshot) else snapshot(seen), baseline
    results = [judge_on(replace(gate.as_asked(battery()[id]), entry=entry), gate.evidence) for id in ids]
    return gate.relate(results, {id: battery()[id].after for id in ids})


def objects(result: CheckResult) -> list[str]:
    """The objects that a check found."""
    return [finding.object for finding in result.findings]
