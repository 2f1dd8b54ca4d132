"""Whatever a file holds, reading it ends with a profile or a UsageError."""

from __future__ import annotations

import random
import re
import time

import pytest
import yaml

from tests.profile_files import Folder
from tests.test_profile import VARIABLES, WHOLE
from upgate.base.errors import UsageError
from upgate.profile import Profile

#: What damages YAML, or means something to it or to us.
POISON = [
    *'{}[]:,&*#?|>-"%@`\t\n\r\0\x07\\~<=\ufeff\u2028😀é!',
    *[
        "on",
        "no",
        "null",
        ".inf",
        "-.inf",
        ".nan",
        "1e999",
        "0x1f",
        "0o7",
        "1_000",
        "12:30",
        "2026-13-01",
        "2026-01-01T00:00:00Z",
    ],
    *["!!binary", "!!python/name:os.system", "!!set", "!!omap", "!foo", "&a", "*a", "<<", "---", "...", "<<: *a", "'"],
    *[
        "${A}",
        "${}",
        "$${",
        "${NOPE}",
        "${ARG",
        "{address}",
        "(?P<",
        "[a",
        "300d",
        "999999999d",
        "https://[",
        "~nobody/x",
        "../..",
    ],
    *[
        "9" * 5000,
        "[" * 200,
        "- " * 60,
        "{a: " * 60,
        "\n  ",
        ": ",
        "- ",
        "? ",
        "\n---\n",
        "extends: prod\n",
        '"\\0"',
        '"\\ud800"',
    ],
]
SIMPLE = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    float("inf"),
    float("nan"),
    "",
    " ",
    "off",
    "1",
    [],
    {},
    [None],
    {"": None},
    {"name": 1},
]
LINE = re.compile(r"[^\n]+:\d+:\d+: \S|there is no profile|which profile|[^\n]+: a profile's name")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Folder:
    monkeypatch.chdir(tmp_path)
    return Folder(tmp_path)


def outcome(folder: Folder, content: bytes) -> Profile | str:
    """The profile, or the error's text. Anything else that is raised fails the test."""
    folder.write(content)
    try:
        return folder.load(**VARIABLES)
    except UsageError as error:
        return str(error)


def damaged(chance: random.Random, text: str) -> bytes:
    """The text with a few places overwritten, doubled, cut out or poisoned."""
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(text))
        end = min(len(text), begin + chance.choice([0, 0, 1, 5, 40]))
        middle = chance.choice(["", text[begin:end] * 2, chance.choice(POISON), f" {chance.choice(POISON)} "])
        text = text[:begin] + middle + text[end:]
    content = text.encode("utf-8", "replace")
    return content[: chance.randrange(len(content))] + b"\xff\x80" if chance.random() < 0.03 else content


def replaced(chance: random.Random, value: object) -> object:
    """The data with one value exchanged for another of any kind."""
    if chance.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return chance.choice(SIMPLE)
    if isinstance(value, list):
        index = chance.randrange(len(value))
        return [replaced(chance, each) if place == index else each for place, each in enumerate(value)]
    key = chance.choice(list(value))
    renamed = chance.choice([key, key, key, f"{key}x", key.upper(), chance.choice(list(value))])
    return {
        (renamed if each == key else each): replaced(chance, old) if each == key else old for each, old in value.items()
    }


@pytest.mark.parametrize("loader", ["libyaml", "Python"])
@pytest.mark.parametrize("seed", range(4))
def test_damaged_text_is_a_profile_or_a_usage_error(folder, monkeypatch, loader, seed):
    """Text damaged anywhere never ends in a traceback, and each line of the error has its place."""
    if loader == "Python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    chance = random.Random(seed)
    results = [outcome(folder, damaged(chance, WHOLE)) for _ in range(100)]
    errors = [result for result in results if isinstance(result, str)]
    assert len(errors) > 50
    assert [line for error in errors for line in error.splitlines() if not LINE.match(line)] == []


@pytest.mark.parametrize("seed", range(4))
def test_exchanged_values_are_a_profile_or_a_usage_error(folder, seed):
    """Values and keys of any kind in any place never end in a traceback, nor do they show a secret."""
    chance, whole = random.Random(seed), yaml.safe_load(WHOLE)
    results = [
        outcome(folder, yaml.safe_dump(replaced(chance, replaced(chance, whole)), allow_unicode=True).encode())
        for _ in range(150)
    ]
    errors = [result for result in results if isinstance(result, str)]
    assert len(errors) > 50
    assert [line for error in errors for line in error.splitlines() if not LINE.match(line)] == []
    assert not [value for value in VARIABLES.values() if value in "\n".join(errors)]


#: Hostile and generated profiles of up to 1 MB.
LARGE = {
    "brackets": "[" * 1_000_000,
    "hyphens": "- " * 500_000,
    "quotes": "'" * 1_000_001,
    "a list": f"scope: {{namespaces: [{'a,' * 480_000}]}}",
    "entries": "external:\n" + "".join(f"- {{name: a{i}, url: 'https://a.b'}}\n" for i in range(10_000)),
    "unknown keys": "".join(f"a{i}: b\n" for i in range(10_000)),
    "unknown checks": "checks:\n" + "".join(f"  a.b{i}: off\n" for i in range(10_000)),
    "a number": f"window: 1{':1' * 400_000}",
    "merges": f"a: &a {{{', '.join(f'k{i}: 1' for i in range(1000))}}}\nb: {{<<: [{'*a,' * 50_000}]}}",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_profile_takes_seconds(folder, text):
    """A megabyte, deep nesting or 10,000 entries are read or refused in seconds, with an error that can be read."""
    began = time.process_time()
    result = outcome(folder, text.encode())
    assert time.process_time() - began < 10
    assert isinstance(result, Profile) or len(result.splitlines()) <= 201


@pytest.mark.parametrize(
    "content", [bytes(range(256)), b"\xff\xfe{\0}\0", b"\xef\xbb\xbfdescription: a", b"a" * 3_000_000]
)
def test_no_text_at_all_is_a_profile_or_a_usage_error(folder, content):
    """Binary files, other encodings and huge files are told, not tripped over."""
    result = outcome(folder, content)
    assert isinstance(result, Profile) or result.startswith("profiles/prod.yaml:")


@pytest.mark.parametrize(
    "name", ["..", "/", "a\0b", "~nobody/x.yaml", "x" * 5000, "-", "*", "profiles", ".yaml", "[", "-x.yaml"]
)
def test_any_name_is_a_profile_or_a_usage_error(folder, name):
    """Names that no file can have are answered like unknown ones."""
    with pytest.raises(UsageError):
        folder.load_with(name, {})
    folder.write(f"extends: {name!r}")
    with pytest.raises(UsageError):
        folder.load()
