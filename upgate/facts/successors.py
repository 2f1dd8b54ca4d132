"""What came after pods that failed: an operator of its own kind makes the next one, and no status tells how many it wants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.meta import OwnerReference
from upgate.facts.pods import SHUTDOWN, Pod

Lists = Mapping[str, list[Any]]
#: So many of a controller's pods failed in an hour, over more than ten minutes and until less than ten minutes ago: that
#: goes on, though the present ones are ready.
SERIES, HOUR, PAUSE = 6, timedelta(hours=1), timedelta(minutes=10)


#: The end of a stable name. Random suffixes have five characters, and most of them a letter.
ORDINAL = re.compile(r"-[0-9]{1,4}\Z")
#: Owners that never use a name twice: Spark's drivers and Flink's JobManagers count their workers up.
COUNTING = ("Pod", "Deployment")


class Successors:
    """The pods of one owner, whatever its kind."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._by_owner = grouped((pod for pod in lists["pods"] if pod.metadata.owner_references), retrier)

    def of(self, pod: Pod) -> list[Pod]:
        """Those that were made in its place after it had ended, and are ready or have completed."""
        ended = pod.ended_at
        good = (each for each in self._alike(pod) if each.went_well and not each.terminating)
        later = [each for each in good if ended and (made := each.metadata.creation_timestamp) and made >= ended]
        return [each for each in later if replaces(each, pod)]

    def keep_failing(self, pod: Pod, moment: datetime, desired: int) -> bool:
        """They fail one after the other, and still do: evictions, admission errors, but not shutdowns of their nodes.

        `desired`: how many there should be. Each of many may fail once without a loop.
        """
        failed = (each for each in self._alike(pod) if each.status.phase == "Failed")
        ends = [each.ended_at or each.metadata.creation_timestamp for each in failed if not_shut_down(each)]
        times = [end for end in ends if end and timedelta(0) <= moment - end <= HOUR]
        many = len(times) >= max(SERIES, desired)
        return many and max(times) - min(times) >= PAUSE >= moment - max(times)

    def _alike(self, pod: Pod) -> list[Pod]:
        return self._by_owner.get(retrier(pod), []) if pod.metadata.owner_references else []


def retrier(pod: Pod) -> tuple[str, str]:
    """The namespace and UID of its controller; or of another owner, who retries it: OpenShift's installers have a ConfigMap."""
    owner = pod.metadata.controller or (pod.metadata.owner_references or [OwnerReference("", "")])[0]
    return pod.namespace, owner.uid


def replaces(new: Pod, old: Pod) -> bool:
    """It does what the other one did, and is not one beside it that was restarted since.

    What is meant for one node is replaced there; what has a stable name, by a pod of that name, so that the old one is gone.
    """
    owner = old.metadata.controller
    if owner is None or owner.kind == "DaemonSet":
        return new.spec.node_name == old.spec.node_name
    return owner.kind in COUNTING or not ORDINAL.search(old.name)


def not_shut_down(pod: Pod) -> bool:
    """Its node was not shut down: a rolling reboot ends every pod once."""
    return pod.status.reason not in SHUTDOWN
