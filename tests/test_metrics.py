"""Metrics: what Prometheus is told, in a file and through a Pushgateway."""

from __future__ import annotations

import re
import socket
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.past import recorded
from tests.running import REPOSITORY
from tests.servers import accepting, free_port, hang, serving
from tests.test_probes_targets import snapshot
from tests.test_reports_examples import FINISHED, STARTED, broken, finding, healthy, hostile, result, results
from upgate.monitor import history, pushing
from upgate.monitor.metrics import (
    STATES,
    VERDICTS,
    Measured,
    MetricsHistory,
    collector_registry,
    metrics,
    publish,
    publish_registry,
    state_legend,
)
from upgate.monitor.targets import measured
from upgate.profile import Profile
from upgate.profile.model import Origin
from upgate.reports.cleaning import cleaned, harmless
from upgate.sources.probes import attempt_all
from upgate.sources.probes.targets import probe_targets

ALONE = MetricsHistory()
SHOP = Measured("external.shop", 1.0, 0.12)


def profile(*secrets: str, **monitor: str) -> Profile:
    return Profile(monitor=monitor).come_from(Origin("prod", secrets=secrets))


def tell(results, wanted, targets=(), context=ALONE):
    """Send the metrics of these results; the notes."""
    return publish_registry(collector_registry("prod", metrics(cleaned(results), targets, context)), wanted, "prod")


def told(text: bytes | str) -> dict[str, dict[str, float]]:
    """Metric name → the label beside the profile → value."""
    read = text_string_to_metric_families(text if isinstance(text, str) else text.decode())
    return {
        family.name: {"".join(v for k, v in it.labels.items() if k != "profile"): it.value for it in family.samples}
        for family in read
    }


@pytest.fixture
def textfile(tmp_path):
    """What is in the textfile after these results."""

    def write(results, targets=(), context=ALONE):
        path = tmp_path / "upgate.prom"
        assert tell(results, profile(textfile=str(path)), targets, context) == []
        return told(path.read_bytes())

    return write


def test_a_profile_that_asks_for_none_gets_none(tmp_path, monkeypatch):
    """Without textfile and pushgateway nothing is written and nothing is said."""
    monkeypatch.chdir(tmp_path)
    assert publish(broken(), profile(), None, None) == []
    assert list(tmp_path.iterdir()) == []


def test_each_check_has_its_state_as_a_number(textfile):
    """Every check of the round has one state, and the worse it is the higher."""
    states = textfile(broken())["upgate_check_state"]
    assert states == {check.id: STATES[check.outcome] for check in broken().checks}
    assert {states["nodes.ready"], states["events.warnings"], states["pods.bare"]} == {5, 4, 3}
    assert list(STATES.values()) == sorted(STATES.values())


def test_each_check_has_its_numbers(textfile):
    """Examined, findings without the waived ones, and seconds are those of results.json."""
    found = textfile(broken())
    assert found["upgate_check_findings"]["pods.crashing"] == 47
    assert found["upgate_check_findings"]["pods.restarts"] == 0
    assert found["upgate_check_examined"]["pods.crashing"] == 412
    assert found["upgate_check_duration_seconds"]["pods.crashing"] == 0.0042


@pytest.mark.parametrize(
    ("round", "number"), [(healthy(), 0), (results(result("api.ready", "inconclusive")), 1), (broken(), 2)]
)
def test_the_verdict_is_a_number(textfile, round, number):
    """0 clear, 1 inconclusive, 2 not clear."""
    assert textfile(round)["upgate_verdict"] == {"": number}


def test_success_is_the_last_clear_round(textfile):
    """A clear round is the last success itself; another one repeats the last; without any there is no such metric."""
    before = datetime(2026, 11, 20, tzinfo=UTC)
    name = "upgate_last_success_timestamp_seconds"
    assert textfile(healthy(), context=MetricsHistory(last_clear=before))[name] == {"": FINISHED.timestamp()}
    assert textfile(broken(), context=MetricsHistory(last_clear=before))[name] == {"": before.timestamp()}
    assert name not in textfile(broken())
    assert textfile(broken())["upgate_last_round_timestamp_seconds"] == {"": FINISHED.timestamp()}


