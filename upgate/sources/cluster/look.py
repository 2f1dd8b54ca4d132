"""One look at a cluster: who we are first, then everything that is needed, at once, each thing once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from upgate.base.errors import Inconclusive, UpgateError, words_of
from upgate.base.garbage import give_back_large_blocks
from upgate.base.redaction import without_known
from upgate.base.threads import concurrently
from upgate.base.waiting import Deadline
from upgate.facts.health import HealthEndpoint
from upgate.facts.kinds import KINDS
from upgate.facts.relations import CONDITIONS, EXPECTED
from upgate.facts.whole import ObjectQuery
from upgate.snapshot import Snapshot
from upgate.sources.cluster.asides import AFTERWARDS, BESIDE
from upgate.sources.cluster.bounded import SMALL_BYTES
from upgate.sources.cluster.brief import list_briefly
from upgate.sources.cluster.claims import with_later_claims
from upgate.sources.cluster.connection import (
    JSON,
    SAYING,
    ApiResponse,
    Connection,
    NoAnswer,
    Room,
    status_message,
    text_member,
)
from upgate.sources.cluster.expected import find_objects
from upgate.sources.cluster.listing import Listing, Progress, list_all
from upgate.sources.cluster.login import Login, who_am_i
from upgate.sources.cluster.retrying import again
from upgate.sources.cluster.sweeping import sweep

if TYPE_CHECKING:
    from upgate.profile.parts import ConditionSweep

HEALTH = ("readyz", "livez")
#: Both health endpoints are one fact to look at.
GAP_NAMES = dict.fromkeys(HEALTH, "health")
T = TypeVar("T")


def look_at_cluster(
    login: Login,
    needs: Collection[str],
    progress: Progress,
    brief: bool = False,
    *,
    objects: Collection[ObjectQuery] = (),
    conditions: ConditionSweep | None = None,
) -> Snapshot:
    """Everything of `needs` (nouns of KINDS), and the API server's health and version. What fails becomes a gap.

    A brief look reads only the pods that may be wrong. `objects` are asked for where `needs` has `expected`, and
    custom resources are looked through within the bounds of `conditions`.
    """
    give_back_large_blocks()
    connection = login.connection
    try:
        identity = unbroken("who we are", lambda: again(connection, lambda: who_am_i(login)))
    except NoAnswer as problem:
        return snapshot_of_gaps(
            connection, needs, f"the API server cannot be asked: {problem}", unreachable=str(problem)
        )
    except Inconclusive as problem:
        return snapshot_of_gaps(connection, needs, str(problem))
    return look_around(connection, identity, needs, progress, brief and "pods" in needs, objects, conditions)


def look_around(
    connection: Connection,
    identity: str,
    needs: Collection[str],
    progress: Progress,
    brief: bool,
    objects: Collection[ObjectQuery] = (),
    conditions: ConditionSweep | None = None,
) -> Snapshot:
    """All lists, the version and the health endpoints, concurrently; the moment is that of the answer before."""
    connection.room = Room()
    moment, deadline = connection.moment, Deadline(connection.patience.deadline)
    first = first_questions(connection, needs, progress, deadline) | named_questions(
        connection, needs, objects, conditions, progress, deadline
    )
    if brief:
        del first["pods"]
    answers = concurrently(guarded(first))
    listed = {noun: answer for noun, answer in answers.items() if isinstance(answer, Listing)}
    if brief:
        answers |= concurrently(guarded({"pods": partial(list_briefly, connection, listed, progress, deadline)}))
    answers = with_later_claims(answers, partial(list_again, connection, deadline))
    later = {name: partial(ask, connection, listed, deadline) for name, ask in AFTERWARDS.items() if name in needs}
    return snapshot_of(connection, identity, moment, answers | concurrently(guarded(later)))


def first_questions(
    connection: Connection, needs: Collection[str], progress: Progress, deadline: Deadline
) -> dict[str, Callable[[], Any]]:
    """What is asked at once: the version, the health endpoints, every list, and what stands beside the lists."""
    tasks: dict[str, Callable[[], Any]] = {"version": partial(server_version, connection)}
    tasks |= {name: partial(health_of, connection, name) for name in HEALTH}
    tasks |= {noun: partial(list_all, connection, KINDS[noun], progress, deadline) for noun in needs if noun in KINDS}
    return tasks | {name: partial(ask, connection, deadline) for name, ask in BESIDE.items() if name in needs}


def named_questions(
    connection: Connection,
    needs: Collection[str],
    objects: Collection[ObjectQuery],
    conditions: ConditionSweep | None,
    progress: Progress,
    deadline: Deadline,
) -> dict[str, Callable[[], Any]]:
    """What is asked at once because the profile names it: objects of any kind, and the conditions of custom resources."""
    tasks: dict[str, Callable[[], Any]] = {}
    if objects and EXPECTED in needs:
        ask_path = partial(permitted_answer, connection, accept=JSON)
        tasks[EXPECTED] = partial(find_objects, connection, ask_path, objects, progress, deadline)
    if conditions and CONDITIONS in needs:
        tasks[CONDITIONS] = partial(sweep, connection, conditions)
    return tasks


def list_again(connection: Connection, deadline: Deadline, nouns: Collection[str]) -> dict[str, Any]:
    """These lists once more, concurrently."""
    tasks = {noun: partial(list_all, connection, KINDS[noun], deadline=deadline) for noun in nouns}
    return concurrently(guarded(tasks))


def snapshot_of(connection: Connection, identity: str, moment: datetime, answers: Mapping[str, Any]) -> Snapshot:
    """The snapshot of these answers; those that are Inconclusive are its gaps."""
    gaps = {GAP_NAMES.get(name, name): str(got) for name, got in answers.items() if isinstance(got, Inconclusive)}
    got = {name: answer for name, answer in answers.items() if not isinstance(answer, Inconclusive)}
    lists = {noun: answer for noun, answer in got.items() if isinstance(answer, Listing)}
    return Snapshot(
        taken=moment,
        server=connection.server,
        forgeable=connection.forgeable,
        version=got.get("version"),
        identity=identity,
        lists={noun: each.items for noun, each in lists.items()},
        malformed={noun: each.malformed for noun, each in lists.items() if each.malformed},
        unread={noun: each.unread for noun, each in lists.items() if each.unread},
        read=lists["pods"].read if "pods" in lists else None,
        health=[got[name] for name in HEALTH if name in got],
        gaps=gaps,
        **{name: got[name] for name in (*BESIDE, *AFTERWARDS, EXPECTED, CONDITIONS) if name in got},
    )


def guarded(tasks: Mapping[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """The tasks, of which each is a gap of its own where it breaks: what one answer says ends no look."""
    return {name: partial(unbroken, name, task) for name, task in tasks.items()}


def unbroken(name: str, task: Callable[[], T]) -> T:
    """The task's result. Raises Inconclusive for every error: those that are not worded are faults of this program."""
    try:
        return task()
    except UpgateError:
        raise
    except Exception as problem:
        raise Inconclusive(without_known(f"broke while reading {name}: {words_of(problem)}")) from problem


