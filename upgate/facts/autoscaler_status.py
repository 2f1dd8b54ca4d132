"""What the cluster-autoscaler says of its node groups: the text of earlier versions, and the YAML since 1.30.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/clusterstate/api/types.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from upgate.base.text import counted

#: Lines of a status that are read: a ConfigMap has no more than 1 MiB.
MOST = 100_000
#: A status is written every ten seconds or so. One that is older was left by an autoscaler that is gone.
FRESH = timedelta(minutes=15)
#: The time of both forms: with a T or a blank, with any fraction.
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
#: One count of the earlier form: `longUnregistered=2`.
COUNT = re.compile(r"\b([a-zA-Z]{1,40})=(\d{1,9})\b")
#: What the earlier form calls the parts of a node group, and the later one.
PARTS = {"Health": "health", "ScaleUp": "scaleUp", "ScaleDown": "scaleDown"}
#: Where the later form has what the earlier one calls so.
COUNTS = {
    "ready": "health.nodeCounts.registered.ready",
    "longUnregistered": "health.nodeCounts.longUnregistered",
    "longNotStarted": "health.nodeCounts.longNotStarted",
    "cloudProviderTarget": "health.cloudProviderTarget",
}


@dataclass(frozen=True)
class NodeGroupStatus:
    """What it says of one node group, by the names of the later form, with a dot between levels."""

    said: Mapping[str, str]

    @property
    def name(self) -> str:
        """The name of the group in its cloud."""
        return self.said.get("name") or "(unnamed)"

    def missing(self, moment: datetime, patience: timedelta) -> str:
        """The nodes that did not come. Empty where all are there, or may still come."""
        return "; ".join(
            filter(
                None,
                [
                    self._late("longUnregistered", "register"),
                    self._late("longNotStarted", "become ready"),
                    self._unhealthy(),
                    self._slow(moment, patience),
                ],
            )
        )

    @property
    def backs_off(self) -> str:
        """That it makes no node for a while, since it could not make one. Empty where it does."""
        if self.said.get("scaleUp.status") != "Backoff":
            return ""
        code = self.said.get("scaleUp.backoffInfo.errorCode")
        return "scale-up Backoff: the last node that was asked for did not come" + (f" ({code})" if code else "")

    def _late(self, count: str, verb: str) -> str:
        number = self._count(count)
        return f"{counted(number, 'node')} did not {verb} within the autoscaler's time" if number else ""

    def _unhealthy(self) -> str:
        return "health Unhealthy" if self.said.get("health.status") == "Unhealthy" else ""

    def _slow(self, moment: datetime, patience: timedelta) -> str:
        """It has been scaled up for too long."""
        since = moment_in(self.said.get("scaleUp.lastTransitionTime", ""))
        ready, target = self._count("ready"), self._count("cloudProviderTarget")
        late = since is not None and moment - since > patience and ready < target
        return f"{ready} of {counted(target, 'node')} ready" if late and self._scales_up else ""

    @property
    def _scales_up(self) -> bool:
        return self.said.get("scaleUp.status") == "InProgress"

    def _count(self, name: str) -> int:
        value = self.said.get(COUNTS[name], "")
        return int(value) if value.isdecimal() and len(value) < 10 else 0


def groups_in(text: str, moment: datetime) -> list[NodeGroupStatus]:
    """The node groups of a status; none where it was written long ago."""
    lines = text.splitlines()[:MOST]
    written = next(filter(None, map(moment_in, lines[:1])), None)
    if written is not None and moment - written > FRESH:
        return []
    groups = groups_of_text(lines) if "NodeGroups:" in map(str.strip, lines) else groups_of_yaml(lines)
    return list(map(NodeGroupStatus, groups))


def moment_in(line: str) -> datetime | None:
    """The first time in a line; autoscalers run by UTC."""
    match = MOMENT.search(line)
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def groups_of_text(lines: list[str]) -> list[dict[str, str]]:
    """The node groups in the form before 1.30: `Name:`, `Health: Healthy (ready=2 … longUnregistered=0 …)`, times below."""
    groups: list[dict[str, str]] = []
    part = ""
    for line in lines:
        key, _, value = (each.strip() for each in line.partition(":"))
        part = PARTS.get(key, part)
        if key == "Name":
            groups.append({"name": value})
        elif groups and key in PARTS:
            groups[-1] |= {f"{part}.status": value.partition(" ")[0]}
            groups[-1] |= {
                COUNTS[name]: count for name, count in COUNT.findall(value) if name in COUNTS and part == "health"
            }
        elif groups and key == "LastTransitionTime":
            groups[-1][f"{part}.lastTransitionTime"] = value
    return groups


def groups_of_yaml(lines: list[str]) -> list[dict[str, str]]:
    """The node groups in the form since 1.30: the items of `nodeGroups:`."""
    groups: list[dict[str, str]] = []
    for path, value in leaves(lines):
        if path[:2] != ("nodeGroups", "-"):
            continue
        if len(path) == 2:
            groups.append({})
        elif groups:
            groups[-1][".".join(path[2:])] = value
    return groups


def leaves(lines: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The values of YAML in block style, each with its keys; a `-` stands for an item, and comes by itself where one begins.

    No parser of YAML reads what others wrote: a few lines of it may stand for terabytes.
    """
    stack: list[tuple[int, str]] = []
    for line in lines:
        bare = line.lstrip(" ")
        indent = len(line) - len(bare)
        if bare.startswith("- "):
            # An item may stand as far to the left as the key of its list.
            stack = [each for each in stack if each[0] <= indent] + [(indent + 1, "-")]
            yield tuple(name for _, name in stack), ""
            bare, indent = bare[2:].lstrip(" "), indent + 2
        key, colon, value = bare.partition(":")
        if colon:
            stack = [each for each in stack if each[0] < indent] + [(indent, key.strip())]
            yield tuple(name for _, name in stack), value.strip().strip("\"'")
