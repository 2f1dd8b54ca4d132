"""What nodes were asked from inside, by pods that run on them, and what they answered."""

from __future__ import annotations

from collections.abc import Iterable

from upgate.facts.meta import Fact

#: What is asked about: names, Services, pods on other nodes, the API server, the cloud's metadata service,
#: the log store.
SUBJECTS = ("dns", "service", "peers", "api", "metadata", "logs")
#: What a pod says of a question without an answer, in words.
REASONS = {
    "timeout": "no answer in time",
    "refused": "connection refused",
    "unreachable": "no route to it",
    "unknown": "the name does not exist there",
    "silent": "it accepts the connection and says nothing",
}


class NodeAnswer(Fact):
    """One question, asked from one node."""

    node: str
    #: One of SUBJECTS.
    subject: str
    #: What was asked, in words; the same words mean the same question on other nodes.
    what: str
    #: The object that should answer, as reports name it.
    about: str = ""
    #: The node that this object is on, if it is a pod.
    on: str = ""
    #: The nodes of what stands behind it, if it is a Service.
    behind: tuple[str, ...] = ()
    #: It must answer every node. Else only its answers to different nodes are compared: a NetworkPolicy may close it to all.
    strict: bool = False
    #: How long the answer took; None where there was none.
    seconds: float | None = None
    #: Why there was no answer.
    problem: str = ""

    @property
    def answered(self) -> bool:
        """There was an answer."""
        return self.seconds is not None


class ProbedNode(Fact):
    """One node, and the pod that was started on it."""

    name: str
    #: How long the pod took to start; None where it did not.
    seconds: float | None = None
    #: Why it did not start.
    problem: str = ""
    #: Why the node could not be asked although nothing is known to be wrong with it.
    unasked: str = ""

    @property
    def ref(self) -> str:
        """The node, as in every report."""
        return f"Node/{self.name}"

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.name}


class Probed(Fact):
    """One pass over all nodes."""

    nodes: tuple[ProbedNode, ...] = ()
    asked: tuple[NodeAnswer, ...] = ()
    #: Nodes that were left out on purpose, a sentence each.
    left_out: tuple[str, ...] = ()
    #: What was created, and that it was removed, in one sentence; what could not be removed, too.
    made: tuple[str, ...] = ()
    #: NetworkPolicies in the namespace of the probe: they may close everything.
    policies: tuple[str, ...] = ()
    #: Why the log store could not be asked.
    no_logs: str = ""

    def about(self, subject: str) -> list[NodeAnswer]:
        """The questions about one of SUBJECTS."""
        return [each for each in self.asked if each.subject == subject]


def nodes_of(asked: Iterable[NodeAnswer]) -> list[str]:
    """The nodes that were asked, each once, in order."""
    return list(dict.fromkeys(each.node for each in asked))
