"""How objects belong together: what checks ask of more than one kind.

Each relation is a small object over the lists of one snapshot; `RELATIONS` says which lists it needs, so that it is
inconclusive exactly when one of them could not be looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.facts.backends import ORPHANED, Backends, KeptVersions, controller_of, grouped, is_on_missing_node
from upgate.facts.claims import Claims, VolumeNodes
from upgate.facts.control_plane import ControlPlane, Leaders
from upgate.facts.cronjobs import Timetables
from upgate.facts.deployments import Deployment
from upgate.facts.disruption import Budgets
from upgate.facts.entrances import Entrances
from upgate.facts.events import AUTOSCALER, Event
from upgate.facts.exposure import Exposure
from upgate.facts.flapping import NodeNotices
from upgate.facts.fronts import Controlled, IngressFronts
from upgate.facts.headroom import Headroom
from upgate.facts.interception import Interceptions
from upgate.facts.jobs import Retries
from upgate.facts.kinds import KINDS
from upgate.facts.kured import KuredLocks
from upgate.facts.meta import KubernetesObject, lately
from upgate.facts.namespaces import Namespace
from upgate.facts.nodes import Node
from upgate.facts.outages import Outages
from upgate.facts.owned_pods import DeploymentPods, OwnedPods
from upgate.facts.placement import DaemonSetPlacement
from upgate.facts.pods import Pod
from upgate.facts.promised_nodes import PromisedNodes
from upgate.facts.promises import Autoscalers, Deadlines, Preemptions
from upgate.facts.proxies import PodRollouts
from upgate.facts.recorded.inventory import COMPARED, PARTS, PUBLISHED
from upgate.facts.relapses import NodeRelapses
from upgate.facts.release_changes import ReleaseChanges
from upgate.facts.revisions import RevisionObjects, Revisions
from upgate.facts.rights import AddonRights
from upgate.facts.schedules import Schedules
from upgate.facts.services import PROVISIONING
from upgate.facts.signing import SigningRequests
from upgate.facts.spread import Spread
from upgate.facts.successors import Successors
from upgate.facts.tls_users import TlsUsers
from upgate.facts.troubles import Troubles
from upgate.facts.upkeep import Cordons, Heartbeats
from upgate.facts.webhooks import WebhookCalls
from upgate.facts.work import NodeWork
from upgate.facts.workloads import Workload

Lists = Mapping[str, list[Any]]
#: Where the cluster-autoscaler is installed: in a namespace of its tenants a Deployment may have any name.
AUTOSCALER_HOMES = ("kube-system", "cluster-autoscaler", "karpenter")
#: What only a cluster-autoscaler says of pods, also one that the cloud runs out of sight (GKE, AKS):
#: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-events-are-emitted-by-ca
AUTOSCALER_EVENTS = ("TriggeredScaleUp", "NotTriggerScaleUp", "ScaleDown")
#: What the node controller says when a node's object is deleted.
REMOVED = "RemovingNode"


class Controllers:
    """The controllers of pods."""

    needs = ("replicasets", "statefulsets", "daemonsets")

    def __init__(self, lists: Lists) -> None:
        self._by_owner: dict[tuple[str, str], Workload] = {
            (each.namespace, each.metadata.uid): each for noun in self.needs for each in lists[noun]
        }

    def of(self, pod: Pod) -> Workload | None:
        """Its controller, as long as that is a workload of Kubernetes' own that exists."""
        owner = controller_of(pod)
        return self._by_owner.get(owner) if owner else None

    def restored(self, pod: Pod) -> bool:
        """Its controller has all the pods that it wants without this one."""
        owner = self.of(pod)
        return owner is not None and owner.ready_as_desired


