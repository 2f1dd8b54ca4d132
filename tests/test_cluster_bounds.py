"""An API server, or a proxy before it, that answers without end or sense: gaps, within the deadline, in little memory."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests import hostile_api
from tests.hostile_api import HOSTILE, Handler, empty, page, serving
from tests.running import REPOSITORY
from upgate.base.errors import Inconclusive
from upgate.facts.kinds import KINDS
from upgate.snapshot import dump_snapshot
from upgate.sources.cluster import look
from upgate.sources.cluster.connection import Timeouts, server_time
from upgate.sources.cluster.listing import list_all
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

PATIENCE = Timeouts(connect=1, read=2, deadline=6)
#: Bytes of a whole process that looks: Python, the client and what is being read.
MOST = 400 * 2**20
LOOK = """
import sys, time
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster
from upgate.facts.kinds import KINDS
from upgate.snapshot import dump_snapshot
login = connect(sys.argv[1], patience=Timeouts(connect=1, read=2, deadline=float(sys.argv[2])))
began = time.monotonic()
snapshot = look_at_cluster(login, list(KINDS), lambda *_: None)
dump_snapshot(snapshot)
# ru_maxrss is inherited from the process that started this one; VmHWM is not.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
print(time.monotonic() - began, int(peak) * 1024)
for noun, why in snapshot.gaps.items():
    print(noun, why, sep="|")
for noun, bad in snapshot.malformed.items():
    print(noun, bad[0].problem, sep="|")
