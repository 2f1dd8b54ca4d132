"""Text that others wrote, made safe to show: no terminal sequences, nothing invisible, no commands of CI systems.

What is not shown as it is becomes visible: a character as its escape (`\\u202e`), a command by a space that breaks it.
All patterns are linear: an attacker chooses the text and its length.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

#: Terminal sequences of ECMA-48: CSI (colours, cursor), OSC and its relatives (titles, links, clipboard), other escapes.
SEQUENCES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]{0,4096}(?:\x07|\x1b\\\\|\x9c)"
    "|\x1b[ -/]*[0-~]"
)
#: Everything that is not seen as what it is, as ranges: controls but tab and newline, soft hyphen, joiners, directions,
#: zero widths, fillers, blanks, other line breaks, tags, most variation selectors, surrogates and non-characters.
UNSEEN = (
    "\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{UNSEEN}]")
#: What GitHub Actions knows as `::name …::`.
GITHUB = (
    "add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher|save-state|set-env|set-output"
    "|stop-commands|warning"
)
#: What CI systems read as commands, up to where a space breaks it: Azure Pipelines, TeamCity and GitHub's old form (anywhere
#: in a line), GitLab, Travis, GitHub (`::name …::` behind blanks), Buildkite (at the start of a line).
COMMANDS = re.compile(
    r"#(?=#\w{0,40}\[)"
    r"|section_(?:start|end)(?=:)"
    r"|travis_(?:fold|time)(?=:)"
    rf"|:(?=:(?i:{GITHUB})(?:::|\s))"
    r"|(?<!\w):(?=:(?:\w[\w.-]{0,60}::|[A-Za-z][\w.-]{0,60}(?:\s|$)))"
    r"|(?:^|(?<=[\r\v\f\x1c-\x1e\x85\u2028\u2029]))([-+~^])(?=\1\1(?:\s|$))",
    re.MULTILINE,
)
#: Every command has one of these; most texts have none.
SIGNS = ("##", "::", "section_", "travis_", "--", "++", "~~", "^^")


def harmless(text: str) -> str:
    """The text without terminal sequences and commands of CI systems; what cannot be seen is shown as an escape."""
    if text.isascii() and text.isprintable():
        return broken_commands(text)
    return INVISIBLE.sub(escaped, broken_commands(SEQUENCES.sub("", text.replace("\r\n", "\n"))))


def broken_commands(text: str) -> str:
    """The text, each command of a CI system broken by a space: `::error::` becomes `: :error::`."""
    return COMMANDS.sub(r"\g<0> ", text) if any(sign in text for sign in SIGNS) else text


def escaped(match: re.Match[str]) -> str:
    """The character as Python writes it: `\\x1b`, `\\u202e`."""
    return match[0].encode("unicode_escape").decode()


class Typed(str):
    """Text for a shell that is quoted already."""

    __slots__ = ()


def shell_word(text: str) -> Typed:
    """One word for a shell, whatever the text holds: quoted, on one line, and never an option."""
    return Typed(shlex.quote(on_one_line(text)))


def on_one_line(text: str) -> str:
    """The text on one line, and not like an option: no name in Kubernetes begins with a dash."""
    line = harmless(text).replace("\n", "\\n").replace("\t", "\\t")
    return f"\\{line}" if line.startswith("-") else line


#: A quoted part of a command, or a place in it that is filled in.
QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\{(\w+)\}", re.DOTALL)
PLACE = re.compile(r"\{(\w+)\}")
#: What a shell still reads between double quotes.
SPECIAL = re.compile(r'[\\"$`!]')


def fill(command: str, words: Mapping[str, str]) -> str:
    """A command with words in the place of its `{…}`, each quoted as its place needs it; in one pass."""

    def put(match: re.Match[str]) -> str:
        if match[1]:
            return word(match[1], match[0])
        quote = match[0][0]
        return PLACE.sub(lambda place: in_quotes(quote, words[place[1]]) if place[1] in words else place[0], match[0])

    def word(name: str, otherwise: str) -> str:
        known = words.get(name, otherwise)
        return known if isinstance(known, Typed) or name not in words else shell_word(known)

    return QUOTED.sub(put, command)


def in_quotes(quote: str, text: str) -> str:
    """The text for a place between two quotes."""
    line = on_one_line(text)
    return line.replace("'", "'\"'\"'") if quote == "'" else SPECIAL.sub(r"\\\g<0>", line)
