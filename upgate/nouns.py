"""The nouns that checks take: kinds, relations between them, and what the profile expects.

A noun whose facts could not be looked at raises Inconclusive: exactly the checks that take it cannot be judged.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.baseline import Baseline
from upgate.battery import Judgement, Subjects
from upgate.errors import Inconclusive, UsageError
from upgate.expectations import Server, Sidecars, expected_pools
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS, lists_for
from upgate.gate import Gate
from upgate.restarts import Restarts

if TYPE_CHECKING:
    from upgate.hosts.judging import Machines
    from upgate.profile.external import External
    from upgate.profile.model import Expected, Patience, Profile


class Nouns:
    """The nouns of one check in one run: `nouns["pods"]`."""

    def __init__(self, gate: Gate, judgement: Judgement, entry: External | None = None) -> None:
        self._gate = gate
        self._entry = entry
        self.judgement = judgement

    def __getitem__(self, name: str) -> Any:
        self._refuse_unread(lists_for([name]))
        if name in KINDS:
            return self._kind(name)
        return self._gate.relation(name) if name in RELATIONS else getattr(self, name)

    @property
    def profile(self) -> Profile:
        """The profile."""
        return self._gate.profile

    @property
    def expect(self) -> Expected:
        """The profile's `expect:`."""
        return self.profile.expect

    @property
    def patience(self) -> Patience:
        """How long what is normal may last: the profile's `patience:`."""
        return self.profile.patience

    @property
    def now(self) -> datetime:
        """The moment of the snapshot, by the API server's clock."""
        return self._gate.seen.taken

    @property
    def since(self) -> datetime:
        """The reference time: "since" means later than this."""
        return self._gate.reference or self.now

    @property
    def baseline(self) -> Baseline | None:
        """The cluster before the upgrade, where it was saved."""
        return self._gate.baseline

    @property
    def health(self) -> Subjects[Any]:
        """The API server's health endpoints."""
        self._refuse_gap("health")
        return Subjects("health endpoints", self._gate.seen.health, self.judgement)

    @property
    def server(self) -> Subjects[Server]:
        """The API server, as it names its version."""
        self._refuse_gap("version")
        return Subjects("API servers", [Server(self._gate.seen.version or "")], self.judgement)

    @property
    def restarts(self) -> Restarts:
        """Restarts since the reference time, and how many are allowed."""
        return Restarts(self.since, self.profile.restarts.allowed, self.baseline, self.now)

    @property
    def sidecars(self) -> Sidecars:
        """The profile's `sidecars:`."""
        return Sidecars(self.profile.sidecars, self.judgement)

    @property
    def expected_pools(self) -> Subjects[Any]:
        """How many nodes there must be."""
        nodes = self.expect.nodes
        pools = expected_pools(1 if nodes.min is None else nodes.min, nodes.pool_label, self.baseline)
        return Subjects("node pools", pools, self.judgement, counted=True)

    @property
    def external(self) -> Subjects[Any]:
        """What was seen at one entry of the profile's `external:`."""
        from upgate.probes.targets import seen

        if self._entry is None:
            raise UsageError("the noun `external` belongs to checks that are made for the entries of external:")
        found = seen(self._entry, self._gate.seen, self.profile.secrets, self.profile.scope.namespaces)
        self.judgement.gaps += found.gaps
        noun = "endpoints" if found.endpoints else f"{self._entry.each or 'endpoint'} addresses"
        return Subjects(noun, found.endpoints, self.judgement)

    @property
    def hosts(self) -> Machines:
        """The machines of the profile's `hosts:`, with what is demanded of each."""
        from upgate.hosts.judging import machines

        return machines(self.profile, self._gate.seen, self.judgement)

    def _kind(self, noun: str) -> Subjects[Any]:
        """The objects of a kind in the profile's scope. One that could not be read is a gap of its own."""
        self.judgement.gaps += self._gate.seen.unreadable(noun)
        return Subjects(noun, self._gate.in_scope(noun), self.judgement, right=self._gate.seen.unread.get(noun, 0))

    def _refuse_unread(self, lists: Collection[str]) -> None:
        """Only checks that say so can be judged from the objects that look wrong. Raises Inconclusive."""
        unread = [] if self.judgement.check.monitor or not lists else self._gate.seen.unread.keys() & lists
        if unread:
            raise Inconclusive(
                f"this was a look for -m monitor: of {', '.join(unread)} only those that look wrong were read"
            )

    def _refuse_gap(self, name: str) -> None:
        if name in self._gate.seen.gaps:
            raise Inconclusive(self._gate.seen.gaps[name])


#: Every name that a check may take.
NAMES = (*KINDS, *RELATIONS, *(name for name, value in vars(Nouns).items() if isinstance(value, property)), "judgement")
