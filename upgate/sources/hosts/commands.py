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

#: Flags whose values are secret; the path of a file with a secret is not.
SECRET = re.compile(r"password|passwd|secret|token|credential", re.IGNORECASE)
FLAG = re.compile(r"(?<![\w.-])-[\w.-]*=")
FLAG_NAME = re.compile(r"-[\w.-]*")
#: Limits for the arguments of a command line, and for the characters of one argument.
MOST_ARGUMENTS, LONGEST_ARGUMENT = 1000, 4096
#: A process in a container, if neither Docker nor the CRI confirms that it belongs to the cluster.
FOREIGN = "{component} runs in a container that may not belong to the cluster: only root with docker or crictl can tell"


def command_lines(lines: Lines) -> dict[str, object]:
    """The command lines of all requested components."""
    found = (*processes(lines), *manifests(lines), *containers(lines), *systemd_commands(lines))
    return {"commands": found}


def processes(lines: Lines) -> Iterator[CommandLine]:
    """The running processes. The first argument of hyperkube names the component; a process that has ended has no arguments."""
    for component, pid, line in field_rows(lines, "process", 3):
        arguments = line.rstrip("\x1f").split("\x1f")
        if arguments[0] and (not arguments[0].endswith("hyperkube") or component in arguments[1:2]):
            yield redacted_command(component, arguments, f"process {pid}", running=True)


def systemd_commands(lines: Lines) -> Iterator[CommandLine]:
    """What systemd would start; variables are not replaced."""
    for component, said in field_rows(lines, "exec", 2):
        given, end, _ = said.partition("argv[]=")[2].partition(" ;")
        if end:
            yield redacted_command(component, given.split(), f"unit {component}")


def containers(lines: Lines) -> Iterator[CommandLine]:
    """The command lines of Docker's containers."""
    for component, said in field_rows(lines, "container", 2):
        arguments = parsed_json(said)
        if isinstance(arguments, list):
            texts = [encodable(each) for each in arguments if isinstance(each, str)]
            yield redacted_command(component, texts, f"container {component}")


def parsed_json(text: str) -> Any:
    """A JSON value; None if it is invalid or nested too deeply."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def manifests(lines: Lines) -> Iterator[CommandLine]:
    """The containers of static pods that run a requested component."""
    wanted = {line[1] for line in lines if line[0] == "asked" and len(line) > 1}
    for path, text in files(lines):
        with suppress(ValueError):  # `unreadable` reports it
            yield from of_manifest(path, text, wanted)


def of_manifest(path: str, text: str, wanted: set[str]) -> Iterator[CommandLine]:
    """The command lines of one manifest. Raises ValueError if it cannot be read."""
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
    """The components that were found only as processes in containers that may not belong to the cluster."""
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
    """The arguments with secrets hidden, both after `=` and in the next argument."""
    previous = ""
    for each in arguments:
        named = FLAG_NAME.fullmatch(previous) and SECRET.search(previous) and not each.startswith(("-", "/"))
        yield HIDDEN if named else redact(without_values(each))
        previous = each


def without_values(argument: str) -> str:
    """The argument up to the first secret value."""
    for flag in FLAG.finditer(argument):
        value = argument[flag.end() :]
        if SECRET.search(flag[0]) and value not in ("", "true", "false") and not value.startswith("/"):
            return argument[: flag.end()] + HIDDEN
    return argument
