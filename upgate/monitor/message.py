"""What people are told, in words and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from upgate.base.text import counted, duration
from upgate.monitor.alerts import News, Told
from upgate.monitor.markup import without_markup
from upgate.results import Results, Verdict

#: Entries under one heading, objects of one entry, characters of what was observed.
ENTRIES, OBJECTS, OBSERVED = 20, 3, 200


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One alert."""

    check: str
    title: str
    kind: str
    since: datetime
    #: When it became better; only of those that recovered.
    until: datetime | None = None
    #: What is wrong, at most a few of `count`.
    objects: tuple[str, ...] = ()
    count: int = 0
    #: What was observed of the first of them.
    observed: str = ""
    flapping: bool = False
    #: Other checks that failed because of this one.
    explains: tuple[str, ...] = ()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is to tell after one round; webhooks get it as JSON."""

    #: The same for every attempt to deliver it: a repetition can be recognised by it.
    id: str
    title: str
    #: The whole message in words; Slack, Mattermost and others show this key of a JSON.
    text: str
    profile: str
    server: str
    verdict: Verdict
    at: datetime
    #: Where people find the report.
    report: str
    new: tuple[Line, ...] = ()
    more: tuple[Line, ...] = ()
    ongoing: tuple[Line, ...] = ()
    recovered: tuple[Line, ...] = ()
    gone: tuple[Line, ...] = ()


#: The kinds of news in reading order, and the heading of each.
HEADINGS = {
    "new": "NEW",
    "more": "KNOWN, AND MORE OF IT NOW",
    "ongoing": "STILL",
    "recovered": "RECOVERED",
    "gone": "NO LONGER CHECKED",
}


def compose(news: News, results: Results, id: str, report: str) -> Message:
    """The message of one round."""
    lines = {key: tuple(line(each, results.started) for each in getattr(news, key)) for key in HEADINGS}
    frame = Message(
        id=id,
        title=title(results, lines),
        text="",
        profile=results.profile,
        server=without_markup(results.cluster.server),
        verdict=results.verdict,
        at=results.started,
        report=report,
        **lines,
    )
    return msgspec.structs.replace(frame, text="\n".join(text(frame)))


def line(each: Told, at: datetime) -> Line:
    """One alert as it is now."""
    last, alert = each.state.last, each.alert
    failing = each.kind == "failing" and last is not None and alert.bad
    found = last.objects if last and failing else {}
    objects = {name: found[name] for name in (*each.fresh, *found) if name in found}
    first = without_markup(next(iter(objects.values()), last.reason if last and alert.bad else ""))
    return Line(
        check=without_markup(each.state.name),
        title=without_markup(each.state.title),
        kind=each.kind,
        since=alert.since or at,
        until=None if alert.on else alert.better or at,
        objects=tuple(map(without_markup, tuple(objects)[:OBJECTS])),
        count=last.count if last and failing else 0,
        observed=first if len(first) <= OBSERVED else f"{first[:OBSERVED]}…",
        flapping=alert.flapping,
        explains=tuple(map(without_markup, last.explains)) if last and failing else (),
    )


def title(results: Results, lines: dict[str, Sequence[Line]]) -> str:
    """The message in one line: what is worst comes first."""
    known = [*lines["more"], *lines["ongoing"]]
    parts = [
        f"{counted(len(lines['new']), 'new alert')}: {shortened(lines['new'])}" if lines["new"] else "",
        f"{len(known)} {'go on' if len(known) > 1 else 'goes on'}{'' if lines['new'] else f': {shortened(known)}'}"
        if known
        else "",
        f"recovered: {shortened(lines['recovered'])}" if lines["recovered"] else "",
        f"no longer checked: {shortened(lines['gone'])}" if lines["gone"] else "",
    ]
    return f"[{results.profile}] {'; '.join(filter(None, parts))}"


def shortened(lines: Sequence[Line]) -> str:
    """The checks by name, as many as fit in a title."""
    names = list(dict.fromkeys(each.check for each in lines))
    return ", ".join(names[:OBJECTS]) + (f" and {len(names) - OBJECTS} more" if len(names) > OBJECTS else "")


def text(message: Message) -> Iterator[str]:
    """The message in words, line by line."""
    for key, heading in HEADINGS.items():
        lines: tuple[Line, ...] = getattr(message, key)
        if lines:
            yield heading
            entries = grouped(lines)
            for entry in entries[:ENTRIES]:
                yield from entry_text(key, entry, message.at)
            if len(entries) > ENTRIES:
                yield f"- and {len(entries) - ENTRIES} more"
            yield ""
    yield f"This round: {message.verdict}. Report: {message.report}"
    yield f"Message {message.id}, {moment(message.at)}; a repetition has the same number."


def grouped(lines: Sequence[Line]) -> list[list[Line]]:
    """The alerts, those that could not be judged for one and the same reason as one."""
    groups: dict[object, list[Line]] = {}
    for each in lines:
        key = (each.observed, each.until is None) if each.kind == "inconclusive" else each.check
        groups.setdefault((each.kind, key), []).append(each)
    return list(groups.values())


def entry_text(heading: str, lines: Sequence[Line], at: datetime) -> Iterator[str]:
    """One entry under a heading."""
    first = lines[0]
    what = "could not be judged" if first.kind == "inconclusive" else first.title
    flapping = ", flapping" if first.flapping else ""
    yield f"- {shortened(lines)}: {what} {time_of(heading, first, at)}{flapping}"
    if first.objects:
        yield f"  {first.objects[0]}: {first.observed}{others(first.objects[1:], first.count - len(first.objects))}"
    elif first.observed:
        yield f"  {first.observed}"
    if first.explains:
        yield f"  because of it also: {', '.join(first.explains[:ENTRIES])}"


def others(objects: Sequence[str], more: int) -> str:
    """The objects of which something else may have been observed, and how many there are beyond them."""
    named = f"; also {', '.join(objects)}" if objects else ""
    return f"{named}{' and' if named else '; and'} {more} more" if more > 0 else named


def time_of(heading: str, line: Line, at: datetime) -> str:
    """Since when, or how long it was."""
    if heading == "recovered" and line.until:
        return f"(after {duration(line.until - line.since)}, at {moment(line.until)})"
    wrong = "inconclusive" if line.kind == "inconclusive" else "failing"
    return f"({wrong} for {duration(at - line.since)}, since {moment(line.since)})"


def moment(time: datetime) -> str:
    """A time for people."""
    return f"{time:%Y-%m-%d %H:%M} UTC"
