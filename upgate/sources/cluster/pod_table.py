"""The API server's own table of pods, what `kubectl get pods` prints: which of its rows look right.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.kinds import KINDS
from upgate.sources.cluster.bounded import is_dense
from upgate.sources.cluster.connection import NOT_JSON, Connection
from upgate.sources.cluster.listing import PAGE_SIZE

PODS = KINDS["pods"]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
#: The columns that tell whether a row looks right.
COLUMNS = ("Name", "Ready", "Status", "Node", "Readiness Gates")
#: Rows in one page: a row is about 150 bytes.
ROWS = 10 * PAGE_SIZE
#: Pages of that: a million pods.
MOST_PAGES = 100
#: So many namespaces are each asked for a table of their own.
FEW = 40
RUNNING, SUCCEEDED = "status.phase=Running", "status.phase=Succeeded"


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


#: A namespace, empty where the rows of all are in one table; and the name that pods share.
Crew = tuple[str, str]


class Glance(NamedTuple):
    """How many pods run or have completed, the names of running ones that do not look right, and of how many crews."""

    total: int
    odd: list[str]
    #: How many of each crew run.
    crews: Counter[Crew]
    #: Each namespace was asked for its own table: its crews are not mixed with others of the same name.
    apart: bool


def glance(connection: Connection, homes: Container[str], namespaces: Collection[str], deadline: Deadline) -> Glance:
    """Look at the row of every pod that runs or has completed; `homes` are the nodes there are. Raises Inconclusive.

    A table does not say in which namespace a pod is: where there are few of them, each is asked for its own.
    """
    apart = len(namespaces) <= FEW
    asked = {
        place: partial(running_rows, connection, place, homes, deadline) for place in (namespaces if apart else [""])
    }
    rows = {place: answer_or_raise(answer) for place, answer in concurrently(asked).items()}
    completed = sum(1 for _ in table_rows(connection, "", SUCCEEDED, homes, deadline))
    crews = Counter((place, crew) for place, found in rows.items() for name, _ in found for crew in shared_names(name))
    odd = {name for found in rows.values() for name, right in found if not right}
    return Glance(sum(map(len, rows.values())) + completed, sorted(odd), crews, apart)


def running_rows(
    connection: Connection, place: str, homes: Container[str], deadline: Deadline
) -> list[tuple[str, bool]] | Inconclusive:
    """The rows of pods that run; or why they cannot be read."""
    try:
        return list(table_rows(connection, place, RUNNING, homes, deadline))
    except Inconclusive as problem:
        return problem


def answer_or_raise(answer: list[tuple[str, bool]] | Inconclusive) -> list[tuple[str, bool]]:
    """The rows. Raises Inconclusive where there are none."""
    if isinstance(answer, Inconclusive):
        raise answer
    return answer


def table_rows(
    connection: Connection, place: str, phase: str, homes: Container[str], deadline: Deadline
) -> Iterator[tuple[str, bool]]:
    """The name of each pod in that phase, and whether its row looks right. Raises Inconclusive."""
    tokens: set[str] = set()
    token, path = "", PODS._replace(namespace=place).path
    while True:
        table = table_page(
            connection, path, {"fieldSelector": phase} | ({"continue": token} if token else {}), deadline
        )
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


def table_page(connection: Connection, path: str, which: Mapping[str, str], deadline: Deadline) -> Table:
    """One page of the table. Raises Inconclusive for anything else."""
    query = {"limit": str(ROWS), "includeObject": "None", **which}
    answer = connection.get(path, query, accept=TABLE, deadline=deadline)
    if is_dense(answer.body):
        raise Inconclusive("the table of pods cannot be read: it has too many elements for its size")
    try:
        if answer.status == 200 and (table := decoder(Table).decode(answer.body)).kind == "Table":
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


def shared_names(pod: str) -> set[str]:
    """What a pod's name begins with, before five random characters or before its number."""
    return {pod[:-5], pod.rstrip("0123456789")}
