"""What the API server is asked beside lists: its metrics, and the first of each custom resource; bounded, or a gap."""

from __future__ import annotations

import gzip
import itertools
import json

import pytest

from tests.hostile_api import Handler, empty, page, serving
from tests.test_cluster_bounds import kubeconfig
from tests.worlds import ENDPOINTS, definition
from upgate.base.errors import Inconclusive
from upgate.base.waiting import Deadline
from upgate.facts.custom_reads import CustomRead
from upgate.facts.metrics import CONVERTED, LONGEST, MOST, sample_in, samples_in
from upgate.snapshot import dump_snapshot, load_snapshot
from upgate.sources.cluster import custom_reads, metrics
from upgate.sources.cluster.connection import Timeouts
from upgate.sources.cluster.login import connect
from upgate.sources.cluster.look import look_at_cluster

PATIENCE = Timeouts(connect=1, read=2, deadline=6)
STARTED = "process_start_time_seconds 1.7e+09"
NOISE = "".join(
    f'etcd_request_duration_seconds_bucket{{operation="get",type="x{number}",le="0.005"}} 1\n'
    for number in range(50_000)
)


def answering(text: str, status: int = 200, **headers: str):
    """What answers a request with this text."""
    whole = f"{text}\n".encode()
    body = gzip.compress(whole) if headers else whole
    return lambda handler, kind, query: handler.whole(body, status, **headers)


def look(folder, needs, **answers):
    """A look at a server that answers so."""
    with serving(empty, **answers) as url:
        login = connect(kubeconfig(folder, url), patience=PATIENCE)
        return look_at_cluster(login, needs, lambda *_: None)


def test_only_some_families_are_kept(tmp_path):
    """Of megabytes of metrics a few lines stay, also of an answer that is packed; a family that is not there counts 0."""
    text = f"{NOISE}{ENDPOINTS}\n{NOISE}{STARTED}\napiserver_storage_objects 7\n"
    for headers in ({}, {"Content_Encoding": "gzip"}):
        seen = look(tmp_path, ["metrics"], metrics=answering(text, **headers)).metrics
        assert [each.name for each in seen.last.samples] == [ENDPOINTS.partition("{")[0], STARTED.partition(" ")[0]]
        assert seen.last.started.year == 2023
        assert seen.last.total("serviceaccount_stale_tokens_total") == 0


def test_of_requests_only_those_that_were_turned_down_are_kept(tmp_path):
    """An API server counts requests in thousands of lines."""
    lines = [f'apiserver_request_total{{code="{code}",resource="pods",verb="GET"}} 1' for code in (200, 403, 404, 409)]
    seen = look(tmp_path, ["metrics"], metrics=answering("\n".join([STARTED, *lines])))
    assert [each.labels.get("code") for each in seen.metrics.last.samples] == [None, "403", "404"]


@pytest.mark.parametrize(
    ("status", "words"), [(401, "not permitted"), (403, "`get` on the non-resource URL `/metrics`"), (404, "serve")]
)
def test_a_refusal_is_a_gap(tmp_path, status, words):
    """Who may not read metrics is told which permission is missing."""
    seen = look(tmp_path, ["metrics"], metrics=answering("forbidden", status))
    assert words in seen.gaps["metrics"]
    assert seen.metrics is None


@pytest.mark.parametrize("text", ["", "<!DOCTYPE html><html></html>", "etcd_x 1\n", "\0" * 9999])
def test_what_is_not_metrics_is_a_gap(tmp_path, text):
    """A proxy's page with status 200 is not an API server that has counted nothing."""
    assert "does not hold metrics" in look(tmp_path, ["metrics"], metrics=answering(text)).gaps["metrics"]


@pytest.mark.parametrize(
    "part", [f"{ENDPOINTS}\n" * 1000, NOISE[:100_000], "x" * 100_000], ids=["kept", "noise", "line"]
)
def test_an_endless_answer_is_a_gap(tmp_path, monkeypatch, part):
    """Whatever comes without end is broken off: lines that are wanted, lines that are not, and a line without an end."""
    monkeypatch.setattr("upgate.sources.cluster.bounded.TEXT_BYTES", 2**22)
    monkeypatch.setattr("upgate.sources.cluster.bounded.KEPT_BYTES", 2**20)

    def endless(handler: Handler, kind, query):
        handler.stream(itertools.repeat(part.encode()))

    assert "larger than" in look(tmp_path, ["metrics"], metrics=endless).gaps["metrics"]


def test_half_an_answer_is_a_gap(tmp_path):
    """What breaks off in the middle of a line was longer."""

    def half(handler: Handler, kind, query):
        handler.whole(f"{STARTED}\n{ENDPOINTS}\napiserver_adm".encode())

    assert "broke off" in look(tmp_path, ["metrics"], metrics=half).gaps["metrics"]


