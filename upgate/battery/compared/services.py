"""Services, compared: how many endpoints, which addresses."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upgate.battery.compared.changed import ChangedObject, old_to_new
from upgate.facts.recorded.services import AddressState, EndpointState


@dataclass(frozen=True)
class ChangedEndpoints(ChangedObject[EndpointState]):
    """What stands behind a Service that is still there."""

    #: So many replicas fewer its workloads want: that is said of them.
    unwanted: int = 0
    #: The share of the endpoints that is enough.
    share: float = 1.0

    @property
    def fewer(self) -> str:
        """How many endpoints there are, where they are too few. Empty where they are enough."""
        least = math.ceil((self.before.ready - self.unwanted) * self.share - 1e-9)
        ready = self.now.ready if self.now else 0
        return old_to_new("ready endpoints", self.before.ready, ready) if ready < least else ""


def changed_endpoints(
    before: Mapping[str, EndpointState],
    now: Mapping[str, EndpointState],
    replicas: Mapping[str, int],
    share: float,
) -> Iterator[ChangedEndpoints]:
    """The Services of the baseline that had endpoints; `replicas`: what each workload wants now."""
    for ref, state in before.items():
        if state.ready and ref in now:
            unwanted = sum(max(0, number - replicas.get(each, 0)) for each, number in state.wanted.items())
            yield ChangedEndpoints(ref, state, now[ref], unwanted, share)


@dataclass(frozen=True)
class ChangedAddresses(ChangedObject[AddressState]):
    """Where a Service, Ingress or Gateway that is still there is reached."""

    @property
    def changes(self) -> str:
        """What it was reached by before, and is not any more. Empty where nothing is lost: more addresses do no harm."""
        return "; ".join(self._changes(self.before, self.now)) if self.now else ""

    def _changes(self, before: AddressState, now: AddressState) -> Iterator[str]:
        if {*before.addresses} - {*now.addresses}:
            yield old_to_new("address", ", ".join(before.addresses), ", ".join(now.addresses) or "(none)")
        if before.type != now.type:
            yield old_to_new("type", before.type, now.type)
        if before.cluster_ip != now.cluster_ip and before.cluster_ip:
            yield old_to_new("clusterIP", before.cluster_ip, now.cluster_ip or "(none)")
        for port, number in before.ports.items():
            if port not in now.ports:
                yield old_to_new("port", port, "(none)")
            elif number and before.type == now.type and number != now.ports[port]:
                yield old_to_new(f"node port of {port}", number, now.ports[port])


def changed_addresses(
    before: Mapping[str, AddressState], now: Mapping[str, AddressState]
) -> Iterator[ChangedAddresses]:
    """Those of the baseline that are still there."""
    yield from (ChangedAddresses(ref, state, now[ref]) for ref, state in before.items() if ref in now)
