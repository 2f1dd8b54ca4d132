"""`disruption.jsonl`: appended as it is measured, and read while it is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from upgate.base.files import PRIVATE, make_folder, worded_os_errors
from upgate.watch.record import RecordLine, WatchBegin

FILE = "disruption.jsonl"
#: Bytes after which the next file is begun. Six hours of 200 targets have about half of it.
ROTATED_AT = 64 * 2**20


@dataclass
class RecordWriter:
    """Appends lines to the record of one watch."""

    path: Path
    begin: WatchBegin
    rotated_at: int = ROTATED_AT

    def __post_init__(self) -> None:
        with worded_os_errors("write", self.path):
            make_folder(self.path.parent)
            self._open()
        self.write([RecordLine(begin=self.begin)])

    def write(self, lines: list[RecordLine]) -> None:
        """Append the lines; with one system call, so that a reader sees them whole. Raises UsageError."""
        data = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        with worded_os_errors("append to", self.path):
            os.write(self._file, data)
            os.fdatasync(self._file)
            if os.fstat(self._file).st_size > self.rotated_at:
                self._rotate()

    def close(self) -> None:
        """End the file."""
        os.close(self._file)

    def _open(self) -> None:
        whole = ends_whole(self.path)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        if not whole:
            os.write(self._file, b"\n")

    def _rotate(self) -> None:
        os.close(self._file)
        os.replace(self.path, rotated_path(self.path, len(rotated(self.path)) + 1))
        self._open()
        os.write(self._file, msgspec.json.encode(RecordLine(begin=self.begin)) + b"\n")


def ends_whole(path: Path) -> bool:
    """Whether the file ends with a whole line; a watch that lost power may have left a part of one."""
    if not path.exists() or not path.stat().st_size:
        return True
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def rotated_path(path: Path, number: int) -> Path:
    """Where an earlier part of the record lies: `disruption.0001.jsonl`."""
    return path.with_name(f"{path.stem}.{number:04}{path.suffix}")


def rotated(path: Path) -> list[Path]:
    """The earlier parts of a record, the first one first."""
    return sorted(path.parent.glob(f"{path.stem}.[0-9][0-9][0-9][0-9]{path.suffix}"))
