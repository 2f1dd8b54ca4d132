"""Versions of Kubernetes and of packages, compared as a profile writes it: "1.36", ">=1.35, <1.37"."""

from __future__ import annotations

import re

#: A version in its parts, each beside its length, so that numbers compare as numbers.
Parts = tuple[tuple[int, str], ...]
COMPARISON = re.compile(r"(<=|>=|<|>|==|!=)?\s*+(.+)")
PART = re.compile(r"\d+|[a-z]+")
#: Major and minor at the beginning of a version, whatever a vendor puts behind them.
MINOR = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?!\d)")


def satisfies(version: str, wanted: str) -> bool:
    """The version is the wanted one, begins with it ("1.36"), or is in the range (">=1.35, <1.37").

    Raises ValueError where the wanted one is not a comparison: profiles are checked before.
    """
    have = version_parts(version)
    return bool(have) and all(_holds(comparison.strip(), have) for comparison in wanted.split(","))


def version_parts(version: str) -> Parts:
    """`v1.36.3-gke.1014` → 1, 36, 3, gke, 1014."""
    return tuple((len(part), part) for part in PART.findall(version.lower().removeprefix("v")))


def minor_of(version: str) -> tuple[int, int] | None:
    """`v1.36.3-gke.1014` → 1, 36; None for a text without two numbers at its beginning."""
    match = MINOR.match(version)
    return (int(match[1]), int(match[2])) if match else None


def next_minor(version: str) -> str:
    """`v1.36.3` → `1.37`; empty where the version cannot be read."""
    minor = minor_of(version)
    return f"{minor[0]}.{minor[1] + 1}" if minor else ""


def _holds(comparison: str, have: Parts) -> bool:
    """As exact as it is written: 1.36.3 is neither above nor below "1.36", and -gke.1 only counts if it is written."""
    match = COMPARISON.fullmatch(comparison)
    if match is None:
        raise ValueError(f"{comparison!r} is not a version to compare with")
    operator, text = match.groups()
    want = version_parts(text)
    cut = have[: len(want)]
    match operator:
        case "<":
            return cut < want
        case "<=":
            return cut <= want
        case ">":
            return cut > want
        case ">=":
            return cut >= want
        case "!=":
            return cut != want
    return cut == want
