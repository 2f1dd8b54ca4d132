"""Nodes that were not Ready for a while and are again: what events and conditions remember of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.events import Event
from upgate.facts.nodes import JOINING, Node

Lists = Mapping[str, list[Any]]
#: What a kubelet says when its node becomes Ready: once for each time. That it is not Ready may be said twice, by the
#: kubelet and by the node controller, and both before and after a reboot.
BACK, LOST = "NodeReady", "NodeNotReady"


class NodeNotices:
    """What is said of nodes beside warnings: they became Ready, or not Ready."""

    needs = ("node_notices",)

    def __init__(self, lists: Lists) -> None:
        # A kubelet gives its node's name in the place of its UID.
        self._by_node: dict[str, list[Event]] = grouped(lists["node_notices"], lambda event: event.involved_object.name)

    def recoveries(self, node: Node, since: datetime) -> int:
        """How often it was certainly not Ready, and is Ready again, since then; how it joined does not count."""
        began = max(since, (node.metadata.creation_timestamp or since) + JOINING)
        last = node.ready.last_transition_time
        changed = node.ready.is_true and last is not None and last > began
        return max(self._said(node, BACK, began) or self._said(node, LOST, began), int(changed))

    def _said(self, node: Node, reason: str, since: datetime) -> int:
        """How often one reporter has certainly said so since then."""
        counts: Counter[str] = Counter()
        for each in self._by_node.get(node.name, ()):
            if each.reason == reason:
                counts[each.reporter] += each.certain_since(since)
        return max(counts.values(), default=0)
