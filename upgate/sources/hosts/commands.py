"""How components are started: processes, units, containers and static pods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from upgate.base.redaction import HIDDEN, redact
from upgate.facts.hosts import CommandLine
from upgate.sources.hosts.manifests import containers_in, list_entries
from upgate.sources.hosts.sections import Lines, field_rows
from upgate.sources.hosts.texts import encodable

#: Flags whose values nobody may see; files that hold such a value are named by a path.
SECRET = re.compile(r"password|passwd|secret|token|credential", re.IGNORECASE)
FLAG = re.compile(r"(?<![\w.-])-[\w.-]*=")
FLAG_NAME = re.compile(r"-[\w.-]*")
#: Arguments of a command line, and characters of one of them.
MOST_ARGUMENTS, LONGEST_ARGUMENT = 1000, 4096
#: A process of a container, where neither Docker nor the CRI tells that it is the cluster's own.
FOREIGN = "{component} runs in a container, and it is not known whose: only root with docker or crictl can tell"


def command_lines(lines: Lines) -> dict[str, object]:
    """The command lines of all components that are asked for."""
    found = (*processes(lines), *manifests(lines), *containers(lines), *systemd_commands(lines))
    return {"commands": found}


def processes(lines: Lines) -> Iterator[CommandLine]:
    """What runs. hyperkube is all components, by its first argument; what has ended by now has no arguments left."""
    for component, pid, line in field_rows(lines, "process", 3):
        arguments = line.rstrip("\x1f").split("\x1f")
        if arguments[0] and (not arguments[0].endswith("hyperkube") or component in arguments[1:2]):
            yield redacted_command(component, arguments, f"process {pid}", running=True)


def systemd_commands(lines: Lines) -> Iterator[CommandLine]:
    """What systemd would start, its variables not filled in."""
    for component, said in field_rows(lines, "exec", 2):
        given, end, _ = said.partition("argv[]=")[2].partition(" ;")
        if end:
            yield redacted_command(component, given.split(), f"unit {component}")


def containers(lines: Lines) -> Iterator[CommandLine]:
    """What Docker started, or would."""
    for component, said in field_rows(lines, "container", 2):
        arguments = parsed_json(said)
        if isinstance(arguments, list):
            texts = [encodable(each) for each in arguments if isinstance(each, str)]
            yield redacted_command(component, texts, f"container {component}")


def parsed_json(text: str) -> Any:
    """A JSON value; None where it is none, or one of deep brackets."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def manifests(lines: Lines) -> Iterator[CommandLine]:
    """What static pods say: the containers that run a component of that name."""
    wanted = {line[1] for line in lines if line[0] == "asked" and len(line) > 1}
    for path, text in files(lines):
        with suppress(ValueError):  # `unreadable` tells of it
            yield from of_manifest(path, text, wanted)


def of_manifest(path: str, text: str, wanted: set[str]) -> Iterator[CommandLine]:
    """The command lines of one manifest. Raises ValueError where it cannot be read."""
    for container in containers_in(text):
        given = [each for key in ("command", "args") for each in list_entries(container.get(key))]
        arguments = [each for each in given if isinstance(each, str)]
        names = {str(container.get("name")), arguments[0].rpartition("/")[2] if arguments else ""}
        for component in sorted(names & wanted):
            yield redacted_command(component, arguments, path)


def unreadable(lines: Lines) -> list[str]:
    """The manifests that cannot be read, and why."""
    found = []
    for path, text in files(lines):
        try:
            containers_in(text)
        except ValueError as problem:
            found.append(f"{path} cannot be read: {problem}")
    return found


def unattributed(lines: Lines, told: Iterable[CommandLine]) -> list[str]:
    """The components of which only processes in containers tell, that may be anybody's."""
    known = {each.component for each in told}
    foreign = dict.fromkeys(line[1] for line in lines if line[0] == "foreign" and len(line) > 1)
    return [FOREIGN.format(component=each) for each in foreign if each not in known]


def files(lines: Lines) -> Iterator[tuple[str, str]]:
    """Each manifest's path and text, once."""
    texts: dict[str, list[str]] = {}
    path = ""
    for line in lines:
        if line[0] == "manifest" and len(line) > 1:
            path = line[1]
            texts[path] = []
        elif line[0] == "line" and path:
            texts[path].append("\t".join(line[1:]))
    yield from ((path, "\n".join(text)) for path, text in texts.items())


def redacted_command(component: str, arguments: list[str], source: str, *, running: bool = False) -> CommandLine:
    """A command line without secrets."""
    cut = [each[:LONGEST_ARGUMENT] for each in arguments[:MOST_ARGUMENTS]]
    return CommandLine(component=component, arguments=tuple(redacted_arguments(cut)), source=source, running=running)


def redacted_arguments(arguments: list[str]) -> Iterator[str]:
    """The arguments, with what looks like a secret hidden, be it behind `=` or the next argument."""
    previous = ""
    for each in arguments:
        named = FLAG_NAME.fullmatch(previous) and SECRET.search(previous) and not each.startswith(("-", "/"))
        yield HIDDEN if named else redact(without_values(each))
        previous = each


def without_values(argument: str) -> str:
    """The argument up to the first value that nobody may see."""
    for flag in FLAG.finditer(argument):
        value = argument[flag.end() :]
        if SECRET.search(flag[0]) and value not in ("", "true", "false") and not value.startswith("/"):
            return argument[: flag.end()] + HIDDEN
    return argument
