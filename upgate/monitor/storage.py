"""history.sqlite: opened, checked, and moved aside when it is torn.

SQLite's own locks guard it (WAL, one transaction a step): a killed process holds none of them, and leaves either the
whole step or nothing of it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from upgate.errors import UpgateError, UsageError

VERSION = 1
#: Seconds to wait for another process's transaction, which takes milliseconds.
BUSY = 10
#: Bytes that a step needs at the most.
ROOM = 256 * 1024
#: Times are milliseconds since 1970 in UTC. A round's number only grows, whatever the clock does: it is the order.
SCHEMA = """
CREATE TABLE rounds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    took INTEGER NOT NULL,              -- milliseconds
    verdict TEXT NOT NULL,
    failed INTEGER NOT NULL,
    inconclusive INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    maintenance INTEGER NOT NULL        -- 1 in a maintenance window
);
CREATE TABLE checks (                   -- every check that was ever judged, as it was last
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    examined INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    took REAL NOT NULL,                 -- seconds
    round INTEGER NOT NULL,
    good INTEGER                        -- when it was last judged and not failed
);
CREATE TABLE spans (                    -- one row for each time that a check had one outcome without a break
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,             -- the last round in which it was seen
    rounds INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX spans_of_check ON spans (name, id);
CREATE TABLE days (                     -- rounds by outcome, for each check, day and being in maintenance or not
    day INTEGER NOT NULL,               -- days since 1970
    name TEXT NOT NULL,
    maintenance INTEGER NOT NULL,
    passed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    warned INTEGER NOT NULL DEFAULT 0,
    inconclusive INTEGER NOT NULL DEFAULT 0,
    waived INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    took REAL NOT NULL DEFAULT 0,       -- seconds, of all rounds together
    slowest REAL NOT NULL DEFAULT 0,
    first INTEGER NOT NULL,             -- the round that began this row
    PRIMARY KEY (name, day, maintenance)
) WITHOUT ROWID;
CREATE TABLE targets (                  -- the same by the hour for each target that is asked from outside
    hour INTEGER NOT NULL,              -- hours since 1970
    target TEXT NOT NULL,
    name TEXT NOT NULL,                 -- the check's
    maintenance INTEGER NOT NULL,
    up INTEGER NOT NULL DEFAULT 0,
    down INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    took REAL NOT NULL DEFAULT 0,       -- seconds, of the attempts that were up
    slowest REAL NOT NULL DEFAULT 0,
    first INTEGER NOT NULL,
    PRIMARY KEY (target, hour, maintenance)
) WITHOUT ROWID;
CREATE TABLE alerts (                   -- what is remembered for the next round, for checks that are not simply well
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL
);
CREATE TABLE incidents (                -- one row for each time that an alert was on
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- failing, or inconclusive
    since INTEGER NOT NULL,
    until INTEGER,
    flapping INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0,    -- people were told of it
    maintenance INTEGER NOT NULL DEFAULT 0,  -- it began in a maintenance window
    objects TEXT NOT NULL,
    observed TEXT NOT NULL,
    round INTEGER NOT NULL
);
CREATE TABLE windows (                  -- maintenance, as it was announced by the command, or as rounds met the profile's
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,               -- command, or profile
    UNIQUE (since, reason, source)
);
CREATE TABLE outbox (                   -- one row for each message and recipient
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL,              -- the same for all recipients, and for every attempt
    recipient TEXT NOT NULL,            -- a digest of its URL, which may hold a token
    title TEXT NOT NULL,
    body TEXT NOT NULL,                 -- the message as JSON
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,    -- not to be tried before
    sent INTEGER,
    error TEXT NOT NULL DEFAULT ''
);
CREATE TABLE recipients (               -- the URLs that apprise was asked about and understands, as digests
    recipient TEXT PRIMARY KEY
);
"""


class Unusable(UpgateError):
    """The history cannot be read or written. The text says why, and what became of it."""


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """The history for one step: all of it is written, or nothing. Raises Unusable."""
    connection = connected(path)
    try:
        with worded(path, (sqlite3.Error,)):
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    finally:
        closed(connection)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The history for reading, one moment of it. Raises UsageError where there is none, Unusable where it is torn."""
    if not path.exists():
        raise UsageError(f"there is no history {path}: runs with --monitor write one.")
    connection = connected(path)
    try:
        with worded(path, (sqlite3.Error,)):
            connection.execute("BEGIN")
            yield connection
    finally:
        closed(connection)


def connected(path: Path) -> sqlite3.Connection:
    """A connection to a history with this schema; a new file gets it. Raises Unusable."""
    with worded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            prepare(connection, path)
        except BaseException:
            closed(connection)
            raise
        return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set it up for us; the first process makes the tables. Raises Unusable, sqlite3.Error."""
    connection.row_factory = sqlite3.Row
    if version(connection) == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        if version(connection) == 0:
            for statement in SCHEMA.split(";\n")[:-1]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    if version(connection) != VERSION:
        raise Unusable(
            f"history {path} has schema {version(connection)}, this version reads {VERSION}: it was left as it is. "
            "Use the newer version, or move the file away"
        )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 1048576")


def version(connection: sqlite3.Connection) -> int:
    """The schema's version; 0 where there is none yet."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


def closed(connection: sqlite3.Connection) -> None:
    """Let go of it; what was not committed is gone."""
    with suppress(sqlite3.Error):
        connection.close()


@contextmanager
def worded(path: Path, kinds: tuple[type[Exception], ...] = (sqlite3.Error, OSError)) -> Iterator[None]:
    """Turn errors into a sentence: SQLite's and the system's, or only these. Raises Unusable."""
    try:
        yield
    except kinds as problem:
        raise Unusable(f"history {path} cannot be used: {said(problem, path)}") from problem


def said(problem: Exception, path: Path) -> str:
    """What was wrong. On a full disk SQLite may only speak of an I/O error."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < ROOM):
        return "the disk is full"
    return str(problem)


def is_torn(problem: Unusable) -> bool:
    """The file itself is broken; a full disk, a lock or a permission is not that."""
    code = getattr(problem.__cause__, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def check_through(connection: sqlite3.Connection) -> None:
    """Read every page. Raises sqlite3.DatabaseError where one is torn."""
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        problem = sqlite3.DatabaseError(said)
        problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise problem


def move_aside(path: Path) -> Path:
    """Put a torn history where somebody can look at it, so that a new one can begin. Raises Unusable."""
    aside = path.with_name(f"{path.name}.torn-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with worded(path):
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.replace(f"{path}{ending}", f"{aside}{ending}")
    return aside


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Whether this process is the only one that holds this lock. The kernel takes it from a process that dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield taken(descriptor)
    finally:
        os.close(descriptor)


def taken(descriptor: int) -> bool:
    """Take the lock of an open file, unless somebody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
