"""What is in deploy/prometheus, with the real Prometheus, Pushgateway and Alertmanager on loopback."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import yaml

from tests import running
from tests.servers import free_port, serving

SHIPPED = Path(__file__).parents[1] / "deploy" / "prometheus"
PROGRAMS = ("prometheus", "promtool", "prometheus-pushgateway", "prometheus-alertmanager", "amtool")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
LIMIT = 60

pytestmark = pytest.mark.skipif(
    bool(MISSING),
    reason=f"not here: {MISSING}; apt-get install prometheus prometheus-pushgateway prometheus-alertmanager",
)


@pytest.mark.parametrize(
    "command",
    [
        ["promtool", "check", "rules", "rules.yaml"],
        ["promtool", "test", "rules", "rules_test.yaml"],
        ["promtool", "check", "config", "prometheus.yaml"],
        ["amtool", "check-config", "alertmanager.yaml"],
    ],
    ids=" ".join,
)
def test_what_is_shipped_is_what_prometheus_understands(command):
    """Prometheus' own tools find nothing wrong with the shipped files, and the rules' own tests pass."""
    done = subprocess.run(command, cwd=SHIPPED, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_been_seen_firing():
    """rules_test.yaml makes each alert of rules.yaml fire."""
    rules = [rule for group in read("rules.yaml")["groups"] for rule in group["rules"]]
    expected = [each for test in read("rules_test.yaml")["tests"] for each in test.get("alert_rule_test", [])]
    fired = {each["alertname"] for each in expected if each["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules if "alert" in rule}


def read(name: str) -> Any:
    return yaml.safe_load((SHIPPED / name).read_text())


class Chain(NamedTuple):
    """Everything between a push and a message."""

    gateway: str
    prometheus: str
    messages: list[dict[str, Any]]

    def asked(self, query: str) -> dict[str, float]:
        """What Prometheus answers: the labels' values → value."""
        result = get(f"{self.prometheus}/api/v1/query?query={quote(query)}")["data"]["result"]
        return {"/".join(v for k, v in it["metric"].items() if k != "__name__"): float(it["value"][1]) for it in result}

    def alerts(self, status: str) -> dict[str, dict[str, Any]]:
        """The alerts of all messages with this status."""
        told = [alert for message in list(self.messages) for alert in message["alerts"]]
        return {it["labels"]["alertname"]: it for it in told if it["status"] == status}


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        body = answer.read()
    return json.loads(body) if body.startswith(b"{") else body


def until(what: str, true: Callable[[], Any]) -> Any:
    """Wait until something is true."""
    end = time.monotonic() + LIMIT
    while True:
        with suppress(OSError):
            if said := true():
                return said
        assert time.monotonic() < end, f"waited {LIMIT} s in vain: {what}"
        time.sleep(0.1)


