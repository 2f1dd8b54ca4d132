"""Names that must not come twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count


def unique_names(names: Iterable[str], numbered: str = "{name} ({number})") -> Iterator[str]:
    """The names, numbered where one comes again."""
    seen: set[str] = set()
    for name in names:
        candidates = (name if number == 1 else numbered.format(name=name, number=number) for number in count(1))
        free = next(candidate for candidate in candidates if candidate not in seen)
        seen.add(free)
        yield free
