"""A look at the cluster, and then one from inside: after the lists, so that no list holds what the probe creates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.base.waiting import Deadline
from upgate.facts.inside import NodeAnswer, Probed, nodes_of
from upgate.facts.relations import PROBED
from upgate.snapshot import Snapshot
from upgate.sources.cluster.connection import Connection
from upgate.sources.inside.logs import arrived_lines
from upgate.sources.inside.manifests import service_manifest
from upgate.sources.inside.namespace import ProbeNamespace, claimed
from upgate.sources.inside.planning import LISTS, Plan, schedulable
from upgate.sources.inside.waves import Pass, cluster_ip_in

if TYPE_CHECKING:
    from upgate.profile.probe import InsideProbe

Progress = Callable[[str, int, int], None]
Look = Callable[[Collection[str], Progress, bool], Snapshot]


def look_from_inside(
    probe: InsideProbe,
    secrets: Sequence[str],
    connection: Connection,
    look: Look,
    needs: Collection[str],
    progress: Progress,
    brief: bool,
) -> Snapshot:
    """The look, and what the nodes answer from inside, if a check asks for it."""
    if PROBED not in needs:
        return look(needs, progress, brief)
    snapshot = look({*needs, *LISTS} - {PROBED}, progress, brief)
    try:
        return replace(snapshot, probed=probe_nodes(probe, secrets, connection, snapshot, progress))
    except Inconclusive as problem:
        return replace(snapshot, gaps={**snapshot.gaps, PROBED: str(problem)})


def probe_nodes(
    probe: InsideProbe, secrets: Sequence[str], connection: Connection, snapshot: Snapshot, progress: Progress
) -> Probed:
    """Create, ask, and remove. Raises Inconclusive where nothing can be asked at all."""
    lists = {noun: snapshot.facts(noun) for noun in LISTS}
    nodes, left_out = schedulable(lists["nodes"], probe)
    if not nodes:
        return Probed(left_out=tuple(left_out))
    deadline, became = Deadline(probe.deadline.total_seconds()), list[str]()
    namespace = ProbeNamespace(connection, probe.namespace, deadline)
    with claimed(namespace, became.append):
        cluster_ip = cluster_ip_in(namespace.create("services", service_manifest()).body)
        policies = namespace.policies()
        asking = Pass(probe, namespace, Plan(probe, lists, cluster_ip, namespace.run), deadline)
        asking.over([each.name for each in nodes], partial(told, progress))
        logged, no_logs = lines_in_store(probe, secrets, namespace.run, nodes_of(asking.asked))
    made = (
        f"the probe created {counted(namespace.created, 'pod')} and a Service in the namespace {probe.namespace}; they"
    )
    return Probed(
        nodes=tuple(asking.nodes[each.name] for each in nodes),
        asked=(*asking.asked, *logged),
        no_logs=no_logs,
        left_out=tuple(left_out),
        made=(f"{made} {became[0]}",),
        policies=tuple(policies),
    )


def lines_in_store(
    probe: InsideProbe, secrets: Sequence[str], run: str, nodes: Collection[str]
) -> tuple[list[NodeAnswer], str]:
    """Whether the lines that the pods have written arrive while they are still there; or why that cannot be told."""
    if probe.logs is None:
        return [], ""
    try:
        return list(arrived_lines(probe.logs, secrets, run, nodes)), ""
    except Inconclusive as problem:
        return [], f"the log store was not asked: {problem}"


def told(progress: Progress, nodes: int) -> None:
    """Say how far it is."""
    progress("nodes asked from inside", nodes, 0)
