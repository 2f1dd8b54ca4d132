"""Faults in namespaces of their own, from worlds/faults.yaml: made all at once, and undone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from tests.e2e.battery import LATE, Run, difference, named
from tests.e2e.cluster import WORLDS, RealCluster, until

Object = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """One fault; what the fields mean is said in worlds/faults.yaml."""

    name: str
    expect: list[str]
    seen: dict[str, str] = field(default_factory=dict)
    pod: Object = field(default_factory=dict)
    app: Object = field(default_factory=dict)
    replicas: int = 1
    labels: dict[str, str] = field(default_factory=dict)
    objects: list[Object] = field(default_factory=list)
    #: Objects that are in no namespace.
    cluster: list[Object] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    then: str = ""
    undo: str = ""

    @property
    def roots(self) -> list[str]:
        """The findings expected of it."""
        return [each.replace("NS", self.name) for each in self.expect]

    @property
    def namespace(self) -> Object:
        """The namespace; its label marks it as one of ours."""
        return namespace(self.name, **self.labels)

    @property
    def manifests(self) -> list[Object]:
        """Its objects: what limits pods before the pods."""
        named = yaml.safe_load(yaml.safe_dump(self.objects).replace("NS-", f"{self.name}-"))
        objects = [merged({"metadata": {"namespace": self.name}}, each) for each in named]
        return [*objects, *([self.workload] if self.pod else [])]

    @property
    def wide(self) -> list[Object]:
        """Its objects that are in no namespace, named after it."""
        return yaml.safe_load(yaml.safe_dump(self.cluster).replace("NS", self.name))

    def is_about(self, object: str) -> bool:
        """An object as reports name it is in its namespace, is one of its cluster-wide ones, or the node that it speaks of."""
        wide = {name_of(each) for each in self.wide}
        own = (f"Namespace/{self.name}", f"Node/{self.name}-gone", *wide, *self.beside)
        return object in own or f"/{self.name}/" in object

    @property
    def workload(self) -> Object:
        """The Deployment `app`, or what `app` makes of it."""
        return workload(self.name, self.pod, self.replicas, self.app)

    def has_come(self, objects: list[Object]) -> bool:
        """The cluster says of itself what is to be seen of the fault."""
        return all(re.search(words, said(objects, kind)) for kind, words in self.seen.items())


def name_of(item: Object) -> str:
    """The object as reports name it."""
    meta = item["metadata"]
    return "/".join(filter(None, (item["kind"], meta.get("namespace"), meta["name"])))


def namespace(name: str, **labels: str) -> Object:
    """A namespace; its label marks it as one of ours."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"e2e": "fault", **labels}}}


def workload(namespace: str, pod: Object, replicas: int = 1, over: Object | None = None) -> Object:
    """The Deployment `app` of such pods, or what is laid over it."""
    labels = {"app": "app"}
    spec: Object = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": pod_spec(pod)},
    }
    kind = (over or {}).get("kind", "Deployment")
    spec |= {} if kind == "DaemonSet" else {"replicas": replicas}
    spec |= {"serviceName": "app"} if kind == "StatefulSet" else {}
    meta = {"name": "app", "namespace": namespace}
    return merged({"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": spec}, over or {})


def pod_spec(spec: Object) -> Object:
    """A pod's spec with what all of ours have: on real nodes, quick to go, containers that sleep."""
    whole = {"terminationGracePeriodSeconds": 1, "nodeSelector": {"type": "real"}, **spec}
    sleeping = {"name": "app", "image": "busybox:1.36", "command": ["sleep", "86400"]}
    for key in ("containers", "initContainers"):
        whole |= {key: [{**sleeping, **each} for each in spec[key]]} if key in spec else {}
    return whole


def definition(group: str, version: str, kind: str) -> Object:
    """A kind of custom resources, as small as can be."""
    names = {"plural": f"{kind.lower()}s", "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [{"name": version, "served": True, "storage": True, "schema": schema}]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": versions},
    }


def merged(base: Object, over: Object) -> Object:
    """One mapping laid over another, deeply."""
    both = {key: merged(base[key], over[key]) for key in base.keys() & over.keys() if isinstance(base[key], dict)}
    return base | over | both


def said(objects: list[Object], kind: str) -> str:
    """All objects of a kind (in the plural), as JSON."""
    return json.dumps([each for each in objects if f"{each['kind']}s".lower() == kind])