class PodNodes:
    """The nodes that pods run on."""

    needs = ("nodes",)
    helped_by = ("node_notices",)

    def __init__(self, lists: Lists) -> None:
        self._by_name: dict[str, Node] = {node.name: node for node in lists["nodes"]}
        removed = (each for each in lists.get("node_notices", ()) if each.reason == REMOVED and each.time)
        self._removed = {each.involved_object.name: each.time for each in sorted(removed, key=lambda each: each.time)}

    def lost(self, pod: Pod, moment: datetime) -> bool:
        """It was given a node that does not exist: it runs nowhere, whatever its status says. Lists are seconds apart."""
        return is_on_missing_node(pod, self._by_name) and pod.age(moment) >= ORPHANED

    def switched_off(self, pod: Pod) -> bool:
        """It is on a node whose machine its cloud has stopped on purpose."""
        node = self.node(pod)
        return node is not None and node.switched_off

    def just_removed(self, pod: Pod, moment: datetime) -> bool:
        """Its node was removed so lately that its pods may still be there."""
        return lately(self._removed.get(pod.spec.node_name), moment, ORPHANED)

    def node(self, pod: Pod) -> Node | None:
        """The pod's node; None where there is none, or none any more."""
        return self._by_name.get(pod.spec.node_name)

    def of(self, pod: Pod) -> str:
        """The pod's node and how it is, in words."""
        name = pod.spec.node_name
        if not name:
            return "it was never scheduled"
        node = self._by_name.get(name)
        return f"node {name} has {node.ready.type}={node.ready.status}" if node else f"node {name} does not exist"


class NamespaceContents:
    """What namespaces that are being deleted wait for: pods, and load balancers in the cloud."""

    needs = ("pods", "services", "ingresses")

    def __init__(self, lists: Lists) -> None:
        self._pods = grouped((pod for pod in lists["pods"] if pod.terminating), lambda pod: pod.namespace)
        fronts = [*lists["services"], *lists["ingresses"]]
        self._fronts = grouped((each for each in fronts if each.balancer_goes), lambda each: each.namespace)

    def going(self, namespace: Namespace, moment: datetime, slack: timedelta) -> bool:
        """It waits for pods that are going, or for the cloud to remove a load balancer, and none of them is overdue."""
        pods, fronts = self._pods.get(namespace.name, []), self._fronts.get(namespace.name, [])
        late = [pod for pod in pods if pod.overdue(moment) >= slack]
        late += [each for each in fronts if moment - each.metadata.deletion_timestamp >= PROVISIONING]
        return bool(pods or fronts) and not late and not namespace.own_fault


class WarningEvents:
    """Warning events, by the object that they are about."""

    needs = ("warnings",)

    def __init__(self, lists: Lists) -> None:
        self._by_object = grouped(lists["warnings"], lambda event: event.about)

    def about(self, item: KubernetesObject) -> list[Event]:
        """All of them about this very object: an earlier one of the same name had another UID."""
        alike = self._by_object.get((item.kind, item.namespace, item.name), [])
        return [each for each in alike if each.involved_object.uid in ("", item.metadata.uid)]

    def of_scheduler(self, pod: Pod) -> bool:
        """A scheduler has complained about this pod."""
        return any(each.by_scheduler(pod.spec.scheduler_name) for each in self.about(pod))

    def latest(self, item: KubernetesObject) -> str:
        """The latest one in words; empty where there is none."""
        last = max(self.about(item), key=lambda each: each.time.timestamp() if each.time else 0.0, default=None)
        return f"{last.reason}: {' '.join(last.message.split())}" if last else ""


class ClusterNodes:
    """All nodes, and whether a cluster-autoscaler adds and removes some of them: it does not mark which."""

    needs = ("nodes", "deployments", "notices")

    def __init__(self, lists: Lists) -> None:
        self.nodes: list[Node] = lists["nodes"]
        self._deployments: list[Deployment] = lists["deployments"]
        self._events: list[Event] = lists["notices"]

    @property
    def scaled(self) -> bool:
        """A cluster-autoscaler runs in the cluster; or, where the cloud hides it, has marked a node or spoken of a pod."""
        installed = (each for each in self._deployments if each.namespace in AUTOSCALER_HOMES)
        runs = any(each.desired and AUTOSCALER in each.name for each in installed)
        marks = any(taint.of_autoscaler for node in self.nodes for taint in node.spec.taints or ())
        return runs or marks or any(each.by_autoscaler and each.reason in AUTOSCALER_EVENTS for each in self._events)


