"""What the API server's counters say: what grew since the reference time, and what grows now.

A counter begins at 0 when its process starts, and says nothing of when it grew. So it is compared with the baseline, where
that has met the same process; where the process is younger than the reference time all of it counts; and what grows between
two looks, seconds apart, happens now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from upgate.base.text import counted, duration
from upgate.facts.metrics import (
    CALLED,
    CONVERTED,
    LET_THROUGH,
    REFUSED,
    UNALLOWED,
    UNKNOWN,
    Exposition,
    ServerMetrics,
)

#: The labels of calls of webhooks that failed.
UNCALLABLE = {"error_type": "calling_webhook_error"}
#: So many rejections since the start of a process may be one each second since a minute.
MANY = 60


def rejections(exposition: Exposition) -> float:
    """How many requests came from somebody unknown, or were not allowed."""
    unknown = sum(exposition.total(UNKNOWN, result=result) for result in ("error", "failure"))
    return unknown + sum(exposition.total(UNALLOWED, result=result) for result in ("denied", "no-opinion"))


def failed_calls(exposition: Exposition) -> float:
    """How many calls of webhooks failed."""
    admission = exposition.total(REFUSED, **UNCALLABLE) + exposition.total(LET_THROUGH)
    return admission + exposition.total(CONVERTED, succeeded="false")


def worth_another_look(exposition: Exposition) -> bool:
    """Something in it may be growing just now."""
    return failed_calls(exposition) > 0 or rejections(exposition) >= MANY


@dataclass(frozen=True)
class Counting:
    """The counters of one process, and from when on they are judged."""

    metrics: ServerMetrics
    #: The reference time.
    since: datetime
    #: What the counters said when the baseline was saved.
    saved: Exposition | None = None

    @property
    def before(self) -> Exposition | None:
        """What they said at the baseline, where that was the same process."""
        return self.saved if self.saved and self.saved.same_process(self.metrics.last) else None

    @property
    def certain(self) -> bool:
        """All that is counted came after the reference time, or after the baseline."""
        started = self.metrics.last.started
        return self.before is not None or (started is not None and started >= self.since)

    @property
    def begin(self) -> datetime | None:
        """From when on it is counted; None where the process does not say when it started."""
        return self.before.taken if self.before else self.metrics.last.started

    @property
    def span(self) -> timedelta:
        """For how long it was counted."""
        return max(timedelta(0), self.metrics.last.taken - self.begin) if self.begin else timedelta(0)

    @property
    def words(self) -> str:
        """From when on it is counted, in words."""
        if self.begin is None:
            return "since this API server started"
        began = f"{self.begin:%Y-%m-%d %H:%M} UTC"
        event = "the baseline was saved" if self.before else "this API server started"
        return f"since {event} ({began}, {duration(self.span)} ago)"

    def grown(self, family: str, /, **labels: str) -> float:
        """By how much it grew in that time."""
        return self.metrics.last.total(family, **labels) - (self.before.total(family, **labels) if self.before else 0)

    def growing(self, family: str, /, **labels: str) -> float:
        """By how much it grew between the two looks; 0 where there was one."""
        earlier = self.metrics.earlier
        return self.metrics.last.total(family, **labels) - earlier.total(family, **labels) if earlier else 0

    @property
    def pause(self) -> timedelta:
        """The time between the two looks."""
        return self.metrics.last.taken - self.metrics.looks[0].taken

    def admission(self, name: str, type: str) -> Calls:
        """The calls of an admission webhook; `type`: validating or admit."""
        labels = {"name": name, "type": type}
        return Calls(
            self.grown(REFUSED, **labels, **UNCALLABLE) + self.grown(LET_THROUGH, **labels),
            self.grown(CALLED, **labels),
            self.growing(REFUSED, **labels, **UNCALLABLE) + self.growing(LET_THROUGH, **labels),
            self.growing(CALLED, **labels),
        )

    def conversion(self, definition: str) -> Calls:
        """The calls of the conversion webhook of a CustomResourceDefinition."""
        failed, every = {"crd_name": definition, "succeeded": "false"}, {"crd_name": definition}
        return Calls(
            self.grown(CONVERTED, **failed),
            self.grown(CONVERTED, **every),
            self.growing(CONVERTED, **failed),
            self.growing(CONVERTED, **every),
        )


class Calls(NamedTuple):
    """The calls of one webhook: since the time from which it is judged, and between the two looks."""

    failed: float
    all: float
    failing: float = 0
    calling: float = 0

    @property
    def never_answered(self) -> bool:
        """All of them failed: of one that was repaired the first answer shows. An old API server counts only what failed."""
        return 0 < self.failed >= self.all

    @property
    def answers_now(self) -> bool:
        """It was called between the two looks, and answered."""
        return self.calling > 0 and not self.failing

    @property
    def broken(self) -> bool:
        """It fails now, or has never answered."""
        return self.failing > 0 or self.never_answered

    def said(self, what: str, counting: Counting) -> str:
        """That it is broken, or has failed after the reference time, in words. Else empty."""
        if not self.broken and not (counting.certain and self.failed > 0):
            return ""
        whole = max(self.all, self.failed)
        now = f"; {self.failing:.0f} of them within the last {duration(counting.pause)}" if self.failing else ""
        then = "; it answers now" if self.answers_now else ""
        return f"{what}: {self.failed:.0f} of {counted(int(whole), 'call')} failed {counting.words}{now}{then}"
