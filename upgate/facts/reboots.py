"""Nodes that reboot: drained first, away for minutes, and back by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.meta import lately
from upgate.facts.nodes import Node

#: So long a reboot may take.
REBOOT = timedelta(minutes=5)
#: What a kubelet says during a graceful shutdown: pkg/kubelet/nodestatus/setters.go.
SHUTTING_DOWN = "node is shutting down"


def reboots(node: Node, moment: datetime, cordoned: timedelta) -> bool:
    """It has not been Ready for minutes only, and was cordoned before, or says itself that it shuts down."""
    since = None if node.ready.is_true else node.ready.last_transition_time
    return reboot_announced(node, moment, cordoned) and lately(since, moment, REBOOT)


def silent_for_reboot(node: Node, moment: datetime, cordoned: timedelta, silence: timedelta) -> bool:
    """Nothing was heard of it for minutes only, and it was cordoned before, or said itself that it shuts down."""
    return reboot_announced(node, moment, cordoned) and timedelta(0) <= silence <= REBOOT


def reboot_announced(node: Node, moment: datetime, cordoned: timedelta) -> bool:
    """A young cordon, or its own word, says that it is to go away."""
    young = node.spec.unschedulable and lately(node.cordoned_since, moment, cordoned)
    return young or (not node.ready.is_true and SHUTTING_DOWN in node.ready.message)
