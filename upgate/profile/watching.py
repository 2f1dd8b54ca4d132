"""What a profile says about `upgate watch`: how often it samples, and how long users may be cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import AfterValidator, BeforeValidator

from upgate.profile.problems import Keys, Problem, at
from upgate.profile.quantities import Duration, Span
from upgate.profile.section import Section

if TYPE_CHECKING:
    from upgate.profile.external import External
    from upgate.profile.tree import YamlNode

#: The limits of the interval: targets are sampled ten times a second, or once a minute.
SHORTEST, LONGEST_INTERVAL = timedelta(milliseconds=100), timedelta(minutes=1)
#: The check of all Services: no entry of `external:` has its name.
SERVICES = "services"


def within_limits(interval: timedelta) -> timedelta:
    """An interval that can be sampled. Raises ValueError."""
    if not SHORTEST <= interval <= LONGEST_INTERVAL:
        raise ValueError("must be from 100ms to 1m")
    return interval


class WatchSettings(Section):
    """How `upgate watch` samples."""

    interval: Annotated[Span, AfterValidator(within_limits)] = timedelta(seconds=1)
    """The time between two samples of one target."""


class DisruptionBudget(Section):
    """How long users may be cut off during an upgrade."""

    total: Duration | None = None
    """All outages together."""
    longest: Duration | None = None
    """Each of them."""


def as_budget(value: object) -> object:
    """`30s` stands for `{total: 30s}`."""
    return {"total": value} if isinstance(value, str | int) else value


Budget = Annotated[
    DisruptionBudget,
    BeforeValidator(as_budget, json_schema_input_type=Duration | DisruptionBudget),
]


class BudgetedEntry(NamedTuple):
    """An entry of `external:` with a budget, for which there is a check of its own."""

    name: str
    budget: DisruptionBudget

    @property
    def id(self) -> str:
        """Its check's id."""
        return f"disruption.{self.name}"


def budgeted(entries: Iterable[External]) -> list[BudgetedEntry]:
    """The entries that have a budget."""
    return [BudgetedEntry(entry.name, entry.budget) for entry in entries if entry.budget]


def broken_by_budget(entry: YamlNode, keys: Keys) -> Iterator[Problem]:
    """Every rule that an entry's budget breaks."""
    if not entry.is_set("budget"):
        return
    place = entry.keys["budget"]
    if entry.text_at("name") == SERVICES:
        yield at(place, (*keys, "budget"), "disruption.services is the check of all Services; choose another name")
    control = entry.child("control")
    if control and control.value is True:
        yield at(place, (*keys, "budget"), "a control target is not part of the upgrade, and has no budget")
    budget = entry.present("budget")
    if isinstance(budget.value, dict) and not (budget.is_set("total") or budget.is_set("longest")):
        yield at(place, (*keys, "budget"), "needs total or longest")