"""


def kubeconfig(folder, url):
    """A kubeconfig that leads to that server."""
    named = {"name": "here"}
    document = {
        "current-context": "here",
        "clusters": [{**named, "cluster": {"server": url}}],
        "users": [{**named, "user": {"token": "t"}}],
        "contexts": [{**named, "context": {"cluster": "here", "user": "here"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


def looked(folder, url, seconds=4):
    """One look at everything, in a process of its own: seconds, bytes, and the reason for each kind."""
    command = [sys.executable, "-c", LOOK, str(kubeconfig(folder, url)), str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    first, *lines = done.stdout.splitlines()
    took, size = map(float, first.split())
    return took, size, dict(line.split("|", 1) for line in lines)


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer.__name__)
def test_no_answer_takes_the_gate(answer, tmp_path):
    """Every list is a gap with one sentence, or an object that could not be read; in time, and in little memory."""
    with serving(answer) as url:
        took, size, reasons = looked(tmp_path, url)
    assert reasons.keys() == KINDS.keys()
    assert all(0 < len(reason) < 500 for reason in reasons.values())
    assert took < 20
    assert size < MOST


@pytest.mark.parametrize(
    "answer",
    [hostile_api.endless_body, hostile_api.packed, hostile_api.deep_frame, hostile_api.endless_header],
    ids=lambda answer: answer.__name__,
)
def test_no_small_answer_takes_the_gate(answer, tmp_path):
    """The version and the health endpoints are bounded too; the lists are looked at all the same."""
    with serving(empty, version=answer, readyz=answer, livez=answer) as url:
        took, size, reasons = looked(tmp_path, url, 6)
    assert reasons.keys() <= {"version", "health"}
    assert took < 20
    assert size < MOST


def login_to(url, tmp_path):
    return connect(kubeconfig(tmp_path, url), patience=PATIENCE).connection


def test_a_page_that_is_too_large_is_asked_for_with_fewer_objects(tmp_path):
    """A thousand large objects are read whole, in pages that fit; each is read once."""
    item = {"metadata": {"labels": {"a": "x" * 60_000}}}
    sizes = []

    def large(handler: Handler, kind, query):
        start, limit = int(query.get("continue", 0)), int(query["limit"])
        sizes.append(limit)
        items = [{"metadata": {**item["metadata"], "name": f"pod-{n}"}} for n in range(start, min(600, start + limit))]
        end = start + len(items)
        handler.whole(page(kind, items, str(end) if end < 600 else "", remainingItemCount=600 - end))

    with serving(large) as url:
        listing = list_all(login_to(url, tmp_path), KINDS["pods"])
    assert [each.name for each in listing.items] == [f"pod-{n}" for n in range(600)]
    assert sizes == [1000, 200, 200, 200]


def test_a_list_may_grow_a_little_while_it_is_read(tmp_path):
    """Some servers announce no more than what was there before: twice as many, and some, are still a list."""

    def more(handler: Handler, kind, query):
        start = int(query.get("continue", 0))
        items = [{"metadata": {"name": f"pod-{start}-{n}"}} for n in range(1000)]
        handler.whole(page(kind, items, "" if start == 9 else str(start + 1), remainingItemCount=1))

    with serving(more) as url:
        assert len(list_all(login_to(url, tmp_path), KINDS["pods"]).items) == 10_000


@pytest.mark.parametrize("cut", [None, -1, 30])
def test_what_is_packed_is_unpacked_or_broken_off(cut, tmp_path):
    """A page in gzip is read; one that was cut off is a gap, also where only the end is missing."""
    body = gzip.compress(page("Pod", [{"metadata": {"name": "x"}}]))[:cut]
    with serving(lambda handler, kind, query: handler.whole(body, Content_Encoding="gzip")) as url:
        if cut is None:
            assert [each.name for each in list_all(login_to(url, tmp_path), KINDS["pods"]).items] == ["x"]
        else:
            with pytest.raises(Inconclusive, match=r"cannot list pods: .*(broke off|gzip)"):
                list_all(login_to(url, tmp_path), KINDS["pods"])


def test_a_message_is_never_half_a_character(tmp_path):
    """What a server says can be written into every report."""
    with serving(hostile_api.half_a_character) as url:
        login = connect(kubeconfig(tmp_path, url), patience=PATIENCE)
        snapshot = look_at_cluster(login, ["pods"], lambda *_: None)
    assert "not permitted" in snapshot.gaps["pods"]
    assert dump_snapshot(snapshot)


@pytest.mark.parametrize("length", [10, 3000])
def test_a_table_with_short_rows_is_no_table(length, tmp_path):
    """Rows without the cells of their columns do not end the run: all pods are read instead."""
    table = {
        "kind": "Table",
        "columnDefinitions": [{"name": name} for name in ("Name", "Ready", "Status", "Node", "Readiness Gates")],
        "rows": [{"cells": [7] * n} for n in (0, 5)] * length,
    }

    def pods(handler: Handler, kind, query):
        if "Table" in handler.headers["Accept"]:
            handler.whole(json.dumps(table).encode())
        else:
            handler.whole(page(kind, [{"metadata": {"name": "x"}}]))

    with serving(empty, pods=pods) as url:
        login = connect(kubeconfig(tmp_path, url), patience=PATIENCE)
        snapshot = look_at_cluster(login, list(KINDS), lambda *_: None, True)
    assert [each.name for each in snapshot.facts("pods")] == ["x"]


@pytest.mark.parametrize(
    "said",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 9999 23:59:59 +0000",
        "Mon, 01 Jan 0100 00:00:00 +0000",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        "yesterday",
        "",
        None,
    ],
)
def test_a_date_that_cannot_be_is_not_taken_for_the_time(said):
    """Whatever a proxy writes in the header Date: our own clock tells the time then."""
    assert abs(server_time({"Date": said}) - datetime.now(UTC)) < timedelta(minutes=1)


def test_what_breaks_one_list_ends_no_look(tmp_path, monkeypatch):
    """An error that is not expected is a gap of the list in which it came up; all others are read."""
    whole = look.list_all
    breaking = {"pods": ZeroDivisionError("division by zero"), "nodes": OverflowError("too large")}

    def some(connection, kind, *rest):
        if kind.noun in breaking:
            raise breaking[kind.noun]
        return whole(connection, kind, *rest)

    monkeypatch.setattr(look, "list_all", some)
    with serving(empty) as url:
        seen = look_at_cluster(
            connect(kubeconfig(tmp_path, url), patience=PATIENCE), ["pods", "nodes", "leases"], no_one
        )
    assert seen.gaps["pods"] == "broke while reading pods: ZeroDivisionError: division by zero"
    assert seen.gaps["nodes"] == "broke while reading nodes: OverflowError: too large"
    assert "leases" in seen.lists


def no_one(*_):
    """Nobody is told how far it is."""
