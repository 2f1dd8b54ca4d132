"""How amounts of time are said in findings."""

from __future__ import annotations

from datetime import timedelta

UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def counted(number: int, noun: str) -> str:
    """`1 restart`, `2 restarts`."""
    return f"{number} {noun}" + ("s" if number != 1 else "")


def duration(time: timedelta) -> str:
    """The two largest units: `3d4h`, `12m`, `45s`. Less than a second, and what lies ahead by a skewed clock, is `0s`."""
    parts, rest = [], max(0, int(time.total_seconds()))
    for unit, size in UNITS:
        amount, rest = divmod(rest, size)
        if amount or parts:
            parts.append(f"{amount}{unit}" if amount else "")
        if len(parts) == 2:
            break
    return "".join(parts) or "0s"
