"""Sections become facts. Pure; what cannot be determined becomes a gap with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from upgate.facts.hosts import FileSystem, Host, HostService, Kernel, KernelLimit, RebootStatus
from upgate.sources.hosts.certificates import certificates
from upgate.sources.hosts.commands import command_lines, unattributed, unreadable
from upgate.sources.hosts.logs import log
from upgate.sources.hosts.numbers import from_unix, whole
from upgate.sources.hosts.sections import Lines, field_rows, field_values, first
from upgate.sources.hosts.settings import host_settings
from upgate.sources.hosts.sockets import sockets

#: The first text in a line that looks like a version, within these lengths.
VERSION = re.compile(r"v?(?<!\d)(\d{1,12}\.\d{1,12}[\w.+~-]{0,80})", re.ASCII)
#: The epoch prefix of a package's version.
EPOCH = re.compile(r"^\d{1,12}:")
#: The output of needs-restarting.
NO_REBOOT = re.compile("not (be )?necessary")
REASON = re.compile(r"^ *\* *(\S+)", re.MULTILINE)
#: File systems that are always full, or are not on a disk.
PSEUDO = ("squashfs", "erofs", "iso9660", "tmpfs", "devtmpfs", "ramfs", "proc", "sysfs", "nsfs", "autofs")
#: The read-only image at / of Fedora CoreOS and similar systems, whose type is overlay.
COMPOSED = "composefs"
#: How each program reports that the clock is synchronised, and that it is not.
SYNCHRONISED = {
    "chronyc": (
        re.compile(r"Leap status\s*: (Normal|Insert second|Delete second)", re.IGNORECASE),
        re.compile(r"Leap status\s*: Not synchronised", re.IGNORECASE),
    ),
    "timedatectl": (
        re.compile(r"(NTPSynchronized=|NTP synchronized: |clock synchronized: )yes", re.IGNORECASE),
        re.compile(r"(NTPSynchronized=|NTP synchronized: |clock synchronized: )no", re.IGNORECASE),
    ),
    "adjtimex": (re.compile(r"return value:\s*[0-4]\b"), re.compile(r"return value:\s*5\b")),
}


def host(name: str, found: Mapping[str, Lines], since: datetime) -> Host:
    """All facts about one host."""
    facts: dict[str, Any] = {}
    for section, read in READERS.items():
        facts |= read(found[section])
    told, unread = log(found["journal"], since, first(found["host"], "zone"))
    lying, spoilt = certificates(found["certificates"])
    gaps = {section: tuple(dict.fromkeys(field_values(lines, "gap"))) for section, lines in found.items()}
    untold = [*unreadable(found["arguments"]), *unattributed(found["arguments"], facts["commands"])]
    more = {"journal": unread, "certificates": spoilt, "arguments": untold}
    gaps |= {section: (*gaps[section], *reasons) for section, reasons in more.items()}
    facts |= {"certificates": lying, "log": told, "log_since": since}
    facts["settings"] = host_settings(found["settings"])
    told_of = {section: reasons for section, reasons in with_missing(gaps, facts).items() if reasons}
    return Host(name=name, now=clock_time(first(found["host"], "now")), gaps=told_of, **facts)


def with_missing(gaps: dict[str, tuple[str, ...]], facts: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The gaps, including facts that no line of a section gives."""
    for section, (fact, words) in MISSING.items():
        if not gaps[section] and facts[fact] in ((), None):
            gaps[section] = (words,)
    if not facts["reboot"].told:
        gaps["reboot"] = ("cannot tell whether it needs a reboot (no kernel in /boot, no needs-restarting)",)
    return gaps


#: Section → the fact that it must give, and the message if it does not.
MISSING = {
    "ports": ("sockets", "its sockets cannot be listed: ss does not answer, and /proc/net cannot be read"),
    "disk": ("file_systems", "its file systems cannot be listed: df does not answer"),
    "limits": ("limits", "no limit of its kernel can be read in /proc"),
    "clock": ("synchronised", "cannot tell whether its clock is synchronised (chronyc, timedatectl, adjtimex)"),
    "certificates": ("certificates", "no certificate found at the paths of its preset"),
}


def clock_time(text: str) -> datetime | None:
    """The host's own time. Raises ValueError if it is implausible."""
    time = from_unix(text)
    if text and not time:
        raise ValueError(f"its clock says {text[:40]!r}")
    return time


def services(lines: Lines) -> dict[str, object]:
    """Units and containers."""
    containers = [service_of_container(name, said) for name, said in field_rows(lines, "container", 2)]
    return {"services": (*systemd_services(lines), *containers)}


