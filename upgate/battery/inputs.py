"""The inputs that checks take: kinds, relations between them, and what the profile expects.

An input whose facts could not be looked at raises Inconclusive: exactly the checks that take it cannot be judged.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.versions import next_minor
from upgate.baseline import Baseline
from upgate.battery.before import Before, expected_pools
from upgate.battery.entries import ENTRIES
from upgate.battery.evidence import Evidence
from upgate.battery.expectations import Server, Sidecars
from upgate.battery.judgement import Judgement, Subjects
from upgate.battery.restarts import RecentRestarts
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS, lists_for

if TYPE_CHECKING:
    from upgate.battery.alerts import AlertedObject, QueriedValue
    from upgate.battery.complaints import Complaining
    from upgate.battery.expected import ExpectedObject
    from upgate.battery.machines import Machines
    from upgate.profile.model import Expected, Patience, Profile


class Inputs:
    """The inputs of one check: `inputs["pods"]`."""

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
    def health(self) -> Subjects[Any]:
        """The API server's health endpoints."""
        self._refuse_gap("health")
        return Subjects("health endpoints", self._evidence.snapshot.health, self.judgement)

    @property
    def server(self) -> Subjects[Server]:
        """The API server, as it names its version."""
        self._refuse_gap("version")
        return Subjects("API servers", [Server(self._evidence.snapshot.version or "")], self.judgement)

    @property
    def restarts(self) -> RecentRestarts:
        """Restarts since the reference time, and how many are allowed."""
        return RecentRestarts(self.since, self.profile.restarts.allowed, self.baseline, self.now, self["outages"])

    @property
    def sidecars(self) -> Sidecars:
        """The profile's `sidecars:`."""
        return Sidecars(self.profile.sidecars, self.judgement)

    @property
    def expected_pools(self) -> Subjects[Any]:
        """How many nodes there must be."""
        nodes = self.expect.nodes
        pools = expected_pools(1 if nodes.min is None else nodes.min, nodes.pool_label, self.baseline)
        return Subjects("node pools", pools, self.judgement)

    @property
    def external(self) -> Subjects[Any]:
        """What was seen at one entry of the profile's `external:`."""
        from upgate.sources.probes.targets import probed_entry

        entry = self._entry("external")
        found = probed_entry(entry, self._evidence.snapshot, self.profile.secrets, self.profile.scope.namespaces)
        self.judgement.gaps += found.gaps
        noun = "endpoints" if found.endpoints else f"{entry.each or 'endpoint'} addresses"
        return Subjects(noun, found.endpoints, self.judgement)

    @property
    def alerts(self) -> Subjects[AlertedObject]:
        """The alerts that fire and that the profile does not ignore, by the object that they are about."""
        from upgate.battery.alerts import alerts

        return alerts(self.profile.prometheus, self._evidence.snapshot, self.judgement)

    @property
    def expected(self) -> Subjects[ExpectedObject]:
        """The objects of one of the profile's `resources:`."""
        from upgate.battery.expected import expected_objects

        scope = self.profile.scope.namespaces
        return expected_objects(self._entry("expected"), self._evidence.snapshot, scope, self.judgement)

    @property
    def conditions(self) -> Subjects[Complaining]:
        """The custom resources that say themselves that they are not right."""
        from upgate.battery.complaints import complaining

        self._refuse_gap("conditions")
        return complaining(self.profile, self._evidence.snapshot, self.judgement)

    @property
    def query(self) -> Subjects[QueriedValue]:
        """The values that one of the profile's queries gives."""
        from upgate.battery.alerts import values

        return values(self._entry("query"), self._evidence.snapshot, self.judgement)

    @property
    def hosts(self) -> Machines:
        """The machines of the profile's `hosts:`, with what is demanded of each."""
        from upgate.battery.machines import machines

        return machines(self.profile, self._evidence.snapshot, self.judgement)

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

    def _refuse_gap(self, name: str) -> None:
        if name in self._evidence.snapshot.gaps:
            raise Inconclusive(self._evidence.snapshot.gaps[name])


def names() -> tuple[str, ...]:
    """Every name that a check may take."""
    others = (name for name, value in vars(Inputs).items() if isinstance(value, property))
    return (*KINDS, *RELATIONS, *others, "judgement")
