"""Reports on disk: whole or not at all, and never those of an earlier run."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from upgate.base.errors import UsageError
from upgate.reports.html import render_html
from upgate.reports.junit import render_junit
from upgate.reports.results_json import render_json
from upgate.results import Results

#: What one run leaves; baseline.json, history.sqlite and disruption.jsonl outlive it.
OF_ONE_RUN = ("junit.xml", "results.json", "report.html", "snapshot.json.gz", "rounds.jsonl")
UNFINISHED = ".upgate-unfinished"
PROBE = ".upgate-probe"


def write_reports(results: Results, directory: Path, fail_on_warnings: bool = False) -> dict[str, Path]:
    """Write all reports; their paths by file name. Raises UsageError where the directory cannot be written."""
    rendered = {
        "junit.xml": render_junit(results, fail_on_warnings=fail_on_warnings),
        "results.json": render_json(results),
        "report.html": render_html(results),
    }
    for name, data in rendered.items():
        write_whole(directory / name, data)
    return {name: directory / name for name in rendered}


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that readers see complete or as it was before; raises UsageError where that cannot be done."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    with worded("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_through(unfinished, data)
            os.replace(unfinished, path)
        except BaseException:
            with suppress(FileNotFoundError):
                unfinished.unlink()
            raise
        flush_directory(path.parent)


def write_through(path: Path, data: bytes) -> None:
    """Write a new file, readable by all that the umask lets, and wait until it is on the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
        file.write(data)
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
    with worded("look into", directory):
        unfinished = list(leftovers(directory))
    for path in (*(directory / name for name in OF_ONE_RUN), *unfinished):
        with worded("remove", path), suppress(FileNotFoundError):
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
def worded(verb: str, path: Path) -> Iterator[None]:
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
    with worded("append to", path), path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
