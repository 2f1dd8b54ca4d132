"""What the nodes answer from inside, as checks take it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.inside import Probed, ProbedNode, nodes_of
from upgate.facts.inside_faults import InsideFault, faults_from_inside

if TYPE_CHECKING:
    from upgate.profile.probe import InsideProbe


@dataclass(frozen=True)
class Vantage:
    """A node that was asked about one subject, or what all nodes asked."""

    ref: str
    fault: str = ""
    #: How long even its fastest answer took, in seconds.
    fastest: float = 0.0

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.ref.rpartition("/")[2]}


@dataclass(frozen=True)
class FromInside:
    """One pass over all nodes."""

    seen: Probed
    probe: InsideProbe | None
    judgement: Judgement

    @property
    def nodes(self) -> Subjects[ProbedNode]:
        """The nodes on which a pod was to start."""
        self._say_unasked()
        return Subjects("nodes", [each for each in self.seen.nodes if not each.unasked], self.judgement)

    def about(self, subject: str) -> Subjects[Vantage]:
        """The nodes that were asked about a subject, and what none of them had an answer from."""
        self._say_unasked()
        self._say_unstarted()
        self.judgement.gaps += [self.seen.no_logs] if subject == "logs" and self.seen.no_logs else []
        faults = {each.ref: each for each in self._faults[subject] if not self._may_be_closed(each)}
        fastest = self._fastest(subject)
        asked = {
            f"Node/{name}": Vantage(f"Node/{name}", fastest=fastest.get(name, 0.0)) for name in self._asked(subject)
        }
        found = {ref: Vantage(ref, each.observed) for ref, each in faults.items()}
        return Subjects("nodes", {**asked, **found}.values(), self.judgement)

    @property
    def latency(self) -> float:
        """An answer that takes longer than so many seconds is slow."""
        return self.probe.latency.total_seconds() if self.probe else float("inf")

    @cached_property
    def _faults(self) -> dict[str, list[InsideFault]]:
        return faults_from_inside(self.seen)

    def _asked(self, subject: str) -> list[str]:
        """With one node alone there are no peers: then it has been asked all there is."""
        asked = nodes_of(self.seen.about(subject))
        alone = subject == "peers" and not asked and len(self.seen.nodes) == 1
        return [each.name for each in self.seen.nodes if not each.unasked] if alone else asked

    def _fastest(self, subject: str) -> dict[str, float]:
        times: dict[str, list[float]] = defaultdict(list)
        for each in self.seen.about(subject):
            if each.strict and each.seconds is not None:
                times[each.node].append(each.seconds)
        return {node: min(seconds) for node, seconds in times.items()}

    def _may_be_closed(self, fault: InsideFault) -> bool:
        """It is so from everywhere, and a NetworkPolicy of the probe's namespace may be why: then it cannot be told."""
        if not (fault.everywhere and self.seen.policies):
            return False
        policies = ", ".join(self.seen.policies)
        self.judgement.gaps.append(f"{fault.ref}: {fault.observed}; it may be closed by NetworkPolicies: {policies}")
        return True

    def _say_unasked(self) -> None:
        self.judgement.gaps += [f"{each.ref} was not asked: {each.unasked}" for each in self.seen.nodes if each.unasked]

    def _say_unstarted(self) -> None:
        self.judgement.gaps += [
            f"{each.ref} was not asked: no pod starts there" for each in self.seen.nodes if each.problem
        ]
