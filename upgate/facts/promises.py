"""What pods that wait may count on: the deadline of their Deployment, and the node that an autoscaler makes for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from upgate.facts.backends import controller_of, grouped
from upgate.facts.deployments import Deployment
from upgate.facts.events import Event
from upgate.facts.meta import condition, lately
from upgate.facts.pods import Pod
from upgate.facts.starting import starts_first

Lists = Mapping[str, list[Any]]
#: An autoscaler has asked for a node: the cluster-autoscaler, and Karpenter.
ASKED = ("TriggeredScaleUp", "Nominated")
#: No node of its groups would help this pod, or it may make no more of them.
REFUSED = "NotTriggerScaleUp"
#: The cluster-autoscaler gives a node up after that time: --max-node-provision-time.
PROVISION = timedelta(minutes=15)
#: Karpenter nominates again and again, also where no node ever joins: no pod waits for one for longer than that.
WAIT = 2 * PROVISION


class Deadlines:
    """The Deployments behind pods."""

    needs = ("deployments", "replicasets")

    def __init__(self, lists: Lists) -> None:
        deployments: dict[tuple[str, str], Deployment] = {
            (each.namespace, each.metadata.uid): each for each in lists["deployments"]
        }
        owners = {(each.namespace, each.metadata.uid): controller_of(each) for each in lists["replicasets"]}
        self._of = {version: deployments[owner] for version, owner in owners.items() if owner in deployments}

    def of(self, pod: Pod) -> timedelta | None:
        """How long its init containers may run; None where nothing says so."""
        deployment = self._deployment(pod)
        return deployment.init_deadline if deployment else None

    def let_start(self, pod: Pod, moment: datetime) -> bool:
        """Its Deployment rolls out, and it has got its node, is starting for the first time, and is within the deadline."""
        deployment = self._deployment(pod)
        if not deployment or not starts_first(pod, moment):
            return False
        return pod.age(moment) <= deployment.deadline and deployment.lets_start(moment)

    def _deployment(self, pod: Pod) -> Deployment | None:
        owner = controller_of(pod)
        return self._of.get(owner) if owner else None


class Preemptions:
    """The pods that make room for others of a higher priority.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#graceful-termination-of-preemption-victims
    """

    needs = ("pods",)

    def __init__(self, lists: Lists) -> None:
        victims = (pod for pod in lists["pods"] if pod.terminating and not pod.done and preempted(pod))
        self._by_node: dict[str, list[Pod]] = grouped(victims, lambda pod: pod.spec.node_name)

    def make_room_for(self, pod: Pod, moment: datetime, slack: timedelta) -> bool:
        """It waits for pods that go within their grace period, and for no other."""
        node = pod.status.nominated_node_name if not pod.spec.node_name else ""
        victims = self._by_node.get(node, []) if node else []
        return bool(victims) and all(each.overdue(moment) < slack for each in victims)


def preempted(pod: Pod) -> bool:
    """The scheduler has chosen it to go."""
    target = condition(pod.status.conditions, "DisruptionTarget")
    return target.is_true and target.reason == "PreemptionByScheduler"


class Autoscalers:
    """What autoscalers have said of pods that no node has room for."""

    needs = ("notices",)

    def __init__(self, lists: Lists) -> None:
        said = (each for each in lists["notices"] if each.reason in (*ASKED, REFUSED))
        #: An event is in the namespace of what it is about.
        self._by_pod: dict[tuple[str, str], list[Event]] = grouped(
            said, lambda event: (event.namespace, event.involved_object.uid)
        )

    def make_a_node_for(self, pod: Pod, moment: datetime) -> bool:
        """A node was asked for this very pod, it is not yet given up, and nothing was said against it since."""
        last = self._last(pod)
        asked = last.time if last and last.reason in ASKED else None
        return pod.age(moment) <= WAIT and lately(asked, moment, PROVISION)

    def refuse(self, pod: Pod) -> str:
        """Why no node is made for it, in the autoscaler's words. Empty where it has not said so."""
        last = self._last(pod)
        return f"{last.reason}: {' '.join(last.message.split())}" if last and last.reason == REFUSED else ""

    def _last(self, pod: Pod) -> Event | None:
        unscheduled = pod.metadata.uid and not pod.spec.node_name
        said = self._by_pod.get((pod.namespace, pod.metadata.uid), []) if unscheduled else []
        return max(said, key=lambda each: each.time or datetime.min.replace(tzinfo=UTC), default=None)
