"""The noun `expected`: the objects of one entry of `resources:`, and the conditions that each must satisfy. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from upgate.base.conditions import MOST_STEPS, CannotEvaluate, CelCondition, cel_condition
from upgate.base.errors import Inconclusive
from upgate.base.scope import matches_scope
from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.whole import query_of, ref_of
from upgate.snapshot import FEW, Snapshot

if TYPE_CHECKING:
    from upgate.profile.resources import ExpectedResource

#: Steps of all conditions of one entry on all its objects: whoever may create objects must not make a run take hours.
MOST_OF_ALL = 20_000_000


@dataclass(frozen=True)
class ExpectedObject:
    """One object, and what must be true of it; or the place of one that is not there."""

    ref: str
    entry: ExpectedResource
    document: Mapping[str, Any]
    now: datetime
    #: Why there is none; empty where there is one.
    missing: str = ""

    @property
    def words(self) -> dict[str, str]:
        """What may stand in the check's hint."""
        entry, meta = self.entry, self.document.get("metadata") or {}
        group = entry.api_version.rpartition("/")[0]
        kind = f"{entry.kind.lower()}.{group}" if group else entry.kind.lower()
        return {"kind": kind, "name": str(meta.get("name") or entry.object or "")}

    @property
    def problems(self) -> str:
        """Which conditions do not hold, and what is there instead; empty where all hold."""
        return self.missing or "; ".join(self._unmet())

    @property
    def expected(self) -> str:
        """What must be true."""
        return " and ".join(" ".join(each.split()) for each in self.entry.that)

    @property
    def steps(self) -> int:
        """How many steps its conditions take at most."""
        return sum(each.steps(self.document) for each in self._conditions)

    @property
    def _conditions(self) -> list[CelCondition]:
        return [cel_condition(each) for each in self.entry.that]

    def _unmet(self) -> Iterator[str]:
        for condition in self._conditions:
            try:
                if not condition.holds(self.document, {"now": self.now}):
                    values = condition.values(self.document)
                    yield f"{condition.text} is false" + (f": {values}" if values else "")
            except CannotEvaluate as problem:
                yield f"{condition.text} cannot be evaluated: {problem}"


def expected_objects(
    entry: ExpectedResource, seen: Snapshot, scope: Sequence[str], judgement: Judgement
) -> Subjects[ExpectedObject]:
    """The objects of one entry; where there are none, that is what is found. Raises Inconclusive."""
    query = query_of(entry)
    listed = seen.expected.get(query.key)
    if listed is None:
        raise Inconclusive(seen.gaps.get("expected", f"{query} was not looked at when this snapshot was taken"))
    if listed.problem:
        raise Inconclusive(listed.problem)
    judgement.gaps += [*listed.unreadable[:FEW], *more_than_few(listed.unreadable)]
    documents = [each for each in listed.items if entry.namespace or in_scope(each, scope)]
    noun = f"{entry.kind} objects"
    if not documents and not listed.unreadable:
        where = ref_of(entry.kind, {"metadata": {"namespace": entry.namespace, "name": entry.object or "*"}})
        missing = listed.missing or f"there is no {query}"
        return Subjects(noun, [ExpectedObject(where, entry, {}, seen.taken, missing)], judgement)
    every = [ExpectedObject(ref_of(entry.kind, each), entry, each, seen.taken) for each in documents]
    return Subjects(noun, affordable(every, judgement), judgement)


def affordable(every: Sequence[ExpectedObject], judgement: Judgement) -> list[ExpectedObject]:
    """Those that can be judged within the bounds; the others are a gap."""
    left, taken, large = MOST_OF_ALL, [], []
    for each in every:
        cost = each.steps
        if cost > MOST_STEPS or cost > left:
            large.append(each)
        else:
            left -= cost
            taken.append(each)
    if large:
        others = f", nor could {len(large) - 1} more" if len(large) > 1 else ""
        judgement.gaps.append(f"{large[0].ref} could not be judged: it is too large for these conditions{others}")
    return taken


def in_scope(document: Mapping[str, Any], scope: Sequence[str]) -> bool:
    """The object is in a namespace of the profile's scope, or in none."""
    home = (document.get("metadata") or {}).get("namespace") or ""
    return not home or matches_scope(str(home), scope)


def more_than_few(sentences: Sequence[str]) -> list[str]:
    """How many there are beside the few that are told."""
    return [f"{len(sentences) - FEW} more could not be read"] if len(sentences) > FEW else []
