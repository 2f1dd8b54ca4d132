"""The words of a profile that mean more than text: durations, times, globs, versions and paths; addresses: network.py.

No message quotes the value: it may hold what a `${VAR}` stood for.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from upgate.base.durations import MILLISECONDS, format_duration

DURATION = re.compile("".join(rf"(?:(\d{{1,9}}){unit})?" for unit in MILLISECONDS))
DURATION_PATTERN = "^" + "".join(rf"(\d+{unit})?" for unit in MILLISECONDS) + "$"
#: No one waits longer, and dates have a limit.
LONGEST = timedelta(days=36_525)
EXAMPLES = "such as 800ms, 30s, 5m, 1h30m or 2d"
COMPARISON = re.compile(r"^(>=|<=|==|!=|>|<)?\s*+v?\d+(\.(\d+|\*)){0,2}([-+.][\w.+-]*)?")
#: A set of characters in a glob.
CHARACTERS = re.compile(r"\[!?\]?[^\][]*+\]")
WILDCARD = re.compile(r"[*?\[]")
FAIL_AFTER = re.compile(r"(\d{1,4}) of (\d{1,4})")
NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def parse_duration(value: object) -> timedelta:
    """`1h30m` as time. Raises ValueError."""
    if isinstance(value, timedelta):
        return value
    if type(value) is int and value >= 0:
        raise ValueError(f"a duration needs a unit: say {value}ms, {value}s or {value}m")
    match = DURATION.fullmatch(value) if isinstance(value, str) else None
    if not match or not value:
        raise ValueError(f"not a duration {EXAMPLES}")
    time = timedelta(
        milliseconds=sum(
            int(amount or 0) * unit for amount, unit in zip(match.groups(), MILLISECONDS.values(), strict=True)
        )
    )
    if time > LONGEST:
        raise ValueError("longer than a hundred years")
    return time


def some_time(time: timedelta) -> timedelta:
    """More than nothing. Raises ValueError."""
    if not time:
        raise ValueError("must be longer than zero")
    return time


def parse_moment(value: object) -> datetime | timedelta:
    """A time with its zone, or how long ago. Raises ValueError."""
    moment = date_from_text(datetime, value) or value
    if not isinstance(moment, datetime):
        return parse_duration(moment)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-11-21T01:30:00Z or 2026-11-21T10:30:00+09:00")
    return moment.astimezone(UTC)


def format_moment(moment: datetime | timedelta) -> str:
    """The moment as a profile says it."""
    return moment.isoformat() if isinstance(moment, datetime) else format_duration(moment)


def date_from_text(kind: type[date], value: object) -> Any:
    """A date or time from its text; None for anything else."""
    try:
        return kind.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def parse_day(value: object) -> date:
    """A calendar day. Raises ValueError."""
    day = date_from_text(date, value) or value
    if isinstance(day, datetime) or not isinstance(day, date):
        raise ValueError("not a date such as 2026-12-31")
    return day


class FailAfter(NamedTuple):
    """Alert when so many of the last rounds failed."""

    failures: int
    rounds: int

    def __str__(self) -> str:
        return f"{self.failures} of {self.rounds}"


def parse_fail_after(value: object) -> FailAfter:
    """`2 of 3` as numbers. Raises ValueError."""
    if isinstance(value, FailAfter):
        return value
    match = FAIL_AFTER.fullmatch(value) if isinstance(value, str) else None
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise ValueError("not of the form `2 of 3`: so many failures in so many rounds")
    return FailAfter(int(match[1]), int(match[2]))


def check_glob(value: str) -> str:
    """A pattern with `*`, `?` and `[…]`. Raises ValueError."""
    pattern = check_not_blank(value.removeprefix("!"))
    if "[" in CHARACTERS.sub("", pattern):
        raise ValueError("not a pattern: a [ has no closing ]")
    return value


def check_not_blank(value: str) -> str:
    """A pattern that can match something. Raises ValueError."""
    if not value or value.isspace():
        raise ValueError("an empty pattern matches nothing; * matches everything")
    return value


def check_regex(value: str) -> str:
    """A regular expression of Python's, which the library that searches with a time limit also takes. Raises ValueError."""
    import regex  # few profiles have one

    try:
        re.compile(value)
        regex.compile(value)
    except (re.error, regex.error, RecursionError, OverflowError) as problem:
        raise ValueError(f"not a regular expression: {problem}") from None
    return value


