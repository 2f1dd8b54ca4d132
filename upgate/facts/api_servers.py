"""The API servers one by one: a load balancer hides that one of three is away, old, or blind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from upgate.base.text import duration
from upgate.facts.meta import Fact, Time
from upgate.results import Severity

#: Where the API servers write down where they are.
SLICE = "EndpointSlice/default/kubernetes"
#: A lease that moves is seen moving by each within this time.
BEHIND = timedelta(seconds=30)


class ApiServerAnswer(Fact):
    """What one address answered."""

    #: `host:port`.
    address: str
    #: The profile names it, so it must answer.
    named: bool = False
    version: str = ""
    #: Why its own report is not "ready".
    unready: str = ""
    #: Who issued the certificate that it serves with.
    issuer: str = ""
    #: The latest renewal of a node's lease that it knows; None where it could not be asked.
    newest: Time | None = None
    #: Why it did not answer at all.
    problem: str = ""

    @property
    def ref(self) -> str:
        """The address, as reports name it."""
        return f"APIServer/{self.address}"


class ApiServerFault(Fact):
    """One API server beside the others, or how many there are."""

    ref: str
    fault: str = ""
    severity: Severity | None = None

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.ref.partition("/")[2]}


class ApiServers(Fact):
    """All addresses, and how many nodes of the control plane are Ready."""

    answers: tuple[ApiServerAnswer, ...] = ()
    nodes: int = 0

    @property
    def judged(self) -> list[ApiServerFault]:
        """Each that the profile names, and each of the EndpointSlice as soon as one of those can be reached from here."""
        reached = any(not each.problem for each in self.answers if not each.named)
        judged = [ApiServerFault(each.ref, *self._fault(each)) for each in self.answers if each.named or reached]
        return [*judged, *self._missing] if judged else []

    @property
    def _missing(self) -> Iterator[ApiServerFault]:
        """Fewer have written down where they are than there are nodes for them. One address alone may be a load balancer's."""
        here = sum(not each.named for each in self.answers)
        if 1 < here < self.nodes:
            words = f"it has {here} addresses, and {self.nodes} nodes of the control plane are Ready"
            yield ApiServerFault(SLICE, words)

    def _fault(self, one: ApiServerAnswer) -> tuple[str, Severity | None]:
        if one.problem:
            return f"it does not answer: {one.problem}", None
        told = [*self._grave(one)]
        issuer = self._most_common("issuer")
        if not told and one.issuer != issuer:
            return f"its certificate is issued by {one.issuer}, those of others by {issuer}", "warning"
        return "; ".join(told), None

    def _grave(self, one: ApiServerAnswer) -> Iterator[str]:
        if one.unready:
            yield one.unready
        if one.version != (version := self._most_common("version")):
            yield f"it has version {one.version}, others have {version}"
        newest = max((each.newest for each in self.answers if each.newest), default=None)
        if newest and one.newest and newest - one.newest > BEHIND:
            yield f"what it knows is {duration(newest - one.newest)} older than what others know"

    def _most_common(self, field: str) -> str:
        values = [getattr(each, field) for each in self.answers if not each.problem]
        return max(Counter(values).items(), key=lambda item: (item[1], item[0]))[0] if values else ""
