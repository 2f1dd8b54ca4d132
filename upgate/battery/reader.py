"""How the inputs of a check are read from the evidence.

An input whose facts could not be looked at raises Inconclusive: exactly the checks that take it cannot be judged.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.versions import next_minor
from upgate.baseline import Baseline
from upgate.battery.before import Before
from upgate.battery.entries import ENTRIES
from upgate.battery.evidence import Evidence
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS, lists_for

if TYPE_CHECKING:
    from upgate.profile.model import Expected, Patience, Profile

T = TypeVar("T")


class EvidenceReader:
    """What every input is read with: `reader["pods"]`."""

    def __init__(self, evidence: Evidence, judgement: Judgement) -> None:
        self._evidence = evidence
        self.judgement = judgement

    def taken(self) -> dict[str, Any]:
        """Whatever the check takes, by name. Raises Inconclusive."""
        return {name: self[name] for name in self.judgement.check.inputs}

    def __getitem__(self, name: str) -> Any:
        self._refuse_unread(lists_for([name]))
        if name in KINDS:
            return self._kind(name)
        return self._evidence.relation(name) if name in RELATIONS else getattr(self, name)

    @property
    def profile(self) -> Profile:
        """The profile."""
        return self._evidence.profile

    @property
    def expect(self) -> Expected:
        """The profile's `expect:`."""
        return self.profile.expect

    @property
    def patience(self) -> Patience:
        """How long what is normal may last: the profile's `patience:`."""
        return self.profile.patience

    @property
    def preflight(self) -> bool:
        """Whether it is asked before an upgrade: what would block or break it."""
        return self._evidence.preflight

    @property
    def next_version(self) -> str:
        """The version that the upgrade leads to: `expect.next-version`, or the next minor. Raises Inconclusive."""
        self._refuse_gap("version")
        return self.expect.next_version or next_minor(self._evidence.snapshot.version or "")

    @property
    def now(self) -> datetime:
        """The moment of the snapshot, by the API server's clock."""
        return self._evidence.snapshot.taken

    @property
    def since(self) -> datetime:
        """The reference time: "since" means later than this."""
        return self._evidence.since

    @property
    def baseline(self) -> Baseline | None:
        """The cluster before the upgrade, where it was saved."""
        return self._evidence.baseline

    @property
    def before(self) -> Before:
        """What the baseline knows, where there is one."""
        return Before(self.baseline)

    def _entry(self, name: str) -> Any:
        """The entry of the profile that the check is made for. Raises UsageError."""
        entry = self.judgement.check.entry
        if entry is None:
            raise UsageError(
                f"the input `{name}` belongs to checks that are made for the entries of {ENTRIES[name].key}:"
            )
        return entry

    def _kind(self, noun: str) -> Subjects[Any]:
        """The objects of a kind in the profile's scope. One that could not be read is a gap of its own."""
        self.judgement.gaps += self._evidence.unreadable(noun)
        right = self._evidence.snapshot.unread.get(noun, 0)
        return Subjects(noun, self._evidence.in_scope(noun), self.judgement, right=right)

    def _refuse_unread(self, lists: Collection[str]) -> None:
        """Only checks that say so can be judged from the objects that look wrong. Raises Inconclusive."""
        unread = [] if self.judgement.check.monitor or not lists else self._evidence.snapshot.unread.keys() & lists
        if unread:
            raise Inconclusive(
                f"this was a look for -m monitor: of {', '.join(unread)} only those that look wrong were read"
            )

    def _seen(self, name: str, answer: T | None) -> T:
        """What was answered beside the lists. Raises Inconclusive where that could not be looked at."""
        self._refuse_gap(name)
        if answer is None:
            raise Inconclusive(f"{name.replace('_', ' ')} were not looked at when this snapshot was taken")
        return answer

    def _refuse_gap(self, name: str) -> None:
        if name in self._evidence.snapshot.gaps:
            raise Inconclusive(self._evidence.snapshot.gaps[name])
