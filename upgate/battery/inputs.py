"""The inputs that checks take: kinds, relations between them, and what the profile expects."""

from __future__ import annotations

from upgate.battery.churn import Churn
from upgate.battery.expected_inputs import ExpectedInputs
from upgate.battery.restarts import RecentRestarts
from upgate.battery.server_inputs import ServerInputs
from upgate.facts.kinds import KINDS
from upgate.facts.relations import RELATIONS


class Inputs(ExpectedInputs, ServerInputs):
    """The inputs of one check: `inputs["pods"]`."""

    @property
    def churn(self) -> Churn:
        """How often workloads are changed."""
        return Churn(self.before, self.now)

    @property
    def restarts(self) -> RecentRestarts:
        """Restarts since the reference time, and how many are allowed."""
        return RecentRestarts(self.since, self.profile.restarts.allowed, self.baseline, self.now, self["outages"])


def names() -> tuple[str, ...]:
    """Every name that a check may take."""
    others = (name for name in dir(Inputs) if isinstance(getattr(Inputs, name), property))
    return (*KINDS, *RELATIONS, *others, "judgement")
