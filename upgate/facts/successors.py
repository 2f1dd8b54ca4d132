"""What came after pods that failed: an operator of its own kind makes the next one, and no status tells how many it wants."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.facts.backends import controller_of, grouped
from upgate.facts.pods import SHUTDOWN, Pod

Lists = Mapping[str, list[Any]]
#: So many of a controller's pods failed in an hour, over more than ten minutes and until less than ten minutes ago: that
#: goes on, though the present ones are ready.
SERIES, HOUR, PAUSE = 6, timedelta(hours=1), timedelta(minutes=10)


class Successors:
    """The pods of one controller, whatever its kind."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        owned = (pod for pod in lists["pods"] if pod.metadata.controller)
        self._by_owner = grouped(owned, controller_of)

    def of(self, pod: Pod) -> list[Pod]:
        """Those that were made after it had ended, and are ready or have completed."""
        owner, ended = controller_of(pod), pod.ended_at
        if not owner or not ended:
            return []
        good = [each for each in self._by_owner.get(owner, ()) if each.went_well and not each.terminating]
        return [each for each in good if (made := each.metadata.creation_timestamp) and made >= ended]

    def keep_failing(self, pod: Pod, moment: datetime, desired: int) -> bool:
        """They fail one after the other, and still do: evictions, admission errors, but not shutdowns of their nodes.

        `desired`: how many there should be. Each of many may fail once without a loop.
        """
        owner = controller_of(pod)
        failed = (each for each in self._by_owner.get(owner, ()) if each.status.phase == "Failed") if owner else ()
        ends = [each.ended_at or each.metadata.creation_timestamp for each in failed if not_shut_down(each)]
        times = [end for end in ends if end and timedelta(0) <= moment - end <= HOUR]
        many = len(times) >= max(SERIES, desired)
        return many and max(times) - min(times) >= PAUSE >= moment - max(times)


def not_shut_down(pod: Pod) -> bool:
    """Its node was not shut down: a rolling reboot ends every pod once."""
    return pod.status.reason not in SHUTDOWN
