"""The command that is run on a host: gather.sh after the profile's settings, as one line for any login shell."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from upgate.sources.hosts.targets import HostTarget

#: Messages of a control plane that exits, or whose certificates or permissions are broken; for grep -E and Python.
FATAL = (
    r"F[0-9][0-9][0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9][.][0-9]+ +[0-9]+ [^ ]+:[0-9]+\]",
    r"(^|[^a-z-])panic: ",
    r"fatal error: ",
    r"level=(fatal|panic)",
    r"x509: certificate (has expired|is not yet valid|signed by unknown authority)",
    r"certificate (is|has) expired",
    r"User .?.?system:anonymous.?.? cannot",
)

#: The special characters of an extended regular expression.
SPECIAL_LETTERS = re.compile(r"[].\[{}()*+?^$|\\]")


@dataclass(frozen=True)
class Asked:
    """What is asked of every host."""

    since: datetime
    versions: tuple[str, ...] = ()
    certificates: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


def shell_command(target: HostTarget, asked: Asked, mark: str) -> str:
    """One line without characters that are special to a login shell, including csh and fish."""
    script = "\n".join([*(f"{name}={shlex.quote(value)}" for name, value in settings(target, asked).items()), body()])
    text = b64encode(f"MARK={mark}\n{script}".encode()).decode()
    return f"echo {text} | base64 -d | sh"


def settings(target: HostTarget, asked: Asked) -> dict[str, str]:
    """The variables of the script. Their names have no spaces: the profile has validated them."""
    preset = target.preset
    return {
        "SINCE": str(int(asked.since.timestamp())),
        "SINCE_ISO": asked.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "UNITS": " ".join(alternative for each in target.services for alternative in each.split("|")),
        "COMPONENTS": " ".join(asked.versions),
        "FLAGGED": " ".join(target.arguments),
        "MANIFESTS": " ".join(preset.manifests),
        "FOLDERS": " ".join(preset.folders),
        "JOURNALS": " ".join(preset.journals),
        "LOGS": " ".join(preset.files),
        "DOCKER": " ".join(preset.docker),
        "CRICTL": " ".join(preset.crictl),
        "CERTIFICATES": " ".join((*preset.certificates, *asked.certificates)),
        "KUBECONFIGS": " ".join(preset.kubeconfigs),
        "FATAL": fatal(asked.patterns),
    }


def fatal(patterns: Iterable[str]) -> str:
    """All patterns as one extended regular expression; the profile's are literal texts."""
    return "|".join([*FATAL, *(SPECIAL_LETTERS.sub(r"\\\g<0>", text) for text in patterns)])


@cache
def body() -> str:
    """gather_settings.sh and gather.sh, which calls what the first defines, without their comments."""
    files = (Path(__file__).with_name(f"{name}.sh") for name in ("gather_settings", "gather"))
    lines = [line for file in files for line in file.read_text(encoding="ascii").splitlines()]
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
