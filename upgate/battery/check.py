"""The declaration of a check: what `@check`, the docstring and the signature of a function say.

A check is a function that takes inputs (`nodes`, `pods`, …) and says what must be true of them. It does no I/O, keeps no
state and needs no `if` on the environment.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from upgate.base.errors import UsageError
from upgate.battery.entries import ENTRIES, Entries
from upgate.facts.recorded.inventory import OF_BASELINE
from upgate.results import Severity

if TYPE_CHECKING:
    from upgate.profile.model import Profile

CheckFunction = Callable[..., object]


def empty_body() -> None:
    """The body of a check that stands only for its declaration."""


@dataclass(frozen=True)
class Check:
    """The declaration of one check."""

    id: str
    severity: Severity
    title: str
    why: str = ""
    hint: str = ""
    #: Nothing to look at is a pass, because the catalogue says so for this check.
    none_is_fine: bool = False
    #: A profile key without which there is nothing to expect; the check is then skipped, visibly.
    expects: str = ""
    #: Checks whose findings explain those of this one, on the same object or on one that it depends on.
    after: tuple[str, ...] = ()
    #: It belongs to `-m monitor`: it can be judged every minute, from no more of each pod than that it looks right.
    monitor: bool = False
    #: Its severity with `-m preflight`, before an upgrade; None: it is not asked then.
    preflight: Severity | None = None
    #: It is asked before an upgrade only.
    only_preflight: bool = False
    #: The word of the profile's `allow:` without which it is not asked: it does more than list.
    allow: str = ""
    function: CheckFunction = empty_body
    #: The entry of the profile that it judges, for a check that is made for each of them.
    entry: Any = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of what it takes."""
        return parameters(self.function)

    @property
    def compares(self) -> bool:
        """It compares the cluster with the baseline, and asks nothing without one."""
        return not OF_BASELINE.isdisjoint(self.inputs)

    @property
    def subject(self) -> str:
        """The group that the id belongs to: `nodes` of `nodes.ready`."""
        return self.id.partition(".")[0]

    @property
    def place(self) -> str:
        """Where it is written, as `file:line`."""
        code = inspect.unwrap(self.function).__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    def for_entries(self, profile: Profile) -> list[Check]:
        """One check for each entry of the profile that it is made for; itself, where it is made for none."""
        entries = self.entries
        if entries is None:
            return [self]
        return [replace(self, id=self.id_for(each), entry=each) for each in entries.of(profile) if self.is_for(each)]

    @property
    def entries(self) -> Entries | None:
        """The list of the profile for whose entries it is made; None where it is made for none."""
        return next((ENTRIES[name] for name in self.inputs if name in ENTRIES), None)

    def is_for(self, entry: Any) -> bool:
        """It judges this entry: its id names the entry's kind, or no kind."""
        return "{name}" not in self.id or self.id.replace("{name}", entry.name) == entry.id

    def id_for(self, entry: Any) -> str:
        """Its id for one entry."""
        return entry.id if "{name}" in self.id else f"{self.id}[{entry.name}]"


def check(
    id: str,
    *,
    severity: Severity,
    none_is_fine: bool = False,
    expects: str = "",
    after: Collection[str] = (),
    monitor: bool = False,
    preflight: Severity | None = None,
    only_preflight: bool = False,
    allow: str = "",
) -> Callable[[CheckFunction], CheckFunction]:
    """Make a function the check `id`. Its docstring is the message: title, why, and `Look first: …`, the hint.

    Raises UsageError for a severity that does not exist, or an id without a subject.
    """
    for each in (severity, preflight or severity):
        if each not in get_args(Severity):
            raise UsageError(f"check {id}: severity must be critical or warning, not {each!r}")
    if not isinstance(id, str) or not all(id.partition(".")):
        raise UsageError(f"check {id}: an id is `subject.property`, such as nodes.ready")

    def declare(function: CheckFunction) -> CheckFunction:
        declared = Check(
            id,
            severity,
            *read_docstring(function),
            none_is_fine=none_is_fine,
            expects=expects,
            after=tuple(after),
            monitor=monitor,
            preflight=preflight,
            only_preflight=only_preflight,
            allow=allow,
            function=function,
        )
        function.__check__ = declared  # type: ignore[attr-defined]
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
    return declared or Check(fallback_id, "critical", *read_docstring(function), function=function)


def parameters(function: Callable[..., object]) -> tuple[str, ...]:
    """The names of a function's parameters; those of a method without its object."""
    names = tuple(inspect.signature(function).parameters)
    return names[1:] if names[:1] == ("self",) else names


def before_upgrade(check: Check) -> Check:
    """The check as `-m preflight` asks it."""
    return replace(check, severity=check.preflight or check.severity, only_preflight=False)


def with_severity(check: Check, severities: Mapping[str, str]) -> Check:
    """The check with the severity that the profile gives it."""
    severity = severities.get(check.id, check.severity)
    chosen: Severity = "critical" if severity == "critical" else "warning"
    return replace(check, severity=chosen)
