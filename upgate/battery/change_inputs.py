"""Inputs that compare the cluster with the baseline, part by part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from upgate.base.errors import Inconclusive
from upgate.base.scope import matches_scope
from upgate.battery.compared.answers import ChangedAnswer, ChangedFront, changed_answers, changed_fronts
from upgate.battery.compared.changed import ChangedObject, namespace_in
from upgate.battery.compared.nodes import ChangedPool, changed_pools, resized_pools
from upgate.battery.compared.services import (
    ChangedAddresses,
    ChangedEndpoints,
    changed_addresses,
    changed_endpoints,
)
from upgate.battery.compared.settings import (
    ChangedApi,
    ChangedExtension,
    ChangedNamespace,
    ChangedSelectors,
    changed_apis,
    changed_extensions,
    changed_namespaces,
    changed_selectors,
)
from upgate.battery.compared.workloads import ChangedImages, ChangedWorkload, changed_images, changed_workloads
from upgate.battery.judgement import Subjects
from upgate.battery.reader import EvidenceReader
from upgate.facts.recorded.answers import answer_states
from upgate.facts.recorded.fronts import front_states
from upgate.facts.recorded.inventory import PUBLISHED
from upgate.facts.relations import FRONTS

T = TypeVar("T", bound=ChangedObject[Any])
States = dict[str, Any]


class ChangeInputs(EvidenceReader):
    """What was in the baseline, and what has become of it."""

    @property
    def changed_workloads(self) -> Subjects[ChangedWorkload]:
        """The workloads, Services, Ingresses and CronJobs of the baseline, and what is left of them."""
        return self._compared("objects", changed_workloads(*self._states("workload_states"), self._nodes_lost))

    @property
    def changed_images(self) -> Subjects[ChangedImages]:
        """The images of the workloads of the baseline, and those that they have now."""
        states = self._states("workload_states")
        return self._compared("workloads", changed_images(*states, upgraded=self._upgraded))

    @property
    def changed_endpoints(self) -> Subjects[ChangedEndpoints]:
        """The Services of the baseline that had ready endpoints, and how many they have now."""
        states, replicas = self._states("endpoint_states"), self["endpoint_states"].replicas
        return self._compared("Services", changed_endpoints(*states, replicas, self.profile.changes.endpoints))

    @property
    def changed_addresses(self) -> Subjects[ChangedAddresses]:
        """The addresses of Services, Ingresses and Gateways, as they were and as they are."""
        return self._compared("objects", changed_addresses(*self._states("address_states")))

    @property
    def changed_nodes(self) -> Subjects[ChangedPool]:
        """The pools of nodes, as they were and as they are."""
        return self._compared("node pools", changed_pools(*self._pools))

    @property
    def changed_capacity(self) -> Subjects[ChangedPool]:
        """The same; a new pool is compared with the smallest node of the baseline."""
        return self._compared("node pools", resized_pools(*self._pools))

    @property
    def changed_selectors(self) -> Subjects[ChangedSelectors]:
        """Selectors, with what they matched and what they match."""
        states = self._states("selector_states")
        return self._compared("objects with selectors", changed_selectors(*states, self._nodes_lost))

    @property
    def changed_namespaces(self) -> Subjects[ChangedNamespace]:
        """The labels and annotations of namespaces, as they were and as they are."""
        return self._compared("namespaces", changed_namespaces(*self._states("namespace_states")))

    @property
    def changed_extensions(self) -> Subjects[ChangedExtension]:
        """Admission webhooks and classes, as they were and as they are."""
        return self._compared("webhooks and classes", changed_extensions(*self._states("extension_states")))

    @property
    def changed_apis(self) -> Subjects[ChangedApi]:
        """The API versions of the baseline, and whether they are served."""
        return self._compared("API versions", changed_apis(*self._states("api_states")))

    @property
    def changed_answers(self) -> Subjects[ChangedAnswer]:
        """What the profile's `external:` was answered in the baseline, and what it is answered now."""
        now = answer_states(self._evidence.snapshot.attempts)
        return Subjects("endpoints", changed_answers(self._before("answer_states"), now), self.judgement)

    @property
    def changed_fronts(self) -> Subjects[ChangedFront]:
        """What answered at the addresses of Ingresses and load balancers, and what answers now. Raises Inconclusive."""
        before = self._before("front_states")
        self._refuse_gaps_of(FRONTS)
        now = front_states(self._seen(PUBLISHED, self._evidence.snapshot.published))
        return self._compared("published addresses", changed_fronts(before, now))

    def _refuse_gaps_of(self, lists: Iterable[str]) -> None:
        """What is published must have been listed. Raises Inconclusive."""
        for noun in lists:
            self._evidence.snapshot.facts(noun)

    @property
    def _pools(self) -> tuple[States, States]:
        """The pools as they were, and as they are by the same label."""
        label = self.baseline.pool_label if self.baseline else None
        now = self["pool_states"].by_pool(label)
        return self._before("pool_states"), now

    def _states(self, part: str) -> tuple[States, States]:
        """A part as it was, and as it is. Raises Inconclusive where one of them was not looked at."""
        now = self[part].states
        return self._before(part), now

    def _before(self, part: str) -> States:
        """A part as it was. Raises Inconclusive where it was not looked at."""
        if self.baseline is None:
            raise Inconclusive("there is no baseline to compare with")
        if self.baseline.inventory is None:
            raise Inconclusive("the baseline was saved by an earlier version of upgate: save a new one")
        return self.baseline.inventory.part(part)

    def _compared(self, noun: str, changed: Iterable[T]) -> Subjects[T]:
        """The objects in the profile's scope."""
        patterns = self.profile.scope.namespaces
        found = [
            each for each in changed if not namespace_in(each.ref) or matches_scope(namespace_in(each.ref), patterns)
        ]
        return Subjects(noun, found, self.judgement)

    @property
    def _nodes_lost(self) -> int:
        """How many nodes fewer there are than in the baseline; none, where that is not known."""
        now = self._evidence.snapshot.count("nodes")
        before = sum(self.baseline.pools.values()) if self.baseline else 0
        return 0 if now is None else max(0, before - now)

    @property
    def _upgraded(self) -> bool:
        """The API server has another version than in the baseline, or that is not known."""
        before = self.baseline.version if self.baseline else None
        return before is None or before != self._evidence.snapshot.version
