"""How amounts of time are said in findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

#: Characters of what somebody else's server says that are shown.
EXCERPT = 120
UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def counted(number: int, noun: str) -> str:
    """`1 restart`, `2 restarts`."""
    return f"{number} {noun}" + ("s" if number != 1 else "")


def duration(time: timedelta) -> str:
    """The two largest units: `3d4h`, `12m`, `45s`. Less than a second, and what lies ahead by a skewed clock, is `0s`."""
    parts: list[str] = []
    rest = max(0, int(time.total_seconds()))
    for unit, size in UNITS:
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append(f"{amount}{unit}" if amount else "")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"


def one_line_excerpt(text: str, length: int = EXCERPT) -> str:
    """How a text begins, on one line."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: length * 4]).split())
    return line[: length - 1] + "…" if len(line) > length else line


def nearest(word: str, known: Iterable[str]) -> str:
    """` did you mean "…"?` for a word that resembles a known one, else nothing."""
    from difflib import get_close_matches

    found = get_close_matches(word.lower().replace("_", "-"), list(known), n=1)
    return f'; did you mean "{found[0]}"?' if found else ""


def shown(path: Path) -> str:
    """A path as short as it can be said: relative, where it lies below the working directory."""
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(path)
