"""How components are started: processes, units, containers and static pods."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from upgate.facts.hosts import CommandLine
from upgate.hosts.sections import Lines, rows
from upgate.redaction import HIDDEN, redact

#: Flags whose values nobody may see; files that hold such a value are named by a path.
SECRET = re.compile(r"((?:password|passwd|secret|token|credential)[\w.-]{0,80}=)(?!/)(?!true$|false$).+", re.IGNORECASE)
SECRET_NAME = re.compile(r"^--?(?=[\w.-]*$).*(?:password|passwd|secret|token|credential)", re.IGNORECASE)
EXEC = re.compile(r"argv\[\]=((?:(?!argv\[\]=).)*?) ;")


def command_lines(lines: Lines) -> dict[str, object]:
    """The command lines of all components that are asked for."""
    found = (*processes(lines), *manifests(lines), *containers(lines), *units(lines))
    return {"commands": found}


def processes(lines: Lines) -> Iterator[CommandLine]:
    """What runs. hyperkube is all components, by its first argument; what has ended by now has no arguments left."""
    for component, pid, line in rows(lines, "process", 3):
        arguments = line.rstrip("\x1f").split("\x1f")
        if arguments[0] and (not arguments[0].endswith("hyperkube") or component in arguments[1:2]):
            yield command(component, arguments, f"process {pid}", running=True)


def units(lines: Lines) -> Iterator[CommandLine]:
    """What systemd would start, its variables not filled in."""
    for component, said in rows(lines, "exec", 2):
        if match := EXEC.search(said):
            yield command(component, match[1].split(), f"unit {component}")


def containers(lines: Lines) -> Iterator[CommandLine]:
    """What Docker started, or would."""
    for component, said in rows(lines, "container", 2):
        arguments = parsed(said)
        if isinstance(arguments, list):
            yield command(component, [str(each) for each in arguments], f"container {component}")


def parsed(text: str) -> Any:
    """A JSON value; None where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def manifests(lines: Lines) -> Iterator[CommandLine]:
    """What static pods say: the containers that run a component of that name."""
    wanted = {line[1] for line in lines if line[0] == "asked"}
    for path, text in files(lines):
        for container in containers_in(text):
            arguments = [str(each) for key in ("command", "args") for each in listed(container.get(key))]
            names = {str(container.get("name")), arguments[0].rpartition("/")[2] if arguments else ""}
            for component in sorted(names & wanted):
                yield command(component, arguments, path)


def listed(value: Any) -> list[Any]:
    """The entries of a list; none where it is no such thing, as a kubelet would have it."""
    return value if isinstance(value, list) else []


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


def containers_in(text: str) -> list[dict[str, Any]]:
    """The containers of a pod's manifest; none where it is no such thing."""
    try:
        pod = yaml.safe_load(text)
        return [each for each in pod["spec"]["containers"] if isinstance(each, dict)]
    except (yaml.YAMLError, TypeError, KeyError):
        return []


def command(component: str, arguments: list[str], source: str, *, running: bool = False) -> CommandLine:
    """A command line without secrets."""
    return CommandLine(component=component, arguments=tuple(without_secrets(arguments)), source=source, running=running)


def without_secrets(arguments: list[str]) -> Iterator[str]:
    """The arguments, with what looks like a secret hidden, be it behind `=` or the next argument."""
    previous = ""
    for each in arguments:
        named = SECRET_NAME.match(previous) and not each.startswith(("-", "/"))
        yield HIDDEN if named else redact(SECRET.sub(rf"\1{HIDDEN}", each))
        previous = each
