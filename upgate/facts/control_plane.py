"""The pods of the control plane and of kube-proxy, and the leases of its leaders.

Managed control planes, k3s and RKE1 show no such pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from upgate.base.text import duration
from upgate.facts.backends import grouped
from upgate.facts.daemonsets import DaemonSet
from upgate.facts.images import image_name, image_version
from upgate.facts.meta import ManagedMeta
from upgate.facts.nodes import Lease
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]
HOME, SERVER, PROXY = "kube-system", "kube-apiserver", "kube-proxy"
#: Components of which one instance at a time leads, by the names of their leases.
LED = ("kube-controller-manager", "kube-scheduler")
COMPONENTS = (SERVER, *LED)
#: A lease that its holder gave up holds for a second; nothing that somebody writes into one holds for hours.
SHORTEST, LONGEST = timedelta(seconds=15), timedelta(minutes=5)
#: In a new cluster one component may be this much later than the other.
BEGINNING = timedelta(minutes=1)
#: OpenShift keeps the scheduler's lease in a namespace of its own.
OTHER_HOMES = {"openshift-kube-scheduler": "kube-scheduler"}


def component_of(pod: Pod) -> str:
    """Which component of the control plane, or kube-proxy, the pod runs. Empty for any other.

    kubeadm, RKE2 and GKE label `component`, kops and the DaemonSets of kube-proxy `k8s-app`.
    """
    if pod.namespace != HOME or not pod.active:
        return ""
    said = (pod.labels.get("component"), pod.labels.get("k8s-app"))
    names = (each for each in (*COMPONENTS, PROXY) if each in said or pod.name.startswith(f"{each}-"))
    return next((each for each in names if runs(pod, each)), "")


def runs(pod: Pod, component: str) -> bool:
    """One of its containers is that component's."""
    return any(component in (each.name, image_name(each.image)) for each in pod.spec.containers or ())


def component_version(pod: Pod) -> str:
    """The version of the component that it runs, as its image's tag says. Raises ValueError where that says none."""
    component = component_of(pod)
    images = (each.image for each in pod.spec.containers or () if component in (each.name, image_name(each.image)))
    return image_version(next(images, ""))


def leads(pod: Pod) -> bool:
    """It is a controller manager or scheduler."""
    return component_of(pod) in LED


def serves(pod: Pod) -> bool:
    """It is an API server."""
    return component_of(pod) == SERVER


class ControlPlane:
    """The control plane's pods."""

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        self._pods: dict[str, list[Pod]] = grouped(lists["pods"], component_of)

    def server_versions(self, pod: Pod | None = None) -> list[str]:
        """The versions of the API servers; of those on the pod's node, which kubeadm's components call, where there are any."""
        servers = [each for each in self._pods.get(SERVER, ()) if known_version(each)]
        beside = [each for each in servers if pod and each.spec.node_name == pod.spec.node_name]
        return [component_version(each) for each in beside or servers]

    def starting(self, component: str, moment: datetime, start_up: timedelta) -> bool:
        """An instance of it was started, or became ready, moments ago, and does not crash."""
        healthy = [pod for pod in self._pods.get(component, ()) if not pod.crash(moment)]
        return any(min(pod.started_for(moment), pod.ready_for(moment)) <= start_up for pod in healthy)

    def proxies(self, daemonset: DaemonSet) -> list[Pod]:
        """The pods of kube-proxy that a DaemonSet made."""
        return [pod for pod in self._pods.get(PROXY, ()) if owner_uid(pod) == daemonset.metadata.uid]


def known_version(pod: Pod) -> bool:
    """Its image says its version."""
    try:
        return bool(component_version(pod))
    except ValueError:
        return False


def owner_uid(pod: Pod) -> str:
    """The UID of its controller; empty where it has none."""
    owner = pod.metadata.controller
    return owner.uid if owner else ""


def lone_proxy(pod: Pod) -> bool:
    """It is a kube-proxy that no DaemonSet made: a static pod (GKE, kops, RKE2)."""
    owner = pod.metadata.controller
    return component_of(pod) == PROXY and not (owner and owner.kind == "DaemonSet")


class Leaders:
    """The leases of controller manager and scheduler.

    Where neither has one there is no election: a managed control plane that hides them, k3s and minikube with one instance.
    """

    needs = ("leader_leases", "namespaces")

    def __init__(self, lists: Lists) -> None:
        found = {each.name: each for each in lists["leader_leases"] if each.name in LED}
        self._found: dict[str, Lease] = found
        elsewhere = {each.name for each in lists["namespaces"]} & OTHER_HOMES.keys()
        expected = [each for each in LED if each not in {OTHER_HOMES[home] for home in elsewhere}] if found else []
        #: One for each component; of one that is not there, an empty one.
        self.leases = [found.get(name) or Lease(ManagedMeta(name, HOME)) for name in LED if name in (*expected, *found)]

    def fault(self, lease: Lease, moment: datetime) -> str:
        """Why nothing leads by this lease. Empty where its holder renewed it within two lease durations."""
        if lease.name not in self._found:
            return f"there is no such lease, although {', '.join(self._found)} has one"
        silent = lease.silence(moment)
        if silent > 2 * leader_term(lease):
            return f"renewed {duration(silent)} ago by {lease.spec.holder_identity or 'a holder that has released it'}"
        return "" if lease.spec.holder_identity else "no holder"

    def passing(self, lease: Lease, moment: datetime) -> bool:
        """It was given up or made just now: the next holder takes it within a lease duration."""
        others = self._found.values()
        made = min((each.age(moment) for each in others), default=timedelta.max)
        return lease.silence(moment) <= 2 * leader_term(lease) or (lease.name not in self._found and made < BEGINNING)


def leader_term(lease: Lease) -> timedelta:
    """How long one renewal holds, within what is sensible."""
    return min(max(lease.term, SHORTEST), LONGEST)
