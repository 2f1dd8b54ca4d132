"""The outbox: every message is recorded first, and sent again until it has arrived.

An attempt is recorded before it is made, and its success after it. A process that is killed between the two, which
takes milliseconds, sends the message again in the next round: with the same number, so that people can tell. Nothing
else is sent twice, and nothing is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import msgspec

from upgate.base.errors import UpgateError
from upgate.base.text import counted
from upgate.base.waiting import Deadline
from upgate.monitor import updates
from upgate.monitor.history import History
from upgate.monitor.message import Message
from upgate.monitor.records import OutboxMessage, milliseconds
from upgate.monitor.sending import Undelivered, check_urls, send
from upgate.monitor.storage import reading, transaction

#: The pause after the first attempt that failed; it doubles with each.
PAUSE, LONGEST = timedelta(minutes=1), timedelta(minutes=15)
#: Attempts for one message in one round, seconds between them, and seconds for all deliveries of a round.
TRIES, BETWEEN, TOGETHER = 2, 1.0, 30.0
#: Messages that wait for one recipient, and delivered ones that are kept: a webhook that is gone must not fill the disk.
WAITING, KEPT = 50, 200
Send = Callable[[str, Message], None]


def recipient_digest(url: str) -> str:
    """What the history calls a recipient: its URL may hold a token."""
    return sha256(url.encode()).hexdigest()[:12]


def check_recipients(path: Path, urls: Sequence[str]) -> None:
    """Check that messages can be delivered to all of them. Apprise is slow, so it is asked once per URL. Raises UsageError."""
    if {recipient_digest(url) for url in urls} - known_recipients(path):
        check_urls(urls)


def known_recipients(path: Path) -> set[str]:
    """The recipients that were asked about in earlier rounds; none where that cannot be read."""
    try:
        with reading(path) as db:
            return History(db).recipients()
    except UpgateError:
        return set()


def has_new(db: sqlite3.Connection, urls: Sequence[str]) -> bool:
    """One of these has not got a message yet: it is new, or its token was changed."""
    return not {recipient_digest(url) for url in urls} <= History(db).recipients()


def remember_recipients(db: sqlite3.Connection, urls: Sequence[str]) -> None:
    """Remember that these can be delivered to."""
    wanted = {recipient_digest(url) for url in urls}
    if wanted != History(db).recipients():
        updates.replace_recipients(db, wanted)


def recipient_name(number: int, url: str) -> str:
    """What people call a recipient."""
    return f"monitor.notify[{number}] ({url.partition('://')[0]})"


def enqueue(db: sqlite3.Connection, message: Message, urls: Sequence[str], at: datetime) -> None:
    """Put a message for every recipient into the outbox."""
    body = msgspec.json.encode(message).decode()
    for url in dict.fromkeys(urls):
        row = (message.id, recipient_digest(url), message.title, body, milliseconds(at))
        updates.insert_message(db, row)


def drop_messages(db: sqlite3.Connection, urls: Sequence[str]) -> Iterator[str]:
    """Delete messages that are no longer needed; a note for each that was never delivered."""
    updates.delete_delivered(db, KEPT + WAITING)
    if gone := updates.delete_for_others(db, [recipient_digest(url) for url in urls]):
        yield f"{counted(gone, 'alert message')} for a recipient that the profile no longer names: dropped"
    for number, url in enumerate(urls):
        if many := updates.keep_latest_waiting(db, recipient_digest(url), WAITING):
            yield f"{recipient_name(number, url)} does not accept messages: the {many} oldest alert messages were dropped"


@dataclass
class Delivery:
    """All that is to be delivered in one round."""

    path: Path
    urls: Sequence[str]
    at: datetime
    send: Send = send

    def run(self) -> list[str]:
        """Try what is due, the oldest first; a note for each recipient that could not be reached. Raises Unusable."""
        deadline = Deadline(TOGETHER)
        recipients = {recipient_digest(url): (number, url) for number, url in enumerate(self.urls)}
        notes: list[str] = []
        with transaction(self.path) as db:
            notes += drop_messages(db, self.urls)
            due = History(db).due_messages(self.at, self.at + LONGEST)
        for recipient, messages in groupby(due, key=lambda each: each.recipient):
            number, url = recipients[recipient]
            if problem := self._all_to(url, list(messages), deadline):
                notes.append(
                    f"{recipient_name(number, url)}: an alert could not be delivered: {problem}. The next round tries again"
                )
        return notes

    def _all_to(self, url: str, messages: Sequence[OutboxMessage], deadline: Deadline) -> str:
        """Send these in their order; why that came to an end, empty where all arrived."""
        for message in messages:
            problem = self._patiently(url, message, deadline)
            if problem:
                return problem
        return ""

    def _patiently(self, url: str, message: OutboxMessage, deadline: Deadline) -> str:
        """Try a message a few times."""
        problem = "no time was left for it in this round"
        for attempt in range(TRIES):
            if deadline.passed or (attempt and not deadline.pause(BETWEEN)):
                return problem
            problem = self._once(url, message, message.attempts + attempt + 1)
            if not problem:
                return ""
        return problem

    def _once(self, url: str, message: OutboxMessage, attempts: int) -> str:
        """One attempt; why it failed. Raises Unusable: what cannot be recorded is not sent, because it would be sent again."""
        with transaction(self.path) as db:
            pause = min(PAUSE * 2 ** min(attempts - 1, 10), LONGEST)
            updates.set_attempts(db, message.id, attempts, self.at + pause)
        try:
            self.send(url, msgspec.json.decode(message.body, type=Message))
        except Undelivered as problem:
            with transaction(self.path) as db:
                updates.set_error(db, message.id, str(problem))
            return str(problem)
        with transaction(self.path) as db:
            updates.set_sent(db, message.id, self.at)
        return ""
