"""`junit.xml` and `results.json`, as machines read them."""

import json
import re
from datetime import timedelta, timezone
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.test_reports_examples import EXAMPLES, broken, healthy, hostile, huge, result, results
from upgate.base.errors import UsageError
from upgate.reports.junit import render_junit
from upgate.reports.results_json import load_json, render_json

#: Elements with their attributes and children in junit-10.xsd of Jenkins' xunit plugin (github.com/jenkinsci/xunit-plugin),
#: and `properties` in a testcase, as pytest writes them and Jenkins' junit plugin reads them.
SHAPE = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time"}, {"properties", "skipped", "error", "failure", "system-out"}),
    "skipped": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?")


def parsed(of, **options):
    return ET.fromstring(render_junit(of, **options))


def case(root, name):
    return root.find(f".//testcase[@name='{name}']")


def values(element):
    return {it.get("name"): it.get("value") for it in element.findall("properties/property")}


@pytest.mark.parametrize("example", EXAMPLES)
def test_junit_has_the_shape_that_jenkins_expects(example):
    """Every element has only the attributes and children of Jenkins' schema, and times look as it demands."""
    for element in parsed(example()).iter():
        attributes, children = SHAPE[element.tag]
        assert set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
        assert SUREFIRE_TIME.fullmatch(element.get("time", ""))


@pytest.mark.parametrize("example", EXAMPLES)
def test_junit_counts_what_it_holds(example):
    """The suite's totals are those of its testcases, one for each check, all with different names."""
    suite = parsed(example()).find("testsuite")
    cases = suite.findall("testcase")
    assert len(cases) == len(example().checks) == int(suite.get("tests"))
    assert len({it.get("name") for it in cases}) == len(cases)
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))


def test_junit_tells_each_outcome_in_its_way():
    """Failed is a failure, inconclusive an error; warned and waived are skipped, with a mark, and name their findings."""
    root = parsed(broken())
    assert case(root, "nodes.ready").find("failure") is not None
    assert case(root, "nodes.work").find("error") is not None
    assert case(root, "mesh.proxies-synced").find("skipped") is not None
    assert case(root, "pods.bare").find("skipped").get("message").startswith("WARNED: 1 of 412 pods: Pod/tools/debug")
    assert case(root, "pods.bare").findtext("skipped").startswith("WARNED: ")
    assert "OPS-812" in case(root, "pods.restarts").findtext("skipped")
    assert [child.tag for child in case(root, "api.fine")] == ["properties"]


def test_warnings_fail_when_asked():
    """With fail_on_warnings a warned check is a failure, and the totals say so."""
    suite = parsed(broken(), fail_on_warnings=True).find("testsuite")
    assert "Pod/tools/debug" in case(suite, "pods.bare").findtext("failure")
    assert suite.get("failures") == "7"


def test_junit_says_it_all_in_the_first_line():
    """The first line of the text and the message both hold denominator, object, observed and expected."""
    failure = case(parsed(broken()), "nodes.ready").find("failure")
    line = "1 of 12 nodes: Node/worker-3: Ready=Unknown for 12m (Kubelet stopped posting node status.) — expected: Ready=True"
    assert failure.text.splitlines()[0] == failure.get("message") == line
    assert "kubectl describe node worker-3" in failure.text
    assert "its own are evicted after five minutes" in failure.text
    error = case(parsed(broken()), "nodes.work").find("error")
    assert error.text.splitlines()[0] == error.get("message") == "may not list events (403): grant list on events"


def test_junit_has_its_properties():
    """A testcase knows severity, profile, cluster, examined and outcome; the suite what was judged and the verdict."""
    root = parsed(broken())
    server = "https://10.20.0.1:6443"
    assert case(root, "nodes.ready").get("classname") == "nodes"
    assert values(case(root, "nodes.ready")) == {
        "severity": "critical",
        "profile": "prod",
        "cluster": server,
        "examined": "12",
        "outcome": "failed",
    }
    assert values(root.find("testsuite")) == {
        "profile": "prod",
        "server": server,
        "version": "v1.36.3",
        "verdict": "not clear",
        "reference": "2026-11-21T00:00:00Z",
    }


def test_equal_ids_get_different_names():
    """Of equal names GitLab counts one only, so the second is numbered, also past a name that looks numbered."""
    names = [it.get("name") for it in parsed(results(result("a.b"), result("a.b (2)"), result("a.b"))).iter("testcase")]
    assert names == ["a.b", "a.b (2)", "a.b (3)"]


def test_junit_survives_hostile_text_and_large_clusters():
    """Hostile text is legal XML without terminal sequences, and 3,000 findings stay far below what GitLab takes."""
    raw = render_junit(hostile()).decode()
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f]", raw)
    assert "<script>" not in raw
    assert len(raw) < 100_000
    assert "… and 2,500 more in results.json" in parsed(huge()).find(".//failure").text


@pytest.mark.parametrize("render", [render_junit, render_json])
@pytest.mark.parametrize("example", EXAMPLES)
def test_equal_results_give_equal_bytes(render, example):
    """Nothing but the results decides what is written."""
    assert render(example()) == render(example())


def test_json_has_the_schema_of_the_contract():
    """The keys are those that scripts rely on, times are whole seconds in UTC, durations are milliseconds."""
    document = json.loads(render_json(broken()))
    assert {"schema", "profile", "verdict", "cluster", "started", "finished", "rounds", "reference", "checks"} <= set(
        document
    )
    assert document["schema"] == 1
    assert (document["started"], document["finished"]) == ("2026-11-21T01:02:03Z", "2026-11-21T01:02:07Z")
    assert document["cluster"] == {"server": "https://10.20.0.1:6443", "version": "v1.36.3", "nodes": 12, "pods": 412}
    check = document["checks"][6]
    keys = {"id", "title", "severity", "outcome", "examined", "duration", "reason", "findings"}
    assert keys <= set(check)
    assert check["duration"] == 0.004
    keys = {"object", "observed", "expected", "hint", "waived", "transitional", "because"}
    assert keys <= set(check["findings"][0])
    assert check["findings"][0]["because"] == "nodes.ready: Node/worker-3"


def test_json_times_are_utc_whatever_the_zone():
    """A time in Tokyo is written in UTC."""
    tokyo = broken().started.astimezone(timezone(timedelta(hours=9)))
    document = json.loads(render_json(msgspec.structs.replace(broken(), started=tokyo)))
    assert document["started"] == "2026-11-21T01:02:03Z"


@pytest.mark.parametrize("example", EXAMPLES)
def test_json_can_be_loaded_again(example):
    """What was written is read as the same results, and writes the same bytes."""
    written = render_json(example())
    assert load_json(written).count() == example().count()
    assert render_json(load_json(written)) == written


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": 1', render_json(healthy())[:-50], b"\xff\xfe"])
def test_torn_json_is_one_sentence(data):
    """A torn or foreign file is a usage error that names it."""
    with pytest.raises(UsageError, match=r"results\.json cannot be read as results of upgate"):
        load_json(data)


def test_json_keeps_long_text_whole():
    """Where the other reports cut, results.json has all 100 kB, without control characters."""
    document = json.loads(render_json(hostile()))
    observed = document["checks"][0]["findings"][0]["observed"]
    assert observed.endswith("x" * 100_000)
    assert not re.search("[\0-\x08\x0b-\x1f]", observed)