def snapshot_of_gaps(connection: Connection, needs: Collection[str], reason: str, unreachable: str = "") -> Snapshot:
    """A snapshot of a cluster that could not be looked at at all."""
    health = [HealthEndpoint("readyz", unreachable=unreachable)] if unreachable else []
    gaps = dict.fromkeys([*needs, "version", *(() if unreachable else ("health",))], reason)
    return Snapshot(
        taken=datetime.now(UTC), server=connection.server, forgeable=connection.forgeable, health=health, gaps=gaps
    )


def permitted_answer(
    connection: Connection, path: str, query: dict[str, str] | None = None, accept: str = "*/*"
) -> ApiResponse:
    """An answer that is not just 'later'. Raises Inconclusive for a refusal."""

    def once() -> ApiResponse:
        answer = connection.get(path, query, accept=accept, most=SMALL_BYTES)
        if answer.status == 429:
            raise NoAnswer(f"GET {path}: status 429, too many requests", connected=True)
        return answer

    answer = again(connection, once)
    if answer.status in (401, 403):
        raise Inconclusive(f"cannot read {path}: not permitted (status {answer.status}, {status_message(answer)})")
    return answer


def health_of(connection: Connection, name: str) -> HealthEndpoint:
    """`/readyz` or `/livez`, whatever their status. Raises Inconclusive where we may not ask, or no answer comes."""
    answer = permitted_answer(connection, f"/{name}", {"verbose": ""})
    return HealthEndpoint(name, status=answer.status, body=without_known(answer.body[:20_000].decode(errors="replace")))


def server_version(connection: Connection) -> str:
    """The server's gitVersion. Raises Inconclusive."""
    return again(connection, lambda: git_version(permitted_answer(connection, "/version")))


def git_version(answer: ApiResponse) -> str:
    """The version in an answer. Raises NoAnswer where there is none: it may come from a proxy, or be cut off."""
    version = text_member(answer.body, "gitVersion") if answer.status == 200 else None
    if version is not None:
        return version[:SAYING]
    raise NoAnswer(
        f"cannot read /version: no gitVersion in the answer (status {answer.status}, {status_message(answer)})",
        connected=True,
    )
