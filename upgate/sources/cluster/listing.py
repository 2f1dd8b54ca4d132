"""One complete list of one kind: page by page, retried within bounds, decoded item by item.

A list is complete or a gap: whatever breaks it off raises Inconclusive, with the permission that is missing or what
the API server said. https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.threads import ahead
from upgate.base.waiting import Deadline
from upgate.facts.decoding import Malformed, Page, decode_page
from upgate.facts.kinds import Kind
from upgate.sources.cluster.bounded import is_dense
from upgate.sources.cluster.connection import NOT_JSON, ApiResponse, Connection, NoAnswer, Room, status_message

PAGE_SIZE = 1000
#: What a page is asked for where so many objects are too large together. etcd holds no object above 1.5 MiB.
SMALLER = (200, 40, 8, 1)
#: A list may become twice as long as it was announced, and so much longer. Some servers announce what was there before.
MARGIN = 10_000
#: More objects of one kind are not believed in. Kubernetes is made for 150,000 pods.
MOST_OBJECTS = 1_000_000
#: Bytes in memory of an object that says nothing.
OBJECT_BYTES = 700
#: Characters of a continue token: it comes back in a URL.
LONGEST_TOKEN = 8000
#: How often one page is asked for, and how often a list whose continue token expired is begun again.
TRIES = 3
#: Seconds before a second and a third try, where the server does not say (Retry-After).
PAUSES = (0.2, 1.0)
#: Statuses that may be gone a moment later.
PASSING = frozenset({429, 500, 502, 503, 504})

Progress = Callable[[str, int, int], None]


class Listing(msgspec.Struct):
    """All objects of one kind."""

    items: list[Any]
    malformed: list[Malformed]
    #: How many more there are, of which no more was read than that they look right.
    unread: int = 0
    #: Where not all were read: the workloads of which every pod was, by reference.
    read: list[str] | None = None


class Passing(Exception):
    """A fault that another try may not meet."""

    def __init__(self, words: str, after: float | None = None) -> None:
        super().__init__(words)
        self.after = after


class NotServed(Inconclusive):
    """The API server knows no such resource (404)."""


class Expired(Exception):
    """The continue token is too old (410 Gone): the list must be begun again."""


def list_all(
    connection: Connection,
    kind: Kind,
    progress: Progress = lambda noun, have, left: None,
    deadline: Deadline | None = None,
) -> Listing:
    """Every object of the kind, in the first of its versions that is served. Raises Inconclusive."""
    deadline = deadline or Deadline(connection.patience.deadline)
    for version in (kind.version, *kind.earlier):
        try:
            return list_version(connection, kind._replace(version=version), progress, deadline)
        except NotServed as problem:
            unserved = problem
    if kind.optional:
        return Listing([], [])
    raise unserved


def list_version(connection: Connection, kind: Kind, progress: Progress, deadline: Deadline) -> Listing:
    """Every object of the kind in one version. Raises NotServed, Inconclusive."""
    for _ in range(TRIES):
        try:
            return pages(connection, kind, deadline, progress)
        except Expired:
            continue
    raise Inconclusive(
        f"cannot list {kind.resource}: the list expired {TRIES} times while it was being read (410 Gone)"
    )


def pages(connection: Connection, kind: Kind, deadline: Deadline, progress: Progress) -> Listing:
    """The pages of one list; the next one is on its way while one is decoded. Raises Expired, Inconclusive."""
    listing, extent, sizes = Listing([], []), Extent(connection.room), [PAGE_SIZE, *SMALLER]
    token, left = "", 0
    coming = ahead(page_with_retries, connection, kind, token, deadline, left, sizes)
    while True:
        page = coming()
        token, left = page.metadata.continue_, page.metadata.remaining_item_count
        if endless := extent.endless(page):
            raise Inconclusive(f"cannot list {kind.resource}: {endless}")
        if token:
            coming = ahead(page_with_retries, connection, kind, token, deadline, left, sizes)
        items, malformed = decode_page(kind.type, page)
        listing.items += items
        listing.malformed += malformed
        progress(kind.noun, len(listing.items), left)
        if not token:
            return listing


class Extent:
    """How far a list has come, so that one without an end is found out."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._tokens: set[int] = set()
        self._count = 0
        self._announced = 0

    def endless(self, page: Page) -> str:
        """Why the list has no end that is worth waiting for. Empty where it may have one."""
        token, items = page.metadata.continue_, page.items or []
        if len(token) > LONGEST_TOKEN:
            return f"its continue token has {len(token)} characters"
        if token and hash(token) in self._tokens:
            return "the list has no end: the API server gave the same continue token again"
        self._tokens.add(hash(token))
        self._announced = self._announced or len(items) + page.metadata.remaining_item_count
        self._count += len(items)
        if self._fits(items):
            return ""
        return f"the list has no end: {self._count:,} objects came, and {self._announced:,} were announced"

    def _fits(self, items: list[msgspec.Raw]) -> bool:
        if self._count <= min(2 * self._announced + MARGIN, MOST_OBJECTS):
            return True
        size = sum(memoryview(each).nbytes for each in items)
        return self._count <= MOST_OBJECTS and self._room.take(max(size, OBJECT_BYTES * len(items)))


