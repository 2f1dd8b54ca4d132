"""Only the pods that may be wrong, whole; of all others no more than that they look right.

What `kubectl get pods` prints, the API server's own table, is a sixtieth of the pods' bytes. A pod is read whole when its
row does not look right, when its node or its endpoint is not ready, or when it belongs to a workload or a Service that is
not complete, or to a namespace that is being deleted. Where that cannot be told, or would be too many questions, all
pods are read.
https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from upgate.cluster.connection import Connection
from upgate.cluster.listing import PAGE_SIZE, Listing, Progress, list_all
from upgate.concurrently import concurrently
from upgate.errors import Inconclusive
from upgate.facts.backends import Backends
from upgate.facts.jobs import Job
from upgate.facts.kinds import KINDS, Kind
from upgate.facts.pods import Pod
from upgate.waiting import Deadline

PODS = KINDS["pods"]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
#: The columns that tell whether a row looks right.
COLUMNS = ("Name", "Ready", "Status", "Node", "Readiness Gates")
#: Rows in one page: a row is about 150 bytes.
ROWS = 10 * PAGE_SIZE
RUNNING, SUCCEEDED = "status.phase=Running", "status.phase=Succeeded"
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


class Column(msgspec.Struct):
    """One of a table's `columnDefinitions`."""

    name: str


class Row(msgspec.Struct):
    """One object's cells."""

    cells: list[Any]


class TableMeta(msgspec.Struct):
    """`metadata` of a table."""

    continue_: str = msgspec.field(default="", name="continue")


class Table(msgspec.Struct, rename="camel"):
    """https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#table-v1-meta"""

    kind: str
    column_definitions: list[Column]
    rows: list[Row] | None = None
    metadata: TableMeta = msgspec.field(default_factory=TableMeta)


class Glance(NamedTuple):
    """How many pods run or have completed, and the names of running ones that do not look right."""

    count: int
    odd: list[str]


class TooMuch(Exception):
    """Reading all pods costs less than asking for each that may be wrong."""


def glance(connection: Connection, homes: Container[str], deadline: Deadline) -> Glance:
    """Look at the row of every pod that runs or has completed; `homes` are the nodes there are. Raises Inconclusive."""
    running = list(rows(connection, RUNNING, homes, deadline))
    completed = sum(1 for _ in rows(connection, SUCCEEDED, homes, deadline))
    return Glance(len(running) + completed, sorted({name for name, right in running if not right}))


def rows(connection: Connection, phase: str, homes: Container[str], deadline: Deadline) -> Iterator[tuple[str, bool]]:
    """The name of each pod in that phase, and whether its row looks right. Raises Inconclusive."""
    token = ""
    while True:
        table = page(connection, {"fieldSelector": phase} | ({"continue": token} if token else {}), deadline)
        places = column_places(table)
        yield from ((row.cells[places["Name"]], looks_right(row.cells, places, homes)) for row in table.rows or ())
        if not (token := table.metadata.continue_):
            return


def page(connection: Connection, which: Mapping[str, str], deadline: Deadline) -> Table:
    """One page of the table. Raises Inconclusive for anything else."""
    query = {"limit": str(ROWS), "includeObject": "None", **which}
    answer = connection.get(PODS.path, query, accept=TABLE, deadline=deadline)
    try:
        if answer.status == 200 and (table := msgspec.json.decode(answer.body, type=Table)).kind == "Table":
            return table
    except msgspec.DecodeError as problem:
        raise Inconclusive(f"the table of pods cannot be read: {problem}") from problem
    raise Inconclusive(f"there is no table of pods: status {answer.status}")


def column_places(table: Table) -> dict[str, int]:
    """Where the columns are. Raises Inconclusive where one is missing."""
    names = [each.name for each in table.column_definitions]
    if missing := [name for name in COLUMNS if name not in names]:
        raise Inconclusive(f"the table of pods has no column {', '.join(missing)}")
    return {name: names.index(name) for name in COLUMNS}


