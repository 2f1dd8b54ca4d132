"""The history for people and for other programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from upgate.base.text import counted, duration
from upgate.monitor.alerts import GONE
from upgate.monitor.history import History
from upgate.monitor.message_text import others, to_the_minute
from upgate.monitor.records import Incident
from upgate.monitor.tracks import percent

#: Entries of one kind in the text; JSON and CSV have all.
ENTRIES = 20


def everything(past: History, since: datetime) -> dict[str, Any]:
    """The whole history since then. Messages without their bodies."""
    return {
        "schema": 1,
        "since": since,
        "checks": past.checks(),
        "rounds": past.rounds(since),
        "transitions": past.spans(since),
        "incidents": past.incidents(since),
        "days": past.days(since.date()),
        "targets": past.targets(since),
        "maintenance": past.windows(since),
        "messages": [without_body(msgspec.to_builtins(each)) for each in past.messages(since)],
    }


def without_body(message: dict[str, Any]) -> dict[str, Any]:
    """A message as far as it concerns others than its recipient."""
    return {key: value for key, value in message.items() if key != "body"}


def history_rows(past: History, table: str, since: datetime) -> Iterator[dict[str, Any]]:
    """One table, row by row, in values that CSV can hold."""
    for each in everything(past, since)[table]:
        values = msgspec.to_builtins(each)
        yield {key: " ".join(value) if isinstance(value, list) else value for key, value in values.items()}


def history_text(past: History, since: datetime, now: datetime) -> str:
    """The summary that people read first."""
    sections = {
        "": rounds_summary(past, since, now),
        "WRONG NOW": wrong_lines(past, now),
        "ALERTS": alert_lines(past, since, now),
        "TRANSITIONS": transition_lines(past, since),
        "TARGETS": target_lines(past, since),
        "MAINTENANCE": list(window_lines(past, since, now)),
        "NOT DELIVERED": undelivered_lines(past),
    }
    return "\n\n".join("\n".join(filter(None, [name, *lines])) for name, lines in sections.items() if lines)


def rounds_summary(past: History, since: datetime, now: datetime) -> list[str]:
    """The rounds as a whole."""
    rounds, last = past.rounds(since), past.last_round()
    if last is None:
        return ["no round has run with --monitor yet"]
    clear = sum(each.verdict == "clear" for each in rounds)
    inconclusive = sum(each.verdict == "inconclusive" for each in rounds)
    return [
        f"last round: {last.verdict}, {to_the_minute(last.at)} ({duration(now - last.at)} ago)",
        f"since {to_the_minute(since)}: {counted(len(rounds), 'round')}, {clear} clear, {inconclusive} inconclusive",
    ]


def wrong_lines(past: History, now: datetime) -> list[str]:
    """The checks that are not all right at the moment; those that rounds have long ceased to ask are not among them."""
    last = past.last_round()
    asked = [each for each in past.checks() if last and last.at - each.seen < GONE]
    bad = [each for each in asked if each.outcome in ("failed", "inconclusive")]
    return first_entries(
        [
            f"{each.name} {each.outcome} for {duration(now - each.since)}, since {to_the_minute(each.since)}: {each.detail}"
            for each in bad
        ]
    )


def alert_lines(past: History, since: datetime, now: datetime) -> list[str]:
    """The incidents, also those of which no message was sent."""
    return first_entries([incident_line(each, now) for each in reversed(past.incidents(since))])


def incident_line(each: Incident, now: datetime) -> str:
    """One alert in a line."""
    lasted = f"for {duration((each.until or now) - each.since)}" + ("" if each.until else ", goes on")
    marks = (
        ["flapping"] * each.flapping + ["in maintenance"] * each.maintenance + ["no message was sent"] * (not each.told)
    )
    what = ": ".join(filter(None, [*each.objects[:1], each.observed])) + others(
        each.objects[1:3], len(each.objects) - 3
    )
    return (
        f"{to_the_minute(each.since)} {each.name} {each.kind} {lasted}{''.join(f', {mark}' for mark in marks)}: {what}"
    )


def transition_lines(past: History, since: datetime) -> list[str]:
    """The latest changes first; what has always been as it is has changed nothing."""
    spans = [span for span in reversed(past.spans(since)) if span.since >= since]
    first = {span.name: span.since for span in past.spans()[::-1]}
    changes = [span for span in spans if span.since != first[span.name]]
    return first_entries(
        [
            f"{to_the_minute(span.since)} {span.name} {span.outcome}" + (f": {span.detail}" if span.detail else "")
            for span in changes
        ]
    )


def target_lines(past: History, since: datetime) -> list[str]:
    """Availability and latency from outside, maintenance left out."""
    sums: dict[str, list[float]] = {}
    for each in past.targets(since):
        if not each.maintenance:
            so_far = sums.setdefault(each.target, [0, 0, 0])
            sums[each.target] = [a + b for a, b in zip(so_far, (each.up, each.down, each.took), strict=True)]
    return [
        f"{target}: up in {up:.0f} of {up + down:.0f} rounds ({percent(up / (up + down))}), {took / max(up, 1):.3f} s"
        for target, (up, down, took) in sorted(sums.items())
        if up + down
    ]


def window_lines(past: History, since: datetime, now: datetime) -> Iterator[str]:
    """The maintenance windows, one line each."""
    for each in past.windows(since):
        state = "ahead" if now < each.since else "now" if now < each.until else "over"
        yield f"{to_the_minute(each.since)} to {to_the_minute(each.until)} ({state}, {each.source}): {each.reason}"


def undelivered_lines(past: History) -> list[str]:
    """The alerts that wait in the outbox."""
    waiting = [each for each in past.messages() if each.sent is None]
    return [
        f"{to_the_minute(each.created)} {each.title} (tried {counted(each.attempts, 'time')}: {each.error})"
        for each in waiting
    ]


def first_entries(lines: list[str]) -> list[str]:
    """As many as people read."""
    return lines[:ENTRIES] + ([f"… and {len(lines) - ENTRIES} more"] if len(lines) > ENTRIES else [])