def test_targets_have_availability_and_latency(textfile):
    """A target that answered has both; one that never answered has availability 0 and no latency."""
    found = textfile(broken(), [SHOP, Measured("external.gone", 0.0, None)])
    assert found["upgate_target_availability_ratio"] == {"external.shop": 1.0, "external.gone": 0.0}
    assert found["upgate_target_latency_seconds"] == {"external.shop": 0.12}


def test_labels_never_tell_a_state():
    """Two rounds that differ in everything but their checks have exactly the same series."""

    def series(outcome, examined):
        round = results(result("a.b", outcome, finding("Pod/a/b", "x"), examined=examined, reason="because"))
        registry = collector_registry("prod", metrics(round, [SHOP], MetricsHistory(last_clear=FINISHED)))
        return {(it.name, *it.labels.items()) for family in registry.collect() for it in family.samples}

    assert series("failed", 3) == series("passed", 900) == series("inconclusive", 0)


def test_hostile_text_stays_inside_its_label(textfile):
    """Quotes, line breaks and escapes in a check's id make no series of their own."""
    assert len(textfile(hostile())["upgate_check_state"]) == len({harmless(check.id) for check in hostile().checks})


def test_the_file_is_replaced_as_a_whole(textfile, tmp_path):
    """What is gone from the battery is gone from the file, readers see only whole files, and the collector may read it."""
    textfile(broken(), [SHOP])
    assert set(textfile(healthy())["upgate_check_state"]) == {check.id for check in healthy().checks}
    (left,) = tmp_path.iterdir()
    assert left.stat().st_mode & 0o044 == 0o044


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    """A textfile below something that is no folder gives one note that names it."""
    (tmp_path / "file").touch()
    (note,) = tell(healthy(), profile(textfile=str(tmp_path / "file" / "upgate.prom")))
    assert str(tmp_path / "file" / "upgate.prom") in note
    assert "monitor.textfile" in note


@pytest.fixture
def gateway():
    """A server in the place of a Pushgateway: what it was asked, and how it answers."""
    asked = []

    class Gateway(BaseHTTPRequestHandler):
        status = 200

        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, self.headers.get("Authorization"), body))
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(b"pushed metrics are invalid\x1b[31m or inconsistent: s3cret-pass")

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        import threading

        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", asked, Gateway
        server.shutdown()


def test_the_push_replaces_the_group_of_the_profile(gateway):
    """One PUT to the group of the profile, with everything that the file would hold."""
    place, asked, _ = gateway
    assert tell(broken(), profile(pushgateway=f"http://{place}/prefix/"), [SHOP]) == []
    ((path, login, body),) = asked
    assert (path, login) == ("/prefix/metrics/job/upgate/profile/prod", None)
    assert told(body)["upgate_verdict"] == {"": 2}


def test_a_login_in_the_url_is_used_and_never_shown(gateway):
    """User and password go into the header; a refusal's note has neither, whatever the server repeats."""
    place, asked, server = gateway
    server.status = 400
    url = f"http://ops:s3cret-pass@{place}"
    (note,) = tell(broken(), profile(pushgateway=url))
    assert asked[0][1] == "Basic b3BzOnMzY3JldC1wYXNz"
    assert f"http://{place}: it answered 400 pushed metrics are invalid or inconsistent: [hidden]" in note
    assert "ops" not in note


def test_a_secret_address_is_not_told():
    """A Pushgateway whose address comes from the environment is not named in the note."""
    url = f"http://127.0.0.1:{free_port()}/s3cret-path"
    (note,) = tell(broken(), profile(url, "s3cret-path", pushgateway=url))
    assert "s3cret-path" not in note
    assert "Connection refused" in note


