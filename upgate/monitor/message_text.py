"""A message as text: its title, and one entry for each alert. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from upgate.base.text import counted, duration
from upgate.results import Results

if TYPE_CHECKING:
    from upgate.monitor.message import AlertLine, Message

#: Entries under one heading, and objects of one entry.
ENTRIES, OBJECTS = 20, 3
#: The kinds of news in reading order, and the heading of each.
HEADINGS = {
    "new": "NEW",
    "more": "STILL FAILING, AND WORSE",
    "ongoing": "STILL",
    "recovered": "RECOVERED",
    "gone": "NO LONGER CHECKED",
}


def message_title(results: Results, lines: Mapping[str, Sequence[AlertLine]]) -> str:
    """The message in one line: what is worst comes first."""
    known = [*lines["more"], *lines["ongoing"]]
    parts = [
        f"{counted(len(lines['new']), 'new alert')}: {check_names(lines['new'])}" if lines["new"] else "",
        f"{len(known)} {'go on' if len(known) > 1 else 'goes on'}{'' if lines['new'] else f': {check_names(known)}'}"
        if known
        else "",
        f"recovered: {check_names(lines['recovered'])}" if lines["recovered"] else "",
        f"no longer checked: {check_names(lines['gone'])}" if lines["gone"] else "",
    ]
    return f"[{results.profile}] {'; '.join(filter(None, parts))}"


def check_names(lines: Sequence[AlertLine]) -> str:
    """The checks by name, as many as fit in a title."""
    names = list(dict.fromkeys(each.check for each in lines))
    return ", ".join(names[:OBJECTS]) + (f" and {len(names) - OBJECTS} more" if len(names) > OBJECTS else "")


def message_text(message: Message) -> Iterator[str]:
    """The message in words, line by line."""
    for key, heading in HEADINGS.items():
        lines: tuple[AlertLine, ...] = getattr(message, key)
        if lines:
            yield heading
            entries = entries_of(lines)
            for entry in entries[:ENTRIES]:
                yield from entry_text(key, entry, message.at)
            if len(entries) > ENTRIES:
                yield f"- and {len(entries) - ENTRIES} more"
            yield ""
    causes = f", {message.causes}" if message.causes else ""
    yield f"This round: {message.verdict}{causes}. Report: {message.report}"
    yield f"Message {message.id}, {to_the_minute(message.at)}; a repeated message has the same number."


def entries_of(lines: Sequence[AlertLine]) -> list[list[AlertLine]]:
    """The alerts, those that could not be judged for one and the same reason as one."""
    groups: dict[object, list[AlertLine]] = {}
    for each in lines:
        key = (each.observed, each.until is None) if each.kind == "inconclusive" else each.check
        groups.setdefault((each.kind, key), []).append(each)
    return list(groups.values())


def entry_text(heading: str, lines: Sequence[AlertLine], at: datetime) -> Iterator[str]:
    """One entry under a heading."""
    first = lines[0]
    flapping = ", flapping" if first.flapping else ""
    yield f"- {check_names(lines)}: {what(heading, first)} {time_of(heading, first, at)}{flapping}"
    if first.objects:
        yield f"  {first.objects[0]}: {first.observed}{others(first.objects[1:], first.count - len(first.objects))}"
    elif first.observed:
        yield f"  {first.observed}"
    yield from (f"  because of it users see: {each}" for each in first.follows)
    if first.look:
        yield f"  look first: {first.look}"
    if first.explains:
        yield f"  because of it also: {', '.join(first.explains[:ENTRIES])}"


def what(heading: str, line: AlertLine) -> str:
    """What is wrong; of what recovered, what is true again."""
    if line.kind == "inconclusive":
        return "could be judged again" if heading == "recovered" else "could not be judged"
    if heading == "recovered":
        return line.title
    return f"{line.extent} failed" if line.extent else "good in this round"


def others(objects: Sequence[str], more: int) -> str:
    """The objects of which something else may have been observed, and how many there are beyond them."""
    named = f"; also {', '.join(objects)}" if objects else ""
    return f"{named}{' and' if named else '; and'} {more} more" if more > 0 else named


def time_of(heading: str, line: AlertLine, at: datetime) -> str:
    """Since when, or how long it was."""
    if heading == "recovered" and line.until:
        return f"(after {duration(line.until - line.since)}, at {to_the_minute(line.until)})"
    wrong = "inconclusive" if line.kind == "inconclusive" else "failing"
    return f"({wrong} for {duration(at - line.since)}, since {to_the_minute(line.since)})"


def to_the_minute(time: datetime) -> str:
    """A time for people."""
    return f"{time:%Y-%m-%d %H:%M} UTC"
