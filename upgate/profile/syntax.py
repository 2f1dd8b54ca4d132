"""PyYAML's syntax errors in our words: where, what was expected there, and the line itself."""

from __future__ import annotations

import re

import yaml

from upgate.profile.problems import Position
from upgate.profile.tree import UnreadableProfile

#: What PyYAML and libyaml say (a part of the context, a part of the problem) → what is expected; the first that fits.
EXPECTED = (
    ("quoted scalar", "end of stream", "expected the closing quote of the text that begins here"),
    ("quoted scalar", "document separator", "expected the closing quote of the text that begins here"),
    ("double-quoted", "escape", "expected an escape such as \\n; a backslash itself is \\\\, or use single quotes"),
    ("quoted scalar", "escape", "expected an escape such as \\n; a backslash itself is \\\\, or use single quotes"),
    ("simple key", "':'", 'expected ": " after this key'),
    (
        "",
        "mapping values are not allowed",
        'expected no second ": " here: quote text with ": " in it, or correct the indentation',
    ),
    ("", "sequence entries are not allowed", 'expected a value: a list of "- " entries begins on its own line'),
    ("block collection", "", 'expected "- ", indented like the other entries of the list'),
    ("block mapping", "", "expected a key on its own line, indented like its neighbors"),
    ("flow sequence", "", 'expected "," or "]" in the list that begins in line {line}, column {column}'),
    ("flow mapping", "", 'expected "," or "}}" in the mapping that begins in line {line}, column {column}'),
    ("alias", "", 'expected a name after *; a pattern is quoted: "*"'),
    ("anchor", "", "expected a name after &; quote the text if it begins with &"),
    ("tag", "", "expected text in quotes, because it begins with !"),
    ("parsing a node", "tag", "expected text in quotes, because it begins with !"),
    ("", "cannot start any token", "expected text in quotes, because it begins with a character of YAML itself"),
    ("", "node content", "expected a value"),
    ("", "document start", "expected the end of the file: a profile is one document"),
)
#: Problems that are reported where the text begins, because the mistake is there.
TOLD_AT_BEGINNING = ("quoted scalar", "simple key")
#: The characters of a line that are shown, at most.
LONGEST_EXCERPT = 60
#: Keys whose values may be credentials: their lines are not shown.
CONFIDENTIAL = re.compile(
    r"basic|bearer|header|form|auth|passw|secret|token|credential|cookie|key|notify|heartbeat|pushgateway",
    re.IGNORECASE,
)
#: What stands behind the scheme of a URL may be one too.
BEHIND_SCHEME = re.compile(r"://[^\s,}\]]*")


def syntax_error(error: yaml.MarkedYAMLError, text: str, file: str) -> UnreadableProfile:
    """PyYAML's error. What is still open at the end of the text is reported where it begins."""
    mark = mark_of(error, text)
    place = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    if mark and is_tab(text, mark):
        return UnreadableProfile(place, "not YAML: a tab; indent with spaces")
    end = Position(file, text.count("\n") + 1, len(text) - text.rfind("\n"))  # libyaml adds a last line of its own
    place = min(place, end)
    return UnreadableProfile(place, f"not YAML: {expectation(error)}{line_excerpt(text, place.line)}")


def mark_of(error: yaml.MarkedYAMLError, text: str) -> yaml.Mark | None:
    """Where the mistake is."""
    begins, found = error.context_mark, error.problem_mark
    begins_wrong = any(words in (error.context or "") for words in TOLD_AT_BEGINNING)
    if begins and (found is None or begins_wrong or found.index >= len(text.rstrip())):
        return begins
    return found


def is_tab(text: str, mark: yaml.Mark) -> bool:
    """The line begins with a tab, and the mark is in what it begins with."""
    begin = text[: mark.index + 1].rpartition("\n")[2]
    return begin.isspace() and "\t" in begin


def expectation(error: yaml.MarkedYAMLError) -> str:
    """What should be there; PyYAML's own words where we have none."""
    context, problem = error.context or "", error.problem or ""
    begins = error.context_mark
    for of_context, of_problem, words in EXPECTED:
        if of_context in context and of_problem in problem:
            return words.format(line=begins.line + 1, column=begins.column + 1) if begins else words
    return f"{problem} {context}".strip()


def line_excerpt(text: str, line: int) -> str:
    """The line as it is written, without what may be secret; nothing where that is all."""
    written = text.split("\n", line)[line - 1].strip()
    if not written or CONFIDENTIAL.search(written):
        return ""
    shown = BEHIND_SCHEME.sub("://…", written)
    return f"; the line is: {shown[:LONGEST_EXCERPT]}{'…' if len(shown) > LONGEST_EXCERPT else ''}"
