"""What pods that wait may count on: the deadline of their Deployment, and the node that an autoscaler makes for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from upgate.facts.backends import grouped
from upgate.facts.deployments import Deployment
from upgate.facts.events import Event
from upgate.facts.pods import Pod

Lists = Mapping[str, list[Any]]
#: An autoscaler has asked for a node: the cluster-autoscaler, and Karpenter.
ASKED = ("TriggeredScaleUp", "Nominated")
#: No node of its groups would help this pod, or it may make no more of them.
REFUSED = "NotTriggerScaleUp"
#: The cluster-autoscaler gives a node up after that time: --max-node-provision-time.
PROVISION = timedelta(minutes=15)


class Deadlines:
    """The Deployments behind pods."""

    needs = ("deployments", "replicasets")

    def __init__(self, lists: Lists) -> None:
        deployments: dict[str, Deployment] = {each.metadata.uid: each for each in lists["deployments"]}
        owners = {each.metadata.uid: each.metadata.controller for each in lists["replicasets"]}
        self._of = {uid: deployments[owner.uid] for uid, owner in owners.items() if owner and owner.uid in deployments}

    def of(self, pod: Pod) -> timedelta | None:
        """How long its init containers may run; None where nothing says so."""
        owner = pod.metadata.controller
        deployment = self._of.get(owner.uid) if owner else None
        return deployment.init_deadline if deployment else None


class Autoscalers:
    """What autoscalers have said of pods that no node has room for."""

    needs = ("notices",)

    def __init__(self, lists: Lists) -> None:
        said = (each for each in lists["notices"] if each.reason in (*ASKED, REFUSED))
        self._by_pod: dict[str, list[Event]] = grouped(said, lambda event: event.involved_object.uid)

    def make_a_node_for(self, pod: Pod, moment: datetime) -> bool:
        """A node was asked for this very pod, it is not yet given up, and nothing was said against it since."""
        last = self._last(pod)
        return bool(last and last.reason in ASKED and last.time and moment - last.time <= PROVISION)

    def refuse(self, pod: Pod) -> str:
        """Why no node is made for it, in the autoscaler's words. Empty where it has not said so."""
        last = self._last(pod)
        return f"{last.reason}: {' '.join(last.message.split())}" if last and last.reason == REFUSED else ""

    def _last(self, pod: Pod) -> Event | None:
        unscheduled = pod.metadata.uid and not pod.spec.node_name
        said = self._by_pod.get(pod.metadata.uid, []) if unscheduled else []
        return max(said, key=lambda each: each.time or datetime.min.replace(tzinfo=UTC), default=None)
