"""What custom resources say is wrong with them: each kind is listed once, within the bounds of the profile's `conditions:`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from upgate.base.errors import Inconclusive
from upgate.base.scope import matches_scope
from upgate.base.text import counted
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.conditioned import Complaint, Swept, kind_defined_by
from upgate.facts.kinds import DEFINITIONS, KINDS, Kind
from upgate.sources.cluster.connection import Connection
from upgate.sources.cluster.listing import list_all, list_version

if TYPE_CHECKING:
    from upgate.profile.parts import ConditionSweep

#: Kinds that are listed before it is looked whether the bounds are reached.
AT_ONCE = 8
#: Sentences about what was left out; complaints that are kept.
FEW, MOST = 10, 10_000


def sweep(connection: Connection, bounds: ConditionSweep) -> Swept:
    """All complaints of custom resources. Raises Inconclusive where it cannot be known which kinds there are."""
    deadline = Deadline(bounds.within.total_seconds())
    definitions = list_all(connection, KINDS[DEFINITIONS], deadline=deadline)
    wanted = [each for each in definitions.items if matches_scope(each.spec.group, bounds.groups)]
    kinds = [kind for each in wanted if (kind := kind_defined_by(each))]
    gaps = [f"{counted(len(definitions.malformed), 'definition')} could not be read"] if definitions.malformed else []
    swept, left = Swept(gaps=gaps), kinds[: bounds.kinds]
    while left and not deadline.passed and swept.objects <= bounds.objects:
        now, left = left[:AT_ONCE], left[AT_ONCE:]
        swept = joined(swept, concurrently({each.noun: partial(of_kind, connection, each, deadline) for each in now}))
    left += kinds[bounds.kinds :]
    return joined(swept, {"": Inconclusive(unswept(left))}) if left else swept


def of_kind(connection: Connection, kind: Kind, deadline: Deadline) -> Swept:
    """What the objects of one kind say. Raises Inconclusive."""
    listing = list_version(connection, kind, lambda *_: None, deadline)
    complaints: list[Complaint] = [said for each in listing.items for said in each.complaints(kind.group)]
    gaps = (
        [f"{counted(len(listing.malformed), 'object')} of {kind.noun} could not be read"] if listing.malformed else []
    )
    return Swept(objects=len(listing.items) + len(listing.malformed), complaints=complaints[:MOST], gaps=gaps)


def joined(swept: Swept, more: dict[str, Swept | Inconclusive]) -> Swept:
    """Both together; what could not be listed is a gap."""
    found = [each for each in more.values() if isinstance(each, Swept)]
    gaps = [str(each) for each in more.values() if isinstance(each, Inconclusive)]
    return Swept(
        objects=swept.objects + sum(each.objects for each in found),
        complaints=[*swept.complaints, *(said for each in found for said in each.complaints)][:MOST],
        gaps=[*swept.gaps, *(said for each in found for said in each.gaps), *gaps][: 50 * FEW],
    )


def unswept(kinds: list[Kind]) -> str:
    """What was not looked at, in words."""
    names = ", ".join(each.noun for each in kinds[:FEW])
    more = f" and {len(kinds) - FEW} more" if len(kinds) > FEW else ""
    return f"beyond the bounds of conditions: were left out {names}{more}; raise kinds, objects or within, or narrow groups"
