"""Lines of logs that matched a fatal pattern, with their times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

from upgate.facts.hosts import LogLine
from upgate.hosts.sections import Lines
from upgate.redaction import redact

#: klog's header without its severity: month, day, time; of the host's own zone. https://github.com/kubernetes/klog
KLOG = re.compile(r"(\d\d)(\d\d) (\d\d):(\d\d):(\d\d)")
#: A time zone as `date +%z` writes it.
ZONE = re.compile(r"[+-]\d{4}")
FRACTION = re.compile(r"(\.\d{6})\d+")
#: A journal that begins with its machine lacks nothing: so long a first boot may take.
FIRST_BOOT = timedelta(minutes=15)


def log(lines: Lines, since: datetime, zone: str) -> tuple[tuple[LogLine, ...], list[str]]:
    """The lines since that time, and what could not be read."""
    found: list[LogLine] = []
    gaps, sources, source = [], 0, ""
    for field, *rest in lines:
        text = "\t".join(rest)
        if field == "source":
            source, sources = text, sources + 1
        elif field in TIMES and " rc\t" in text:
            gaps += broken(source, text)
        elif field in TIMES:
            time, said = TIMES[field](text, since, zone)
            found.append(LogLine(source=source, text=redact(said.strip()), time=time))
    if not sources and not any(line[0] == "gap" for line in lines):
        gaps.append("it has no log of its kubelet or runtime: neither in the journal nor where its preset has one")
    recent = tuple(line for line in found if line.time is None or line.time >= since)
    return recent, [*gaps, *late_beginning(lines, since)]


def broken(source: str, text: str) -> list[str]:
    """Why a log was not read to its end."""
    code = text.rpartition("\t")[2]
    why = "it took too long" if code == "124" else f"exit code {code}"
    return [] if code in ("0", "141") else [f"the {source} could not be read: {why}"]


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
    time = from_iso(stamp)
    return time, rest if time else text


def of_file(text: str, since: datetime, zone: str) -> tuple[datetime | None, str]:
    """A line of a file behind the latest time that was told in it."""
    stamp, _, rest = text.partition("|")
    return from_iso(stamp) or from_klog(stamp, since, zone), rest


def from_unix(text: str) -> datetime | None:
    """Seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError):
        return None


def from_iso(text: str) -> datetime | None:
    """RFC 3339, with nanoseconds as Go writes them."""
    try:
        time = datetime.fromisoformat(FRACTION.sub(r"\1", text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def from_klog(text: str, since: datetime, zone: str) -> datetime | None:
    """klog tells no year: that of the reference time, or the next one where the year has changed since."""
    match = KLOG.fullmatch(text)
    if not match:
        return None
    month, day, *time = map(int, match.groups())
    years = (since.year, since.year + 1) if since.month == 12 and month == 1 else (since.year,)
    return next(candidates(years[-1], (month, day, *time), zone), None)


def candidates(year: int, parts: tuple[int, ...], zone: str) -> Iterator[datetime]:
    """The time of that year in the host's zone, if there is one."""
    sign = -1 if zone.startswith("-") else 1
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * sign if ZONE.fullmatch(zone) else timedelta(0)
    try:
        yield datetime(year, *parts, tzinfo=timezone(offset))  # type: ignore[arg-type]
    except ValueError:
        return


TIMES = {"unix": of_journal, "iso": of_container, "stamped": of_file}
