"""Runs one command on one host, through testinfra's backends: limited in time, without prompts."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from testinfra.backend import get_backend
from testinfra.backend.base import BaseBackend, CommandResult

from upgate.base.errors import Inconclusive
from upgate.sources.hosts.reading import read_output

if TYPE_CHECKING:
    from upgate.profile.hosts import Hosts

#: Strict: unknown host keys are rejected, also additional keys that a host announces, and also on localhost. ssh does not
#: prompt, forward or delegate anything, run local commands, or share and keep connections.
#: No option is weaker than what a user's own ssh_config may set. https://man.openbsd.org/ssh_config
STRICT = (
    *("-a", "-x", "-k"),
    *("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no"),
    *("-o", "NoHostAuthenticationForLocalhost=no"),
    *("-o", "ClearAllForwardings=yes", "-o", "Tunnel=no"),
    *("-o", "PermitLocalCommand=no", "-o", "ControlMaster=no", "-o", "ControlPath=none"),
)
OPTIONS = (
    *STRICT,
    *("-T", "-o", "RemoteCommand=none", "-o", "LogLevel=ERROR"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
)
#: The zone of an IPv6 address, as it is written and as a host spec needs it, which is URL-decoded once more.
#: https://www.rfc-editor.org/rfc/rfc6874
ZONE = re.compile(r"%(?:25)?(\w+\])", re.ASCII)
#: Seconds that connecting may take, at most.
CONNECT = 10
#: Messages of ssh and sudo, and what they mean.
MEANINGS = (
    (
        re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed"),
        "its host key has changed: see known_hosts",
    ),
    (
        re.compile(r"Host key verification failed|No .* host key is known"),
        "its host key is not in known_hosts: add it, once checked",
    ),
    (re.compile(r"Permission denied"), "it refuses the login: {said}"),
    (re.compile(r"Could not resolve hostname"), "its name does not resolve"),
    (re.compile(r"Connection refused"), "connection refused"),
    (re.compile(r"timed out|Operation timed out|Timeout, server"), "it does not answer in time"),
    (re.compile(r"No route to host|Network is unreachable"), "no route to it"),
    (re.compile(r"Connection (closed|reset)"), "it closes the connection: {said}"),
    (
        re.compile(r"ssh: (command )?not found|ssh: No such file"),
        "ssh is not installed here: install the OpenSSH client",
    ),
    (
        re.compile(r"sudo:|sudoers"),
        "sudo is denied: {said}; allow it without a password (NOPASSWD), or set sudo: false",
    ),
)


class HostProcesses:
    """The processes of one look, each the leader of its own session."""

    def __init__(self) -> None:
        self._processes: set[subprocess.Popen[bytes]] = set()

    @contextmanager
    def process(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a shell command without a terminal, so that it cannot prompt; afterwards all its processes are ended."""
        process = subprocess.Popen(  # noqa: S602 - testinfra's backends make a command for a shell, quoted by them
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=os.environ | {"SSH_ASKPASS_REQUIRE": "never"},
        )
        self._processes.add(process)
        with process:
            try:
                yield process
            finally:
                kill_process_group(process)
                self._processes.discard(process)

    def stop(self) -> None:
        """Kill all processes."""
        for process in list(self._processes):
            kill_process_group(process)


def kill_process_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all that it has started, unless it has ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run_on_host(hosts: Hosts, spec: str, command: str, seconds: float, running: HostProcesses) -> str:
    """The output of a command on a host. Raises Inconclusive with the reason, which may quote the host."""
    try:
        backend = get_backend(ZONE.sub(r"%25\1", spec), **backend_options(hosts, seconds))
        backend.run_local = partial(run_local, backend, seconds, running)
        return backend.run(command).stdout_bytes.decode(errors="replace")
    except RuntimeError as problem:  # what testinfra makes of ssh's exit code 255
        said = problem.args[0].stderr_bytes if isinstance(problem.args[0], CommandResult) else str(problem).encode()
        raise Inconclusive(meaning(said.decode(errors="replace"))) from None


def backend_options(hosts: Hosts, seconds: float) -> dict[str, object]:
    """The options of testinfra's backend; those in the host spec override them."""
    return {
        "ssh_config": hosts.ssh_config,
        "ssh_identity_file": hosts.key,
        "ssh_extra_args": shlex.join(ssh_arguments(hosts)),
        "timeout": max(1, min(CONNECT, int(seconds))),
        "controlpersist": 0,
        **({"sudo": True} if hosts.sudo else {}),
    }


def ssh_arguments(hosts: Hosts) -> list[str]:
    """ssh's options. A jump host needs its own ProxyCommand: with -J its host key would not be checked."""
    known = ["-o", f"UserKnownHostsFile={hosts.known_hosts}"] if hosts.known_hosts else []
    return [*OPTIONS, *known, *(["-o", f"ProxyCommand={through(hosts, known)}"] if hosts.jump else [])]


def through(hosts: Hosts, known: list[str]) -> str:
    """The command that connects through the jump host; ssh fills in %h and %p."""
    files = [*(["-F", hosts.ssh_config] if hosts.ssh_config else []), *(["-i", hosts.key] if hosts.key else [])]
    command = shlex.join(["ssh", *STRICT, *known, *files]).replace("%", "%%")
    return f"{command} -W [%h]:%p ssh://{hosts.jump}"


def run_local(backend: BaseBackend, seconds: float, running: HostProcesses, command: str, *args: str) -> CommandResult:
    """Replaces testinfra's own method, which has no limits of time and size. Raises Inconclusive."""
    text = backend.quote(command, *args)
    with running.process(text) as process:
        out, errors = read_output(process, seconds)
    if process.returncode and not out:
        raise Inconclusive(meaning(errors.decode(errors="replace")))
    # Not backend.result(), which logs all of it: command lines may hold secrets.
    return CommandResult(backend, process.returncode, text.encode(), out, errors)


def meaning(said: str) -> str:
    """What went wrong, in a line that is the same for all hosts with the same problem."""
    line = last_line(said)
    for pattern, words in MEANINGS:
        if pattern.search(said):
            return words.format(said=line)
    return f"the command failed: {line}" if line else "the command failed without a message"


def last_line(said: str) -> str:
    """The last line, shortened."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:160].rstrip(".") if lines else ""