def systemd_services(lines: Lines) -> Iterator[HostService]:
    """The units that systemd knows."""
    starts = [number for number, line in enumerate(lines) if line[0] == "unit"]
    for start, end in pairwise([*starts, len(lines)]):
        shown = dict(line.partition("=")[::2] for line in field_values(lines[start:end], "is"))
        if shown.get("LoadState") not in (None, "not-found"):
            yield service_of_unit(lines[start][1], shown)


def service_of_unit(name: str, shown: Mapping[str, str]) -> HostService:
    """A unit by its properties."""
    enabled = "masked" if shown["LoadState"] == "masked" else shown.get("UnitFileState", "")
    state, sub = shown.get("ActiveState", "unknown"), shown.get("SubState", "")
    return HostService(
        name=name, state=state, sub=sub, enabled=enabled, kind=shown.get("Type", ""), result=shown.get("Result", "")
    )


def service_of_container(name: str, said: str) -> HostService:
    """A container by its state and restart policy."""
    state, _, policy = said.partition(" ")
    return HostService(name=name, state=state, enabled=policy, container=True)


def reboot(lines: Lines) -> dict[str, object]:
    """Whether the host reports that it needs a reboot."""
    advice = "\n".join(field_values(lines, "advice"))
    advised = True if "Reboot is required" in advice else False if NO_REBOOT.search(advice) else None
    reasons = REASON.findall(advice) if advised else []
    flag = first(lines, "flagged")
    kernels = (line.rpartition(" ") for line in field_values(lines, "kernel"))
    facts = RebootStatus(
        flagged=from_unix(flag),
        advised=advised,
        packages=tuple(dict.fromkeys([*field_values(lines, "package"), *reasons])),
        running=first(lines, "running"),
        kernels=tuple(
            Kernel(version=version, installed=from_unix(at)) for version, _, at in kernels if "rescue" not in version
        ),
    )
    return {"reboot": facts}


def versions(lines: Lines) -> dict[str, object]:
    """Versions by name; a program's own version overrides its package's."""
    found = dict(line.split(" ", 1) for line in field_values(lines, "version") if " " in line)
    for kind in ("package", "image", "program"):
        for name, said in field_rows(lines, kind, 2):
            shown = tag(said) if kind == "image" else EPOCH.sub("", said[:200])
            if match := VERSION.search(shown):
                found[name] = match[1]
    return {"versions": found}


def tag(image: str) -> str:
    """The tag of an image; empty if it has only a digest."""
    return image[:500].partition("@")[0].rpartition("/")[2].partition(":")[2]


def disk(lines: Lines) -> dict[str, object]:
    """The file systems, each once."""
    inodes = {columns[-1]: columns for columns in map(str.split, field_values(lines, "inodes")) if len(columns) == 6}
    found: dict[str, FileSystem] = {}
    for columns in map(str.split, field_values(lines, "space")):
        if (
            len(columns) == 7
            and columns[1] not in PSEUDO
            and columns[0] != COMPOSED
            and whole(columns[2]) is not None
            and whole(columns[4]) is not None
        ):
            found[columns[6]] = file_system(columns, inodes.get(columns[6], []))
    return {"file_systems": tuple(found.values())}


def file_system(columns: list[str], inodes: list[str]) -> FileSystem:
    """A file system by its lines in `df -PTk` and `df -Pi`; some, such as btrfs, have no number of inodes."""
    counted = [number for each in inodes[1:4] if (number := whole(each)) is not None]
    total, free = (counted[0], counted[2]) if len(counted) == 3 and counted[0] else (None, None)
    return FileSystem(
        mount=columns[6],
        type=columns[1],
        size=whole(columns[2]) or 0,
        free=whole(columns[4]) or 0,
        inodes=total,
        inodes_free=free,
    )


def kernel_limits(lines: Lines) -> dict[str, object]:
    """How much of each limit is in use, as far as it can be told."""
    told = [(name, whole(used.strip()), whole(most.strip())) for name, used, most in field_rows(lines, "limit", 3)]
    return {
        "limits": tuple(
            KernelLimit(name=name[:60], used=used, most=most) for name, used, most in told if used is not None and most
        )
    }


def clock_state(lines: Lines) -> dict[str, object]:
    """Whether the clock is synchronised, by the first program that answers: chrony may not set the kernel's flag."""
    for program, patterns in SYNCHRONISED.items():
        said = "\n".join(field_values(lines, program))
        for pattern, answer in zip(patterns, (True, False), strict=True):
            if pattern.search(said):
                return {"synchronised": answer, "clock": program}
    return {"synchronised": None}


READERS: dict[str, Callable[[Lines], dict[str, object]]] = {
    "services": services,
    "reboot": reboot,
    "versions": versions,
    "arguments": command_lines,
    "ports": sockets,
    "disk": disk,
    "limits": kernel_limits,
    "clock": clock_state,
}
