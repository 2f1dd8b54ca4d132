"""What containers wrote last: those that crash, and those of the control plane. Only where the profile's `allow:` names logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from upgate.facts.meta import Fact, Time

#: What no log of the control plane should hold: panics, klog's fatal lines, certificates and identities that are refused.
FATAL = re.compile(
    r"^F\d{4} |\bpanic: |\bfatal error: |\blevel=(?:fatal|panic)\b"
    r"|x509: certificate (?:has expired|is not yet valid|signed by unknown authority)|certificate (?:is|has) expired"
    r"|Unable to authenticate the request|User .?.?system:anonymous.?.? cannot|tls: (?:bad certificate|unknown certificate)"
)
#: Lines that match and say nothing of the cluster.
HARMLESS = (
    # Whoever opens a port and leaves: load balancers and scanners that do not trust the authority.
    "http: TLS handshake error",
    # A panic of one request that the API server has caught, because its client was gone.
    "net/http: abort Handler",
    # A token that has just been deleted with its pod.
    "service account token has been invalidated",
    "Token has expired",
)


class ContainerLog(Fact):
    """What one container of a pod wrote last."""

    #: The pod, as reports name it.
    ref: str
    container: str
    lines: tuple[str, ...] = ()
    #: Why it could not be read.
    problem: str = ""

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        _, namespace, name = self.ref.split("/", 2)
        return {"namespace": namespace, "name": name, "container": self.container}


class ErrorLine(Fact):
    """A line of an error, and when it was written."""

    text: str
    time: Time | None = None

    def is_fatal(self, patterns: Iterable[str], ignored: Iterable[str]) -> bool:
        """It should not be there."""
        if any(each in self.text for each in (*HARMLESS, *ignored)):
            return False
        return bool(FATAL.search(self.text)) or any(each in self.text for each in patterns)


class ComponentLog(ContainerLog):
    """The errors in the log of a component of the control plane."""

    errors: tuple[ErrorLine, ...] = ()

    def fatal_lines(self, since: datetime, patterns: Sequence[str], ignored: Sequence[str]) -> list[str]:
        """Those that should not be there, since that time."""
        late = (each for each in self.errors if each.time is None or each.time >= since)
        return [each.text for each in late if each.is_fatal(patterns, ignored)]
