"""Files on disk: whole or not at all, private unless they are for everybody, and locks."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from upgate.base.errors import UsageError

#: What one run leaves; baseline.json, history.sqlite and disruption.jsonl outlive it.
OF_ONE_RUN = ("junit.xml", "results.json", "report.html", "summary.md", "snapshot.json.gz", "rounds.jsonl")
UNFINISHED = ".upgate-unfinished"
PROBE = ".upgate-probe"
#: Reports may hold what only the owner of the run may know; a status page and metrics are for everybody.
PRIVATE, PUBLIC = 0o600, 0o644


def write_whole(path: Path, data: bytes, *, public: bool = False) -> None:
    """Write a file that readers see complete or as it was before; raises UsageError where that cannot be done.

    Only its owner can read it, or everybody where it is public. A mode that is stricter already stays.
    """
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    with worded_os_errors("write", path):
        make_folder(path.parent, public=public)
        try:
            write_through(unfinished, data, mode_for(path, PUBLIC if public else PRIVATE))
            os.replace(unfinished, path)
        except BaseException:
            with suppress(FileNotFoundError):
                unfinished.unlink()
            raise
        flush_directory(path.parent)


def make_folder(folder: Path, *, public: bool = False) -> None:
    """Make the folder where there is none, for its owner alone unless it is public. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o755 if public else 0o700, exist_ok=True)


def mode_for(path: Path, wanted: int) -> int:
    """The mode of a file that takes this one's place: never wider than it is."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & wanted
    except FileNotFoundError:
        return wanted


def write_through(path: Path, data: bytes, mode: int) -> None:
    """Write a new file with that mode, whatever the umask is, and wait until it is on the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(data)
        os.fchmod(file.fileno(), mode)
        file.flush()
        os.fsync(file.fileno())


def flush_directory(directory: Path) -> None:
    """Make a rename in the directory outlive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear(directory: Path) -> None:
    """Remove what an earlier run left, and nothing else; raises UsageError where that cannot be done."""
    with worded_os_errors("look into", directory):
        unfinished = list(leftovers(directory))
    for path in (*(directory / name for name in OF_ONE_RUN), *unfinished):
        with worded_os_errors("remove", path), suppress(FileNotFoundError):
            path.unlink()


def leftovers(directory: Path) -> Iterator[Path]:
    """Files that were being written when an earlier run was killed."""
    yield from directory.glob(f".*{UNFINISHED}")
    yield directory / PROBE


def try_out(directory: Path) -> None:
    """See whether reports can be written, before anything is judged. Raises UsageError."""
    probe = directory / PROBE
    write_whole(probe, b"")
    probe.unlink()


@contextmanager
def worded_os_errors(verb: str, path: Path) -> Iterator[None]:
    """Turn the system's error into a sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"Cannot {verb} {path}: {reason}. Choose a directory that can be written with --reports."
        ) from error


def append_line(path: Path, line: bytes) -> None:
    """Add a line to a file, on the disk before this returns; raises UsageError where that cannot be done."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    with worded_os_errors("append to", path), open(os.open(path, flags, PRIVATE), "ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Whether this process is the only one that holds this lock. The kernel takes it from a process that dies."""
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
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