def check_version(value: str) -> str:
    """A version, its beginning, or a range. Raises ValueError."""
    if not is_comparison(value):
        raise ValueError('not a version such as "1.36" or "v1.36.2", nor a range such as ">=1.35, <1.37"')
    return value


def check_version_pattern(value: str) -> str:
    """A version, its beginning, a range, or a pattern with wildcards. Raises ValueError."""
    return value if is_comparison(value) else check_wildcards(value)


def is_comparison(value: str) -> bool:
    """It is a version or a range, and no pattern."""
    return all(COMPARISON.fullmatch(part.strip()) for part in value.split(","))


def check_wildcards(value: str) -> str:
    """A pattern that is meant as one. Raises ValueError."""
    if not WILDCARD.search(value):
        raise ValueError(
            'not a version such as "1.36", a range such as ">=6.1, <6.12", nor a pattern such as "5.4.0-1043*"'
        )
    return check_glob(value)


def find_path(value: str, info: ValidationInfo) -> str:
    """A path as the process sees it: relative ones begin at the profile's folder, `~` is home."""
    folder = (info.context or {}).get("folder", Path())
    try:
        return str(folder / Path(value).expanduser())
    except RuntimeError:
        raise ValueError("there is no home folder for this ~") from None


def some(value: object) -> object:
    """A single value stands for a list of one."""
    return value if isinstance(value, tuple) else (value,)


def set_only(value: object) -> object:
    """In a mapping with keys of the user's own, too, null means not set."""
    return {key: each for key, each in value.items() if each is not None} if isinstance(value, dict) else value


def check_name(value: str) -> str:
    """A word that can be part of a check's id. Raises ValueError."""
    if not NAME.fullmatch(value):
        raise ValueError(
            "a name is made of letters, digits, dots, hyphens and underscores: it becomes part of a check's id"
        )
    return value


def json_type(kind: str, **more: Any) -> WithJsonSchema:
    """How editors see a value."""
    return WithJsonSchema({"type": kind, **more})


Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, AfterValidator(check_name)]
Words = Annotated[dict[Text, str], BeforeValidator(set_only)]
Texts = Annotated[
    tuple[Text, ...], Field(min_length=1), BeforeValidator(some, json_schema_input_type=Text | tuple[Text, ...])
]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    json_type("string", pattern=DURATION_PATTERN, examples=["30s"]),
]
Span = Annotated[Duration, AfterValidator(some_time)]
Moment = Annotated[
    datetime | timedelta,
    BeforeValidator(parse_moment),
    PlainSerializer(format_moment),
    json_type("string", examples=["1h"]),
]
Day = Annotated[date, BeforeValidator(parse_day), json_type("string", format="date")]
Rate = Annotated[
    FailAfter, BeforeValidator(parse_fail_after), PlainSerializer(str), json_type("string", examples=["2 of 3"])
]
Glob = Annotated[str, AfterValidator(check_glob)]
#: For the names of objects, with `*` and `?` alone: a `[` is a part of URLs.
ObjectPattern = Annotated[str, AfterValidator(check_not_blank)]
Globs = Annotated[tuple[Glob, ...], Field(min_length=1)]
Regex = Annotated[str, AfterValidator(check_regex)]
Version = Annotated[str, AfterValidator(check_version)]
#: Of a kernel or kubelet: vendors write more into it than a comparison can say.
VersionPattern = Annotated[str, AfterValidator(check_version_pattern)]
FilePath = Annotated[Text, AfterValidator(find_path)]
