"""Only the pods that may be wrong, whole; of all others no more than that they look right.

The table (`pod_table.py`) is a sixtieth of the pods' bytes. A pod is read whole when its row does not look right,
when its node or its endpoint is not ready, or when it belongs to a workload or a Service that is not complete, or to a
namespace that is being deleted. Where that cannot be told, or would be too many questions, all pods are read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.backends import Backends, is_version, uids
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.jobs import Job
from upgate.facts.kinds import Kind
from upgate.facts.placement import DaemonSetPlacement
from upgate.facts.pods import Pod
from upgate.facts.statefulsets import StatefulSet
from upgate.facts.workloads import Workload
from upgate.sources.cluster.connection import Connection
from upgate.sources.cluster.listing import Listing, Progress, list_all
from upgate.sources.cluster.pod_table import PODS, RUNNING, SUCCEEDED, Crew, Glance, glance, shared_names

#: Pods that neither run nor have completed: there are few, and a failed one may have the status Completed in its row.
UNUSUAL = "status.phase!=Running,status.phase!=Succeeded"
#: Pods of no workload or Job of Kubernetes' own, by the labels that its controllers give to theirs: operators', and bare
#: ones. Nothing else says whether they are ready. Kruise gives its pods the label of a DaemonSet's.
FOREIGN = (
    "!pod-template-hash,!controller-revision-hash,!job-name",
    "controller-revision-hash,!pod-template-generation,!statefulset.kubernetes.io/pod-name",
)
#: More questions than this cost the API server more than reading all pods.
MOST = 100
#: What must have been seen of the rest of the cluster.
BESIDE = (
    "nodes",
    "namespaces",
    "services",
    "endpointslices",
    "deployments",
    "replicasets",
    "statefulsets",
    "daemonsets",
    "jobs",
)


class TooMuch(Exception):
    """Reading all pods costs less than asking for each that may be wrong."""


def list_briefly(
    connection: Connection, others: Mapping[str, Listing], progress: Progress, deadline: Deadline
) -> Listing:
    """The pods that may be wrong, and how many others there are; all of them where that cannot be told."""
    try:
        if missing := [noun for noun in BESIDE if noun not in others]:
            raise Inconclusive(f"{', '.join(missing)} could not be listed")
        homes, namespaces = ({each.name for each in others[noun].items} for noun in ("nodes", "namespaces"))
        glanced = glance(connection, homes, namespaces, deadline)
        foreign = list_some(connection, [PODS._replace(label_selector=labels) for labels in FOREIGN], deadline)
        doubted = understaffed(without_foreign(glanced, foreign, others), others)
        listing = merged(
            list_some(connection, lists_of_suspects(glanced, others, doubted), deadline), in_doubt(foreign)
        )
    except (Inconclusive, TooMuch):  # whatever the reason: what reads all of them says what is wrong
        return list_all(connection, PODS, progress, deadline)
    usual = sum(pod.status.phase in ("Running", "Succeeded") for pod in listing.items)
    listing.unread = max(0, glanced.total - usual)
    listing.read = [each.ref for each in doubted]
    progress("pods", listing.unread + len(listing.items), 0)
    return listing


def lists_of_suspects(glanced: Glance, others: Mapping[str, Listing], doubted: Iterable[Workload]) -> list[Kind]:
    """The lists that hold every pod that may be wrong. Raises TooMuch."""
    asked = [PODS._replace(field_selector=UNUSUAL)]
    asked += [
        PODS._replace(field_selector=f"metadata.name={name}") for name in sorted({*glanced.odd, *unserving(others)})
    ]
    down = (node.name for node in others["nodes"].items if not node.ready.is_true)
    asked += [PODS._replace(field_selector=f"spec.nodeName={name}") for name in down]
    suspects = {*incomplete(others), *(label_query(each, each.template_labels) for each in doubted)}
    asked += [PODS._replace(namespace=place, label_selector=labels) for place, labels in sorted(suspects)]
    asked += [
        PODS._replace(namespace=each.name) for each in others["namespaces"].items if each.metadata.deletion_timestamp
    ]
    asked += [each for job in others["jobs"].items if job.under_way for each in attempts(job)]
    if len(asked) > MOST:
        raise TooMuch
    return asked


def attempts(job: Job) -> list[Kind]:
    """The lists of a Job's pods that run now; and of those that have succeeded, if any: they make up for failures."""
    its = PODS._replace(namespace=job.namespace, label_selector=f"job-name={job.name}")
    return [its._replace(field_selector=phase) for phase in (RUNNING, SUCCEEDED)[: 2 if job.status.succeeded else 1]]


def in_doubt(foreign: Listing) -> Listing:
    """Of these pods those that are not ready, and all of an owner of which one has failed."""
    failed = {controller_uid(pod) for pod in foreign.items if pod.status.phase == "Failed"} - {""}
    items = [pod for pod in foreign.items if not pod.went_well or controller_uid(pod) in failed]
    return Listing(items, foreign.malformed)


def controller_uid(pod: Pod) -> str:
    """The UID of its controller; empty where it has none."""
    return pod.metadata.controller.uid if pod.metadata.controller else ""