def looks_right(cells: list[Any], places: Mapping[str, int], homes: Container[str]) -> bool:
    """It runs on a node that exists, all its containers are ready, and nothing but them decides whether it is."""
    ready, _, containers = cells[places["Ready"]].partition("/")
    runs = cells[places["Status"]] == "Running" and cells[places["Node"]] in homes
    return runs and ready == containers and cells[places["Readiness Gates"]] == "<none>"


def list_briefly(
    connection: Connection, others: Mapping[str, Listing], progress: Progress, deadline: Deadline
) -> Listing:
    """The pods that may be wrong, and how many others there are; all of them where that is not to be told."""
    try:
        if missing := [noun for noun in BESIDE if noun not in others]:
            raise Inconclusive(f"{', '.join(missing)} could not be listed")
        glanced = glance(connection, {node.name for node in others["nodes"].items}, deadline)
        foreign = list_some(connection, [PODS._replace(label_selector=labels) for labels in FOREIGN], deadline)
        listing = merged(list_some(connection, questions(glanced, others), deadline), in_doubt(foreign))
    except (Inconclusive, TooMuch):  # whatever the reason: what reads all of them says what is wrong
        return list_all(connection, PODS, progress, deadline)
    usual = sum(pod.status.phase in ("Running", "Succeeded") for pod in listing.items)
    listing.unread = max(0, glanced.count - usual)
    progress("pods", listing.unread + len(listing.items), 0)
    return listing


def questions(glanced: Glance, others: Mapping[str, Listing]) -> list[Kind]:
    """The lists that hold every pod that may be wrong. Raises TooMuch."""
    asked = [PODS._replace(field_selector=UNUSUAL)]
    asked += [
        PODS._replace(field_selector=f"metadata.name={name}") for name in sorted({*glanced.odd, *unserving(others)})
    ]
    down = (node.name for node in others["nodes"].items if not node.ready.is_true)
    asked += [PODS._replace(field_selector=f"spec.nodeName={name}") for name in down]
    asked += [
        PODS._replace(namespace=place, label_selector=labels) for place, labels in sorted(set(incomplete(others)))
    ]
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
    failed = {owner_of(pod) for pod in foreign.items if pod.status.phase == "Failed"} - {""}
    items = [pod for pod in foreign.items if not pod.went_well or owner_of(pod) in failed]
    return Listing(items, foreign.malformed)


def owner_of(pod: Pod) -> str:
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
    for noun in ("deployments", "statefulsets"):
        yield from (selected(each, each.template_labels) for each in lists[noun] if each.unready())
    yield from (selected(each, each.template_labels) for each in lists["daemonsets"] if each.unready(wanted=True))
    backends = Backends(lists)
    services = (each for each in lists["services"] if each.selects_pods and backends.unserved(each))
    yield from (selected(each, each.spec.selector) for each in services)


def selected(item: Any, labels: Mapping[str, str]) -> tuple[str, str]:
    """The namespace, and a label selector."""
    return item.namespace, ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def list_some(connection: Connection, asked: Iterable[Kind], deadline: Deadline) -> Listing:
    """All pods of these lists, each once. Raises Inconclusive where one of them is not whole."""
    answers = concurrently(
        {repr(kind): lambda kind=kind: list_all(connection, kind, deadline=deadline) for kind in asked}
    )
    for answer in answers.values():
        if isinstance(answer, Inconclusive):
            raise answer
    return merged(*(answer for _, answer in sorted(answers.items())))


def merged(*listings: Listing) -> Listing:
    """All pods of these lists, each once."""
    items = {pod.metadata.uid: pod for listing in listings for pod in listing.items}
    malformed = {each.object: each for listing in listings for each in listing.malformed}
    return Listing(sorted(items.values(), key=lambda pod: (pod.namespace, pod.name)), list(malformed.values()))
