"""Where to look first, in the very cluster that was judged: whoever copies a command may be logged in elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate.base.harmless import shell_word
from upgate.results import CheckResult

if TYPE_CHECKING:
    from upgate.profile.parts import Cluster

KUBECTL = "kubectl "
#: `kubectl` as a command, or a quoted part, in which it is only a part of a name.
COMMAND = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|(?<![\w.-])kubectl ", re.DOTALL)


def aimed(checks: Iterable[CheckResult], cluster: Cluster) -> tuple[CheckResult, ...]:
    """The checks, with the profile's kubeconfig and context in each `kubectl` of their hints."""
    command = KUBECTL + kubectl_options(cluster)
    return tuple(checks) if command == KUBECTL else tuple(with_command(check, command) for check in checks)


def kubectl_options(cluster: Cluster) -> str:
    """The options of kubectl that lead to this cluster; empty where the profile leaves that to the environment."""
    given = {"--kubeconfig": cluster.kubeconfig, "--context": cluster.context}
    return "".join(f"{name}={shell_word(str(value))} " for name, value in given.items() if value)


def with_command(check: CheckResult, command: str) -> CheckResult:
    """The check with this command in place of `kubectl`."""
    findings = tuple(replace(each, hint=with_options(each.hint, command)) for each in check.findings)
    return replace(check, findings=findings) if findings else check


def with_options(hint: str, command: str) -> str:
    """The hint with this command in place of each `kubectl`."""
    return COMMAND.sub(lambda match: command if match[0] == KUBECTL else match[0], hint)