def page_with_retries(
    connection: Connection, kind: Kind, token: str, deadline: Deadline, left: int, sizes: list[int]
) -> Page:
    """One page, asked for up to TRIES times; `left` objects are still to come. Raises Expired, Inconclusive.

    `sizes` loses those that are too large for this list.
    """
    for pause in (*PAUSES, None):
        try:
            return not_hollow(fitting_page(connection, kind, token, deadline, sizes), token, left)
        except Passing as fault:
            wait = pause if fault.after is None else fault.after
            if pause is None or wait is None or not deadline.pause(wait):
                raise Inconclusive(f"cannot list {kind.resource}: {fault}") from fault
    raise AssertionError("unreachable: the last pause is None")


def fitting_page(connection: Connection, kind: Kind, token: str, deadline: Deadline, sizes: list[int]) -> Page:
    """One page that is not too large, with fewer objects where it must be. Raises Passing, Expired, Inconclusive."""
    while True:
        try:
            return ask_page(connection, kind, token, deadline, sizes[0])
        except NoAnswer as problem:
            if len(sizes) == 1 or deadline.passed:
                raise Inconclusive(
                    f"cannot list {kind.resource}: {problem}, although it is asked for one object"
                ) from problem
            del sizes[0]


def ask_page(connection: Connection, kind: Kind, token: str, deadline: Deadline, size: int) -> Page:
    """One page, asked for once. Raises Passing, Expired, Inconclusive, and NoAnswer where it is too large."""
    query = {"limit": str(size)}
    selectors = {"fieldSelector": kind.field_selector, "labelSelector": kind.label_selector}
    query |= {name: selector for name, selector in selectors.items() if selector}
    query |= {"continue": token} if token else {}
    try:
        answer = connection.get(kind.path, query, kind.accept, deadline)
    except NoAnswer as problem:
        if problem.too_large:
            raise
        if problem.connected and not deadline.passed:
            raise Passing(str(problem)) from problem
        raise Inconclusive(f"cannot list {kind.resource}: {problem}") from problem
    return page_in(answer, kind)


def not_hollow(page: Page, token: str, left: int) -> Page:
    """The page. Raises Passing where it holds nothing although more was announced.

    Go writes an empty list as null, but only a whole one; a page that a selector leaves empty is `[]`.
    """
    part = token or page.metadata.continue_
    if (left and not page.items) or (part and page.items is None):
        raise Passing(f"a page holds no objects, although {left or 'more'} were announced")
    return page


def page_in(answer: ApiResponse, kind: Kind) -> Page:
    """The page in an answer. Raises Passing, Expired, Inconclusive."""
    if answer.status == 200:
        return whole_page(answer, kind)
    said = f"status {answer.status}, {status_message(answer) or 'without a message'}"
    if answer.status == 410:
        raise Expired
    if answer.status in PASSING:
        raise Passing(said, retry_after(answer))
    refusal = NotServed if answer.status == 404 else Inconclusive
    raise refusal(f"cannot list {kind.resource}: {advice(answer.status, kind)} ({said})")


def advice(status: int, kind: Kind) -> str:
    """What to do about a refusal."""
    match status:
        case 401:
            return "the login is not accepted, or has expired"
        case 403:
            return f"not permitted; needs {kind.permission}"
        case 404:
            return f"the API server does not serve {kind.resource} in {kind.version}"
    return "refused"


def retry_after(answer: ApiResponse) -> float | None:
    """Seconds that the server asks to wait."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else None


def whole_page(answer: ApiResponse, kind: Kind) -> Page:
    """The decoded frame of a list. What is not such a list may come from a proxy, or be cut off: worth another try."""
    if is_dense(answer.body):
        raise Passing("the answer is not a list of objects: it has too many elements for its size")
    try:
        page = decoder(Page).decode(answer.body)
    except NOT_JSON as problem:
        beginning = answer.body[:60].decode(errors="replace")
        raise Passing(f"the answer is not a complete JSON list ({problem}); it begins {beginning!r}") from problem
    if page.kind != kind.list_kind:
        raise Passing(f"the answer is a {page.kind[:60] or 'nameless object'}, not a {kind.list_kind}")
    return page
