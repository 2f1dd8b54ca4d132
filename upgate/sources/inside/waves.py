"""One pass over the nodes: pods that listen, then pods that ask, one group of nodes after the other.

Pods are bound by node name: neither the scheduler nor the controller manager is needed, so what is found is of the node,
nothing makes a deleted pod again, and a killed run leaves no controller behind. The answers come back as termination
messages, through the kubelet and the API server: nothing has to reach into the pods for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline
from upgate.facts.inside import NodeAnswer, ProbedNode
from upgate.sources.inside.logs import marked_line
from upgate.sources.inside.manifests import Manifest, asking_pod, listening_pod
from upgate.sources.inside.namespace import ProbeNamespace
from upgate.sources.inside.planning import FULL, Plan, Question
from upgate.sources.inside.pods import ProbePod

if TYPE_CHECKING:
    from upgate.profile.probe import InsideProbe

#: Seconds between two looks at the pods.
EVERY = 0.4
#: Seconds that asking may take, beyond starting: all questions fail, in groups, as often as they are tried.
ASKING = 60.0
IMAGE_WORDS = "the image cannot be pulled: "
LATE = "the deadline of the probe came before its turn"


class Pass:
    """What has been learned so far of the nodes."""

    def __init__(self, probe: InsideProbe, namespace: ProbeNamespace, plan: Plan, deadline: Deadline) -> None:
        self._probe, self._namespace, self._plan, self._deadline = probe, namespace, plan, deadline
        self.nodes: dict[str, ProbedNode] = {}
        self.asked: list[NodeAnswer] = []

    def over(self, names: Collection[str], progress: Callable[[int], None]) -> None:
        """Ask these nodes, in groups that are made at random: in small clusters each pod asks all others."""
        shuffled = sorted(names)
        Random(self._namespace.run).shuffle(shuffled)  # noqa: S311 - a choice, not a secret
        size = max(1, min(self._probe.pending, FULL if len(names) <= FULL else self._probe.pending))
        for number, start in enumerate(range(0, len(shuffled), size)):
            self._wave(number, shuffled[start : start + size])
            progress(len(self.nodes))
        self._tell_images_apart()

    def _wave(self, number: int, names: Sequence[str]) -> None:
        """One group of nodes."""
        if self._deadline.remaining < 1:
            self.nodes |= {name: ProbedNode(name, unasked=LATE) for name in names}
            return
        if number:
            self._namespace.empty_pods(self._deadline)
        addresses = self._start(number, names)
        if addresses:
            self._ask(number, addresses)

    def _start(self, number: int, names: Sequence[str]) -> dict[str, str]:
        """Start a pod that listens on each node; the addresses of those that do."""
        begun, late = Deadline(self._probe.start_up.total_seconds()), self._deadline
        pods = {name: f"listen-{number}-{place}-{self._namespace.run}" for place, name in enumerate(names)}
        life = round(late.remaining + ASKING)
        refused = self._namespace.create_pods(
            {name: listening_pod(pods[name], name, self._probe, life) for name in names}
        )
        seen: dict[str, ProbePod] = {}
        for seen in self._looks("listen", begun):
            for name in names:
                pod = seen.get(pods[name])
                if pod and pod.listens and name not in self.nodes:
                    self.nodes[name] = ProbedNode(name, begun.elapsed)
            waiting = [name for name in names if name not in self.nodes and name not in refused]
            if all((pod := seen.get(pods[name])) is not None and pod.ended for name in waiting):
                break
        notes = self._namespace.warnings() if len(self.nodes) < len(names) else {}
        for name in (each for each in names if each not in self.nodes):
            self.nodes[name] = self._unstarted(
                name, seen.get(pods[name]), notes.get(pods[name], ""), refused.get(name, "")
            )
        return {name: seen[pods[name]].status.pod_ip for name in names if self.nodes[name].seconds is not None}

    def _unstarted(self, name: str, pod: ProbePod | None, note: str, refused: str) -> ProbedNode:
        """A node on which the pod does not run, and why."""
        if refused or pod is None:
            return ProbedNode(name, unasked=refused or "its pod was deleted, perhaps by another run")
        if pod.has_no_room:
            return ProbedNode(name, unasked=f"it has no room for one more pod ({pod.problem})")
        if self._deadline.passed:
            return ProbedNode(name, unasked=LATE)
        said = "; ".join(filter(None, [pod.problem, note]))
        return ProbedNode(name, problem=f"{IMAGE_WORDS if pod.lacks_image else ''}{said}")

    def _ask(self, number: int, addresses: dict[str, str]) -> None:
        """Let a pod on each of these nodes ask, and read what it says."""
        questions = {name: self._plan.questions(name, addresses) for name in addresses}
        pods = {name: f"ask-{number}-{place}-{self._namespace.run}" for place, name in enumerate(addresses)}
        refused = self._namespace.create_pods(
            {name: self._asker(pods[name], name, questions[name]) for name in addresses}
        )
        limit = Deadline(self._probe.start_up.total_seconds() + ASKING)
        seen: dict[str, ProbePod] = {}
        for seen in self._looks("ask", limit):
            if all(
                (pod := seen.get(pods[name])) is not None and pod.ended for name in addresses if name not in refused
            ):
                break
        for name in addresses:
            self._read(name, seen.get(pods[name]), questions[name], refused.get(name, ""))

    def _asker(self, pod: str, node: str, questions: Sequence[Question]) -> Manifest:
        """The pod with its questions."""
        lines = "\n".join(f"q{place} {each.tries} {each.command}" for place, each in enumerate(questions))
        life = round(self._deadline.remaining + ASKING)
        return asking_pod(pod, node, self._probe, life, lines, marked_line(self._namespace.run, node))

    def _read(self, name: str, pod: ProbePod | None, questions: Sequence[Question], refused: str) -> None:
        """Keep what a pod answered, or why it did not."""
        answers = pod.answers if pod else None
        if answers is None:
            why = refused or (pod.problem if pod else "its pod was deleted, perhaps by another run")
            self.nodes[name] = replace(self.nodes[name], unasked=f"the pod that asks gave no answer: {why}")
            return
        for place, question in enumerate(questions):
            answer = answers.get(f"q{place}", "untold")
            if isinstance(answer, float):
                self.asked.append(replace(question.asked, seconds=answer))
            elif answer != "untold":  # the image has no program that can ask it
                self.asked.append(replace(question.asked, problem=answer))

    def _looks(self, role: str, limit: Deadline) -> Iterator[dict[str, ProbePod]]:
        """The pods of a role, again and again until the limit."""
        while True:
            yield self._namespace.pods(role)
            if not limit.pause(EVERY) or self._deadline.passed:
                return

    def _tell_images_apart(self) -> None:
        """Where no node gets the image, the registry or the profile is at fault: then nothing is known of the nodes."""
        if all(each.problem.startswith(IMAGE_WORDS) for each in self.nodes.values()):
            self.nodes = {
                name: replace(each, problem="", unasked=f"on no node: {each.problem}")
                for name, each in self.nodes.items()
            }


def cluster_ip_in(body: bytes | bytearray) -> str:
    """The ClusterIP of the Service that was created. Raises Inconclusive."""
    try:
        return str(msgspec.json.decode(body)["spec"]["clusterIP"])
    except (msgspec.DecodeError, KeyError, TypeError) as problem:
        raise Inconclusive(f"nothing was asked from inside: the Service has no ClusterIP ({problem})") from problem