def test_something_that_grows_is_looked_at_twice(tmp_path, monkeypatch):
    """Where calls of webhooks have failed, a second look a little later says whether they still do; else one is enough."""
    monkeypatch.setattr(metrics, "BETWEEN", 0.05)
    failing = 'apiserver_admission_webhook_fail_open_count{name="a",type="admit"} '
    numbers = itertools.count(1)

    def growing(handler: Handler, kind, query):
        handler.whole(f"{STARTED}\n{failing}{next(numbers)}\n".encode())

    seen = look(tmp_path, ["metrics"], metrics=growing).metrics
    assert [each.total("apiserver_admission_webhook_fail_open_count") for each in seen.looks] == [1, 2]
    assert len(look(tmp_path, ["metrics"], metrics=answering(f"{STARTED}\n{failing}0\n")).metrics.looks) == 1


def test_metrics_are_kept_in_the_snapshot(tmp_path):
    """They are judged again from its file."""
    seen = look(tmp_path, ["metrics"], metrics=answering(f"{STARTED}\n{ENDPOINTS}\n"))
    path = tmp_path / "snapshot.json.gz"
    path.write_bytes(dump_snapshot(seen))
    assert load_snapshot(path).metrics == seen.metrics


@pytest.mark.parametrize(
    "line",
    [
        "",
        "x",
        "x 1 2 3",
        'x{a="b} 1',
        "x NaN",
        "x one",
        "# HELP x y",
        "x{} ",
        'X{a="b"} 1',
        "x -",
        'x{a="b"} 1e',
        "x{{{{{{ 1",
    ],
)
def test_a_line_that_is_none_is_skipped(line):
    """Whatever extensions make a server write."""
    assert sample_in(line) is None or sample_in(line).labels == {}


def test_a_family_may_have_had_another_name():
    """Conversions are counted under another name by older API servers."""
    sample = sample_in('apiserver_crd_webhook_conversion_duration_seconds_count{crd_name="a",succeeded="false"} 2')
    assert sample.name == CONVERTED


def test_labels_are_read_as_they_were_written():
    """With escapes, braces and commas in their values; too long ones are cut, and too many dropped."""
    sample = sample_in(r'x{a="b\"}\\,c",d="' + "y" * 999 + '"} 2 1700000000000')
    assert (sample.labels["a"], len(sample.labels["d"]), sample.value) == ('b"}\\,c', LONGEST, 2.0)
    assert len(sample_in("x{" + ",".join(f'l{number}="v"' for number in range(99)) + "} 1").labels) == 12


def test_no_more_samples_are_kept_than_can_be_of_use():
    """Extensions give names to webhooks and resources: their number is bounded."""
    assert len(samples_in("x 1" for _ in range(MOST + 9))) == MOST


def definitions(*made) -> bytes:
    """A list of definitions."""
    return page("CustomResourceDefinition", list(made))


def widgets(folder, answer, *made):
    """What came of listing custom resources that a server answers so."""
    made = made or (definition("widgets", "v1", "v2"),)
    listed = answering(definitions(*made).decode())
    needs = ["customresourcedefinitions", "custom_reads"]
    return look(folder, needs, customresourcedefinitions=listed, widgets=answer)


def test_each_served_version_is_listed_once(tmp_path):
    """One list of one object for each version that is served of each definition that is established, however many there are."""
    asked = []

    def answer(handler: Handler, kind, query):
        asked.append(handler.path)
        handler.whole(page("Widget", [{"metadata": {"name": "x"}}] * 3))

    unserved = definition("widgets", "v1", "v2", "v3")
    unserved["spec"]["versions"][2]["served"] = False
    gone = definition("gone", status={"conditions": []})
    assert widgets(tmp_path, answer, unserved, gone).custom_reads.failed == []
    assert sorted(asked) == [f"/apis/example.com/{version}/widgets?limit=1" for version in ("v1", "v2")]


def test_what_the_server_says_is_kept(tmp_path):
    """A status of 500 with the words of the API server."""
    said = json.dumps({"kind": "Status", "message": "conversion webhook for example.com/v1 failed: no such host"})
    seen = widgets(tmp_path, answering(said, 500)).custom_reads
    assert [(each.version, each.status, each.message) for each in seen.failed] == [
        (version, 500, "conversion webhook for example.com/v1 failed: no such host") for version in ("v1", "v2")
    ]


def test_lists_are_bounded_in_number_and_time(tmp_path, monkeypatch):
    """What does not fit into the look is said."""
    monkeypatch.setattr(custom_reads, "MOST", 1)
    assert widgets(tmp_path, empty).custom_reads.left_out == 1
    monkeypatch.setattr(custom_reads, "MOST", 9)
    monkeypatch.setattr(custom_reads, "SECONDS", 0)
    assert widgets(tmp_path, empty).custom_reads.left_out == 2


def test_names_stay_in_their_part_of_the_path():
    """Whoever may write a definition cannot lead a request elsewhere."""
    odd = CustomRead("d", "a/../b", "v1?x", "c#d")
    assert odd.path == "/apis/a%2F..%2Fb/v1%3Fx/c%23d"


def test_without_definitions_nothing_is_known():
    """Where the definitions could not be listed no custom resource was read."""
    with pytest.raises(Inconclusive):
        custom_reads.read_custom_resources(None, {}, Deadline(1))
