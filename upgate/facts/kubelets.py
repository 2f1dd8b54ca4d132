"""Whether the API server reaches the kubelets: logs, exec, port-forwards and some webhooks travel this way."""

from __future__ import annotations

from collections.abc import Sequence

from upgate.base.text import counted
from upgate.facts.meta import Fact
from upgate.results import Severity

#: What stands for the way to all of them: a tunnel (konnectivity), a firewall, the API server's client certificate.
TUNNEL = "APIServer/kubelets"


class KubeletAnswer(Fact):
    """How often a kubelet was asked through the API server, and how often it did not answer."""

    node: str
    asked: int = 0
    failed: int = 0
    #: What the API server said the last time that it failed.
    problem: str = ""

    @property
    def ref(self) -> str:
        """The node, as in every report."""
        return f"Node/{self.node}" if self.node else TUNNEL

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.node or "NODE"}

    @property
    def unreached(self) -> str:
        """That it did not always answer, and what was said. Empty where it did."""
        return f"{self.failed} of {counted(self.asked, 'request')} failed: {self.problem}" if self.failed else ""

    @property
    def severity(self) -> Severity | None:
        """One failure alone is a warning."""
        return "warning" if self.failed == 1 else None


class KubeletAnswers(Fact):
    """All of them."""

    answers: tuple[KubeletAnswer, ...] = ()
    #: Why others were not asked, a sentence each.
    gaps: tuple[str, ...] = ()

    @property
    def judged(self) -> Sequence[KubeletAnswer]:
        """Each; where none of several answers, the way to all of them is broken, and is named once."""
        dead = [each for each in self.answers if each.failed == each.asked]
        if len(dead) < 2 or len(dead) < len(self.answers):
            return self.answers
        asked = sum(each.asked for each in dead)
        return [KubeletAnswer("", asked, asked, f"no kubelet of {len(dead)} nodes is reached; {dead[0].problem}")]
