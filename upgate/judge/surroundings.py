"""What reports show around the findings: the nodes by pool, and what is not wrong any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from upgate.baseline import Baseline
from upgate.facts.pools import pool_name, runs_control_plane
from upgate.results import CheckResult, NodeGroup
from upgate.snapshot import Snapshot


def node_pools(snapshot: Snapshot | None, label: str | None) -> tuple[NodeGroup, ...]:
    """All nodes by pool, as the profile's label or a cloud's names it; nothing where they could not be looked at."""
    if snapshot is None or "nodes" in snapshot.gaps or not snapshot.count("nodes"):
        return ()
    pools: defaultdict[str, list[str]] = defaultdict(list)
    for node in snapshot.facts("nodes"):
        pools[pool_name(node, label) or ("control plane" if runs_control_plane(node) else "nodes")].append(node.name)
    return tuple(NodeGroup(name=name, nodes=tuple(sorted(nodes))) for name, nodes in sorted(pools.items()))


def no_longer_wrong(checks: Sequence[CheckResult], baseline: Baseline | None) -> tuple[str, ...] | None:
    """What the baseline had wrong and a check that was judged did not find; None without a baseline."""
    if baseline is None:
        return None
    judged = {each.id: each for each in checks if each.outcome not in ("inconclusive", "skipped")}
    found = {id: {it.object for it in check.findings} for id, check in judged.items()}
    known = baseline.wrong.items()
    return tuple(f"{id}: {name}" for id, names in known if id in found for name in names if name not in found[id])
