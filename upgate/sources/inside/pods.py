"""What the API server says of the probe's pods."""

from __future__ import annotations

import re

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.redaction import redact
from upgate.base.text import one_line_excerpt
from upgate.facts.containers import Running, Terminated, Waiting
from upgate.facts.inside import REASONS
from upgate.facts.meta import Fact, KubernetesObject, Time
from upgate.sources.cluster.connection import NOT_JSON, ApiResponse

ANSWER = re.compile(r"(\w{1,20})(?:=(\d{1,9})|!([a-z0-9]{1,20}))", re.ASCII)
#: The kubelet turned the pod down because the node has no room: OutOfcpu, OutOfmemory, OutOfpods, …
NO_ROOM = "OutOf"
#: Why an image is not there: the node, the registry or the profile may be at fault.
IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable")


class EndedProbe(Terminated):
    """`state.terminated` of a container, with what it wrote to its termination log."""

    message: str = ""


class ProbeState(Fact):
    """`state` of a container."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: EndedProbe | None = None


class ProbeContainer(Fact):
    """One of `status.containerStatuses`."""

    state: ProbeState = ProbeState()


class ProbePodStatus(Fact):
    """`status` of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    pod_ip: str = msgspec.field(default="", name="podIP")
    container_statuses: list[ProbeContainer] | None = None


class ProbePodSpec(Fact):
    """`spec` of a pod."""

    node_name: str = ""


class ProbePod(KubernetesObject):
    """One of the probe's own pods."""

    spec: ProbePodSpec = ProbePodSpec()
    status: ProbePodStatus = ProbePodStatus()

    @property
    def state(self) -> ProbeState:
        """The state of its container."""
        return next((each.state for each in self.status.container_statuses or ()), ProbeState())

    @property
    def listens(self) -> bool:
        """It runs, and has an address."""
        return self.status.phase == "Running" and bool(self.status.pod_ip) and self.state.running is not None

    @property
    def ended(self) -> bool:
        """It does not run any more."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def has_no_room(self) -> bool:
        """The node is full."""
        return self.status.phase == "Failed" and self.status.reason.startswith(NO_ROOM)

    @property
    def lacks_image(self) -> bool:
        """Its image is not there."""
        return bool(self.state.waiting and self.state.waiting.reason in IMAGE)

    @property
    def problem(self) -> str:
        """Why it does not run, as far as it says so."""
        waiting, ended = self.state.waiting, self.state.terminated
        parts = [self.status.phase or "the kubelet has not seen it", self.status.reason, self.status.message]
        if waiting:
            parts = [waiting.reason, waiting.message]
        elif ended:
            parts = [f"ended with exit code {ended.exit_code}", ended.reason, ended.message]
        return redact(one_line_excerpt(": ".join(filter(None, parts)), 300))

    @property
    def answers(self) -> dict[str, float | str] | None:
        """What it answered, by question: seconds, or why there was no answer. None where it did not come to its end."""
        said = self.state.terminated.message if self.state.terminated else ""
        lines = said[:8192].split()
        if "end" not in lines:
            return None
        found = (match for line in lines if (match := ANSWER.fullmatch(line)))
        return {match[1]: int(match[2]) / 100 if match[2] else problem_in_words(match[3]) for match in found}


class PodList(Fact):
    """The list of them."""

    items: list[ProbePod] | None = None


class EventNote(Fact):
    """An event about a pod."""

    involved_object: dict[str, str] | None = None
    reason: str = ""
    message: str = ""
    last_timestamp: Time | None = None


class EventNotes(Fact):
    """The list of them."""

    items: list[EventNote] | None = None


def problem_in_words(reason: str) -> str:
    """Why there was no answer."""
    if reason.startswith("status"):
        return f"it answers with status {reason.removeprefix('status')}"
    return REASONS.get(reason, reason)


def probe_pods_in(answer: ApiResponse) -> dict[str, ProbePod]:
    """The pods of a list, by name. Raises Inconclusive."""
    try:
        return {each.name: each for each in decoder(PodList).decode(answer.body).items or ()}
    except NOT_JSON as problem:
        raise Inconclusive(f"the list of the probe's pods cannot be read: {problem}") from problem


def last_words(answer: ApiResponse) -> dict[str, str]:
    """The latest warning about each pod; none where the events cannot be read: they only explain."""
    try:
        notes = decoder(EventNotes).decode(answer.body).items or ()
    except NOT_JSON:
        return {}
    return {
        (each.involved_object or {}).get("name", ""): redact(one_line_excerpt(f"{each.reason}: {each.message}", 300))
        for each in notes
    }
