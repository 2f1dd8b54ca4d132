"""The answer of a host, split into sections, without the output of the login shell before and after it."""

from __future__ import annotations

from upgate.base.errors import Inconclusive

#: Limits for the lines of an answer, and for the characters and fields of a line.
MOST_LINES, LONGEST_LINE, MOST_FIELDS = 100_000, 2**16, 10
#: A section's lines, each as its tab-separated fields.
Lines = list[list[str]]


def split_sections(output: str, mark: str) -> dict[str, Lines]:
    """The lines of each section. Raises Inconclusive if the answer is incomplete."""
    if output.count("\n") > MOST_LINES:
        raise Inconclusive(f"its answer has more than {MOST_LINES} lines")
    found: dict[str, Lines] = {}
    name, lines = "", []
    for line in output.split("\n"):
        first, _, rest = line.partition("\t")
        if first != mark:
            lines.append(line[:LONGEST_LINE].split("\t", MOST_FIELDS))
        elif rest == f"end {name}":
            found[name] = lines
        elif rest == "whole":
            return found
        else:
            name, lines = rest.removeprefix("begin "), []
    raise Inconclusive(cut_off(output, mark, name))


def cut_off(output: str, mark: str, name: str) -> str:
    """Where the answer ends, in words."""
    if mark in output:
        return f"its answer was cut off at {name}"
    said = " ".join(output.split())[:80]
    return (
        f"it does not run the script; it answers {said!r}"
        if said
        else "it does not run the script, and answers nothing"
    )


def field_values(lines: Lines, field: str) -> list[str]:
    """The first value of each line of that field."""
    return [line[1] for line in lines if line[0] == field and len(line) > 1]


def field_rows(lines: Lines, field: str, width: int) -> list[list[str]]:
    """The values of each line of that field with so many values; further text belongs to the last value."""
    found = [line[1:] for line in lines if line[0] == field and len(line) > width]
    return [[*row[: width - 1], "\t".join(row[width - 1 :])] for row in found]


def first(lines: Lines, field: str) -> str:
    """The first value of that field, or an empty text."""
    return next(iter(field_values(lines, field)), "")
