"""Lines of logs that matched a fatal pattern, with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from upgate.base.redaction import redact
from upgate.facts.hosts import LogLine
from upgate.sources.hosts.numbers import from_rfc3339, from_unix, in_range
from upgate.sources.hosts.sections import Lines

#: klog's header without its severity: month, day and time in the host's time zone. https://github.com/kubernetes/klog
KLOG = re.compile(r"(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
#: An offset from UTC, at most 14 hours.
ZONE = re.compile(r"([+-])(0\d|1[0-4])([0-5]\d)", re.ASCII)
#: Characters of a line; gather.sh has the same limit.
LONGEST = 600
#: The latest lines are kept: each of them is a finding.
MOST = 500
#: The time of a first boot: a journal that begins within it of the machine's creation is complete.
FIRST_BOOT = timedelta(minutes=15)


def log(lines: Lines, since: datetime, zone: str) -> tuple[tuple[LogLine, ...], list[str]]:
    """The lines since that time, and why others could not be read."""
    found: list[tuple[str, str, datetime | None]] = []
    gaps, sources, source = [], 0, ""
    for field, *rest in lines:
        text = "\t".join(rest)
        if field == "source":
            source, sources = text, sources + 1
        elif field == "rc":
            gaps += read_failures(source, text)
        elif field in TIMES:
            time, said = TIMES[field](text[:LONGEST], since, zone)
            found += [(source, said, time)] if time is None or time >= since else []
    if not sources and not any(line[0] == "gap" for line in lines):
        gaps.append("no log of its kubelet or runtime found, neither in the journal nor at the paths of its preset")
    recent = tuple(LogLine(source=of, text=redact(said.strip()), time=time) for of, said, time in found[-MOST:])
    return recent, [*gaps, *late_beginning(lines, since)]


def read_failures(source: str, text: str) -> list[str]:
    """Why a log was not read completely."""
    why = "it took too long" if text == "124" else f"exit code {text}"
    return [] if text in ("0", "141") else [f"the {source} could not be read: {why}"]


def late_beginning(lines: Lines, since: datetime) -> list[str]:
    """The journal begins after the reference time, and the machine is older than it."""
    said = {line[0]: line[1] for line in lines if line[0] in ("first", "born") and len(line) > 1}
    begin, born = (from_unix(said.get(key, "")) for key in ("first", "born"))
    if begin is None or begin <= since or (born and begin - born < FIRST_BOOT):
        return []
    return [f"its journal begins at {begin:%Y-%m-%dT%H:%M:%SZ}, after the reference time"]


def of_journal(text: str, since: datetime, zone: str) -> tuple[datetime | None, str]:
    """A line of `journalctl -o short-unix`: time, host, unit[pid]: message."""
    stamp, _, rest = text.partition(" ")
    return from_unix(stamp), rest.partition(": ")[2] or rest


def of_container(text: str, since: datetime, zone: str) -> tuple[datetime | None, str]:
    """A line of `docker logs --timestamps`."""
    stamp, _, rest = text.partition(" ")
    time = from_rfc3339(stamp)
    return time, rest if time else text


def of_file(text: str, since: datetime, zone: str) -> tuple[datetime | None, str]:
    """A line of a file, after the latest timestamp in that file."""
    stamp, _, rest = text.partition("|")
    return from_rfc3339(stamp) or from_klog(stamp, since, zone), rest


def from_klog(text: str, since: datetime, zone: str) -> datetime | None:
    """klog writes no year: it is the reference time's, or the next if the year has changed since."""
    match = KLOG.fullmatch(text)
    if not match:
        return None
    month, day, hour, minute, second = map(int, match.groups())
    years = (since.year, since.year + 1) if since.month == 12 and month == 1 else (since.year,)
    return next(local_times(years[-1], (month, day, hour, minute, second), zone), None)


def local_times(year: int, parts: tuple[int, int, int, int, int], zone: str) -> Iterator[datetime]:
    """The time of that year in the host's time zone, if it is valid."""
    sign, hours, minutes = match.groups() if (match := ZONE.fullmatch(zone)) else ("+", 0, 0)
    offset = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
    try:
        time = in_range(datetime(year, *parts, 0, timezone(offset)))
    except (ValueError, OverflowError):
        return
    if time:
        yield time


TIMES = {"unix": of_journal, "iso": of_container, "stamped": of_file}