def unserving(others: Mapping[str, Listing]) -> Iterator[str]:
    """The pods that are not ready endpoints: a pod may be unready although its containers are ready."""
    endpoints = (endpoint for each in others["endpointslices"].items for endpoint in each.endpoints or ())
    targets = (endpoint.target_ref for endpoint in endpoints if not endpoint.ready)
    yield from (target.name for target in targets if target and target.kind == "Pod")


def incomplete(others: Mapping[str, Listing]) -> Iterator[tuple[str, str]]:
    """Namespace and labels of the pods of each workload and Service that is not complete."""
    lists: dict[str, list[Any]] = {noun: others[noun].items for noun in BESIDE} | {"pods": []}
    deployments = uids(lists["deployments"])
    for noun in ("deployments", "replicasets", "statefulsets"):
        answerable = (each for each in lists[noun] if not is_version(each, deployments))
        yield from (label_query(each, each.template_labels) for each in answerable if each.unready())
    placement = DaemonSetPlacement(lists)
    yield from (label_query(each, each.template_labels) for each in lists["daemonsets"] if may_lack(each, placement))
    backends = Backends(lists)
    services = (each for each in lists["services"] if each.selects_pods and backends.unserved(each))
    yield from (label_query(each, each.spec.selector) for each in services)


def may_lack(daemonset: DaemonSet, placement: DaemonSetPlacement) -> bool:
    """It is not complete, or wants no node, which a baseline may know better."""
    return not daemonset.desired or bool(daemonset.unready(wanted=placement.why_expected(daemonset)))


def without_foreign(glanced: Glance, foreign: Listing, others: Mapping[str, Listing]) -> Glance:
    """The same without the running pods that no workload controls: whatever their names, they stand in for no missing pod."""
    makers = {
        each.metadata.uid for noun in ("replicasets", "statefulsets", "daemonsets") for each in others[noun].items
    }
    strangers = [
        each for each in foreign.items if each.status.phase == "Running" and controller_uid(each) not in makers
    ]
    theirs = Counter(
        (each.namespace if glanced.apart else "", crew) for each in strangers for crew in shared_names(each.name)
    )
    return glanced._replace(crews=glanced.crews - theirs)


def understaffed(glanced: Glance, others: Mapping[str, Listing]) -> list[Workload]:
    """The workloads whose status counts more ready pods than run under the name that they share.

    A table gives no namespace: in a table of all of them what is in another one may stand in for a missing pod, so those of
    the same name in several are all doubted.
    """
    makers = [each for noun in ("replicasets", "statefulsets", "daemonsets") for each in others[noun].items]
    claims: Counter[Crew] = Counter()
    homes: defaultdict[Crew, set[str]] = defaultdict(set)
    crews = {each.ref: (each.namespace if glanced.apart else "", shared_name(each)) for each in makers}
    for each in makers:
        claims[crews[each.ref]] += each.claimed
        homes[crews[each.ref]].add(each.namespace)
    doubtful = {crew for crew in claims if claims[crew] > glanced.crews[crew] or len(homes[crew]) > 1}
    short = [each for each in makers if each.claimed and crews[each.ref] in doubtful]
    return [
        *short,
        *overstated_deployments(others, {each.metadata.controller.uid for each in short if each.metadata.controller}),
    ]


def overstated_deployments(others: Mapping[str, Listing], doubted: Container[str]) -> Iterator[Workload]:
    """The Deployments of doubted ReplicaSets, and those that count more ready pods than their ReplicaSets do."""
    versions: Counter[str] = Counter()
    for each in others["replicasets"].items:
        if each.metadata.controller:
            versions[each.metadata.controller.uid] += each.claimed
    for each in others["deployments"].items:
        if each.metadata.uid in doubted or each.claimed > versions[each.metadata.uid]:
            yield each


def shared_name(workload: Workload) -> str:
    """What the names of its pods begin with. Before five random characters the API server cuts a name off at 58.

    https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/storage/names/generate.go
    """
    return f"{workload.name}-" if isinstance(workload, StatefulSet) else f"{workload.name}-"[:58]


def label_query(item: Any, labels: Mapping[str, str]) -> tuple[str, str]:
    """The namespace, and a label selector."""
    return item.namespace, ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def list_some(connection: Connection, asked: Iterable[Kind], deadline: Deadline) -> Listing:
    """All pods of these lists, each once. Raises Inconclusive where one of them is not complete."""
    answers = concurrently({repr(kind): partial(list_all, connection, kind, deadline=deadline) for kind in asked})
    for answer in answers.values():
        if isinstance(answer, Inconclusive):
            raise answer
    return merged(*(answer for _, answer in sorted(answers.items())))


def merged(*listings: Listing) -> Listing:
    """All pods of these lists, each once."""
    items = {pod.metadata.uid: pod for listing in listings for pod in listing.items}
    malformed = {each.object: each for listing in listings for each in listing.malformed}
    return Listing(sorted(items.values(), key=lambda pod: (pod.namespace, pod.name)), list(malformed.values()))
