"""What pytest prints itself: ids, tracebacks, captured output, warnings. Nothing of it steers a terminal or a CI system."""

from __future__ import annotations

import re
import sys
from typing import Any, TextIO

import pytest

from upgate.base.harmless import OPENING, harmless
from upgate.base.redaction import redact
from upgate.plugin.state import is_worker

#: pytest's own colours, and links.
COLOUR = re.compile("(\x1b\\[[\\d;]{0,20}m|\x1b\\]8;;[^\x07\x1b\x90\x98\x9c-\x9f]{0,4096}\x1b\\\\)")
BREAK = re.compile(r"(\n)")
#: Characters of an unfinished line that are remembered: a command has fewer.
REMEMBERED = 200


class Guarded:
    """A stream that makes harmless what is written to it; it is asked for everything else itself."""

    def __init__(self, stream: TextIO, secrets: tuple[str, ...] = ()) -> None:
        self._stream = stream
        self._secrets = secrets
        #: The line so far: a command may come in parts.
        self._line = ""
        self._links: frozenset[str] = frozenset()

    @property
    def unguarded(self) -> TextIO:
        """The stream itself, for lines of our own whose every text is harmless already."""
        return self._stream

    def trust(self, *links: str) -> None:
        """Let links to these addresses pass: they lead to a report of our own."""
        self._links = frozenset(OPENING.format(link) for link in ("", *links))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write it, colours as they are; the number of characters that were to be written."""
        parts = COLOUR.split(redact(text, self._secrets))
        ours = (number % 2 and (part.endswith("m") or part in self._links) for number, part in enumerate(parts))
        self._stream.write("".join(part if own else self._plain(part) for part, own in zip(parts, ours, strict=True)))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write them all."""
        for line in lines:
            self.write(line)

    def _plain(self, text: str) -> str:
        """The text without colours. pytest rewrites a line by a carriage return before it."""
        begin = text[: text.startswith("\r")]
        self._line = "" if begin else self._line
        return begin + "".join(map(self._piece, BREAK.split(text[len(begin) :])))

    def _piece(self, text: str) -> str:
        """A part of a line, or its end."""
        whole = harmless(self._line + text)
        safe = whole[len(self._line) :] if whole.startswith(self._line) else f" {harmless(text)}"
        self._line = "" if text == "\n" else remembered(self._line + safe)
        return safe


def remembered(line: str) -> str:
    """The end of a line that is not finished; a sign before it says that it is not the beginning."""
    return line if len(line) <= REMEMBERED else f"…{line[-REMEMBERED:]}"


def protect(config: pytest.Config, secrets: tuple[str, ...] = ()) -> None:
    """Guard pytest's own reporter, and with -s what checks print themselves."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not isinstance(reporter._tw._file, Guarded):
        reporter._tw._file = Guarded(reporter._tw._file, secrets)
    if config.option.capture == "no" and not is_worker(config):
        outer = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (Guarded(stream, secrets) for stream in outer)
        config.add_cleanup(lambda: restore(*outer))


def restore(out: TextIO, errors: TextIO) -> None:
    """Give back the streams of the process."""
    sys.stdout, sys.stderr = out, errors