@contextmanager
def process(folder: Path, ready: str, *command: str) -> Iterator[str]:
    """A server of our own, up to the end of the test; its address."""
    with (folder / f"{command[0]}.log").open("w") as log:
        started = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        until(f"{command[0]} is ready", lambda: get(f"{ready}/-/ready"))
        yield ready
    finally:
        started.terminate()
        started.wait(LIMIT)


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Whoever is on call: an address, and what came in."""
    messages: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", messages
        server.shutdown()


def alertmanager(folder: Path, port: int, webhook: str) -> tuple[str, ...]:
    """The shipped configuration with our receiver, and without patience."""
    config = read("alertmanager.yaml")
    config["receivers"][0]["webhook_configs"][0]["url"] = webhook
    config["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump(config))
    listen = (f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--storage.path=alertmanager")
    return ("prometheus-alertmanager", "--config.file=alertmanager.yaml", *listen)


def prometheus(folder: Path, port: int, gateway: int, alertmanager: int) -> tuple[str, ...]:
    """The shipped configuration and rules with our addresses, and without patience."""
    config = read("prometheus.yaml")
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{gateway}"]
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    rules = read("rules.yaml")
    for rule in (rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule):
        rule["for"] = "0s"
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    listen = (f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=prometheus")
    return ("prometheus", "--config.file=prometheus.yaml", *listen)


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Iterator[Chain]:
    """Pushgateway, Prometheus, Alertmanager and a receiver, each the real one."""
    folder = tmp_path_factory.mktemp("chain")
    gateway, alerts, port = free_port(), free_port(), free_port()
    with ExitStack() as stack:

        def start(port: int, *command: str) -> str:
            return stack.enter_context(process(folder, f"http://127.0.0.1:{port}", *command))

        webhook, messages = stack.enter_context(receiver())
        pushed = start(gateway, "prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{gateway}")
        start(alerts, *alertmanager(folder, alerts, webhook))
        yield Chain(pushed, start(port, *prometheus(folder, port, gateway, alerts)), messages)


@pytest.fixture
def look(chain, tmp_path):
    """One round of the battery on the embedded cluster, with what it asks from outside; then its metrics are pushed."""

    def one_round(state: str, *urls: str) -> running.Run:
        external = "".join(f"  - {{name: web-{number}, url: '{url}'}}\n" for number, url in enumerate(urls))
        text = f"external:\n{external}monitor: {{pushgateway: '{chain.gateway}'}}\n"
        path = running.profile(tmp_path, text, name="chained", embedded=state)
        return running.run(path, "--monitor", "-q").whole()

    return one_round


def test_what_is_wrong_arrives_and_so_does_its_end(chain, look):
    """A broken cluster and a dead URL become one message that names the checks; once all is well again, that arrives too,
    and nothing of the removed URL is left in the Pushgateway or told by Prometheus."""
    with serving() as server:
        assert look("broken", server.url("/ok"), server.url("/status/503")).code == 1
        firing = until(
            "both alerts arrive", lambda: len(chain.alerts("firing").keys() & ALERTS) == 2 and chain.alerts("firing")
        )
        assert " nodes.ready " in firing["UpgateNotClear"]["annotations"]["description"]
        assert firing["UpgateTargetOut"]["labels"]["target"] == "external.web-1"
        assert {it["groupLabels"]["profile"] for it in chain.messages} == {"chained"}

        assert look("healthy", server.url("/ok")).code == 0
        until("both are over", lambda: len(chain.alerts("resolved").keys() & ALERTS) == 2)
    up = until("the removed target is gone", lambda: len(found := up_of(chain)) == 1 and found)
    assert list(up.values()) == [1.0]
    assert b"web-1" not in get(f"{chain.gateway}/metrics")
    assert set(chain.asked("max(profile_check:upgate_check_state:max)").values()) <= {0.0, 1.0}


ALERTS = {"UpgateNotClear", "UpgateTargetOut"}


def up_of(chain: Chain) -> dict[str, float]:
    """What Prometheus knows of targets from outside."""
    return chain.asked("upgate_target_availability_ratio")


def test_the_dashboard_asks_for_what_there_is(chain, look):
    """Every query of the dashboard gets an answer from Prometheus after a round, about that profile; panels do not overlap."""
    with serving() as server:
        look("broken", server.url("/ok"))
        dashboard = json.loads((SHIPPED.parent / "grafana" / "dashboard.json").read_text())
        queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        for query in (each.replace("$profile", "chained").replace("$__range", "1h") for each in queries):
            until(f"{query} has an answer", lambda query=query: chain.asked(query))
    assert len(queries) == len(dashboard["panels"])
    cells = [cell for panel in dashboard["panels"] for cell in cells_of(panel["gridPos"])]
    assert len(cells) == len(set(cells))


def cells_of(place: dict[str, int]) -> Iterator[tuple[int, int]]:
    """The cells of the grid that a panel covers."""
    for x in range(place["x"], place["x"] + place["w"]):
        yield from ((x, y) for y in range(place["y"], place["y"] + place["h"]))
