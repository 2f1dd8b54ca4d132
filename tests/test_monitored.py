"""Asking a Prometheus: the real one, stand-ins for what speaks its API, and servers that mean us harm."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests import running
from tests.hostile.http import bombs, redirecting
from tests.servers import Authority, accepting, free_port, hang, tls_with
from tests.test_prometheus import get, process, until
from upgate.facts.monitored import MonitorAnswers
from upgate.profile.prometheus import Prometheus
from upgate.sources.prometheus import look_at_prometheus

BOTH = ("alerts", "query")
RULES, QUERY = "/api/v1/rules", "/api/v1/query"
BOMBS = bombs()
#: A process of its own, whose memory is that of one look.
ALONE = """
import json, sys, time
from upgate.profile.prometheus import Prometheus
from upgate.sources.prometheus import look_at_prometheus
begun, cpu = time.monotonic(), time.process_time()
told = look_at_prometheus(Prometheus(url=sys.argv[1], timeout="3s"), ("alerts",))
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
spent = {"seconds": time.monotonic() - begun, "cpu": time.process_time() - cpu}
print(json.dumps({**spent, "memory": int(peak) * 1024, "problem": told.problem}))
"""


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def success(data: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": data, **more}


def rules(*groups: dict[str, Any]) -> dict[str, Any]:
    return success({"groups": [{"name": "g", "file": "f", "rules": list(groups)}]})


def rule(name: str = "Broken", *states: str, **more: Any) -> dict[str, Any]:
    since = "2026-11-21T01:02:03.123456789Z"
    alerts = [
        {"state": each, "labels": {"alertname": name, "n": str(n)}, "activeAt": since} for n, each in enumerate(states)
    ]
    return {"name": name, "type": "alerting", "health": "ok", "alerts": alerts, **more}


def vector(*samples: tuple[dict[str, str], str], **more: Any) -> dict[str, Any]:
    series = [{"metric": labels, "value": [1.5, value]} for labels, value in samples]
    return success({"resultType": "vector", "result": series}, **more)


class StandIn:
    """What speaks Prometheus' API, and what it was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked, self.headers = answers, [], {}
        self.url = ""


@contextmanager
def stand_in(answers: dict[str, Any], tls: ssl.SSLContext | None = None) -> Iterator[StandIn]:
    """Answers by path, a query by path and text; status and text for others."""
    server_side = StandIn(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self.reply(parts.path, parse_qs(parts.query).get("query", [""])[0])

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.reply(self.path, parse_qs(form)["query"][0])

        def reply(self, path: str, query: str) -> None:
            server_side.asked.append((self.command, path, query))
            server_side.headers = dict(self.headers.items())
            answer = answers.get(f"{path} {query}".strip(), (404, "404 page not found"))
            status, said = answer if isinstance(answer, tuple) else (200, json.dumps(answer))
            self.send_response(status)
            self.send_header("Content-Length", str(len(said.encode())))
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        server_side.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server_side
        server.shutdown()


def asked(url: str, *queries: str, secrets: tuple[str, ...] = (), **keys: Any) -> MonitorAnswers:
    """What a look at this address gives."""
    wanted = tuple({"name": f"q{n}", "query": each, "that": "< 1"} for n, each in enumerate(queries))
    section = Prometheus.model_validate({"url": url, "timeout": "3s", "queries": wanted, **keys})
    return look_at_prometheus(section, BOTH, secrets)


def test_rules_tell_what_fires():
    """Firing alerts are read with labels and time; pending and inactive ones, and recording rules, are none."""
    recording = {"name": "r", "type": "recording", "health": "ok"}
    with stand_in({RULES: rules(rule("A", "firing", "pending"), rule("B"), recording)}) as server:
        told = asked(server.url)
    assert (told.rules, [each.name for each in told.alerts], told.problem) == (2, ["A"], "")
    assert told.alerts[0].since is not None
    assert told.alerts[0].since.minute == 2


def test_a_path_a_token_and_headers_are_sent():
    """Mimir has a path and a tenant, managed ones a token; nothing of the token is told."""
    with stand_in({f"/prometheus{RULES}": rules(rule())}) as server:
        told = asked(f"{server.url}/prometheus/", bearer="hunter22", headers={"X-Scope-OrgID": "shop"})
    assert (told.problem, told.rules) == ("", 1)
    assert (server.headers["Authorization"], server.headers["X-Scope-OrgID"]) == ("Bearer hunter22", "shop")
    assert "hunter22" not in str(told)


def test_a_server_without_rules_is_asked_for_its_series():
    """Google's and Azure's managed ones have no rules API: the ALERTS series tell, with the times of ALERTS_FOR_STATE."""
    fires = {"__name__": "ALERTS", "alertname": "A", "alertstate": "firing", "x": "1"}
    waits = {"__name__": "ALERTS", "alertname": "B", "alertstate": "pending"}
    began = {"__name__": "ALERTS_FOR_STATE", "alertname": "A", "x": "1"}
    answers = {f"{QUERY} ALERTS": vector((fires, "1"), (waits, "1"))}
    answers[f"{QUERY} ALERTS_FOR_STATE"] = vector((began, "1763686923"))
    with stand_in(answers) as server:
        told = asked(server.url)
    assert (told.rules, [each.name for each in told.alerts]) == (2, ["A"])
    assert told.alerts[0].since is not None


@pytest.mark.parametrize("groups", [{}, {RULES: success({"groups": []})}, {RULES: success({"groups": None})}])
def test_no_rules_and_no_series_are_a_gap(groups):
    """Where nothing shows that alerts are evaluated, that none fires says nothing."""
    with stand_in({**groups, f"{QUERY} ALERTS": vector()}) as server:
        assert "nothing shows that alerts are evaluated" in asked(server.url).problem


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, "no"), "not permitted (status 401)"),
        ((403, "no"), "not permitted (status 403)"),
        ((302, ""), "it redirects to nothing"),
        ((503, "Service Unavailable"), "status 503, Service Unavailable"),
        ((200, "<html>Login</html>"), "not one of Prometheus' API"),
        ((200, "{}"), "not one of Prometheus' API"),
        ((200, '{"status":"success"}'), "not one of Prometheus' API"),
        ((422, '{"status":"error","errorType":"execution","error":"too many"}'), "execution: too many"),
        ((200, '{"status":"success","data":{"groups":[{"rules":[{"name":3}]}]}}'), "not one of Prometheus' API"),
    ],
)
def test_what_is_no_answer_is_a_gap_with_its_reason(answer, words):
    """Refusals, logins, errors and other servers are said, and never taken for "no alert fires"."""
    with stand_in({RULES: answer, f"{QUERY} up": answer}) as server:
        told = asked(server.url, "up")
    assert words in told.problem
    assert words in told.answers[0].problem
    assert server.url in told.problem


