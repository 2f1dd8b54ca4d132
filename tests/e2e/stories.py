"""What upgrade stories are made of: faults that are repaired, an API server with other arguments, nodes that say other things."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.e2e.cluster import FAKE_NODES, RealCluster
from tests.e2e.faults import definition

#: Users ask the shop on a node port.
SHOP = {"name": "shop", "url": "http://10.199.0.11:30080/", "body": "web-", "tls-days": None}
#: Load balancers ask every real node: those that are not real answer nobody.
PROXY = {"name": "kube-proxy", "pool": "type=real"}
#: What fake nodes say of themselves.
FAKE = {"kubeletVersion": "v1.36.3", "kernelVersion": "6.18.0"}
#: Whom the API server's certificate is for.
NAMES = "IP:127.0.0.1,IP:10.199.0.1,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
#: Another certificate for it, that ends soon.
SHORT_LIVED = f"""
cd $(mktemp -d) && printf 'subjectAltName={NAMES}' > names
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $E/short.key -subj /CN=kube-apiserver -out csr
openssl x509 -req -in csr -CA $P/ca.crt -CAkey $P/ca.key -days 30 -extfile names -out $E/short.crt
"""
#: The kind of the system-upgrade-controller of k3s.
PLANS = definition("upgrade.cattle.io", "v1", "Plan")


def expected(**nodes: Any) -> dict[str, Any]:
    """What is true of the healthy world."""
    return {"version": "1.36", "nodes": {"min": 2 + FAKE_NODES, "pool-label": "type", "runtime": None, **nodes}}


@contextmanager
def fault(*made: Callable[[], object], repair: Callable[[], object]) -> Iterator[None]:
    """Faults that are repaired however the look at them ends."""
    try:
        for each in made:
            each()
        yield
    finally:
        repair()


def restart_api_server(cluster: RealCluster, *arguments: str) -> None:
    """The API server with some arguments more; the first time that one is given, it is not the one that counts."""
    cluster.halt("kube-apiserver", "KILL")
    cluster.shell(f"export APISERVER_EXTRA='{' '.join(arguments)}'; $HERE/up")


def describe(cluster: RealCluster, node: str, **info: str) -> None:
    """Let a fake node say something else of its kubelet, its kernel or its runtime."""
    patch = json.dumps({"status": {"nodeInfo": info}})
    cluster.kubectl("patch", "node", node, "--subresource=status", "--type=merge", f"--patch={patch}")


class Shop(BaseHTTPRequestHandler):
    """Logs everybody in, and shows their orders; unless it is broken."""

    broken = False

    def do_GET(self) -> None:
        """An order, or an error."""
        self.send_response(500 if Shop.broken and self.path == "/orders" else 200)
        self.end_headers()
        self.wfile.write(b'{"token": "t"}')

    def do_POST(self) -> None:
        """A login, or an alert."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
