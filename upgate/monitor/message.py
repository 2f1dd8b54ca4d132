"""The message that people get, as text and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec.structs import replace

from upgate.base.text import counted
from upgate.monitor.alerts import AlertNews, News
from upgate.monitor.markup import without_markup
from upgate.monitor.message_text import HEADINGS, OBJECTS, message_text, message_title
from upgate.monitor.signals import OUTSIDE, CheckSignal
from upgate.reports.cause_list import cause_list
from upgate.reports.cause_words import cause_counts
from upgate.reports.families import replica_family
from upgate.results import CheckResult, Results, Verdict

#: Characters of what was observed.
OBSERVED = 200


class AlertLine(msgspec.Struct, frozen=True, kw_only=True):
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
    #: What users see of it: `check: object: observed`.
    follows: tuple[str, ...] = ()
    #: How much is wrong, of how much: `1 of 12 nodes`.
    extent: str = ""
    #: Where to look first.
    look: str = ""
    #: Users see it, or something that follows from it.
    visible: bool = False


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The message after one round; webhooks get it as JSON."""

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
    #: How much is wrong in this round: `3 causes, 9 consequences`, as every report says it.
    causes: str = ""
    new: tuple[AlertLine, ...] = ()
    more: tuple[AlertLine, ...] = ()
    ongoing: tuple[AlertLine, ...] = ()
    recovered: tuple[AlertLine, ...] = ()
    gone: tuple[AlertLine, ...] = ()


def compose(news: News, results: Results, id: str, report: str) -> Message:
    """The message of one round."""
    lines = {key: lines_of(getattr(news, key), results) for key in HEADINGS}
    frame = Message(
        id=id,
        title=message_title(results, lines),
        text="",
        profile=results.profile,
        server=without_markup(results.cluster.server),
        verdict=results.verdict,
        at=results.started,
        report=report,
        causes=cause_counts(cause_list(results)),
        **lines,
    )
    return replace(frame, text="\n".join(message_text(frame)))


def lines_of(told: Iterable[AlertNews], results: Results) -> tuple[AlertLine, ...]:
    """The alerts under one heading, what users see first, then causes, then what could not be judged."""
    checks = {check.id: check for check in results.checks}
    lines = [line(each, checks.get(each.state.name), results.started) for each in told]
    return tuple(sorted(lines, key=weight))


def weight(line: AlertLine) -> tuple[bool, bool, bool, int, str]:
    """The place of an alert: the smaller, the earlier."""
    outside = line.check.startswith(f"{OUTSIDE}.")
    return line.kind == "inconclusive", not line.visible, not outside, -len(line.explains), line.check


def line(each: AlertNews, check: CheckResult | None, at: datetime) -> AlertLine:
    """One alert as it is now; with what its check found in this round, if that was judged."""
    last, alert = each.state.last, each.alert
    plain = AlertLine(
        check=without_markup(each.state.name),
        title=without_markup(each.state.title),
        kind=each.kind,
        since=alert.since or at,
        until=None if alert.on else alert.better or at,
        flapping=alert.flapping,
    )
    if last is None or not alert.bad:
        return plain
    if each.kind == "inconclusive":
        return replace(plain, observed=shown_observation(last.reason))
    objects = {name: last.objects[name] for name in (*each.fresh, *last.objects) if name in last.objects}
    return replace(
        plain,
        objects=tuple(map(without_markup, tuple(objects)[:OBJECTS])),
        count=last.count,
        observed=shown_observation(next(iter(objects.values()), last.reason)),
        explains=tuple(map(without_markup, last.explains)),
        follows=tuple(felt(each, last)),
        extent=extent(check, last),
        look=without_markup(first_hint(check, next(iter(objects), ""))),
        visible=last.visible,
    )


def shown_observation(observed: str) -> str:
    """What was observed, as long as people read it."""
    plain = without_markup(observed)
    return plain if len(plain) <= OBSERVED else f"{plain[:OBSERVED]}…"


def felt(each: AlertNews, last: CheckSignal) -> Iterator[str]:
    """What users see of it, what is news first."""
    names = [name for name in dict.fromkeys((*each.follows, *last.follows)) if last.follows.get(name)]
    return (f"{without_markup(name)}: {shown_observation(last.follows[name])}" for name in names[:OBJECTS])


def extent(check: CheckResult | None, last: CheckSignal) -> str:
    """How much is wrong, and of how much."""
    if check and check.examined >= last.count > 0:
        return f"{last.count:,} of {counted(check.examined, check.noun.removesuffix('s'))}"
    return f"{counted(last.count, 'object')}"


def first_hint(check: CheckResult | None, object: str) -> str:
    """The command that shows more of the object, as the check gives it."""
    hints = [each.hint for each in check.active if replica_family(each.object) == object] if check else []
    return next(filter(None, hints), "")
