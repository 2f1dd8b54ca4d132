"""The inputs that checks take: kinds, relations between them, and what the profile expects.

An input whose facts could not be looked at raises Inconclusive: exactly the checks that take it cannot be judged.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from upgate.base.errors import Inconclusive, LeftOut, UsageError
from upgate.base.versions import next_minor
from upgate.baseline import Baseline
from upgate.battery.before import Before, expected_pools
from upgate.battery.churn import Churn
from upgate.battery.counters import Counters
from upgate.battery.entries import ENTRIES
from upgate.battery.evidence import Evidence
from upgate.battery.expectations import Server, Sidecars
from upgate.battery.judgement import Judgement, Subjects
from upgate.battery.mesh import Mesh
from upgate.battery.mesh_parts import ConnectedProxy, connected_proxies
from upgate.battery.node_demands import NodeDemands
from upgate.battery.node_pools import KnownTaints, NodePools
from upgate.battery.restarts import RecentRestarts
from upgate.battery.secrets import ALLOWED, SecretNames
from upgate.battery.skew import Skew, skew_around
from upgate.facts.counting import Counting
from upgate.facts.credentials import Credential, ServingCertificate
from upgate.facts.custom_reads import CustomReads
from upgate.facts.kinds import KINDS
from upgate.facts.meta import KubernetesObject
from upgate.facts.relations import ALLOWED_ASIDES, RELATIONS, lists_for
from upgate.facts.release_changes import Change, changes_between

if TYPE_CHECKING:
    from upgate.battery.alerts import AlertedObject, QueriedValue
    from upgate.battery.complaints import Complaining
    from upgate.battery.during import DisruptedTarget, Disruption
    from upgate.battery.expected import ExpectedObject
    from upgate.battery.machines import Machines
    from upgate.profile.model import Expected, Patience, Profile
    from upgate.profile.parts import Kured
    from upgate.watch.timeline import Timeline

T = TypeVar("T")


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
    def kured(self) -> Kured:
        """What the profile's `kured:` expects."""
        return self.profile.kured

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
    def churn(self) -> Churn:
        """How often workloads are changed."""
        return Churn(self.before, self.now)

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
    def coming_changes(self) -> Subjects[Change]:
        """What the releases on the way to the next version change, here or elsewhere. Raises Inconclusive."""
        changes = changes_between(self._evidence.snapshot.version or "", self.next_version)
        return Subjects("changes of releases", changes, self.judgement)

    @property
    def health(self) -> Subjects[Any]:
        """The API server's health endpoints."""
        self._refuse_gap("health")
        return Subjects("health endpoints", self._evidence.snapshot.health, self.judgement)

    @property
    def metrics(self) -> Counters:
        """What the API server has counted. Raises Inconclusive."""
        snapshot, before = self._evidence.snapshot, self.baseline
        seen = self._seen("metrics", snapshot.metrics)
        own = sum("not permitted" in gap for gap in snapshot.gaps.values())
        return Counters(Counting(seen, self.since, before.counters if before else None), self.judgement, own)

    @property
    def custom_reads(self) -> CustomReads:
        """What came of listing the custom resources. Raises Inconclusive."""
        reads = self._seen("custom_reads", self._evidence.snapshot.custom_reads)
        self.judgement.gaps += reads.gaps
        return reads

    @property
    def server(self) -> Subjects[Server]:
        """The API server, as it names its version."""
        self._refuse_gap("version")
        return Subjects("API servers", [Server(self._evidence.snapshot.version or "")], self.judgement)

    @property
    def skew(self) -> Skew:
        """Which versions may stand beside the API server's, and with `-m preflight` beside the next. Raises Inconclusive."""
        self._refuse_gap("version")
        return skew_around(self._evidence.snapshot.version or "", self.coming_version)

    @property
    def coming_version(self) -> str:
        """The next version, where it is asked before an upgrade; else empty. Raises Inconclusive."""
        return self.next_version if self.preflight else ""

    @property
    def secret_names(self) -> SecretNames:
        """Which Secrets there are, where the profile's `allow:` names secrets; else nothing is said of them."""
        if ALLOWED not in self.profile.allow:
            return SecretNames(None)
        self.judgement.gaps += self._evidence.unreadable("secret_metadata")
        return SecretNames(self._evidence.snapshot.facts("secret_metadata"))

    @property
    def api_certificates(self) -> Subjects[ServingCertificate]:
        """The certificates that the API server serves with, and its authority's; none where it is asked through plain http."""
        found = self._seen("api_certificates", self._evidence.snapshot.api_certificates)
        return Subjects("certificates", found, self.judgement)

    @property
    def credentials(self) -> Subjects[Credential]:
        """What we log in with, as far as nothing renews it by itself."""
        found = self._seen("credentials", self._evidence.snapshot.credentials)
        return Subjects("credentials", found, self.judgement)

    @property
    def restarts(self) -> RecentRestarts:
        """Restarts since the reference time, and how many are allowed."""
        return RecentRestarts(self.since, self.profile.restarts.allowed, self.baseline, self.now, self["outages"])

    @property
    def sidecars(self) -> Sidecars:
        """The profile's `sidecars:`."""
        return Sidecars(self.profile.sidecars, self.judgement)

    @property
    def mesh(self) -> Mesh:
        """The revisions of the mesh, and what the profile's `mesh:` expects of them."""
        return Mesh(self.profile.mesh, self["revisions"], self.judgement)

    @property
    def leftovers(self) -> Subjects[KubernetesObject]:
        """Whatever belongs to a revision of a control plane."""
        return Subjects("objects of revisions", self["revision_objects"].items, self.judgement)

    @property
    def proxies(self) -> Subjects[ConnectedProxy]:
        """The proxies that istiod knows. Raises Inconclusive, also where the profile does not allow to ask it."""
        word, seen = ALLOWED_ASIDES["proxies"], self._evidence.snapshot.proxies
        if word not in self.profile.allow:
            raise Inconclusive(
                f"istiod was not asked: the profile's allow: does not name {word}; "
                "`checks: {mesh.proxies-synced: off}` leaves the check out"
            )
        self._refuse_gap("proxies")
        if seen is None:
            raise Inconclusive("proxies were not looked at when this snapshot was taken")
        self.judgement.gaps += seen.unanswered
        return Subjects("proxies", connected_proxies(seen, self.profile.scope.namespaces), self.judgement)

    @property
    def expected_pools(self) -> Subjects[Any]:
        """How many nodes there must be."""
        nodes = self.expect.nodes
        pools = expected_pools(1 if nodes.min is None else nodes.min, nodes.pool_label, self.baseline)
        return Subjects("node pools", pools, self.judgement)

    @property
    def node_demands(self) -> NodeDemands:
        """What the profile expects of what nodes run."""
        return NodeDemands(self.expect.nodes)

    @property
    def node_pools(self) -> NodePools:
        """Which nodes are meant to be alike."""
        nodes = self.expect.nodes
        return NodePools(nodes.pool_label, nodes.image_label, self.judgement)

    @property
    def known_taints(self) -> KnownTaints:
        """The taints that the profile or the baseline knows."""
        nodes = self.expect.nodes
        return KnownTaints(nodes.taints, nodes.pool_label, self.baseline)

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
    def disruption(self) -> Subjects[DisruptedTarget]:
        """How long the targets of an entry with a budget were away during the upgrade. Raises Inconclusive."""
        from upgate.battery.during import disrupted_targets

        try:
            return disrupted_targets(self._record(), self._entry("disruption"), self.judgement)
        except LeftOut as reason:  # the profile asks for it: the record must be there
            raise Inconclusive(str(reason)) from reason

    @property
    def disruptions(self) -> Subjects[Disruption]:
        """What Services and nodes went through during the upgrade. Raises LeftOut, Inconclusive."""
        from upgate.battery.during import disruptions

        return disruptions(self._record(), self.judgement)

    def _record(self) -> Timeline:
        from upgate.battery.during import usable_record

        return usable_record(self._evidence.recorded, self._evidence.snapshot, self.since)

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

    def _seen(self, name: str, answer: T | None) -> T:
        """What was answered beside the lists. Raises Inconclusive where that could not be looked at."""
        self._refuse_gap(name)
        if answer is None:
            raise Inconclusive(f"{name.replace('_', ' ')} were not looked at when this snapshot was taken")
        return answer

    def _refuse_gap(self, name: str) -> None:
        if name in self._evidence.snapshot.gaps:
            raise Inconclusive(self._evidence.snapshot.gaps[name])


def names() -> tuple[str, ...]:
    """Every name that a check may take."""
    others = (name for name, value in vars(Inputs).items() if isinstance(value, property))
    return (*KINDS, *RELATIONS, *others, "judgement")
