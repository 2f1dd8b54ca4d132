"""How workloads replace their pods by those of a new version, and within which bounds."""

from __future__ import annotations

import math
from collections.abc import Callable

from upgate.facts.meta import Fact

Rounding = Callable[[float], int]
#: The API server bounds the digits of a percentage nowhere; this many already stand for all replicas and more.
DIGITS = 6


def share_of(desired: int, bound: int | str, rounded: Rounding) -> int:
    """A number, or a percentage of the desired replicas; of one with more digits than a sensible share the first ones count."""
    return (
        rounded(desired * int(bound.rstrip("%").lstrip("0")[:DIGITS] or "0") / 100) if isinstance(bound, str) else bound
    )


class RollingUpdate(Fact):
    """The bounds of a rolling update."""

    max_unavailable: int | str | None = None
    max_surge: int | str | None = None
    partition: int | None = None

    def unavailable(self, desired: int, default: int | str, rounded: Rounding = math.floor) -> int:
        """How many of the desired replicas it may take away."""
        return share_of(desired, default if self.max_unavailable is None else self.max_unavailable, rounded)

    def surge(self, desired: int, default: int | str) -> int:
        """How many replicas it may have beyond the desired ones."""
        return share_of(desired, default if self.max_surge is None else self.max_surge, math.ceil)


class Strategy(Fact):
    """`spec.strategy` or `spec.updateStrategy`."""

    type: str = "RollingUpdate"
    rolling_update: RollingUpdate | None = None

    @property
    def bounds(self) -> RollingUpdate:
        """`rollingUpdate`, never None."""
        return self.rolling_update or RollingUpdate()
