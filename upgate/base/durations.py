"""Durations as profiles write them."""

from __future__ import annotations

from datetime import timedelta

#: Milliseconds in each unit of a duration, the largest first.
MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def format_duration(time: timedelta) -> str:
    """The time as a profile says it: `1h30m`, and nothing lost of it."""
    rest, words = round(time / timedelta(milliseconds=1)), ""
    for unit, size in MILLISECONDS.items():
        amount, rest = divmod(rest, size)
        words += f"{amount}{unit}" if amount else ""
    return words or "0s"
