"""How the body and the headers of an answer compare with what is expected. Text from servers is cut and made printable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from upgate.base.errors import Inconclusive
from upgate.base.redaction import HIDDEN
from upgate.base.text import one_line_excerpt
from upgate.facts.attempts import Comparison
from upgate.sources.probes.masking import is_credential, shown_url
from upgate.sources.probes.target import Expectation

#: Characters that are shown of a URL, or of a list of records.
LONGEST_URL = 300
#: Characters of a body that are searched for secrets before an excerpt is taken from them.
BEGINNING = 1 << 14
#: Replaces the answer of another origin, which may be confidential.
FOREIGN = "(not shown: the redirect led to another origin)"


class Answer(msgspec.Struct):
    """One answer while it is compared."""

    headers: Mapping[str, str]
    body: str
    #: The URL that it redirects to; empty if it does not.
    location: str = ""
    #: The body was longer than what was read.
    cut: bool = False
    #: Why the body cannot be read; empty if it can.
    unread: str = ""
    #: The answer comes from an origin other than the one that was asked: no part of it is shown.
    foreign: bool = False
    #: Removes secrets from what is shown. Runs before a text is cut: half a secret would not be recognized.
    mask: Callable[[str], str] = str
    #: The result of the search for each pattern, done before the comparison: see searching.search.
    searched: dict[str, str | Inconclusive | None] = {}

    @property
    def beginning(self) -> str:
        """How the body begins, without secrets; empty if it must not be shown."""
        return "" if self.foreign else self.shown(self.body[:BEGINNING])

    def shown(self, text: str) -> str:
        """A part of the answer for people."""
        return FOREIGN if self.foreign else one_line_excerpt(self.mask(text))

    def found(self, pattern: str) -> str | None:
        """What a pattern finds in the body; None if it does not match. Raises Inconclusive if the search did not end."""
        found = self.searched[pattern]
        if isinstance(found, Inconclusive):
            raise found
        return found


def compare(expected: Expectation, answer: Answer) -> Comparison:
    """Whether the expectation is met, and if not, what was there instead, or why that is not known."""
    words = answer.mask(str(expected))
    try:
        observed = COMPARISONS[expected.about](expected, answer)
    except Inconclusive as reason:
        return Comparison(words, None, answer.mask(str(reason)))
    return Comparison(words, observed is None, answer.mask(observed or ""))


def _contains(expected: Expectation, answer: Answer) -> str | None:
    return None if expected.wanted in answer.body else _body(answer, f'does not contain "{expected.wanted}"')


def _matches(expected: Expectation, answer: Answer) -> str | None:
    found = answer.found(expected.wanted)
    return _body(answer, f"does not match /{expected.wanted}/") if found is None else None


def _body(answer: Answer, lacks: str) -> str:
    if answer.unread:
        return f"body cannot be read: {answer.unread}"
    part = "the first MiB of the body" if answer.cut else "body"
    if answer.foreign:
        return f"{part} {lacks}"
    return f'{part} {lacks}; begins "{answer.beginning}"' if answer.body else f"{part} {lacks}; it is empty"


def _json(expected: Expectation, answer: Answer) -> str | None:
    try:
        value = json_at(expected.of, answer)
    except LookupError as missing:
        return str(missing)
    text = msgspec.json.encode(value, order="deterministic").decode()
    return (
        None
        if _whole(value) == _whole(msgspec.json.decode(expected.wanted))
        else f"JSON {expected.of} is {_value(expected.of, text, answer)}"
    )


def _whole(value: Any) -> str:
    """A JSON value as text, in which 1 and 1.0 are the same number and true is not a number."""
    numbers = msgspec.json.Decoder(float_hook=_number).decode(msgspec.json.encode(value))
    return msgspec.json.encode(numbers, order="deterministic").decode()


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def json_at(path: str, answer: Answer) -> Any:
    """The value at a dotted path of the body. Raises LookupError, which says what is missing."""
    try:
        value: Any = msgspec.json.decode(answer.body.removeprefix("\ufeff"))
    except (msgspec.DecodeError, RecursionError) as error:
        raise LookupError(_body(answer, "is not JSON")) from error
    for step in filter(None, path.split(".")):
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (LookupError, TypeError, ValueError) as error:
            raise LookupError(f"JSON has no {path}: {step} is missing") from error
    return value


def _header(expected: Expectation, answer: Answer) -> str | None:
    value = answer.headers.get(expected.of)
    if value is None:
        return f"header {expected.of} is missing"
    return None if expected.wanted in value else f'header {expected.of} is "{_value(expected.of, value, answer)}"'


def _value(name: str, text: str, answer: Answer) -> str:
    """A value as it is shown; hidden if its name is that of a credential, such as Set-Cookie."""
    return HIDDEN if is_credential(name.rpartition(".")[2]) else answer.shown(text)


def _location(expected: Expectation, answer: Answer) -> str | None:
    if expected.wanted == answer.location:
        return None
    return (
        f"redirects to {one_line_excerpt(shown_url(answer.location), LONGEST_URL)}"
        if answer.location
        else "does not redirect"
    )


def _resolves(expected: Expectation, answer: Answer) -> str | None:
    return None if expected.wanted == answer.body else f"resolves to {one_line_excerpt(answer.body, LONGEST_URL)}"


def _versions(expected: Expectation, answer: Answer) -> str | None:
    return None if expected.wanted == answer.body else f"accepts {answer.body or 'no TLS version'}"


COMPARISONS = {
    "versions": _versions,
    "resolves": _resolves,
    "contains": _contains,
    "matches": _matches,
    "json": _json,
    "header": _header,
    "location": _location,
}
