"""Where to look first, in the very cluster that was judged: whoever copies a command may be logged in elsewhere."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate.results import CheckResult

if TYPE_CHECKING:
    from upgate.profile.parts import Cluster

KUBECTL = "kubectl "


def aimed(checks: Iterable[CheckResult], cluster: Cluster) -> tuple[CheckResult, ...]:
    """The checks, with the profile's kubeconfig and context in each `kubectl` of their hints."""
    command = KUBECTL + options(cluster)
    return tuple(checks) if command == KUBECTL else tuple(with_command(check, command) for check in checks)


def options(cluster: Cluster) -> str:
    """The options of kubectl that lead to this cluster; empty where the profile leaves that to the environment."""
    given = {"--kubeconfig": cluster.kubeconfig, "--context": cluster.context}
    return "".join(f"{name}={shlex.quote(str(value))} " for name, value in given.items() if value)


def with_command(check: CheckResult, command: str) -> CheckResult:
    """The check with this command in place of `kubectl`."""
    findings = tuple(replace(each, hint=each.hint.replace(KUBECTL, command)) for each in check.findings)
    return replace(check, findings=findings) if findings else check
