"""Only the pods that may be wrong, whole; of all others no more than that they look right.

What `kubectl get pods` prints, the API server's own table, is a sixtieth of the pods' bytes. A pod is read whole when its
row does not look right, when its node or its endpoint is not ready, or when it belongs to a workload or a Service that is
not complete, or to a namespace that is being deleted. Where that cannot be told, or would be too many questions, all
pods are read.
https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.backends import Backends, is_version
from upgate.facts.jobs import Job
from upgate.facts.kinds import KINDS, Kind
from upgate.facts.pods import Pod
from upgate.facts.statefulsets import StatefulSet
from upgate.facts.workloads import Workload
from upgate.sources.cluster.bounded import is_dense
from upgate.sources.cluster.connection import NOT_JSON, Connection
from upgate.sources.cluster.listing import PAGE_SIZE, Listing, Progress, list_all

PODS = KINDS["pods"]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
#: The columns that tell whether a row looks right.
COLUMNS = ("Name", "Ready", "Status", "Node", "Readiness Gates")
#: Rows in one page: a row is about 150 bytes.
ROWS = 10 * PAGE_SIZE
#: Pages of that: a million pods.
MOST_PAGES = 100
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
    """How many pods run or have completed, the names of running ones that do not look right, and of how many crews."""

    total: int
    odd: list[str]
    #: The name that pods share → how many of them run.
    crews: Counter[str]


class TooMuch(Exception):
    """Reading all pods costs less than asking for each that may be wrong."""


def glance(connection: Connection, homes: Container[str], deadline: Deadline) -> Glance:
    """Look at the row of every pod that runs or has completed; `homes` are the nodes there are. Raises Inconclusive."""
    running = list(table_rows(connection, RUNNING, homes, deadline))
    completed = sum(1 for _ in table_rows(connection, SUCCEEDED, homes, deadline))
    crews = Counter(crew for name, _ in running for crew in shared_names(name))
    return Glance(len(running) + completed, sorted({name for name, right in running if not right}), crews)


def table_rows(
    connection: Connection, phase: str, homes: Container[str], deadline: Deadline
) -> Iterator[tuple[str, bool]]:
    """The name of each pod in that phase, and whether its row looks right. Raises Inconclusive."""
    tokens: set[str] = set()
    token = ""
    while True:
        table = table_page(connection, {"fieldSelector": phase} | ({"continue": token} if token else {}), deadline)
        places = column_places(table)
        yield from (
            (row.cells[places["Name"]], looks_right(row.cells, places, homes)) for row in whole_rows(table, places)
        )
        if not (token := table.metadata.continue_):
            return
        if token in tokens or len(tokens) == MOST_PAGES:
            raise Inconclusive("the table of pods has no end")
        tokens.add(token)


def whole_rows(table: Table, places: Mapping[str, int]) -> list[Row]:
    """The rows. Raises Inconclusive where a cell that is looked at is missing, or not a text."""
    rows, last = table.rows or [], max(places.values())
    if all(len(row.cells) > last and all(isinstance(row.cells[at], str) for at in places.values()) for row in rows):
        return rows
    raise Inconclusive("the table of pods has rows without the cells of its columns")


def table_page(connection: Connection, which: Mapping[str, str], deadline: Deadline) -> Table:
    """One page of the table. Raises Inconclusive for anything else."""
    query = {"limit": str(ROWS), "includeObject": "None", **which}
    answer = connection.get(PODS.path, query, accept=TABLE, deadline=deadline)
    if is_dense(answer.body):
        raise Inconclusive("the table of pods cannot be read: it has too many elements for its size")
    try:
        if answer.status == 200 and (table := msgspec.json.decode(answer.body, type=Table)).kind == "Table":
            return table
    except NOT_JSON as problem:
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
    """The pods that may be wrong, and how many others there are; all of them where that cannot be told."""
    try:
        if missing := [noun for noun in BESIDE if noun not in others]:
            raise Inconclusive(f"{', '.join(missing)} could not be listed")
        glanced = glance(connection, {node.name for node in others["nodes"].items}, deadline)
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
    for noun in ("deployments", "replicasets", "statefulsets"):
        answerable = (each for each in lists[noun] if not is_version(each))
        yield from (label_query(each, each.template_labels) for each in answerable if each.unready())
    yield from (label_query(each, each.template_labels) for each in lists["daemonsets"] if each.unready(wanted="any"))
    backends = Backends(lists)
    services = (each for each in lists["services"] if each.selects_pods and backends.unserved(each))
    yield from (label_query(each, each.spec.selector) for each in services)


def without_foreign(glanced: Glance, foreign: Listing, others: Mapping[str, Listing]) -> Glance:
    """The same without the running pods that no workload controls: whatever their names, they stand in for no missing pod."""
    makers = {
        each.metadata.uid for noun in ("replicasets", "statefulsets", "daemonsets") for each in others[noun].items
    }
    strangers = [
        each for each in foreign.items if each.status.phase == "Running" and controller_uid(each) not in makers
    ]
    return glanced._replace(
        crews=glanced.crews - Counter(crew for each in strangers for crew in shared_names(each.name))
    )


def understaffed(glanced: Glance, others: Mapping[str, Listing]) -> list[Workload]:
    """The workloads whose status counts more ready pods than run under the name that they share.

    A table gives no namespace: what is in another one may stand in for a missing pod, so those of the same name in several
    are all doubted.
    """
    makers = [each for noun in ("replicasets", "statefulsets", "daemonsets") for each in others[noun].items]
    claims: Counter[str] = Counter()
    homes: defaultdict[str, set[str]] = defaultdict(set)
    for each in makers:
        claims[shared_name(each)] += each.claimed
        homes[shared_name(each)].add(each.namespace)
    doubtful = {name for name in claims if claims[name] > glanced.crews[name] or len(homes[name]) > 1}
    short = [each for each in makers if each.claimed and shared_name(each) in doubtful]
    return [*short, *overstated(others, {each.metadata.controller.uid for each in short if each.metadata.controller})]


def overstated(others: Mapping[str, Listing], doubted: Container[str]) -> Iterator[Workload]:
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


def shared_names(pod: str) -> set[str]:
    """What a pod's name begins with, before five random characters or before its number."""
    return {pod[:-5], pod.rstrip("0123456789")}


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
