"""Lists the first of each custom resource, in each version that its definition serves, within bounds.

The number of requests follows from the definitions, never from the objects. What the API server stores in one version is
converted into the others when it is read: where the conversion webhook fails, objects are there and cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import islice

from msgspec.structs import replace

from upgate.base.errors import Inconclusive
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.custom_reads import CustomRead, CustomReads
from upgate.facts.extensions import CustomResourceDefinition
from upgate.sources.cluster.connection import SAYING, Connection, NoAnswer, status_message
from upgate.sources.cluster.listing import Listing
from upgate.sources.cluster.retrying import again

#: Lists at most, and seconds for all of them.
MOST, SECONDS = 500, 30.0


def read_custom_resources(connection: Connection, listed: Mapping[str, Listing], deadline: Deadline) -> CustomReads:
    """What cannot be listed. Raises Inconclusive where the definitions could not be listed."""
    if "customresourcedefinitions" not in listed:
        raise Inconclusive("customresourcedefinitions could not be listed, so no custom resource was")
    wanted = list(served(listed["customresourcedefinitions"].items))
    # Lists that took all the time that there was take none of this: it has little of its own.
    limit = Deadline(min(SECONDS, deadline.seconds))
    tasks = {each.path: partial(read_first, connection, each, limit) for each in islice(wanted, MOST)}
    answers = concurrently(tasks)
    failed = [answer for answer in answers.values() if isinstance(answer, CustomRead)]
    unasked = sum(answer is False for answer in answers.values())
    return CustomReads(sorted(failed, key=lambda each: each.path), len(wanted) - len(tasks) + unasked)


def served(definitions: list[CustomResourceDefinition]) -> Iterator[CustomRead]:
    """What there is to ask for: each served version of each definition that is established."""
    for each in definitions:
        for version in each.served_versions if each.established else ():
            yield CustomRead(each.name, each.spec.group, version, each.spec.names.plural)


def read_first(connection: Connection, wanted: CustomRead, deadline: Deadline) -> CustomRead | bool:
    """What came of the list: True where it succeeded, False where there was no time to ask."""
    if deadline.passed:
        return False
    try:
        answer = again(connection, lambda: connection.get(wanted.path, {"limit": "1"}, deadline=deadline))
    except NoAnswer as problem:
        return False if deadline.passed else replace(wanted, message=str(problem)[:SAYING])
    if answer.status == 200:
        return True
    return replace(wanted, status=answer.status, message=status_message(answer))
