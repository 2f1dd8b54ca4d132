"""What answers from outside, compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from upgate.battery.compared.changed import ChangedObject, old_to_new
from upgate.facts.recorded.answers import AnswerState
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
        return "; ".join([*self._answer(), *self._certificate(), *self._headers(), *self._time()])

    @property
    def severity(self) -> Severity | None:
        """That it only takes longer is a warning: it was measured once."""
        return "warning" if not [*self._answer(), *self._certificate(), *self._headers()] else None

    def _answer(self) -> Iterator[str]:
        if self.before.status != self.now.status:
            yield old_to_new("status", self.before.status, self.now.status)
        if self.before.location != self.now.location:
            yield old_to_new("redirect", self.before.location or NOTHING, self.now.location or NOTHING)

    def _certificate(self) -> Iterator[str]:
        if authority(self.before.issuer) != authority(self.now.issuer):
            yield old_to_new("certificate of", self.before.issuer or NOTHING, self.now.issuer or NOTHING)
        if lost := [each for each in self.before.names if each not in self.now.names]:
            yield f"the certificate is no longer for {', '.join(lost)}"

    def _headers(self) -> Iterator[str]:
        for name, value in self.before.headers.items():
            if value != self.now.headers.get(name):
                yield old_to_new(f"header {name}", value, self.now.headers.get(name, NOTHING))

    def _time(self) -> Iterator[str]:
        before, now = self.before.seconds, self.now.seconds
        if now > before * TIMES and now - before > SECONDS:
            yield old_to_new("took", f"{before:.3g}s", f"{now:.3g}s")


def authority(issuer: str) -> str:
    """The organization of an issuer; where it names none, the issuer."""
    found = ORGANIZATION.search(issuer)
    return found[1].strip() if found else issuer


def changed_answers(before: Mapping[str, AnswerState], now: Mapping[str, AnswerState]) -> Iterator[ChangedAnswer]:
    """The targets that answered in the baseline and answer now; that one does not is told by its own check."""
    yield from (ChangedAnswer(ref, state, now[ref]) for ref, state in before.items() if ref in now)
