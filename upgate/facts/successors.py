"""What came after pods that failed: an operator of its own kind makes the next one, and no status tells how many it wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from upgate.facts.backends import controller_of, grouped
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]


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