RELATIONS: dict[str, type[Any]] = {
    "controllers": Controllers,
    "pod_nodes": PodNodes,
    "namespace_contents": NamespaceContents,
    "heartbeats": Heartbeats,
    "headroom": Headroom,
    "node_work": NodeWork,
    "node_relapses": NodeRelapses,
    "said_of_nodes": NodeNotices,
    "cordons": Cordons,
    "kured_locks": KuredLocks,
    "promised_nodes": PromisedNodes,
    "warning_events": WarningEvents,
    "owned_pods": OwnedPods,
    "deployment_pods": DeploymentPods,
    "placement": DaemonSetPlacement,
    "entrances": Entrances,
    "cluster_nodes": ClusterNodes,
    "backends": Backends,
    "kept_versions": KeptVersions,
    "deadlines": Deadlines,
    "autoscalers": Autoscalers,
    "outages": Outages,
    "preemptions": Preemptions,
    "replacements": Successors,
    "retries": Retries,
    "schedules": Schedules,
    "control_plane": ControlPlane,
    "leaders": Leaders,
    "webhook_calls": WebhookCalls,
    "interceptions": Interceptions,
    "addon_rights": AddonRights,
    "release_changes": ReleaseChanges,
    "timetables": Timetables,
    "budgets": Budgets,
    "exposure": Exposure,
    "troubles": Troubles,
    "claims": Claims,
    "volume_nodes": VolumeNodes,
    "controlled": Controlled,
    "ingress_fronts": IngressFronts,
    "spread": Spread,
    "tls_users": TlsUsers,
    "signing_requests": SigningRequests,
    "pod_rollouts": PodRollouts,
    "revisions": Revisions,
    "revision_objects": RevisionObjects,
    **PARTS,
}
#: Inputs that join a relation with what the profile says, or with the baseline.
JOINED = {"mesh": "revisions", "leftovers": "revision_objects", "host_settings": "hosts", **COMPARED}


#: What the API server is asked beside the lists, where a check takes it (`sources/cluster/asides.py`), and the permission that
#: it needs, in words; empty where it needs none.
ASIDES: dict[str, str] = {
    "metrics": "`get` on the non-resource URL `/metrics`",
    "custom_reads": "`list` on each custom resource cluster-wide",
    "api_certificates": "",
    "credentials": "",
    "proxies": "`get` on `pods/proxy` cluster-wide, where `allow:` names `pods-proxy`",
    "configuration": "`get` on the non-resource URL `/flagz`, `list` on `configmaps` in namespace kube-system",
    "kubelet_settings": "`get` on `nodes/proxy`, where `allow:` names `nodes-proxy`",
    "api_servers": "`list` on `leases` in API group coordination.k8s.io in namespace kube-node-lease",
    "kubelet_answers": "`get` on `nodes/proxy` cluster-wide",
    "crash_logs": "with `allow: [logs]` also `get` on `pods/log` cluster-wide",
    "control_logs": "`get` on `pods/log` cluster-wide",
}
#: The lists that say what to ask.
BEFORE_ASIDES = {
    "proxies": ("pods", *Revisions.needs),
    "configuration": ("deployments", "daemonsets", "statefulsets"),
    "kubelet_settings": ("nodes",),
    "crash_logs": ("pods",),
    "control_logs": ("pods",),
    "kubelet_answers": ("nodes",),
    "api_servers": ("endpointslices", "nodes"),
}
#: Those that are asked only where the profile's `allow:` names this word.
ALLOWED_ASIDES = {
    "proxies": "pods-proxy",
    "kubelet_settings": "nodes-proxy",
    "kubelet_answers": "nodes-proxy",
    "crash_logs": "logs",
    "control_logs": "logs",
}
#: The input whose machines are looked at over ssh.
HOSTS = "hosts"
#: The inputs for which another monitor is asked.
MONITORED = ("alerts", "query")
#: The input for which the objects that the profile names are looked at.
EXPECTED = "expected"
#: The input for which custom resources are looked through.
CONDITIONS = "conditions"
#: The input for which nodes are asked from inside, by pods that are created on them (`sources/inside`).
PROBED = "probed"
#: The lists that say what is published.
FRONTS = ("ingresses", "services")
#: What is looked at beside lists.
BESIDE_LISTS = {PUBLISHED, *ASIDES, *MONITORED, EXPECTED, CONDITIONS, HOSTS, PROBED}


def lists_for(names: Iterable[str]) -> set[str]:
    """The lists behind these nouns and relations, and what else is looked at for them."""
    needs: set[str] = set()
    for name in (JOINED.get(each, each) for each in names):
        needs.update(FRONTS if name == PUBLISHED else ())
        needs.update(BEFORE_ASIDES.get(name, ()))
        needs.update(wanted_by(RELATIONS[name]) if name in RELATIONS else {name} & {*KINDS, *BESIDE_LISTS})
    return needs


def wanted_by(relation: type[Any]) -> set[str]:
    """The lists that a relation needs, and those of kinds that not every cluster has by which it is helped."""
    helpful = {noun for noun in getattr(relation, "helped_by", ()) if KINDS[noun].optional}
    return {*relation.needs, *helpful}
