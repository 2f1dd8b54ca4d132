"""Pods that hang: what they wait for, and what tells that it is not their own fault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from upgate.facts.events import Event
from upgate.facts.pods import Pod

#: The version of a workload: namespace, UID of its controller, and the hash of its template.
Version = tuple[str, str, str]
#: The labels that tell the versions of one workload apart.
REVISIONS = ("pod-template-hash", "controller-revision-hash")
#: Reasons of waiting: nothing has gone wrong yet; the image does not come; the runtime does not start it.
CREATING = ("ContainerCreating", "PodInitializing")
PULLING = ("ErrImagePull", "ImagePullBackOff", "ImageInspectError", "RegistryUnavailable", "ErrImageNeverPull")
STARTING = ("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun")
#: Reasons of events: the node makes no sandbox for a pod; a volume, which is often the pod's own, is not there.
SANDBOX = ("FailedCreatePodSandBox", "NetworkNotReady")
VOLUME = ("FailedMount", "FailedAttachVolume", "FailedMapVolume")
#: What the kubelet says of a ConfigMap, a Secret or a claim, or a key in one, that does not exist.
ABSENT = re.compile(r"\b(?:configmap|secret|persistentvolumeclaim)\b.{0,300}\bnot found|non-existent", re.IGNORECASE)


@dataclass(frozen=True)
class Stuck:
    """A pod that should long have started, or been gone."""

    pod: Pod
    version: Version
    #: `creating`, `pulling`, `starting` or `ending`.
    kind: str
    #: Its warning events.
    events: Sequence[Event]
    #: The nodes on which the same version runs.
    homes: frozenset[str]

    @property
    def reasons(self) -> set[str]:
        """Those of its warning events."""
        return {each.reason for each in self.events}

    @property
    def sandbox(self) -> bool:
        """Its node makes no sandbox for it."""
        return not self.reasons.isdisjoint(SANDBOX)

    @property
    def certain(self) -> bool:
        """It runs elsewhere, and what fails here is what nodes do: sandboxes and starting containers."""
        return bool(self.homes) and (self.kind == "starting" or self.sandbox)

    @property
    def likely(self) -> bool:
        """It runs elsewhere, or what fails is what nodes do."""
        return self.sandbox or self.kind == "ending" or (bool(self.homes) and not lacks_its_own(self.events))

    @property
    def of_volume(self) -> bool:
        """It waits for a volume."""
        return not self.reasons.isdisjoint(VOLUME) and not self.sandbox


def workload_version(pod: Pod) -> Version:
    """What pods that should do alike have in common; of one without a controller there is no other."""
    owner = pod.metadata.controller
    revision = next((pod.labels[key] for key in REVISIONS if key in pod.labels), "")
    return (pod.namespace, owner.uid if owner else pod.metadata.uid or pod.name, revision)


def lacks_its_own(events: Iterable[Event]) -> bool:
    """A ConfigMap, Secret or claim that a pod asks for is not there: others of its kind began when it was."""
    return any(each.reason in VOLUME and ABSENT.search(each.message) for each in events)


def waits_for(pod: Pod) -> str:
    """What a pod that does not run waits for: `creating`, `pulling`, `starting`; empty for anything else."""
    reasons = [each.now.waiting.reason if each.now.waiting else "" for each in pod.statuses]
    if any(each in PULLING for each in reasons):
        return "pulling"
    if any(each in STARTING for each in reasons):
        return "starting"
    # An init container that has ended is followed by the next one: the sandbox is there.
    creating = all(each in CREATING for each in reasons) and (pod.status.phase == "Pending" or bool(reasons))
    return "creating" if creating else ""


def waiting_reasons(pod: Pod) -> list[str]:
    """Why its containers wait."""
    return [each.now.waiting.reason for each in pod.statuses if each.now.waiting and each.now.waiting.reason]


def given(pod: Pod) -> datetime | None:
    """When it got its node; or, if that was later, when it ceased to be ready there: its node was booted."""
    got = (pod.scheduled.last_transition_time if pod.scheduled else None) or pod.metadata.creation_timestamp
    return max(filter(None, (got, pod.ready.last_transition_time)), default=None)


def kind_of(pod: Pod, moment: datetime, pending: timedelta, terminating: timedelta) -> str:
    """What it has waited for, for too long; empty where it does not, or still may."""
    if pod.terminating:
        return "ending" if pod.overdue(moment) > terminating and not pod.metadata.finalizers else ""
    since = given(pod)
    return waits_for(pod) if since is not None and moment - since > pending else ""
