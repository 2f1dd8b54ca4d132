"""A sample by the gate's own probe: journeys, names, redirects, HTTP/2, proxies, WebSockets, and what must be closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from upgate.base.errors import Inconclusive
from upgate.sources.probes.judging import judge_attempt
from upgate.sources.probes.look import probe_once
from upgate.sources.probes.reach import Reach
from upgate.sources.probes.target import ProbeTarget
from upgate.sources.probes.trust import Trust
from upgate.sources.probes.watch import Watch
from upgate.watch.asking import Verdict


@dataclass
class ThoroughAsker:
    """Probes one target as the gate does."""

    target: ProbeTarget
    trust: Trust
    lag: Callable[[], float]

    async def ask(self) -> None:
        """One sample. Raises Verdict for whatever is not good."""
        attempt = await probe_once(
            self.target, self.trust, Watch(self.lag, lambda: None, Reach(self.target)), vantage=""
        )
        try:
            wrong = judge_attempt(self.target, attempt)
        except Inconclusive as reason:
            raise Verdict(str(reason), ours=True) from reason
        if wrong:
            kind = attempt.failure.kind if attempt.failure else ""
            raise Verdict("; ".join(each.observed for each in wrong), overdue=kind in ("read-timeout", "reset"))
