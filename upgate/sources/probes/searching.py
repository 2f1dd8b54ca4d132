"""Searches answers for the profile's regular expressions: limited in time, and outside of the event loop.

Python's own `re` cannot be interrupted: a pattern such as `(a+)+$` can take years for a kilobyte that a server chose, and no
deadline is noticed during a search.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import regex

from upgate.base.errors import Inconclusive
from upgate.sources.probes.answers import Answer
from upgate.sources.probes.watch import Watch

#: Seconds of CPU time for one search: a usual pattern needs milliseconds for a whole MiB.
LONGEST = 1.0


async def search_all(patterns: Iterable[str], answer: Answer, watch: Watch) -> None:
    """Search the answer's body for each pattern, for `Answer.found`. The attempt's clock is paused during the search."""
    for pattern in dict.fromkeys(patterns):
        with watch.paused():
            answer.searched[pattern] = await asyncio.to_thread(search, pattern, answer.body)


def search(pattern: str, text: str) -> str | Inconclusive | None:
    """The first group of the first match, or the whole match if the pattern has no group; None if nothing matches.

    Returns (does not raise) an Inconclusive if the search does not end in time.
    """
    try:
        match = regex.search(pattern, text, timeout=LONGEST, concurrent=True)
    except (TimeoutError, MemoryError):
        return Inconclusive(
            f"whether the body matches /{pattern}/ is not known: the search took more than {LONGEST:g} s"
        )
    if match is None:
        return None
    return (match[1] or "") if match.re.groups else match[0]
