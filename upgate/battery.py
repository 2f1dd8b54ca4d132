"""What a check is made of: its declaration, and the nouns that it judges.

A check is a function that takes nouns (`nodes`, `pods`, …) and says what must be true of all of them. The engine hands
it `Subjects`, which count what was looked at and keep what was found wrong; the check itself does no I/O, keeps no
state and needs no `if` on the environment.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from upgate.texts import fill
from upgate.verdict import Finding, Severity


class Subject(Protocol):
    """Anything that can be judged: it can say what it is called in reports, and what `{…}` in a hint stands for."""

    @property
    def ref(self) -> str: ...

    @property
    def words(self) -> dict[str, str]: ...


T = TypeVar("T", bound=Subject)
#: A text, or how to make one from the object at hand.
Wording = str | Callable[[Any], object]
Rule = Callable[[Any], object]


@dataclass(frozen=True)
class Check:
    """The declaration of one check, read from its decorator and its docstring."""

    id: str
    severity: Severity
    title: str
    why: str
    hint: str
    #: Nothing to look at is a pass, because the catalogue says so for this check.
    none_is_fine: bool = False
    #: A profile key without which there is nothing to expect; the check is then skipped, visibly.
    expects: str = ""
    #: Checks whose findings explain those of this one, on the same object or on one that it depends on.
    after: tuple[str, ...] = ()
    #: It belongs to `-m monitor`: it can be judged every minute, from no more of each pod than that it looks right.
    monitor: bool = False


def check(
    id: str,
    *,
    severity: Severity,
    none_is_fine: bool = False,
    expects: str = "",
    after: Collection[str] = (),
    monitor: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function the check `id`. Its docstring is the message: title, why, and `Look first: …`, the hint."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        title, why, hint = read_docstring(function)
        function.__check__ = Check(  # type: ignore[attr-defined]
            id, severity, title, why, hint, none_is_fine, expects, tuple(after), monitor
        )
        return function

    return declare


def read_docstring(function: Callable[..., object]) -> tuple[str, str, str]:
    """The title, the explanation and the `Look first:` line of a function's docstring."""
    title, _, rest = (inspect.getdoc(function) or function.__name__.replace("_", " ")).partition("\n")
    why, _, hint = rest.partition("Look first:")
    return title.strip(), " ".join(why.split()), " ".join(hint.split())


def declaration(function: Callable[..., object], fallback_id: str) -> Check:
    """What a function declares; a plain test function is a critical check named after itself."""
    declared = getattr(function, "__check__", None)
    return declared or Check(fallback_id, "critical", *read_docstring(function))


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

    def where(self, rule: Rule) -> Subjects[T]:
        """Those for which the rule holds; only they are judged and counted."""
        return Subjects(self.noun, filter(rule, self._items), self._judgement, counted=self._counted, right=self._right)

    def all(
        self,
        rule: Rule,
        *,
        observed: Wording,
        expected: Wording = "",
        severity: Severity | Callable[[T], Severity | None] | None = None,
        transitional: Rule = lambda item: False,
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

    def none(self, rule: Rule, **wording: Any) -> None:
        """The rule must hold for no one. A rule that answers with a text has said what was observed."""
        wording.setdefault("observed", rule)
        self.all(lambda item: not rule(item), **wording)

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


def say(wording: Wording, item: object) -> str:
    """The text that a wording gives for an object."""
    return str(wording(item)) if callable(wording) else wording