def test_a_pushgateway_that_hangs_is_given_up(monkeypatch):
    """One that never answers, and one that drips its answer for ever, hold the round up no longer than the patience."""
    monkeypatch.setattr(pushing, "PATIENCE", 0.5)
    for behave in (hang, drip):
        with accepting(behave) as port:
            began = time.monotonic()
            (note,) = tell(broken(), profile(pushgateway=f"http://127.0.0.1:{port}"))
            assert time.monotonic() - began < 5
            assert "time" in note or "no end" in note


def drip(connection: socket.socket) -> None:
    """Answer one byte at a time, faster than any socket's timeout."""
    import threading

    def run() -> None:
        try:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            for _ in range(30):
                time.sleep(0.1)
                connection.sendall(b".")
        except OSError:
            return

    connection.recv(65536)
    threading.Thread(target=run, daemon=True).start()


def test_what_does_not_work_does_not_stop_the_other(tmp_path):
    """With the Pushgateway down the textfile is written all the same."""
    path = Path(tmp_path, "upgate.prom")
    wanted = profile(pushgateway=f"http://127.0.0.1:{free_port()}", textfile=str(path))
    assert len(tell(broken(), wanted, [SHOP])) == 1
    assert told(path.read_bytes())["upgate_verdict"] == {"": 2}


def test_many_endpoints_are_one_target() -> None:
    """Of two nodes one refuses: the entry is one target that is half available. What cannot be asked is no target."""
    with serving() as server:
        url = f"http://{{address}}:{server.port}/ok"
        entries = [
            {"name": "proxy", "each": "node", "url": url, "allow-addresses": "127.0.0.0/8"},
            {"name": "blind", "url": server.url(), "proxy": f"http://127.0.0.1:{free_port()}"},
        ]
        wanted = Profile.model_validate({"external": tuple(entries)})
        looked = snapshot({"n1": "127.0.0.1", "n2": "127.0.0.2"})
        looked = msgspec.structs.replace(looked, attempts=attempt_all(probe_targets(wanted.external, looked)))
    (found,) = measured(wanted, looked)
    assert (found.id, found.availability) == ("external.proxy", 0.5)
    assert 0 < found.latency < 5
    assert list(measured(wanted, None)) == []
    assert list(measured(wanted, snapshot(gaps={"nodes": "403"}))) == []


@pytest.fixture
def past(tmp_path):
    """A history: clear until yesterday, then not clear, the last round in a maintenance window."""
    path = recorded(tmp_path / history.FILE, FINISHED, 3, lambda back: (healthy() if back else broken(), back == 0), 1)
    with history.opened(path) as opened:
        yield opened


def test_the_history_says_when_it_was_clear_and_whether_people_sleep(past, tmp_path):
    """A round that is not clear tells of the last one that was, and of the maintenance window that it ran in."""
    path = tmp_path / "upgate.prom"
    assert publish(broken(), profile(textfile=str(path)), None, past) == []
    found = told(path.read_bytes())
    yesterday = FINISHED.replace(microsecond=456_000) - timedelta(days=1) - (FINISHED - STARTED)
    assert found["upgate_last_success_timestamp_seconds"][""] == pytest.approx(yesterday.timestamp(), abs=1)
    assert found["upgate_maintenance"] == {"": 1}


def test_every_metric_is_documented(tmp_path):
    """The table in docs/recipes.md has each metric, with its labels and, where it is a state, its numbers."""
    rows = re.findall(
        r"^\| `(upgate_\w+)` \| ([\w, ]+) \| (.*) \|$", (REPOSITORY / "docs/recipes.md").read_text(), re.M
    )
    known = list(metrics(broken(), [SHOP], MetricsHistory(last_clear=FINISHED)))
    assert {name: labels for name, labels, _ in rows} == {
        it.name: ", ".join(filter(None, ["profile", it.label])) for it in known
    }
    meanings = {name: words for name, _, words in rows}
    assert meanings["upgate_check_state"] == state_legend(STATES)
    assert meanings["upgate_verdict"] == state_legend(VERDICTS)
