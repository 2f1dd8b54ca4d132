"""history.sqlite: opened, checked, and moved aside when it is corrupt.

SQLite's own locks guard it (WAL, one transaction a step): a killed process holds none of them, and leaves either the
whole step or nothing of it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from upgate.base.errors import UpgateError, UsageError
from upgate.base.files import PRIVATE, make_folder
from upgate.monitor.schema import SCHEMA, VERSION

#: Seconds to wait for another process's transaction, which takes milliseconds.
BUSY = 10
#: Bytes that a step needs at most.
ROOM = 256 * 1024
#: Corrupt histories that are kept.
MOST_CORRUPT = 3


class Unusable(UpgateError):
    """The history cannot be read or written. The text says why, and what became of it."""


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """The history for one step: all of it is written, or nothing. Raises Unusable."""
    connection = connected(path)
    try:
        with raising_unusable(path, (sqlite3.Error,)):
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
    finally:
        closed(connection)


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """The history for reading, one moment of it. Raises UsageError where there is none, Unusable where it is corrupt."""
    if not path.exists():
        raise UsageError(f"there is no history {path}: runs with --monitor write one.")
    connection = connected(path)
    try:
        with raising_unusable(path, (sqlite3.Error,)):
            connection.execute("BEGIN")
            yield connection
    finally:
        closed(connection)


def connected(path: Path) -> sqlite3.Connection:
    """A connection to a history with this schema; a new file gets it. Raises Unusable."""
    with raising_unusable(path):
        make_private(path)
        connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None)
        try:
            prepare_schema(connection, path)
        except BaseException:
            closed(connection)
            raise
        return connection


def make_private(path: Path) -> None:
    """Make sure that the file exists and only its owner reads it; SQLite gives the files beside it that mode. Raises OSError."""
    make_folder(path.parent)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if mode & ~PRIVATE and found.st_uid == os.geteuid():
        path.chmod(mode & PRIVATE)


def prepare_schema(connection: sqlite3.Connection, path: Path) -> None:
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


def belongs_to(connection: sqlite3.Connection, name: str) -> bool:
    """It belongs to this profile, or to none yet."""
    return connection.execute("PRAGMA application_id").fetchone()[0] in (0, number_of(name))


def give_to(connection: sqlite3.Connection, name: str) -> None:
    """From now on it belongs to this profile."""
    connection.execute(f"PRAGMA application_id = {number_of(name)}")


def number_of(name: str) -> int:
    """A profile as SQLite's own field for whose file it is can hold it: 31 bits, not 0."""
    return zlib.crc32(name.encode()) & 0x7FFFFFFF or 1


def closed(connection: sqlite3.Connection) -> None:
    """Close it; what was not committed is lost."""
    with suppress(sqlite3.Error):
        connection.close()


@contextmanager
def raising_unusable(path: Path, kinds: tuple[type[Exception], ...] = (sqlite3.Error, OSError)) -> Iterator[None]:
    """Turn errors into a sentence: SQLite's and the system's, or only these. Raises Unusable."""
    try:
        yield
    except kinds as problem:
        raise Unusable(f"history {path} cannot be used: {sqlite_reason(problem, path)}") from problem


def sqlite_reason(problem: Exception, path: Path) -> str:
    """What was wrong. On a full disk SQLite may only speak of an I/O error."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and shutil.disk_usage(path.parent).free < ROOM):
        return "the disk is full"
    return str(problem)


def is_corrupt(problem: Unusable) -> bool:
    """The file itself is broken; a full disk, a lock or a permission is not that."""
    code = getattr(problem.__cause__, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def check_through(connection: sqlite3.Connection) -> None:
    """Read every page. Raises sqlite3.DatabaseError where one is corrupt."""
    said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if said != "ok":
        problem = sqlite3.DatabaseError(said)
        problem.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise problem


def move_aside(path: Path) -> Path:
    """Put a corrupt history aside, so that a new one can begin. Raises Unusable.

    Of earlier ones the latest stay: a disk that corrupts one every minute must not be filled with them.
    """
    aside = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    with raising_unusable(path):
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                os.replace(f"{path}{ending}", f"{aside}{ending}")
        for old in sorted(path.parent.glob(f"{path.name}.corrupt-*Z"))[:-MOST_CORRUPT]:
            for ending in ("-wal", "-shm", ""):
                Path(f"{old}{ending}").unlink(missing_ok=True)
    return aside
