"""What checks are judged on: what was seen at one moment, what the profile expects, and what was before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from upgate.base.scope import UNSCOPED, matches_scope, scoped
from upgate.baseline import Baseline
from upgate.facts.kinds import KINDS
from upgate.facts.lasting_names import LastingNames
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.watch.timeline import Timeline


class Evidence:
    """One snapshot, the profile and the baseline that it is judged with; what follows from them is worked out once."""

    def __init__(
        self,
        snapshot: Snapshot,
        profile: Profile,
        *,
        since: datetime | None = None,
        baseline: Baseline | None = None,
        monitoring: bool = False,
        preflight: bool = False,
        recorded: Timeline | str | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.profile = profile
        #: The reference time: what happened later than this counts.
        self.since = since or snapshot.taken
        self.baseline = baseline
        #: It is judged for a round of continuous monitoring.
        self.monitoring = monitoring
        #: It is judged before an upgrade: what would block or break it.
        self.preflight = preflight
        #: What `upgate watch` recorded, or why that cannot be used; None where there is nothing.
        self.recorded = recorded
        self._relations: dict[str, Any] = {}
        self._in_scope: dict[str, Sequence[Any]] = {}

    @cached_property
    def lasting_names(self) -> LastingNames:
        """What makes the objects with generated names, as far as that was looked at."""
        return LastingNames({noun: self.snapshot.lists.get(noun, ()) for noun in LastingNames.needs})

    @property
    def scope(self) -> Sequence[str]:
        """The namespaces that are judged, by pattern: those of the profile, without that in which its `probe:` creates pods.

        What a killed run has left there is deleted by the next one, and says nothing of the cluster.
        """
        probe = self.profile.probe
        return (*self.profile.scope.namespaces, f"!{probe.namespace}") if probe else self.profile.scope.namespaces

    def in_scope(self, noun: str) -> Sequence[Any]:
        """The objects of a kind in the profile's scope. Raises Inconclusive where they were not looked at."""
        if noun not in self._in_scope:
            self._in_scope[noun] = scoped(self.snapshot.facts(noun), self.scope)
        return self._in_scope[noun]

    def unreadable(self, noun: str) -> list[str]:
        """The objects of a kind that could not be understood, a sentence each, as far as they may be in scope."""
        everywhere, scope = KINDS[noun].type.__name__ in UNSCOPED, self.scope
        return self.snapshot.unreadable(
            noun, lambda each: everywhere or not each.namespace or matches_scope(each.namespace, scope)
        )

    def relation(self, name: str) -> Any:
        """A relation between the snapshot's lists. Raises Inconclusive where one of the lists is not complete."""
        if name not in self._relations:
            self._relations[name] = self.snapshot.relation(name, self.unreadable)
        return self._relations[name]