def test_warnings_and_parts_are_gaps():
    """Thanos answers with what it could reach, and warns; newer servers may give a part of the rules."""
    data = success({"groups": [{"rules": [rule()]}], "groupNextToken": "x"}, warnings=["store a: unavailable"])
    with stand_in({RULES: data, f"{QUERY} up": vector(({}, "1"), warnings=["store b"])}) as server:
        told = asked(server.url, "up")
    assert ["store a" in told.gaps[0], "only a part" in told.gaps[1]] == [True, True]
    assert "store b" in told.answers[0].gaps[0]


def test_a_rule_that_fails_is_kept_with_its_error():
    """Its health is err; one that was not evaluated yet is unknown."""
    failing = rule("Odd", health="err", lastError="many-to-many\nmatching")
    with stand_in({RULES: rules(failing, rule("New", health="unknown"), rule())}) as server:
        told = asked(server.url)
    assert [(each.name, each.problem) for each in told.broken] == [
        ("Odd", "many-to-many matching"),
        ("New", "it was not evaluated yet"),
    ]


def test_queries_give_vectors_and_scalars():
    """One number each; a matrix and a text are none, and a native histogram has no single value."""
    scalar = success({"resultType": "scalar", "result": [1, "42"]})
    matrix = success({"resultType": "matrix", "result": []})
    histogram = success({"resultType": "vector", "result": [{"metric": {"a": "b"}, "histogram": [1, {"count": "3"}]}]})
    paths = {f"{QUERY} {name}": value for name, value in {"s": scalar, "m": matrix, "h": histogram}.items()}
    with stand_in(paths) as server:
        by_query = {each.query: each for each in asked(server.url, "s", "m", "h").answers}
    assert by_query["s"].samples[0].value == "42"
    assert "gives a matrix" in by_query["m"].problem
    assert by_query["h"].samples[0].value == ""


def test_a_long_query_is_a_form():
    """Servers and proxies limit URLs."""
    long = "+".join(["up"] * 1500)
    with stand_in({f"{QUERY} {long}": vector(({}, "1")), RULES: rules(rule())}) as server:
        assert asked(server.url, long).answers[0].problem == ""
    assert ("POST", QUERY, long) in server.asked


def test_labels_leave_without_secrets():
    """What a label or an annotation says is hostile text: secrets in it are hidden, and it is short."""
    labels = {"alertname": "A", "db_password": "hunter2222", "note": "token=abcdefgh12345", "long": "x" * 10_000}
    noisy = {
        **rule("A"),
        "alerts": [{"state": "firing", "labels": labels, "annotations": {"summary": "password: hunter33"}}],
    }
    with stand_in({RULES: rules(noisy)}) as server:
        [seen] = asked(server.url).alerts
    assert "hunter" not in str(seen)
    assert "abcdefgh" not in str(seen)
    assert len(seen.labels["long"]) <= 500


def test_what_the_profile_hides_is_in_no_reason():
    """A server that repeats our token in its error does not make us tell it."""
    with stand_in({RULES: (500, "bad token s3cr3t-token, s3cr3t%2Dtoken")}) as server:
        problem = asked(server.url, bearer="s3cr3t-token", secrets=("s3cr3t-token",)).problem
    assert "s3cr3t" not in problem.replace("s3cr3t%2D", "")
    assert "status 500" in problem


