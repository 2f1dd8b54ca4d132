"""A real Kubernetes cluster on this machine, driven by the scripts that built it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar("T")
CHECKOUT = Path(__file__).parents[2]
SCRIPTS = Path(os.environ.get("REALCLUSTER", CHECKOUT.parent / "shared/realcluster")).resolve()
WORLDS = Path(__file__).parent / "worlds"
FAKE_NODES = 6
#: Dead nodes are noticed after this time. Kubelets renew their leases every 10 s and the controller manager looks every
#: 5 s, so that less than 15 s would take living nodes for dead.
NODE_GRACE = "16s"
#: Fake nodes must renew their leases well within that time.
LEASE_PERIOD = "4s"


def until(what: str | Callable[[], str], condition: Callable[[], T], within: float = 60, every: float = 0.25) -> T:
    """Wait for the condition and return what it says. Raises AssertionError that names what was waited for."""
    deadline = time.monotonic() + within
    while not (said := condition()):
        late = time.monotonic() >= deadline
        assert not late, f"waited {within:g} s in vain: {what() if callable(what) else what}"
        time.sleep(every)
    return said


class RealCluster:
    """The cluster: its scripts, its administrator's kubectl, its processes."""

    def __init__(self) -> None:
        home = os.environ.get("REALCLUSTER_HOME") or Path(
            os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "realcluster"
        )
        self.home = Path(home)
        self.kubeconfig = self.home / "admin.kubeconfig"

    def identity(self, name: str) -> Path:
        """The kubeconfig of one of the identities that the scripts make."""
        return self.home / f"{name}.kubeconfig"

    def script(self, name: str, *arguments: str, within: float = 240) -> str:
        """Run one of the cluster's scripts."""
        return self.shell(f"exec {SCRIPTS / name} {' '.join(arguments)}", within)

    def shell(self, text: str, within: float = 120) -> str:
        """Run some bash with the scripts' own functions and directories."""
        environ = os.environ | {"NODE_GRACE": NODE_GRACE}
        return run(["bash", "-c", f". {SCRIPTS}/lib.sh; {text}"], within, env=environ)

    def start(self) -> None:
        """Build it where that was not done, and start it from nothing."""
        self.script("build", within=1800)
        self.script("down", "--wipe")
        self.resume()

    def resume(self) -> None:
        """Start whatever of it does not run.

        A start-up hook of the API server that failed, because its store was away, fails for good: it is started again.
        """
        self.script("up")
        if not self._becomes_ready():
            self.halt("kube-apiserver", "KILL")
            self.script("up")
        self.nodes_up()
        until("the controller manager and the scheduler hold their leases", self._led, every=1)

    def _led(self) -> bool:
        """Both have renewed their leases just now. Who lost the API server for ten seconds gives up: it is started again."""
        leases = {
            each["metadata"]["name"]: each["spec"].get("renewTime", "") for each in self.get("leases", "kube-system")
        }
        before = datetime.now(UTC) - timedelta(seconds=8)
        held = [leases.get(name) for name in ("kube-controller-manager", "kube-scheduler")]
        led = all(each and datetime.fromisoformat(each) > before for each in held)
        if not led:
            self.script("up")
        return led

    def _becomes_ready(self) -> bool:
        """The API server is ready within 20 s."""
        try:
            until("the API server is ready", lambda: self.answers, within=20)
        except AssertionError:
            return False
        return True

    def nodes_up(self) -> None:
        """Start whatever does not run of the nodes."""
        self.script("node-up", "1", "2")
        self.shell(
            f"start fakenodes $B/fakenodes run --kubeconfig $K/admin.kubeconfig --nodes {FAKE_NODES} "
            f"--lease-period {LEASE_PERIOD}"
        )

    def stop(self) -> None:
        """Stop all of it, and forget its data."""
        self.script("down", "--wipe")

    @property
    def answers(self) -> bool:
        """It runs already."""
        return self.kubeconfig.exists() and self.ask("get", "--raw=/readyz").returncode == 0

    def halt(self, name: str, signal: str = "TERM") -> None:
        """End one of its processes. An API server takes half a minute to end by itself."""
        self.shell(f"stop {name} {signal}")

    def signal(self, name: str, signal: str) -> None:
        """Send one of its processes a signal: STOP, CONT."""
        self.shell(f"kill -{signal} $(head -1 $R/{name}.pid)")

    def kubectl(self, *arguments: str, text: str = "") -> str:
        """What the administrator's kubectl says. Raises AssertionError when it fails."""
        done = self.ask(*arguments, text=text)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def ask(self, *arguments: str, text: str = "", kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl, which may fail."""
        command = [self.home / "bin/kubectl", f"--kubeconfig={kubeconfig or self.kubeconfig}", *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)

    def apply(self, *what: Path | dict[str, Any] | str) -> None:
        """Apply files, texts and objects."""
        for path in (each for each in what if isinstance(each, Path)):
            self.kubectl("apply", f"--filename={path}")
        documents = [
            each if isinstance(each, str) else yaml.safe_dump(each) for each in what if not isinstance(each, Path)
        ]
        if documents:
            self.kubectl("apply", "--filename=-", text="\n---\n".join(documents))

    def get(self, kinds: str, namespace: str = "") -> list[dict[str, Any]]:
        """The objects of some kinds, in one namespace or in all."""
        where = [f"--namespace={namespace}"] if namespace else ["--all-namespaces"]
        return json.loads(self.kubectl("get", kinds, *where, "--output=json"))["items"]

    def token(self, account: str, namespace: str) -> str:
        """A token of a service account."""
        return self.kubectl("create", "token", account, f"--namespace={namespace}").strip()

    def node_is(self, name: str, status: str) -> bool:
        """The node's Ready condition has that status."""
        return (
            self.kubectl("get", "node", name, "--output=jsonpath={.status.conditions[?(@.type=='Ready')].status}")
            == status
        )

    def wait_complete(self, *namespaces: str) -> None:
        """Wait until every workload there has all its replicas."""
        for namespace in namespaces:
            for kind in ("deployment", "statefulset", "daemonset"):
                for name in self.kubectl("get", kind, f"--namespace={namespace}", "--output=name").split():
                    self.kubectl("rollout", "status", name, f"--namespace={namespace}", "--timeout=120s")

    def remove(self, namespaces: Iterable[str]) -> None:
        """Delete namespaces, whatever finalizers are in them."""
        names = set(namespaces) & {each["metadata"]["name"] for each in self.get("namespaces")}
        if not names:
            return
        self.kubectl("delete", "namespace", *names, "--wait=false", "--ignore-not-found")
        until(f"namespaces {', '.join(sorted(names))} are gone", lambda: self._gone(names), within=120)

    def _gone(self, names: set[str]) -> bool:
        for each in self.get("pods,configmaps"):
            if each["metadata"]["namespace"] in names and each["metadata"].get("finalizers"):
                self._release(each)
        return not names & {each["metadata"]["name"] for each in self.get("namespaces")}

    def _release(self, held: dict[str, Any]) -> None:
        meta = held["metadata"]
        patch = '--patch={"metadata": {"finalizers": null}}'
        self.ask("patch", held["kind"], meta["name"], f"--namespace={meta['namespace']}", "--type=merge", patch)


def run(command: list[str], within: float, env: dict[str, str]) -> str:
    """What a command says. Raises AssertionError when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False, env=env)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def autoscalers_seen(cluster: RealCluster, namespace: str) -> bool:
    """The controller has written the conditions of each autoscaler there: it looks every 15 s."""
    return all(each.get("status", {}).get("conditions") for each in cluster.get("horizontalpodautoscalers", namespace))
