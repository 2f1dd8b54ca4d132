"""Inputs that say what the profile expects, and what was seen of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgate.battery.before import expected_pools
from upgate.battery.expectations import Sidecars
from upgate.battery.judgement import Subjects
from upgate.battery.mesh import Mesh
from upgate.battery.node_demands import NodeDemands
from upgate.battery.node_pools import KnownTaints, NodePools
from upgate.battery.reader import EvidenceReader
from upgate.facts.meta import KubernetesObject

if TYPE_CHECKING:
    from upgate.battery.alerts import AlertedObject, QueriedValue
    from upgate.battery.complaints import Complaining
    from upgate.battery.expected import ExpectedObject
    from upgate.battery.machines import Machines
    from upgate.profile.parts import Kured


class ExpectedInputs(EvidenceReader):
    """What the profile expects."""

    @property
    def kured(self) -> Kured:
        """What the profile's `kured:` expects."""
        return self.profile.kured

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
