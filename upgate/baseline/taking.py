"""What a later run compares with: the cluster before the upgrade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from upgate.base.errors import Inconclusive
from upgate.facts.containers import ContainerStatus
from upgate.facts.lasting_names import LastingNames
from upgate.facts.metrics import Exposition
from upgate.facts.node_images import info_of
from upgate.facts.nodes import Node
from upgate.facts.pods import Pod
from upgate.facts.recorded.inventory import PARTS, Inventory, take_inventory
from upgate.facts.relations import lists_for
from upgate.facts.settings import Configuration
from upgate.results import CheckResult, Finding, Severity
from upgate.snapshot import Snapshot

#: 1: numbers, not compressed. 2: also the inventory, compressed.
SCHEMA = 2
#: The namespace whose UID stands for the cluster: it is made with it, and is never deleted.
CLUSTER_NAMESPACE = "kube-system"
#: The lists that a baseline is made of, and those that it is richer for.
NEEDS = (
    *("nodes", "pods", "services", "endpointslices", "ingresses", "warnings", "namespaces"),
    *("deployments", "statefulsets", "daemonsets", "cronjobs", *LastingNames.needs),
    *sorted(lists_for(PARTS)),
)
#: The kinds whose generations it knows.
CHANGING = ("deployments", "statefulsets", "daemonsets")


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that must not get worse."""

    schema: int = SCHEMA
    #: When it was taken, by the API server's clock: the reference time of later runs.
    taken: datetime
    server: str
    #: The UID of the namespace kube-system; empty where it was not seen, or an earlier version has written this.
    cluster: str = ""
    #: The API server's version; None where it was not seen, or an earlier version has written this.
    version: str | None = None
    #: The label that says which pool a node belongs to.
    pool_label: str | None = None
    #: Nodes by the value of that label.
    pools: dict[str, int]
    #: Those of them that an autoscaler manages; None where an earlier version has written this.
    scaled: dict[str, int] | None = None
    #: DaemonSets that wanted nodes, by reference, and how many.
    daemonsets: dict[str, int] = {}
    #: The CronJobs that were not suspended, by reference.
    cronjobs: set[str] = set()
    #: Which generation each Deployment, StatefulSet and DaemonSet had, by reference.
    generations: dict[str, int] = {}
    #: What Warning events were about: `Kind reason`.
    warnings: set[str] = set()
    #: The references of the Services that had a ready endpoint.
    served: set[str] = set()
    #: The references of the Ingresses that had an address.
    addressed: set[str] = set()
    #: Restarts by pod UID and container, zeros left out.
    restarts: dict[str, dict[str, int]]
    #: The UIDs of all pods: one that is not among them started from 0.
    pods: set[str]
    #: The boot ID of each node; empty in baselines of earlier versions.
    boots: dict[str, str] = {}
    #: What the API server had counted; None where that was not looked at, or an earlier version has written this.
    counters: Exposition | None = None
    #: The kubelet's version on each node; empty in baselines of earlier versions.
    kubelets: dict[str, str] = {}
    #: The taints of each node, as `key=value:Effect`; None in baselines of earlier versions.
    taints: dict[str, set[str]] | None = None
    #: The effective settings of the cluster's components; None where they were not looked at, or in earlier versions.
    configuration: Configuration | None = None
    #: What was wrong already: the severity of each finding, by check id and object. Rollouts under way are not among it.
    wrong: dict[str, dict[str, Severity]] = {}
    #: The same of pods and Jobs with generated names, by check id and the object that makes them: a severity for each.
    wrong_generated: dict[str, dict[str, dict[str, Severity]]] = {}

    #: What is compared object by object; None in baselines of earlier versions.
    inventory: Inventory | None = None

    def knows(self, check_id: str, finding: Finding) -> bool:
        """The finding was there already, and was no less severe."""
        before = self.wrong.get(check_id, {}).get(finding.object)
        return before == "critical" or (before is not None and finding.severity == before)

    def restarts_of(self, pod: Pod, status: ContainerStatus) -> int:
        """How often this container of this very pod had restarted."""
        return self.restarts.get(pod.metadata.uid, {}).get(status.name, 0)

    def rebooted(self, node: Node | None) -> bool:
        """The node has booted since; not known of a node that the baseline does not know."""
        boot = self.boots.get(node.name) if node else None
        return bool(node and boot and node.boot_id not in ("", boot))

    def upgraded(self, node: Node) -> bool:
        """Its kubelet has another version since; not known of a node that the baseline does not know."""
        return self.kubelets.get(node.name, info_of(node).kubelet_version) != info_of(node).kubelet_version


def pool_of(node: Node, label: str | None) -> str:
    """The pool that a node belongs to; those without the label, or all where there is none, are one."""
    return (label and node.labels.get(label)) or "(none)"


