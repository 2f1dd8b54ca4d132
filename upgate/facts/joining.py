"""What promises nodes: Machines of Cluster API, NodeClaims of Karpenter, the status of the cluster-autoscaler."""

from __future__ import annotations

import msgspec

from upgate.facts.meta import Condition, Fact, KubernetesObject


class NodeReference(Fact):
    """`status.nodeRef` of a Machine."""

    name: str = ""


class MachineStatus(Fact):
    """`status` of a Machine."""

    node_ref: NodeReference | None = None
    phase: str = ""
    conditions: list[Condition] | None = None


class Machine(KubernetesObject):
    """https://cluster-api.sigs.k8s.io/developer/core/controllers/machine"""

    status: MachineStatus = MachineStatus()


class NodeClaimStatus(Fact):
    """`status` of a NodeClaim."""

    node_name: str = ""
    conditions: list[Condition] | None = None


class NodeClaim(KubernetesObject):
    """https://karpenter.sh/docs/concepts/nodeclaims/"""

    status: NodeClaimStatus = NodeClaimStatus()


class ConfigMap(KubernetesObject):
    """The status that the cluster-autoscaler writes; no other ConfigMap is asked for."""

    data: dict[str, str] | None = msgspec.field(default=None)
