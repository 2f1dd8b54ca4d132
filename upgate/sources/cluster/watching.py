"""Lists that go on: a list, then every change of it, for as long as the program runs.

A watch is resumed where it broke off, kept alive by bookmarks, and begun again with a new list where the API server no longer
knows the place (410 Gone). https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline
from upgate.sources.cluster.connection import NOT_JSON, Connection, NoAnswer, status_message

#: Seconds after which the API server ends a watch, and we go on with the next: a connection that is dead is found by then.
WATCHED_FOR, SILENCE = 25, 35.0
#: Seconds before the next try; the last ones again and again.
PAUSES_BETWEEN = (0.1, 0.25, 0.5, 1.0, 2.0)
REFUSED_PAUSE = 30.0
PAGE_OF_WATCH = "500"
#: Bytes of one change: etcd holds no object above 1.5 MiB.
LONGEST_LINE = 4 * 2**20

ChangeType = Literal["LISTED", "ADDED", "MODIFIED", "DELETED", "AWAY", "BACK", "REFUSED"]


class WatchedKind(NamedTuple):
    """What is watched, and what is read of each object."""

    noun: str
    path: str
    type: Any
    query: Mapping[str, str] = {}


class ListChange(NamedTuple):
    """Something that happened to a list: all of it, one object, or our view of it (AWAY, BACK, REFUSED, with the reason)."""

    noun: str
    type: ChangeType
    objects: list[Any]
    why: str = ""


class _Meta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class _Versioned(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Listed(msgspec.Struct):
    items: list[msgspec.Raw] | None
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


class Relist(Exception):
    """The place where the watch was is no longer known: 410 Gone."""


class Refused403(Exception):
    """The API server does not let us list or watch it."""


class ObjectWatch:
    """Watches one kind in a thread of its own, and tells every change."""

    def __init__(self, connection: Connection, kind: WatchedKind, tell: Callable[[ListChange], None]) -> None:
        self._connection, self._kind, self._tell = connection, kind, tell
        self._version = ""
        self._away = self._refused = False

    def run(self) -> None:
        """Watch for ever; whatever happens on the way is told."""
        tries = 0
        while True:
            try:
                self._step()
                tries = 0
            except Relist:
                self._version = ""
            except Refused403 as reason:
                self._refuse(str(reason))
                pause(REFUSED_PAUSE)
            except Exception as problem:  # whatever breaks, the watch goes on
                self._lost(str(problem) or type(problem).__name__)
                pause(PAUSES_BETWEEN[min(tries, len(PAUSES_BETWEEN) - 1)])
                tries += 1

    def _step(self) -> None:
        if not self._version:
            objects, version = self._list()
            self._found()
            self._tell(ListChange(self._kind.noun, "LISTED", objects))
            self._version = version
        query = {**self._kind.query, "watch": "1", "allowWatchBookmarks": "true", "timeoutSeconds": str(WATCHED_FOR)}
        with contextlib.closing(
            self._connection.stream(self._kind.path, query | {"resourceVersion": self._version}, SILENCE)
        ) as answer:
            self._take(answer)

    def _take(self, answer: Any) -> None:
        if answer.status == 410:
            raise Relist
        if answer.status in (401, 403, 404, 405):
            raise Refused403(f"cannot watch {self._kind.noun}: status {answer.status}")
        if answer.status != 200:
            raise Inconclusive(f"watching {self._kind.noun}: status {answer.status}")
        self._found()
        for line in whole_json_lines(answer.parts()):
            self._change(msgspec.json.decode(line, type=_Line))

    def _change(self, line: _Line) -> None:
        if line.type == "ERROR":
            status = msgspec.json.decode(line.object, type=_Status)
            raise Relist if status.code == 410 else Inconclusive(f"watching {self._kind.noun}: {status.message[:200]}")
        self._version = msgspec.json.decode(line.object, type=_Versioned).metadata.resource_version or self._version
        if line.type in ("ADDED", "MODIFIED", "DELETED"):
            with contextlib.suppress(*NOT_JSON):  # one object that cannot be read costs one object
                found = msgspec.json.decode(line.object, type=self._kind.type)
                self._tell(ListChange(self._kind.noun, line.type, [found]))  # type: ignore[arg-type]

    def _list(self) -> tuple[list[Any], str]:
        """All objects, and the place in history from which on they are watched. Raises Refused403, Inconclusive."""
        objects: list[Any] = []
        token, deadline = "", Deadline(self._connection.patience.deadline)
        while True:
            page = self._page(token, deadline)
            for item in page.items or ():
                with contextlib.suppress(*NOT_JSON):
                    objects.append(msgspec.json.decode(item, type=self._kind.type))
            token = page.metadata.continue_
            if not token:
                return objects, page.metadata.resource_version

    def _page(self, token: str, deadline: Deadline) -> _Listed:
        query = {**self._kind.query, "limit": PAGE_OF_WATCH} | ({"continue": token} if token else {})
        answer = self._connection.get(self._kind.path, query, deadline=deadline)
        if answer.status == 410:
            raise Relist
        if answer.status in (401, 403, 404):
            raise Refused403(f"cannot list {self._kind.noun}: status {answer.status}, {status_message(answer)}")
        if answer.status != 200:
            raise Inconclusive(f"listing {self._kind.noun}: status {answer.status}")
        return msgspec.json.decode(answer.body, type=_Listed)

    def _refuse(self, why: str) -> None:
        if not self._refused:
            self._tell(ListChange(self._kind.noun, "REFUSED", [], why))
        self._refused = True

    def _lost(self, why: str) -> None:
        if not self._away:
            self._tell(ListChange(self._kind.noun, "AWAY", [], why))
        self._away = True

    def _found(self) -> None:
        if self._away:
            self._tell(ListChange(self._kind.noun, "BACK", []))
        self._away = False


def pause(seconds: float) -> None:
    """Wait before the next try."""
    Deadline(seconds).rest(seconds)


def whole_json_lines(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The lines of a stream. Raises NoAnswer for one that has no end."""
    rest = b""
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        yield from filter(None, lines)
        if len(rest) > LONGEST_LINE:
            raise NoAnswer("a change is larger than any object can be", connected=True)
