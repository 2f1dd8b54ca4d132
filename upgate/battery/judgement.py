"""What a check finds: the objects that it looked at, and those that are not as they should be.

The engine hands a check `Subjects`, which count what was looked at and keep what was found wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Generic, Protocol, TypeVar

from upgate.base.errors import Inconclusive, words_of
from upgate.base.harmless import fill
from upgate.base.text import shown
from upgate.battery.check import Check
from upgate.results import Finding, Severity

#: No text of a finding is longer: whoever may write an object writes parts of it.
LONGEST = 2000


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
                observed=truncated(observed),
                expected=truncated(expected),
                hint=hint,
                transitional=transitional,
                severity=severity or self.check.severity,
            )
        )

    def leave_out(self, broken: Sequence[tuple[Subject, Exception]], noun: str) -> None:
        """Keep that these objects could not be judged, and why the first of them could not."""
        if not broken:
            return
        (first, problem), others = broken[0], len(broken) - 1
        more = f", nor could {others} more of the {noun}" if others else ""
        said = f"{words_of(problem)} ({line_of_error(problem, self.check)})"
        self.gaps.append(f"{first.ref} could not be judged: {said}{more}")

    def fail(self, observed: str) -> None:
        """Keep that the check itself says, by an assertion, that something is wrong."""
        self.look_at(0 if self.examined else 1, "tests")
        said = truncated(observed or "assertion failed")
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
        return Subjects(self.noun, self._those(rule), self._judgement, counted=self._counted, right=self._right)

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

        def judge(item: T) -> None:
            if not rule(item):
                self._judgement.find(
                    item,
                    apply_wording(observed, item),
                    apply_wording(expected, item) or self._judgement.check.title,
                    severity=severity(item) if callable(severity) else severity,
                    transitional=bool(transitional(item)),
                )

        self._count()
        self._those(judge)

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

    def _those(self, rule: Callable[[T], object]) -> list[T]:
        """The objects that it answers true for. One that breaks it is a gap, and the others are judged.

        Raises Inconclusive and AssertionError: those are answers for all of them.
        """
        held: list[T] = []
        broken: list[tuple[Subject, Exception]] = []
        for item in self._items:
            try:
                if rule(item):
                    held.append(item)
            except (Inconclusive, AssertionError):
                raise
            except Exception as problem:  # whatever is in an object, it hides no other
                broken.append((item, problem))
        self._judgement.leave_out(broken, self.noun)
        return held

    def _count(self) -> None:
        if not self._counted:
            self._counted = True
            self._judgement.look_at(len(self._items) + self._right, self.noun)


def apply_wording(wording: str | Callable[[T], object], item: T) -> str:
    """The text that a wording gives for an object."""
    return str(wording(item)) if callable(wording) else wording


def truncated(text: str) -> str:
    """The text; of one that is too long the beginning, and how long it was."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def line_of_error(problem: Exception, check: Check) -> str:
    """The last line of the check's own folder that an error went through."""
    own = Path(check.place.rpartition(":")[0]).parent
    lines = [each for each in extract_tb(problem.__traceback__) if own in Path(each.filename).parents]
    return f"{shown(Path(lines[-1].filename))}:{lines[-1].lineno}" if lines else check.place
