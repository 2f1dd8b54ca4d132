"""NetworkPolicies, as far as they choose pods and namespaces."""

from __future__ import annotations

import msgspec

from upgate.facts.meta import Fact, KubernetesObject
from upgate.facts.selectors import LabelSelector


class PolicyPeer(Fact):
    """One of `from` or `to`: pods, of namespaces."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None


class TrafficRule(Fact):
    """One of `spec.ingress` or `spec.egress`."""

    from_: list[PolicyPeer] | None = msgspec.field(default=None, name="from")
    to: list[PolicyPeer] | None = None

    @property
    def peers(self) -> list[PolicyPeer]:
        """Whom it lets in, or out to."""
        return [*(self.from_ or ()), *(self.to or ())]


class PolicySpec(Fact):
    """`spec` of a NetworkPolicy."""

    pod_selector: LabelSelector = LabelSelector()
    ingress: list[TrafficRule] | None = None
    egress: list[TrafficRule] | None = None


class NetworkPolicy(KubernetesObject):
    """https://kubernetes.io/docs/concepts/services-networking/network-policies/"""

    spec: PolicySpec = PolicySpec()
