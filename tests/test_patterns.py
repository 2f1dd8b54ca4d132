"""Regular expressions read what strangers wrote: each takes a time in proportion to its length."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import upgate
from upgate.base.harmless import harmless, shell_word
from upgate.base.redaction import without_known
from upgate.monitor.markup import without_markup
from upgate.sources.hosts.parsing import SYNCHRONISED
from upgate.sources.hosts.script import FATAL
from upgate.sources.hosts.transport import MEANINGS

SOURCE = Path(upgate.__file__).parent
SIZE = 20_000
#: Seconds for one text of that size: a quadratic pattern takes minutes, a linear one milliseconds.
LONGEST = 0.5
#: What is repeated; and what may stand before and behind it.
REPEATED = (
    *(
        "a",
        "A",
        "1",
        " ",
        "\n",
        "\r",
        "\t",
        "-",
        "--",
        "_",
        ".",
        ":",
        "::",
        "=",
        "/",
        "\\",
        "#",
        "@",
        "%",
        "$",
        "*",
        ",",
    ),
    *("[", "]", "(", "{", "}", "<", '"', "'", "`", "\0", "\x1b", "\x1b[", "\x1b]", "\x90", "\x9d", "\u202e", "é", "日"),
    *(
        "eyJ",
        "eyJa",
        "eyJaaaaaaaa.",
        "eyJaaaaaaaaaaaaaaaaaaaa.",
        "a.",
        "1.",
        "a-",
        "-1",
        "a=",
        "=:",
        "a:",
        ":1",
        "a ",
        " *",
    ),
    *(
        "://",
        "://a:",
        "://a@",
        "a://a:a",
        "Bearer ",
        "bearer",
        "password",
        "password=",
        'token="',
        "--password ",
        "--a",
        "token: ",
    ),
    *(
        "token=a",
        "key: 1",
        "authorization: ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ",
        "AKIA",
        "ghp_",
        "sk-",
        "xoxb-",
    ),
    *(
        "##",
        "##a",
        "::a",
        "::error ",
        "section_start",
        "---\n",
        "argv[]=",
        "argv[]=a ",
        'users:(("',
        "{a",
        "{a}",
        "'a",
        " b'",
    ),
    *(
        ".el1",
        "_1",
        "http://",
        "&lt;",
        "](",
        "```",
        "<!",
        "no",
        "not be ",
        "x509: ",
        "F1111 ",
        "1 of ",
        "1d",
        "aaaaa-bbbbb",
    ),
)
AROUND = (("", ""), ("a", "!"), ("eyJ", "\n"), ("v1.", "\0"), ("--token=", "@"), ("://a:", " "))


def patterns() -> Iterator[tuple[str, re.Pattern]]:
    """Every compiled pattern of the package, also those in lists and tuples, and what is compiled elsewhere."""
    for module in pkgutil.walk_packages([str(SOURCE)], "upgate."):
        if not module.name.endswith("__main__"):
            yield from in_module(module.name)
    of_hosts = [*(each for pair in SYNCHRONISED.values() for each in pair), *(each for each, _ in MEANINGS)]
    of_hosts += [re.compile(text) for text in FATAL]
    yield from ((f"hosts: {each.pattern}", each) for each in of_hosts)


def in_module(name: str) -> Iterator[tuple[str, re.Pattern]]:
    module = importlib.import_module(name)
    yield from ((f"{name}.{key}", value) for key, value in vars(module).items() if isinstance(value, re.Pattern))


PATTERNS = {pattern.pattern: (name, pattern) for name, pattern in patterns() if pattern.pattern}


@pytest.mark.parametrize("pattern", [pytest.param(each, id=name) for name, each in PATTERNS.values()])
def test_each_pattern_is_linear(pattern):
    """However long and odd a text is, a pattern is done with it in a time that does not grow with its square."""
    for unit in REPEATED:
        for before, behind in AROUND:
            seconds(pattern, as_text(pattern, before + unit * (2000 // len(unit)) + behind), unit, LONGEST / 10)
        seconds(pattern, as_text(pattern, unit * (SIZE // len(unit)) + "!"), unit, LONGEST)


def as_text(pattern: re.Pattern, text: str) -> str | bytes:
    return text.encode() if isinstance(pattern.pattern, bytes) else text


def seconds(pattern: re.Pattern, text: str | bytes, unit: str, longest: float) -> None:
    """Search everywhere, and match the whole. Raises AssertionError where that takes too long."""
    began = time.process_time()
    pattern.sub(text[:0], text)
    pattern.fullmatch(text)
    took = time.process_time() - began
    assert took < longest, f"{took:.2f} s for {len(text):,} characters of {unit!r}"


#: Where patterns of a profile's author are compiled. What searches with them has a time limit: sources/probes/searching.py.
CHOSEN = {"profile/quantities.py"}


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_pattern_escapes_that_test(path):
    """A pattern is compiled at the top of its module, where the test above finds it."""
    tree = ast.parse(path.read_text())
    top = {id(node) for each in tree.body if isinstance(each, ast.Assign | ast.AnnAssign) for node in ast.walk(each)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and is_of_re(node.func)]
    inline = [node.lineno for node in calls if id(node) not in top]
    chosen = str(path.relative_to(SOURCE)) in CHOSEN
    texts = [
        node.lineno for node in calls if id(node) not in top and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    ]
    assert not (texts if chosen else inline)


def is_of_re(function: ast.expr) -> bool:
    """One of the functions of `re` that take a pattern."""
    named = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "re"
    return named and function.attr not in ("escape", "purge")


@pytest.mark.parametrize("made_safe", [without_known, harmless, without_markup, shell_word])
@pytest.mark.parametrize(
    "unit",
    ["a", "eyJ", "a=:", "://a:", "token=", "[", "\x9d", "##a", "--a ", "<!a", "@a", "-----BEGIN A PRIVATE KEY-----"],
)
def test_a_megabyte_of_it_is_done_with_at_once(made_safe, unit):
    """What every text of the cluster goes through takes no more than seconds for a megabyte, whatever it says."""
    began = time.process_time()
    made_safe(unit * (1_000_000 // len(unit)))
    assert time.process_time() - began < 3