def test_its_certificate_is_checked(tmp_path):
    """An authority of the profile is trusted, an unknown one is not, and a CA file that is missing is said."""
    authority = Authority(tmp_path)
    with stand_in({RULES: rules(rule())}, tls_with(authority.issue("127.0.0.1"))) as server:
        assert asked(server.url, ca=str(authority.file)).problem == ""
        assert "unable to get local issuer certificate" in asked(server.url).problem
        assert "cannot be read" in asked(server.url, ca=str(tmp_path / "none.pem")).problem


def test_a_redirect_is_not_followed():
    """Credentials go to the address of the profile, and nowhere else."""
    with stand_in({RULES: rules(rule())}) as other, accepting(redirecting(other.url)) as port:
        told = asked(f"http://127.0.0.1:{port}", bearer="hunter22")
    assert "redirects to" in told.problem
    assert not other.asked


def test_what_cannot_be_reached_is_a_gap():
    """Refused, silent and without a name: each says so within its time."""
    begun = time.monotonic()
    assert "refused" in asked(f"http://127.0.0.1:{free_port()}").problem
    assert "cannot ask" in asked("http://prometheus.invalid").problem
    with accepting(hang) as port:
        assert "no answer in time" in asked(f"http://127.0.0.1:{port}").problem
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("name", BOMBS)
def test_no_answer_costs_memory_or_time(name):
    """Bombs, floods and drips end soon, below 400 MB, as a gap of a few hundred characters."""
    with accepting(BOMBS[name]) as port:
        command = [sys.executable, "-c", ALONE, f"http://127.0.0.1:{port}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=running.REPOSITORY)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    print(name, seen)
    assert seen["memory"] < 400 << 20
    assert seen["seconds"] < 8
    assert 0 < len(seen["problem"]) < 1000


# --- the real one

CONFIG = {
    "global": {"scrape_interval": "200ms", "evaluation_interval": "200ms", "external_labels": {"cluster": "prod"}},
    "rule_files": ["rules.yaml"],
    "scrape_configs": [],
}
REAL_RULES = [
    {"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}},
    {
        "alert": "KubePodCrashLooping",
        "expr": 'label_replace(label_replace(vector(1), "pod", "web-1", "", ""), "namespace", "shop", "", "")',
        "labels": {"severity": "warning"},
        "annotations": {"summary": "Pod is crash looping."},
    },
    {"alert": "Waiting", "expr": "vector(1)", "for": "1h"},
    {"alert": "Quiet", "expr": "vector(1) > 2"},
]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory) -> Iterator[str]:
    """The real Prometheus with rules of ours, below a path."""
    if shutil.which("prometheus") is None:
        pytest.skip("not here: prometheus; apt-get install prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "ours", "rules": REAL_RULES}]}))
    base = f"http://127.0.0.1:{port}/metrics/path"
    listen = (f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.path=data", f"--web.external-url={base}")
    with process(folder, base, "prometheus", "--config.file=prometheus.yaml", *listen) as url:
        until("an alert fires", lambda: len(get(f"{url}/api/v1/alerts")["data"]["alerts"]) == 3)
        until("its series are there", lambda: get(f"{url}/api/v1/query?query=ALERTS")["data"]["result"])
        yield url


def test_the_real_one_tells_its_alerts(prometheus):
    """Those that fire, and no pending one; the same by its series alone."""
    told = asked(prometheus, "vector(3)", "absent_metric", "scalar(vector(4))", "up{", "1 / vector(0) * 0")
    assert (told.rules, told.problem, told.gaps, told.broken) == (4, "", [], [])
    assert {each.name: each.about for each in told.alerts} == {
        "Watchdog": "Alert/Watchdog",
        "KubePodCrashLooping": "Pod/shop/web-1",
    }
    values = {each.query: [sample.value for sample in each.samples] for each in told.answers}
    assert values["vector(3)"] == ["3"]
    assert values["scalar(vector(4))"] == ["4"]
    assert values["1 / vector(0) * 0"] == ["NaN"]
    assert values["absent_metric"] == []
    assert "bad_data" in next(each.problem for each in told.answers if each.query == "up{")


def test_a_run_of_the_battery_asks_it(prometheus, tmp_path: Path):
    """With `prometheus:` in the profile a run fails for the alert and for the query that does not hold."""
    text = f"""\
prometheus:
  url: {prometheus}
  queries:
    - {{name: fine, query: vector(0), that: "< 0.01"}}
    - {{name: high, query: vector(1), that: "< 0.01"}}
"""
    path = running.profile(tmp_path, text, name="monitored", embedded="healthy")
    done = running.run(path, "-q").whole()
    outcomes = {id: outcome for id, outcome in done.outcomes.items() if id.startswith("alerts.")}
    assert outcomes == {"alerts.firing": "failed", "alerts.query.fine": "passed", "alerts.query.high": "failed"}
    assert done.code == 1
