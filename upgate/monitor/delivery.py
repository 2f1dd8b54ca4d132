"""The outbox: what people are to be told is written down first, and tried until it has arrived.

An attempt is written down before it is made, and its success after it. A process that is killed between the two, which
takes milliseconds, sends the message again in the next round: with the same number, so that people can tell. Nothing
else is sent twice, and nothing is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import msgspec

from upgate.base.errors import UpgateError
from upgate.base.text import counted
from upgate.base.waiting import Deadline
from upgate.monitor.history import milliseconds
from upgate.monitor.message import Message
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
    """See whether there is a way to deliver to all of them: apprise, which takes its time, is asked once. Raises UsageError."""
    if {recipient_digest(url) for url in urls} - known_recipients(path):
        check_urls(urls)


def known_recipients(path: Path) -> set[str]:
    """The recipients that were asked about in earlier rounds; none where that cannot be read."""
    try:
        with reading(path) as db:
            return recipients(db)
    except UpgateError:
        return set()


def recipients(db: sqlite3.Connection) -> set[str]:
    """Those of the last round that was written down."""
    return {row["recipient"] for row in db.execute("SELECT recipient FROM recipients")}


def has_new(db: sqlite3.Connection, urls: Sequence[str]) -> bool:
    """One of these was told nothing so far: it is new, or another URL of somebody whose token was changed."""
    return not {recipient_digest(url) for url in urls} <= recipients(db)


def remember_recipients(db: sqlite3.Connection, urls: Sequence[str]) -> None:
    """Remember that these can be delivered to."""
    wanted = {recipient_digest(url) for url in urls}
    if wanted != recipients(db):
        db.execute("DELETE FROM recipients")
        db.executemany("INSERT INTO recipients VALUES (?)", [(each,) for each in wanted])


def recipient_name(number: int, url: str) -> str:
    """What people call a recipient."""
    return f"monitor.notify[{number}] ({url.partition('://')[0]})"


def enqueue(db: sqlite3.Connection, message: Message, urls: Sequence[str], at: datetime) -> None:
    """Write down that every recipient is to get a message."""
    body = msgspec.json.encode(message).decode()
    for url in dict.fromkeys(urls):
        row = (message.id, recipient_digest(url), message.title, body, milliseconds(at))
        db.execute("INSERT INTO outbox (message, recipient, title, body, created) VALUES (?, ?, ?, ?, ?)", row)


def drop_messages(db: sqlite3.Connection, urls: Sequence[str]) -> Iterator[str]:
    """Let go of what nobody waits for any more; a note where that was never delivered."""
    db.execute(
        "DELETE FROM outbox WHERE sent IS NOT NULL AND id <= (SELECT max(id) FROM outbox) - ?", (KEPT + WAITING,)
    )
    marks = ", ".join("?" * len(urls))
    gone = db.execute(
        f"DELETE FROM outbox WHERE sent IS NULL AND recipient NOT IN ({marks})",  # noqa: S608 - only question marks
        [recipient_digest(url) for url in urls],
    ).rowcount
    if gone:
        yield f"{counted(gone, 'alert message')} for a recipient that the profile no longer names: dropped, not delivered"
    for number, url in enumerate(urls):
        many = db.execute(
            """DELETE FROM outbox WHERE sent IS NULL AND recipient = ?1 AND id NOT IN
            (SELECT id FROM outbox WHERE sent IS NULL AND recipient = ?1 ORDER BY id DESC LIMIT ?2)""",
            (recipient_digest(url), WAITING),
        ).rowcount
        if many:
            yield f"{recipient_name(number, url)} takes nothing: the {many} oldest alert messages dropped, not delivered"


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
            rows = [dict(row) for row in waiting(db, self.at)]
        for recipient, messages in groupby(rows, key=lambda row: row["recipient"]):
            number, url = recipients[recipient]
            if problem := self._all_to(url, list(messages), deadline):
                notes.append(
                    f"{recipient_name(number, url)}: an alert could not be delivered: {problem}. The next round tries again"
                )
        return notes

    def _all_to(self, url: str, rows: Sequence[Mapping], deadline: Deadline) -> str:
        """Send these in their order; why that came to an end, empty where all arrived."""
        for row in rows:
            problem = self._patiently(url, row, deadline)
            if problem:
                return problem
        return ""

    def _patiently(self, url: str, row: Mapping, deadline: Deadline) -> str:
        """Try a message a few times."""
        problem = "no time was left for it in this round"
        for attempt in range(TRIES):
            if deadline.passed or (attempt and not deadline.pause(BETWEEN)):
                return problem
            problem = self._once(url, row, row["attempts"] + attempt + 1)
            if not problem:
                return ""
        return problem

    def _once(self, url: str, row: Mapping, attempts: int) -> str:
        """One attempt; why it failed. Raises Unusable: what cannot be written down is not sent, for it would be sent again."""
        with transaction(self.path) as db:
            again = milliseconds(self.at + min(PAUSE * 2 ** min(attempts - 1, 10), LONGEST))
            db.execute("UPDATE outbox SET attempts = ?, next = ? WHERE id = ?", (attempts, again, row["id"]))
        try:
            self.send(url, msgspec.json.decode(row["body"], type=Message))
        except Undelivered as problem:
            self._note("UPDATE outbox SET error = ? WHERE id = ?", str(problem), row["id"])
            return str(problem)
        self._note("UPDATE outbox SET sent = ?, error = '' WHERE id = ?", milliseconds(self.at), row["id"])
        return ""

    def _note(self, statement: str, *values: object) -> None:
        with transaction(self.path) as db:
            db.execute(statement, values)


def waiting(db: sqlite3.Connection, at: datetime) -> Iterator[sqlite3.Row]:
    """What is due, by recipient and oldest first. A next time far ahead was said by a clock that was wrong.

    A message waits for the older ones to the same recipient, and those who answer do not wait for one who does not.
    """
    return db.execute(
        """SELECT * FROM outbox AS it WHERE sent IS NULL AND NOT EXISTS (
            SELECT 1 FROM outbox WHERE sent IS NULL AND recipient = it.recipient AND id <= it.id
            AND next > ?1 AND next <= ?2)
        ORDER BY (SELECT max(attempts) FROM outbox WHERE sent IS NULL AND recipient = it.recipient), recipient, id""",
        (milliseconds(at), milliseconds(at + LONGEST)),
    )


def count_undelivered(db: sqlite3.Connection) -> int:
    """How many messages have not arrived."""
    return db.execute("SELECT count(*) FROM outbox WHERE sent IS NULL").fetchone()[0]
