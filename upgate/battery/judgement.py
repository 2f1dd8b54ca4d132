"""What a check finds: the objects that it looked at, and those that are not as they should be.

The engine hands a check `Subjects`, which count what was looked at and keep what was found wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from upgate.base.harmless import fill
from upgate.battery.check import Check
from upgate.results import Finding, Severity


class Subject(Protocol):
    """Anything that can be judged: it can say what it is called in reports, and what `{…}` in a hint stands for."""

    @property
    def ref(self) -> str: ...

    @property
    def words(self) -> dict[str, str]: ...


T = TypeVar("T", bound=Subject)


@dataclass
class Judgement:
    """What one check has looked at and found so far."""

    check: Check
    examined: int = 0
    noun: str = "objects"
    findings: list[Finding] = field(default_factory=list)
    #: Why a part could not be judged, one sentence each.
    gaps: list[str] = field(default_factory=list)

    def look_at(self, count: int, noun: str) -> None:
        """Count objects as looked at. The first noun names the denominator."""
        self.noun = noun if not self.examined else self.noun
        self.examined += count

    def find(
        self, subject: Subject, observed: str, expected: str, *, severity: Severity | None, transitional: bool
    ) -> None:
        """Keep one object as not right. Its severity is the check's own unless the rule is milder here."""
        hint = fill(self.check.hint, subject.words)
        self.findings.append(
            Finding(
                object=subject.ref,
                observed=observed,
                expected=expected,
                hint=hint,
                transitional=transitional,
                severity=severity or self.check.severity,
            )
        )

    def fail(self, observed: str) -> None:
        """Keep that the check itself says, by an assertion, that something is wrong."""
        self.look_at(0 if self.examined else 1, "tests")
        said = observed or "assertion failed"
        severity = self.check.severity
        self.findings.append(
            Finding(object=f"Check/{self.check.id}", observed=said, expected=self.check.title, severity=severity)
        )


class Subjects(Generic[T]):
    """Some objects of the cluster, and what a check says about them."""

    def __init__(
        self, noun: str, items: Iterable[T], judgement: Judgement, *, counted: bool = False, right: int = 0
    ) -> None:
        self.noun = noun
        self._items = list(items)
        self._judgement = judgement
        self._counted = counted
        #: How many more there are, of which it is known that they are right.
        self._right = right

    def where(self, rule: Callable[[T], object]) -> Subjects[T]:
        """Those for which the rule holds; only they are judged and counted."""
        return Subjects(self.noun, filter(rule, self._items), self._judgement, counted=self._counted, right=self._right)

    def all(
        self,
        rule: Callable[[T], object],
        *,
        observed: str | Callable[[T], object],
        expected: str | Callable[[T], object] = "",
        severity: Severity | Callable[[T], Severity | None] | None = None,
        transitional: Callable[[T], object] = lambda item: False,
    ) -> None:
        """The rule must hold for every one; each for which it does not is a finding."""
        for item in self:
            if not rule(item):
                self._judgement.find(
                    item,
                    say(observed, item),
                    say(expected, item) or self._judgement.check.title,
                    severity=severity(item) if callable(severity) else severity,
                    transitional=bool(transitional(item)),
                )

    def none(
        self,
        rule: Callable[[T], object],
        *,
        observed: str | Callable[[T], object] | None = None,
        expected: str | Callable[[T], object] = "",
        severity: Severity | Callable[[T], Severity | None] | None = None,
        transitional: Callable[[T], object] = lambda item: False,
    ) -> None:
        """The rule must hold for none of them. A rule that answers with a text has said what was observed."""
        seen = rule if observed is None else observed
        self.all(
            lambda item: not rule(item),
            observed=seen,
            expected=expected,
            severity=severity,
            transitional=transitional,
        )

    def __iter__(self) -> Iterator[T]:
        self._count()
        return iter(self._items)

    def __len__(self) -> int:
        self._count()
        return len(self._items)

    def _count(self) -> None:
        if not self._counted:
            self._counted = True
            self._judgement.look_at(len(self._items) + self._right, self.noun)


def say(wording: str | Callable[[T], object], item: T) -> str:
    """The text that a wording gives for an object."""
    return str(wording(item)) if callable(wording) else wording
