"""Logs are read only where the profile allows it: of containers that crash the last lines, of the control plane the errors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.control_worlds import static
from tests.hostile_api import empty, page, serving
from tests.test_cluster_bounds import kubeconfig
from tests.worlds import NOW, container_status, good, judge, objects, pod, profile, snapshot, terminated, warning
from upgate.battery.registry import allowed_inputs
from upgate.facts.pod_logs import ComponentLog, ContainerLog, ErrorLine
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster
from upgate.sources.cluster.pod_logs import LAST, error_in

CRASH = pod(
    status={
        "containerStatuses": [
            container_status(
                ready=False, restarts=3, state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=terminated(2)
            )
        ]
    }
)
ALLOWED = profile(allow=["logs"])


def look(folder, log, pods, needs):
    """A look at a server with these pods, whose logs are this."""
    with serving(empty, pods=lambda handler, kind, query: handler.whole(page(kind, pods)), log=log) as url:
        login = connect(kubeconfig(folder, url), patience=Timeouts(connect=1, read=2, deadline=6))
        return look_at_cluster(login, needs, lambda *_: None)


def test_a_crash_shows_what_was_written_last():
    """And the last event, so that no other command is needed."""
    log = ContainerLog("Pod/shop/web-1", "app", ("starting", "cannot open /etc/app.conf"))
    told = warning(CRASH, "BackOff", "Pod", message="Back-off restarting failed container")
    result = judge("pods.crashing", snapshot(good(pods=[CRASH], warnings=[told]), crash_logs=[log]), profile=ALLOWED)
    observed = result.findings[0].observed
    assert "last lines of app: starting ⏎ cannot open /etc/app.conf" in observed
    assert "last event: BackOff: Back-off restarting failed container" in observed


def test_a_log_that_cannot_be_read_hides_no_crash():
    """It only explains."""
    for logs in (None, [ContainerLog("Pod/shop/web-1", "app", problem="status 403")]):
        assert (
            judge("pods.crashing", snapshot(good(pods=[CRASH]), crash_logs=logs), profile=ALLOWED).outcome == "failed"
        )


def test_logs_are_asked_for_only_where_it_is_allowed():
    """The same holds for all that is asked beyond lists."""
    names = {"pods", "crash_logs", "proxies"}
    assert allowed_inputs(names, profile()) == {"pods"}
    assert allowed_inputs(names, ALLOWED) == {"pods", "crash_logs"}


def lines(*errors, **sections):
    """What the check says of these errors, an hour after the reference time."""
    log = ComponentLog("Pod/kube-system/kube-apiserver-1", "kube-apiserver", errors=errors)
    return judge(
        "control-plane.logs", snapshot(good(), control_logs=[log]), profile=profile(allow=["logs"], **sections)
    )


@pytest.mark.parametrize(
    "text",
    [
        "F1121 10:00:00.000000 1 server.go:1] cannot listen",
        "panic: runtime error: invalid memory address",
        'E1121 10:00:00 1 authentication.go:73] "Unable to authenticate the request" err="…"',
        "E1121 x509: certificate signed by unknown authority",
    ],
)
def test_fatal_lines_are_found(text):
    """Each names its pod."""
    assert objects(lines(ErrorLine(text, NOW))) == ["Pod/kube-system/kube-apiserver-1"]


@pytest.mark.parametrize(
    "text",
    [
        "E1121 10:00:00 1 reflector.go] watch ended, will retry",
        "I1121 http: TLS handshake error from 10.0.0.1:443: remote error: tls: bad certificate",
        'E1121 "Unable to authenticate the request" err="[invalid bearer token, service account token has been invalidated]"',
        "E1121 wrap.go:53] panic: net/http: abort Handler",
    ],
)
def test_known_lines_are_harmless(text):
    """They say nothing of the cluster."""
    assert lines(ErrorLine(text, NOW)).outcome == "passed"


def test_what_was_written_before_the_upgrade_does_not_count():
    """The reference time is when it began."""
    assert lines(ErrorLine("panic: x", NOW - timedelta(days=1))).outcome == "passed"


def test_the_profile_adds_patterns_and_ignores_lines():
    """Both are literal texts."""
    assert lines(ErrorLine("E1121 quota exceeded", NOW), logs={"patterns": ["quota"]}).outcome == "warned"
    assert lines(ErrorLine("panic: plugin", NOW), logs={"ignore": ["panic: plugin"]}).outcome == "passed"


def test_a_log_that_may_not_be_read_is_not_evaluated():
    """A pattern that matches nothing for lack of access is no pass."""
    log = ComponentLog("Pod/kube-system/kube-apiserver-1", "kube-apiserver", problem="cannot read: status 403")
    result = judge("control-plane.logs", snapshot(good(), control_logs=[log]), profile=ALLOWED)
    assert (result.outcome, result.reason) == ("inconclusive", "cannot read: status 403")


def test_logs_are_read_bounded_and_without_secrets(tmp_path):
    """The last lines of the run that crashed, no more of each than a line's worth."""
    text = "".join(f"line {number}\n" for number in range(50)) + "password=hunter2222 " + "x" * 9999 + "\n"

    def log(handler, kind, query):
        handler.whole(text.encode(), 200)

    seen = look(tmp_path, log, [CRASH], ["pods", "crash_logs"]).crash_logs
    assert [each.ref for each in seen] == ["Pod/shop/web-1"]
    assert len(seen[0].lines) == LAST
    assert "hunter2222" not in "".join(seen[0].lines)
    assert max(map(len, seen[0].lines)) <= 300


def test_errors_of_the_control_plane_are_read_with_their_time(tmp_path):
    """Other lines are left out."""
    text = "2026-11-21T00:59:00.123456789Z E1121 trouble\n2026-11-21T00:59:01Z I1121 fine\n"

    def log(handler, kind, query):
        handler.whole(text.encode())

    seen = look(tmp_path, log, [static("kube-apiserver")], ["pods", "control_logs"])
    assert [(each.text, each.time.minute) for each in seen.control_logs[0].errors] == [("E1121 trouble", 59)]


@pytest.mark.parametrize("line", ["", "x", "2026 E1121 a", "\0" * 100, "2026-11-21T00:59:00Z " + '"level":' * 10_000])
def test_hostile_lines_are_read_quickly(line):
    """Whatever a container writes."""
    assert error_in(line) is None or error_in(line).time is None
