"""All that a baseline keeps of a cluster to be compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from upgate.base.errors import Inconclusive
from upgate.facts.attempts import Attempt
from upgate.facts.recorded.answers import AnswerState, answer_states
from upgate.facts.recorded.apis import ApiState, ApiStates
from upgate.facts.recorded.fronts import FrontState, front_states
from upgate.facts.recorded.nodes import PoolState, PoolStates
from upgate.facts.recorded.selectors import SelectorState, SelectorStates
from upgate.facts.recorded.services import AddressState, AddressStates, EndpointState, EndpointStates
from upgate.facts.recorded.settings import ExtensionStates, NamespaceState, NamespaceStates, SettingsState
from upgate.facts.recorded.workloads import WorkloadState, WorkloadStates

#: The parts, by the name of the relation that has them, and of the field of Inventory that keeps them.
PARTS: dict[str, type[Any]] = {
    "workload_states": WorkloadStates,
    "endpoint_states": EndpointStates,
    "address_states": AddressStates,
    "pool_states": PoolStates,
    "selector_states": SelectorStates,
    "namespace_states": NamespaceStates,
    "extension_states": ExtensionStates,
    "api_states": ApiStates,
}
#: The input for which all that the cluster publishes is asked.
PUBLISHED = "published"
#: The input of a check that compares a part with the baseline → the part.
COMPARED = {
    "changed_workloads": "workload_states",
    "changed_images": "workload_states",
    "changed_endpoints": "endpoint_states",
    "changed_addresses": "address_states",
    "changed_nodes": "pool_states",
    "changed_capacity": "pool_states",
    "changed_selectors": "selector_states",
    "changed_namespaces": "namespace_states",
    "changed_extensions": "extension_states",
    "changed_apis": "api_states",
    "changed_answers": "answer_states",
    "changed_fronts": PUBLISHED,
}
#: The inputs that compare settings, and ask for them only then.
SETTINGS = ("configuration", "kubelet_settings", "host_settings")
#: The inputs that say nothing without a baseline.
OF_BASELINE = frozenset({*COMPARED, *SETTINGS})


class Inventory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The parts, each by the objects that reports name; None for one that could not be looked at, or is not known yet."""

    workload_states: dict[str, WorkloadState] | None = None
    endpoint_states: dict[str, EndpointState] | None = None
    address_states: dict[str, AddressState] | None = None
    pool_states: dict[str, PoolState] | None = None
    selector_states: dict[str, dict[str, SelectorState]] | None = None
    namespace_states: dict[str, NamespaceState] | None = None
    extension_states: dict[str, SettingsState] | None = None
    api_states: dict[str, ApiState] | None = None
    #: What answered from outside, by target.
    answer_states: dict[str, AnswerState] | None = None
    #: What answered at the addresses that are published; None where they were not asked.
    front_states: dict[str, FrontState] | None = None
    #: Part → why it could not be looked at.
    gaps: dict[str, str] = {}

    def part(self, name: str) -> dict[str, Any]:
        """What is kept of a part, by object. Raises Inconclusive where it was not looked at."""
        states: dict[str, Any] | None = getattr(self, name)
        if states is None:
            why = self.gaps.get(name, "it was not asked, or an earlier version of upgate has saved it: save a new one")
            raise Inconclusive(f"the baseline does not know this part of the cluster: {why}")
        return states


def take_inventory(
    relation: Callable[[str], Any],
    attempts: Iterable[Attempt] = (),
    published: Iterable[Attempt] | None = None,
    pool_label: str | None = None,
) -> Inventory:
    """The inventory of a cluster, of which `relation` has the parts, or raises Inconclusive; and of what answered outside."""
    parts: dict[str, Any] = {}
    gaps: dict[str, str] = {}
    for name in PARTS:
        try:
            part = relation(name)
            parts[name] = part.by_pool(pool_label) if isinstance(part, PoolStates) else part.states
        except Inconclusive as problem:
            gaps[name] = str(problem)
    fronts = None if published is None else front_states(published)
    return Inventory(**parts, answer_states=answer_states(attempts), front_states=fronts, gaps=gaps)
