"""Tiny worlds: Kubernetes objects as the API server would send them, and a way to let one check judge them.

`good()` is a world in which every check passes; tests change one thing in it. Times are relative to NOW.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.machines import NOW, host
from upgate.baseline import Baseline, take_baseline
from upgate.battery.check import Check
from upgate.battery.registry import load_checks
from upgate.facts.conditioned import Swept
from upgate.facts.decoding import Page, decode_page
from upgate.facts.health import HealthEndpoint
from upgate.facts.kinds import KINDS
from upgate.facts.monitored import MonitorAnswers
from upgate.judge.causes import relate
from upgate.judge.gate import Gate
from upgate.judge.judge import judge as judge_on
from upgate.judge.options import PREFLIGHT, Options
from upgate.profile import Profile
from upgate.results import CheckResult
from upgate.snapshot import Snapshot

CHECKS = Path(__file__).parents[1] / "checks"
World = dict[str, list[dict[str, Any]]]


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
        "nodeInfo": {"kubeletVersion": "v1.36.3"},
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


def service(name: str = "web", **changes: Any) -> dict[str, Any]:
    """A Service on port 80 for the pods of web."""
    spec = {
        "type": "ClusterIP",
        "clusterIP": "10.2.0.1",
        "selector": {"app": "web"},
        "ports": [{"port": 80, "targetPort": 8080}],
    }
    return merged(thing(name, "shop", spec=spec), changes)


def endpointslice(service: str = "web", *ips: str, ready: bool = True, **changes: Any) -> dict[str, Any]:
    """A slice of a Service's endpoints."""
    endpoints = [
        {"addresses": [ip], "conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "name": "web-1"}} for ip in ips
    ]
    base = thing(f"{service}-x1", "shop", metadata={"labels": {"kubernetes.io/service-name": service}})
    return merged(base, {"endpoints": endpoints, "ports": [{"name": "", "port": 8080, "protocol": "TCP"}], **changes})


def ingress(name: str = "front", host: str = "shop.example.com", *ips: str, **changes: Any) -> dict[str, Any]:
    """An Ingress that leads requests for a host to the Service web, at these addresses."""
    paths = [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]
    spec = {"rules": [{"host": host, "http": {"paths": paths}}], "tls": [{"hosts": [host], "secretName": "front-tls"}]}
    status = {"loadBalancer": {"ingress": [{"ip": ip} for ip in ips or ("192.0.2.10",)]}}
    return merged(thing(name, "shop", spec=spec, status=status), changes)


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


def namespace(name: str = "shop", **changes: Any) -> dict[str, Any]:
    """An active namespace."""
    return merged(thing(name, status={"phase": "Active"}), changes)


def good(**changes: list[dict[str, Any]]) -> World:
    """A world in which every check passes, with some lists replaced."""
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
            "daemonsets": [daemonset("agent", 0, spec={"template": {"spec": {"nodeSelector": {"gpu": "yes"}}}})],
            "services": [service()],
            "endpointslices": [endpointslice("web", "10.1.0.1")],
            "ingresses": [ingress()],
            "jobs": [job()],
            "cronjobs": [],
            "horizontalpodautoscalers": [],
            "poddisruptionbudgets": [],
            "ingressclasses": [],
            "persistentvolumeclaims": [],
            "persistentvolumes": [],
            "storageclasses": [],
            "volumeattachments": [],
            "csinodes": [],
            "leader_leases": [],
            "apiservices": [],
            "customresourcedefinitions": [],
            "validatingwebhookconfigurations": [],
            "mutatingwebhookconfigurations": [],
            "clusterroles": [],
            "clusterrolebindings": [],
            "roles": [],
            "rolebindings": [],
            "certificatesigningrequests": [],
            # Not served by most clusters.
            "gateways": [],
            "httproutes": [],
            "machines": [],
            "nodeclaims": [],
            "autoscaler_statuses": [],
            "notices": [],
            "warnings": [],
            **changes,
        }
    )


def by_resource(world: World) -> dict[str, list[dict[str, Any]]]:
    """The objects as an API server serves them: two nouns may be of one resource."""
    served: dict[str, list[dict[str, Any]]] = {}
    for noun, items in world.items():
        if items or not KINDS[noun].optional:
            served.setdefault(KINDS[noun].resource, []).extend(items)
    return served


def empty() -> World:
    """Every list is there, and holds nothing."""
    return {noun: [] for noun in KINDS}


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
        "hosts": [host()],
        "conditions": Swept(objects=int(any(world.values()))),
        "monitored": MonitorAnswers(url="http://prometheus.test", rules=int(any(world.values()))),
    }
    return Snapshot(lists=lists, **{**defaults, **fields})


def unseen(reason: str = "cannot list: not permitted") -> Snapshot:
    """What a look gives that was refused everything."""
    gaps = dict.fromkeys([*KINDS, "health", "version", "conditions"], reason)
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
    preflight: bool = False,
) -> CheckResult:
    """What one check says of a world."""
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
    return relate(results, gate.snapshot, {id: battery()[id].after for id in ids})


def objects(result: CheckResult) -> list[str]:
    """The objects that a check found."""
    return [finding.object for finding in result.findings]