def faults_of(file: str) -> list[Fault]:
    """The faults that a file holds."""
    return [Fault(**each) for each in yaml.safe_load((WORLDS / file).read_text())]


FAULTS, CATALOGUE = faults_of("faults.yaml"), faults_of("catalogue.yaml")
KINDS = ",".join(sorted({kind for fault in (*FAULTS, *CATALOGUE) for kind in fault.seen} | {"pods"}))


def make_all(cluster: RealCluster, faults: Iterable[Fault]) -> None:
    """Make them, and wait until each has come about and is older than the short patience."""
    faults = list(faults)
    cluster.apply(*(fault.namespace for fault in faults))
    cluster.apply(*(each for fault in faults for each in (*fault.manifests, *fault.wide)))
    for fault in faults:
        if fault.then:
            finish(cluster, fault)
    until(
        lambda: f"to see {', '.join(still_to_come(cluster, faults))}",
        lambda: not still_to_come(cluster, faults),
        within=120,
        every=1,
    )
    until("all of them are older than the short patience", lambda: is_late(cluster, faults))


def finish(cluster: RealCluster, fault: Fault) -> None:
    """Do what no manifest can say."""
    if fault.pod:
        kind = fault.workload["kind"]
        cluster.kubectl("rollout", "status", f"{kind}/app", f"--namespace={fault.name}", "--timeout=90s")
    in_shell(cluster, fault, fault.then)


def in_shell(cluster: RealCluster, fault: Fault, text: str) -> None:
    """Run what a fault's `then` or `undo` says."""
    cluster.shell(f"export NS={fault.name} KUBECONFIG=$K/admin.kubeconfig PATH=$B:$PATH; {text}")


def still_to_come(cluster: RealCluster, faults: Iterable[Fault]) -> list[str]:
    """The faults of which nothing is to be seen yet."""
    objects = cluster.get(KINDS)
    return [fault.name for fault in faults if not fault.has_come(inside(objects, fault.name))]


def is_late(cluster: RealCluster, faults: Iterable[Fault]) -> bool:
    """Every pod of theirs is older than the short patience, and as long overdue if it is being deleted."""
    before = datetime.now(UTC) - timedelta(seconds=LATE + 2)
    everywhere = cluster.get("pods")
    pods = [pod for fault in faults for pod in inside(everywhere, fault.name)]
    metas = [pod["metadata"] for pod in pods]
    moments = [meta[key] for meta in metas for key in ("creationTimestamp", "deletionTimestamp") if key in meta]
    return all(datetime.fromisoformat(moment) < before for moment in moments)


def inside(objects: list[Object], namespace: str) -> list[Object]:
    """The objects in a namespace."""
    return [each for each in objects if each["metadata"]["namespace"] == namespace]


def undo_all(cluster: RealCluster, faults: Sequence[Fault]) -> None:
    """Take them back, whatever finalizers hold them; first what reaches beyond its namespace."""
    for each in (each for fault in faults for each in fault.wide):
        where = f"--namespace={each['metadata'].get('namespace', 'default')}"
        cluster.ask("delete", each["kind"], each["metadata"]["name"], where, "--wait=false", "--ignore-not-found")
    for fault in (each for each in faults if each.undo):
        in_shell(cluster, fault, fault.undo)
    cluster.remove(fault.name for fault in faults)


def asked_for(request: pytest.FixtureRequest, parameter: str, faults: list[Fault]) -> list[Fault]:
    """The faults that a test of this run asks for: with -k only those are made."""
    items = (item for item in request.session.items if hasattr(item, "callspec"))
    params = (item.callspec.params.get(parameter) for item in items)
    return [each for each in params if isinstance(each, Fault)] or faults


def must_be_found(run: Run, fault: Fault) -> None:
    """The root findings on the fault's objects are exactly the expected ones, and every other follows from one of them."""
    about = [each for each in run.findings if fault.is_about(each["object"])]
    roots = [named(each) for each in about if not each["because"]]
    assert difference(roots, fault.roots) == ([], []), about
    assert [each for each in about if each["because"] and each["because"] not in roots] == []


def must_be_all(run: Run, faults: Sequence[Fault]) -> None:
    """No finding is about anything but the faults, and nothing could not be judged."""
    assert [each for each in run.findings if not any(fault.is_about(each["object"]) for fault in faults)] == []
    assert (run.code, run.having("inconclusive")) == (1, set())
