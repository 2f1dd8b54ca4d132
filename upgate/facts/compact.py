"""Makes facts small: what 50,000 pods have in common is kept once.

Equal strings and label maps are shared, and a condition or container that is as it should be is replaced by one that all
healthy ones share. Measured on 50,000 pods it is the difference between 330 MB and 120 MB.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from msgspec.structs import force_setattr as put

from upgate.facts.containers import Container, ContainerState, ContainerStatus, Running
from upgate.facts.hiding import Left, hidden_values, hide, without_secrets_in
from upgate.facts.ingresses import CANARY, CLASS_ANNOTATION, Ingress
from upgate.facts.joining import ConfigMap
from upgate.facts.meta import Condition, ObjectMeta, condition
from upgate.facts.pod_fields import PodSpec, PodStatus
from upgate.facts.pods import Pod
from upgate.facts.secrets import Secret, without_contents
from upgate.facts.sidecars import kept_marks

_shared: dict[Any, Any] = {}
_HEALTHY = ContainerState(running=Running())
#: The conditions of a pod that checks read; the others matter only while it is not ready.
_CONDITIONS = ("Ready", "PodScheduled")
_OF_READY = (*_CONDITIONS, "DisruptionTarget")
_OF_UNREADY = (*_OF_READY, "ContainersReady")


def shared_value(value: Any) -> Any:
    """The first value that was equal to this one."""
    return _shared.setdefault(value, value)


@singledispatch
def compact(item: Any) -> Any:
    """The same fact in less memory, and without secrets."""
    hide(item)
    share_metadata(item.metadata)
    return item


@compact.register
def compact_pod(pod: Pod) -> Pod:
    """A pod: there are far more of them than of anything else. One that is ready and never restarted says nothing."""
    share_metadata(pod.metadata)
    if pod.metadata.marks:
        put(pod.metadata, "marks", shared_value(kept_marks(pod.metadata.marks)))
    share_spec(pod.spec)
    share_status(pod.status)
    if not is_silent(pod.status):
        hide(pod)
    return pod


@compact.register
def compact_status(status: ConfigMap) -> ConfigMap:
    """The status of the cluster-autoscaler: each of its lines without secrets, for it is too long for a text."""
    share_metadata(status.metadata)
    lines = {key: map(without_secrets_in, text.splitlines()) for key, text in (status.data or {}).items()}
    put(status, "data", {key: "\n".join(texts) for key, texts in lines.items()})
    return status


@compact.register
def compact_secret(secret: Secret) -> Secret:
    """A Secret: of its contents nothing stays but what its certificates say to everybody."""
    return without_contents(secret)


@compact.register
def compact_ingress(ingress: Ingress) -> Ingress:
    """An Ingress: of its annotations those that name its class, and that it is a canary."""
    annotations = ingress.metadata.annotations or {}
    put(
        ingress.metadata,
        "annotations",
        {key: annotations[key] for key in (CLASS_ANNOTATION, CANARY) if key in annotations},
    )
    hide(ingress)
    share_metadata(ingress.metadata)
    return ingress


def share_metadata(metadata: ObjectMeta) -> None:
    """Namespace, labels and owners are those of many others."""
    put(metadata, "namespace", shared_value(metadata.namespace))
    if metadata.labels:
        key = ("labels", *metadata.labels.items())
        put(metadata, "labels", _shared.get(key) or _shared.setdefault(key, hidden_values(metadata.labels)))
    if metadata.owner_references:
        put(metadata, "owner_references", shared_list("owners", metadata.owner_references))


def share_spec(spec: PodSpec) -> None:
    """A ReplicaSet's pods have the same containers."""
    put(spec, "node_name", shared_value(spec.node_name))
    put(spec, "scheduler_name", shared_value(spec.scheduler_name))
    put(spec, "service_account_name", shared_value(spec.service_account_name))
    put(spec, "containers", shared_containers(spec.containers))
    put(spec, "init_containers", shared_containers(spec.init_containers))
    put(spec, "readiness_gates", shared_list("gates", spec.readiness_gates))
    for name in ("node_selector", "overhead", "resources"):
        put(spec, name, shared_value(getattr(spec, name)))
    if spec.volumes:
        claimed = [each for each in spec.volumes if each.persistent_volume_claim or each.ephemeral]
        put(spec, "volumes", claimed or None)


def shared_containers(containers: list[Container] | None) -> list[Container] | None:
    """The same list for equal ones; what is written in it is read once."""
    known = _shared.get(("containers", *(containers or ())))
    if known is None:
        left = Left()
        for each in containers or ():
            hide(each, left)
    return known or shared_list("containers", containers)


def share_status(status: PodStatus) -> None:
    """Only what is not as it should be is of its own."""
    put(status, "phase", shared_value(status.phase))
    types = _OF_READY if condition(status.conditions, "Ready").is_true else _OF_UNREADY
    conditions = [each for each in status.conditions or () if each.type in types]
    # Of a pod that waits it matters when it got its node.
    put(
        status,
        "conditions",
        conditions if status.phase == "Pending" else [share_condition(each) for each in conditions],
    )
    if condition(status.conditions, "Ready").is_true:
        put(status, "container_statuses", share_statuses(status.container_statuses))
        put(status, "init_container_statuses", share_statuses(status.init_container_statuses))


def is_silent(status: PodStatus) -> bool:
    """Nothing in it is a text that somebody wrote: its containers are those that all healthy ones share."""
    containers, first = status.container_statuses, status.init_container_statuses
    if not containers or containers[0].state is not _HEALTHY or status.message or status.reason:
        return False
    return status.phase != "Pending" and (not first or first[0].state is _HEALTHY)


def share_condition(condition: Condition) -> Condition:
    """A True condition needs no words; of Ready its time is of use."""
    if not condition.is_true or condition.type not in _CONDITIONS:
        hide(condition)
        return condition
    if condition.type == "Ready":
        return Condition("Ready", "True", last_transition_time=condition.last_transition_time)
    return shared_value(Condition(condition.type, "True"))


def share_statuses(statuses: list[ContainerStatus] | None) -> list[ContainerStatus] | None:
    """Of a ready pod the containers that run, are ready and never restarted are all alike, but for the name."""
    if statuses is None or not all(each.ready and not each.restart_count and each.now.running for each in statuses):
        return statuses
    return shared_list("statuses", [ContainerStatus(each.name, ready=True, state=_HEALTHY) for each in statuses])


def shared_list(what: str, items: list[Any] | None) -> list[Any] | None:
    """A list of which every equal one is the same."""
    return items and _shared.setdefault((what, *items), items)
