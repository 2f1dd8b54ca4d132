"""A real sshd on loopback, several ports as several hosts: each sees its own files laid over those of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SSHD = "/usr/sbin/sshd"
#: Seconds in which an sshd on a busy machine listens.
PATIENCE = 20
#: Why there can be no such sshd here; empty where there can.
MISSING = (
    "needs an sshd: install openssh-server"
    if not Path(SSHD).exists()
    else "needs root, to give each host files of its own"
    if os.getuid()
    else ""
)
#: What a host's session begins with: its folders, laid over those of this machine, seen by this session alone.
ENTER = """\
#!/bin/sh
host={folder}/hosts/${{SSH_CONNECTION##* }}
exec unshare --mount sh -c '
  for tree in etc var boot run usr; do
    [ -d "$0/$tree" ] && mount -t overlay -o "lowerdir=$0/$tree:/$tree" none "/$tree"
  done
  [ -r "$0/before" ] && . "$0/before"
  exec sh -c "$SSH_ORIGINAL_COMMAND"' "$host"
"""


class Machine:
    """One host: a port, and a folder with its own files."""

    def __init__(self, folder: Path, port: int, address: str = "127.0.0.1") -> None:
        self.folder, self.port, self.address = folder, port, address

    @property
    def spec(self) -> str:
        """testinfra's host spec."""
        return f"ssh://root@{self.name}"

    @property
    def name(self) -> str:
        """What it is called in findings."""
        return f"{self.address}:{self.port}"

    def write(self, path: str, text: str | bytes = "", *, mode: int = 0o644) -> Path:
        """A file of this host."""
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    def command(self, name: str, script: str) -> None:
        """A command that cannot run here, as a script."""
        self.write(f"usr/local/sbin/{name}", f"#!/bin/sh\n{textwrap.dedent(script)}\n", mode=0o755)

    def reset(self) -> None:
        """Forget its files."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)


class Sshd:
    """The server, and what is needed to log in."""

    def __init__(self, folder: Path, hosts: int, address: str) -> None:
        self.folder, self.address, self.pid = folder, address, 0
        self.machines = [Machine(folder / "hosts" / str(port), port, address) for port in free_ports(hosts)]
        self.key, self.known_hosts = folder / "key", folder / "known_hosts"

    def write(self) -> None:
        """Keys, known hosts and configuration."""
        for machine in self.machines:
            machine.reset()
        for name in ("host_key", "key", "other_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        public = (self.folder / "host_key.pub").read_text().strip()
        self.known_hosts.write_text("".join(f"[{self.address}]:{each.port} {public}\n" for each in self.machines))
        (self.folder / "authorized").write_text((self.folder / "key.pub").read_text())
        enter = self.folder / "enter"
        enter.write_text(ENTER.format(folder=self.folder))
        enter.chmod(0o755)
        (self.folder / "sshd_config").write_text(self.configuration())

    def configuration(self) -> str:
        """sshd's own."""
        lines = [*(f"Port {each.port}" for each in self.machines), f"ListenAddress {self.address}", "UsePAM no"]
        lines += [f"HostKey {self.folder}/host_key", f"AuthorizedKeysFile {self.folder}/authorized", "StrictModes no"]
        lines += ["PermitRootLogin yes", "PasswordAuthentication no", "PidFile none", "MaxStartups 200"]
        # A home of its own: what a login shell reads there is this machine's, and may take long.
        lines += [f"ForceCommand {self.folder}/enter", f"SetEnv HOME={self.folder}"]
        return "\n".join(lines) + "\n"


def free_ports(number: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def sshd(folder: Path, hosts: int, *, address: str = "127.0.0.1", under: Iterable[str] = ()) -> Iterator[Sshd]:
    """It runs, under a command if need be, and listens on every port."""
    folder.mkdir(exist_ok=True)
    server = Sshd(folder, hosts, address)
    server.write()
    Path("/run/sshd").mkdir(exist_ok=True)
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([*under, SSHD, "-D", "-e", "-f", folder / "sshd_config"], stdout=log, stderr=log)
    try:
        wait_for(server, process)
        server.pid = process.pid
        yield server
    finally:
        process.terminate()
        process.wait()


def wait_for(server: Sshd, process: subprocess.Popen[bytes]) -> None:
    """Until it answers at every port."""
    deadline = time.monotonic() + PATIENCE
    for machine in server.machines:
        while not answers(machine):
            assert process.poll() is None, (server.folder / "log").read_text()
            assert time.monotonic() < deadline, f"sshd did not listen on {machine.port}"
            time.sleep(0.05)


def answers(machine: Machine) -> bool:
    """Something listens there."""
    with suppress(OSError), socket.create_connection((machine.address, machine.port), timeout=1):
        return True
    return False


@contextmanager
def process(folder: Path, name: str, *arguments: str) -> Iterator[int]:
    """A real process of that name and with these arguments, that does nothing."""
    program = folder / name
    shutil.copy("/bin/sh", program)
    waiting = subprocess.Popen([program, "-c", "read line", *arguments], stdin=subprocess.PIPE)
    try:
        yield waiting.pid
    finally:
        os.kill(waiting.pid, signal.SIGKILL)
        waiting.communicate()
