"""What answers from outside, compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upgate.battery.compared.changed import ChangedObject, old_to_new
from upgate.facts.recorded.answers import AnswerState
from upgate.facts.recorded.fronts import FrontState
from upgate.results import Severity

#: The organization in an issuer: an authority that renews a certificate may sign it with another of its own certificates.
ORGANIZATION = re.compile(r"(?:^|[,/]) ?O=([^,/]{1,200})")
#: So many times as slow, and so many seconds slower, is told.
TIMES, SECONDS = 3, 1.0
NOTHING = "(none)"


@dataclass(frozen=True)
class ChangedAnswer(ChangedObject[AnswerState]):
    """An answer of a target that answered in the baseline."""

    now: AnswerState

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        return {"name": self.ref.partition(" from ")[0]}

    @property
    def changes(self) -> str:
        """What is not as before: old → new. Empty where all is."""
        return "; ".join(
            [*self._answer(), *certificate_changes(self.before, self.now), *self._headers(), *self._time()]
        )

    @property
    def severity(self) -> Severity | None:
        """That it only takes longer is a warning: it was measured once."""
        return (
            "warning" if not [*self._answer(), *certificate_changes(self.before, self.now), *self._headers()] else None
        )

    def _answer(self) -> Iterator[str]:
        if self.before.status != self.now.status:
            yield old_to_new("status", self.before.status, self.now.status)
        if self.before.location != self.now.location:
            yield old_to_new("redirect", self.before.location or NOTHING, self.now.location or NOTHING)

    def _headers(self) -> Iterator[str]:
        for name, value in self.before.headers.items():
            if value != self.now.headers.get(name):
                yield old_to_new(f"header {name}", value, self.now.headers.get(name, NOTHING))

    def _time(self) -> Iterator[str]:
        before, now = self.before.seconds, self.now.seconds
        if now > before * TIMES and now - before > SECONDS:
            yield old_to_new("took", f"{before:.3g}s", f"{now:.3g}s")


def certificate_changes(before: AnswerState, now: AnswerState) -> Iterator[str]:
    """Another authority, and names that are lost."""
    if authority(before.issuer) != authority(now.issuer):
        yield old_to_new("certificate of", before.issuer or NOTHING, now.issuer or NOTHING)
    if lost := [each for each in before.names if each not in now.names]:
        yield f"the certificate is no longer for {', '.join(lost)}"


def authority(issuer: str) -> str:
    """The organization of an issuer; where it names none, the issuer."""
    found = ORGANIZATION.search(issuer)
    return found[1].strip() if found else issuer


def changed_answers(before: Mapping[str, AnswerState], now: Mapping[str, AnswerState]) -> Iterator[ChangedAnswer]:
    """The targets that answered in the baseline and answer now; that one does not is told by its own check."""
    yield from (ChangedAnswer(ref, state, now[ref]) for ref, state in before.items() if ref in now)


@dataclass(frozen=True)
class ChangedFront(ChangedObject[FrontState]):
    """What an Ingress or a load balancer that is still there answers at its addresses."""

    now: FrontState

    @property
    def changes(self) -> str:
        """Where it does not answer any more, or answers otherwise. Empty where all is as before, or was silent before."""
        return "; ".join(
            f"{place}: {said}" for place, state in self.before.answers.items() if (said := self._at(place, state))
        )

    def _at(self, place: str, before: AnswerState) -> str:
        if place in self.now.failures:
            return old_to_new("answered", before.status or "connected", f"no answer ({self.now.failures[place]})")
        now = self.now.answers.get(place)
        return "; ".join(answer_changes(before, now)) if now else ""


def answer_changes(before: AnswerState, now: AnswerState) -> Iterator[str]:
    """The kind of status, the redirect and the certificate: old → new."""
    if (before.status or 0) // 100 != (now.status or 0) // 100:
        yield old_to_new("status", before.status, now.status)
    if before.location != now.location:
        yield old_to_new("redirect", before.location or NOTHING, now.location or NOTHING)
    yield from certificate_changes(before, now)


def changed_fronts(before: Mapping[str, FrontState], now: Mapping[str, FrontState]) -> Iterator[ChangedFront]:
    """Those that answered somewhere in the baseline, and are still there."""
    yield from (ChangedFront(ref, state, now[ref]) for ref, state in before.items() if state.answers and ref in now)