def nodes_by_pool(nodes: list[Node], label: str | None) -> dict[str, int]:
    """How many nodes each pool has."""
    return dict(Counter(pool_of(node, label) for node in nodes))


def services_served(snapshot: Snapshot) -> set[str]:
    """The Services that have a ready endpoint, as far as that was looked at."""
    ready = {each.service for each in facts_known(snapshot, "endpointslices") if each.ready}
    return {each.ref for each in facts_known(snapshot, "services") if each.key in ready}


def facts_known(snapshot: Snapshot, noun: str) -> list[Any]:
    """The facts of a kind that a baseline is richer for; none where it could not be looked at."""
    try:
        return snapshot.facts(noun)
    except Inconclusive:
        return []


def known_lists(snapshot: Snapshot, nouns: Iterable[str]) -> dict[str, list[Any]]:
    """The facts of these kinds, as far as they could be looked at."""
    return {noun: facts_known(snapshot, noun) for noun in nouns}


def findings_of(checks: Iterable[CheckResult]) -> dict[str, dict[str, Severity]]:
    """What these checks found, waived or not; a rollout under way is not wrong, and what it comes to is new."""
    found = {check.id: gravest(each for each in check.findings if not each.transitional) for check in checks}
    return {id: objects for id, objects in found.items() if objects}


def gravest(findings: Iterable[Finding]) -> dict[str, Severity]:
    """The gravest severity that was found on each object."""
    severities: dict[str, Severity] = {}
    for each in findings:
        if severities.get(each.object) != "critical":
            severities[each.object] = each.severity
    return severities


def generated_of(checks: Iterable[CheckResult], names: LastingNames) -> dict[str, dict[str, dict[str, Severity]]]:
    """What these checks found of objects with generated names, by what makes them and by name."""
    found: dict[str, dict[str, dict[str, Severity]]] = {}
    for id, severities in findings_of(checks).items():
        for object, severity in severities.items():
            if maker := names.maker(object):
                found.setdefault(id, {}).setdefault(maker, {})[object] = severity
    return found


def cluster_uid(snapshot: Snapshot) -> str:
    """What tells this cluster from any other: the UID of kube-system. Empty where it was not seen."""
    found = (each.metadata.uid for each in facts_known(snapshot, "namespaces") if each.name == CLUSTER_NAMESPACE)
    return next(found, "")


def taken_inventory(snapshot: Snapshot, pool_label: str | None) -> Inventory:
    """The inventory of what a snapshot has seen."""
    seen = partial(snapshot.relation, unreadable=snapshot.unreadable)
    return take_inventory(seen, snapshot.attempts, snapshot.published, pool_label)


def take_baseline(snapshot: Snapshot, pool_label: str | None, checks: Iterable[CheckResult] = ()) -> Baseline:
    """The baseline of a snapshot, and of what checks found on it. Raises Inconclusive where a list could not be looked at."""
    pods: list[Pod] = snapshot.facts("pods")
    checks = list(checks)
    counts = {
        pod.metadata.uid: {each.name: each.restart_count for each in pod.statuses if each.restart_count} for pod in pods
    }
    return Baseline(
        taken=snapshot.taken,
        server=snapshot.server,
        cluster=cluster_uid(snapshot),
        version=snapshot.version,
        pool_label=pool_label,
        pools=nodes_by_pool(snapshot.facts("nodes"), pool_label),
        scaled=nodes_by_pool([each for each in snapshot.facts("nodes") if each.autoscaled], pool_label),
        daemonsets={each.ref: each.desired for each in facts_known(snapshot, "daemonsets") if each.desired},
        served=services_served(snapshot),
        cronjobs={each.ref for each in facts_known(snapshot, "cronjobs") if each.runs},
        generations={each.ref: each.metadata.generation for noun in CHANGING for each in facts_known(snapshot, noun)},
        warnings={each.topic for each in facts_known(snapshot, "warnings")},
        addressed={each.ref for each in facts_known(snapshot, "ingresses") if each.addresses},
        restarts={uid: containers for uid, containers in counts.items() if containers},
        pods=set(counts),
        boots={node.name: node.boot_id for node in snapshot.facts("nodes") if node.boot_id},
        counters=snapshot.metrics.last if snapshot.metrics else None,
        kubelets={node.name: info_of(node).kubelet_version for node in snapshot.facts("nodes")},
        taints={node.name: {each.spelling for each in node.spec.taints or ()} for node in snapshot.facts("nodes")},
        configuration=snapshot.settings,
        wrong=findings_of(checks),
        inventory=taken_inventory(snapshot, pool_label),
        wrong_generated=generated_of(checks, LastingNames(known_lists(snapshot, LastingNames.needs))),
    )
