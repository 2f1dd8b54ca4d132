"""What promises nodes: Machines of Cluster API, NodeClaims of Karpenter, the status of the cluster-autoscaler."""

from __future__ import annotations

import msgspec

from upgate.facts.meta import Condition, Fact, KubernetesObject


class NodeReference(Fact):
    """`status.nodeRef` of a Machine."""

    name: str = ""


class MachineSpec(Fact):
    """`spec` of a Machine."""

    cluster_name: str = ""


class MachineStatus(Fact):
    """`status` of a Machine."""

    node_ref: NodeReference | None = None
    phase: str = ""
    conditions: list[Condition] | None = None


class Machine(KubernetesObject):
    """https://cluster-api.sigs.k8s.io/developer/core/controllers/machine"""

    spec: MachineSpec = MachineSpec()
    status: MachineStatus = MachineStatus()

    @property
    def node(self) -> str:
        """The name of its node; empty as long as none has come."""
        return self.status.node_ref.name if self.status.node_ref else ""


class NodeClaimStatus(Fact):
    """`status` of a NodeClaim."""

    node_name: str = ""
    conditions: list[Condition] | None = None


class NodeClaim(KubernetesObject):
    """https://karpenter.sh/docs/concepts/nodeclaims/"""

    status: NodeClaimStatus = NodeClaimStatus()

    @property
    def node(self) -> str:
        """The name of its node; empty as long as none has come."""
        return self.status.node_name


class ConfigMap(KubernetesObject):
    """The status that the cluster-autoscaler writes; no other ConfigMap is asked for."""

    data: dict[str, str] | None = msgspec.field(default=None)
