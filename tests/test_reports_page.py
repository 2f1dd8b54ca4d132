"""`report.html` as it is written: complete, harmless, and usable by everybody."""

import base64
import hashlib
import re
import time
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import parse_qs

import pytest

from tests.test_reports_examples import (
    EXAMPLES,
    PASSED,
    broken,
    finding,
    healthy,
    hostile,
    huge,
    result,
    results,
    unreachable,
)
from upgate.reports.html import asset, render_html
from upgate.results import NodeGroup

#: Elements without an end tag.
VOID = {"meta", "input", "link", "img"}
KNOWN = {
    "a",
    "body",
    "button",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
}
KNOWN |= {
    "head",
    "header",
    "html",
    "input",
    "label",
    "legend",
    "li",
    "main",
    "meta",
    "option",
    "p",
    "script",
    "section",
}
KNOWN |= {"b", "i", "pre", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect"}
KNOWN |= {"select", "span", "style", "summary", "title", "ul"}


class Page(HTMLParser):
    """The page's elements in order, each with its attributes and text; fails on a tag that does not close."""

    def __init__(self, markup):
        super().__init__()
        self.elements, self._open, self._said = [], [], []
        self.feed(markup)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "text": "", "inside": [it["tag"] for it, _ in self._open], **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append((element, len(self._said)))

    def handle_endtag(self, tag):
        element, start = self._open.pop()
        assert element["tag"] == tag
        element["text"] = "".join(self._said[start:])

    def handle_data(self, data):
        self._said.append(data)

    def all(self, tag, **having):
        named = {name.rstrip("_"): value for name, value in having.items()}
        return [it for it in self.elements if it["tag"] == tag and named.items() <= it.items()]


def page(of):
    return Page(render_html(of).decode())


@cache
def example_page(example):
    return page(example())


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_markup_is_ours_alone(example):
    """Tags balance, no element, handler or address comes from the cluster, and ids are unique."""
    found = example_page(example)
    assert {it["tag"] for it in found.elements} <= KNOWN
    assert len(found.all("script")) == len(found.all("style")) == 1
    attributes = {name for it in found.elements for name in it}
    assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action", "style")]
    assert all(it["href"].startswith("#") for it in found.elements if "href" in it)
    ids = Counter(it["id"] for it in found.elements if "id" in it)
    assert set(ids.values()) == {1}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_policy_allows_only_our_own_script_and_style(example):
    """The Content-Security-Policy forbids everything but the script and style whose hashes it names, before all else."""
    found = example_page(example)
    (policy,) = found.all("meta", **{"http-equiv": "Content-Security-Policy"})
    rules = dict(rule.split(" ", 1) for rule in policy["content"].split("; "))
    assert (rules["default-src"], rules["base-uri"], rules["form-action"]) == ("'none'", "'none'", "'none'")
    for tag in ("script", "style"):
        content = found.all(tag)[0]["text"].encode()
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"
    order = [it["tag"] for it in found.elements]
    assert order.index("style") > found.elements.index(policy)


def test_every_link_leads_somewhere():
    """Each address within the page is the id of an element in it, also where ids are strange or equal."""
    for example in (
        *(make() for make in EXAMPLES),
        results(result("external.a/b[10.0.0.1]", "failed"), result("a b"), result("a-b")),
    ):
        found = page(example)
        targets = {it.get("id") for it in found.elements}
        links = {it["href"].removeprefix("#") for it in found.all("a")}
        assert {it for it in links if "=" not in it} <= targets
        assert all(parse_qs(it, strict_parsing=True) for it in links if "=" in it)


def test_the_first_screen_answers_at_once():
    """Verdict, next step, numbers, profile, cluster, time and the causes come before the list of checks."""
    text = example_page(broken).all("body")[0]["text"].partition("All checks")[0]
    for answer in (
        "not clear stop, roll back or repair",
        "6 causes (52 findings), 3 consequences 6 failed, 5 inconclusive",
        "prod",
        "https://10.20.0.1:6443, v1.36.3, 12 nodes, 412 pods",
        "2026-11-21 01:02:03 UTC",
        "Node/worker-3Ready=Unknown for 12m",
        "not finished yet",
        "events.warnings and 1 more: may not list events (403): grant list on events",
        "Waiver pods.oom: Pod/batch/* matches nothing",
    ):
        assert answer in text
    assert "Nothing was found." in example_page(healthy).all("main")[0]["text"]
    assert example_page(unreachable).all("main")[0]["text"].partition("All checks")[0].count("cannot be reached") == 1


def test_a_cause_leads_to_what_follows():
    """Each consequence is a link to what was found on that object, and that links back to its cause."""
    found = example_page(broken)
    links = {it["text"]: it["href"].removeprefix("#") for it in found.all("a")}
    (target,) = found.all("li", id=links["Deployment/shop/web"])
    assert "2 of 3 replicas available" in target["text"]
    (cause,) = found.all("li", id=links["follows from nodes.ready: Node/worker-3"])
    assert cause["text"].startswith("Node/worker-3")


def test_without_javascript_everything_is_there():
    """Every check with its reason and every finding with all its parts is in the markup, none of it hidden."""
    found = example_page(broken)
    assert len(found.all("li", class_="finding")) == sum(len(check.findings) for check in broken().checks)
    text = " ".join(found.all("main")[0]["text"].split())
    for check in broken().checks:
        for part in (check.id, check.title, check.reason, check.why):
            assert part in text
        for it in check.findings:
            for part in (it.object, it.observed, it.expected, it.hint, it.waived or "", it.because or ""):
                assert part in text
    assert [it["id"] for it in found.elements if "hidden" in it] == ["filter"]


def test_checks_are_folded():
    """The causes stand open on top; no check takes their room."""
    found = example_page(broken)
    assert not [it for it in found.all("details") if "open" in it]
    assert len(found.all("li", class_="cause failed")) == 4


def pooled(number, bad):
    """A cluster of so many nodes in three pools, of which so many are not Ready; a pod of another workload crashes for each."""
    names = [f"node-{each:04}.example.com" for each in range(number)]
    pools = tuple(NodeGroup(name=f"pool-{each}", nodes=tuple(names[each::3])) for each in range(3))
    lost = [
        finding(f"Node/{name}", "Ready=Unknown for 12m", hint=f"kubectl describe node {name}") for name in names[:bad]
    ]
    pods = [finding(f"Pod/team-{each % 40}/app{each}-5bcb6c5c49-4xfgj", "CrashLoopBackOff " * 8) for each in range(bad)]
    checks = (
        result("nodes.ready", "failed", *lost, noun="nodes"),
        result("pods.crashing", "failed", *pods, noun="pods"),
    )
    return results(*PASSED, *checks, pools=pools, gone=("pods.ready: Pod/a/b",))


def test_the_pictures_say_it_in_words():
    """Pools, namespaces and the comparison with the baseline are told in text, and each part leads to the findings."""
    found = page(pooled(9, 2))
    text = found.all("main")[0]["text"]
    assert "3 nodes: 1 failed (node-0001.example.com), 2 without a finding" in text
    cells = {it["aria-label"]: it["href"] for it in found.all("a") if "aria-label" in it}
    assert cells["node-0001.example.com: failed"] == "#text=Node%2Fnode-0001.example.com"
    assert cells["team-1, pods: 1 finding"] == "#namespace=team-1&subject=pods"
    assert cells["(none), nodes: 2 findings"] == "#namespace=-&subject=nodes"
    assert [it["href"] for it in found.all("a") if it["href"].startswith("#known")] == ["#known=new", "#known=known"]
    assert "1 gone" in text
    assert "pods.ready: Pod/a/b" in text


def test_nodes_of_one_pool_that_are_alike_are_one_cause():
    """250 nodes in three pools that stopped reporting are three entries."""
    causes = [it for it in page(pooled(1000, 250)).all("li", class_="cause failed") if "nodes.ready" in it["text"]]
    assert len(causes) == 3
    assert "(and 83 more like it)" in causes[0]["text"]


def test_a_large_cluster_is_a_small_page():
    """1,000 nodes and 500 findings are less than a megabyte, and written in well under a second."""
    began = time.process_time()
    raw = render_html(pooled(1000, 250))
    assert time.process_time() - began < 1
    assert len(raw) < 1_000_000


def test_the_last_lines_of_a_log_stand_by_themselves():
    """What a container wrote last is a block of lines below its headline, and pods that differ only in it are alike."""
    pods = [f"Pod/a/web-5bcb6c5c49-{end}" for end in ("4xfgj", "9xvq8")]
    told = [finding(name, f"container app: Error; last lines of app: start {name} ⏎ panic: <no db>") for name in pods]
    found = page(results(result("pods.crashing", "failed", *told)))
    (cause,) = found.all("li", class_="cause failed")
    assert "Pod/a/web-* (2 of them)container app: Errorexpected" in cause["text"]
    (log,) = found.all("pre", class_="log")
    assert log["text"] == f"start {pods[0]}\npanic: <no db>"


def test_what_became_clear_when():
    """With several rounds each check that was not clear at first has its time."""
    checks = (result("a.a", clear_after=3.1), result("b.b", clear_after=0.0))
    text = page(results(*checks, rounds=4)).all("main")[0]["text"]
    assert "a.a clear after 3.1s" in text
    assert "b.b clear after" not in text


@pytest.mark.parametrize("example", EXAMPLES)
def test_screen_readers_find_their_way(example):
    """There are landmarks, a skip link, headings without gaps, labelled fields and a live count."""
    found = example_page(example)
    assert found.all("html")[0]["lang"] == "en"
    assert all(len(found.all(tag)) == 1 for tag in ("header", "main", "footer", "h1", "title"))
    body = [it for it in found.elements if "body" in it["inside"]]
    assert (body[0]["tag"], body[0]["href"]) == ("a", "#checks")
    levels = [int(it["tag"][1]) for it in found.elements if re.fullmatch("h[1-6]", it["tag"])]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("label" in it["inside"] for it in found.elements if it["tag"] in ("input", "select"))
    assert found.all("span", id="shown")[0]["aria-live"] == "polite"
    labelled = {it["aria-labelledby"] for it in found.all("section")}
    assert labelled <= {it.get("id") for it in found.elements}
    after = [found.elements[index + 1]["tag"] for index, it in enumerate(found.elements) if it["tag"] == "details"]
    assert set(after) <= {"summary"}


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_can_be_told_apart(scheme):
    """In every scheme text has a contrast of at least 4.5 to what is behind it (WCAG AA)."""
    block = re.findall(r":root \{(.*?)\}", asset("report.css"), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    behind = [colours["ground"], colours["raised"]]
    texts = [colours[name] for name in ("text", "quiet", "link", "bad", "unsure", "good")]
    assert min(contrast(text, ground) for text in texts for ground in behind) >= 4.5
    bands = [colours[name] for name in colours if name in ("band-bad", "band-unsure", "band-good")] or behind
    assert min(contrast(colours["band-text"], band) for band in bands) >= 4.5


def test_hostile_text_stays_text():
    """Markup, quotes and template marks from the cluster appear as the text that they are; 100 kB are cut."""
    raw = render_html(hostile()).decode()
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", raw)
    assert raw.count("<script") == raw.count("</script>") == 1
    assert (
        "<script>alert(1)</script></script>\"'><img src=x onerror=alert(2)> & ${HOME} $title"
        in Page(raw).all("body")[0]["text"]
    )
    assert len(raw) < 200_000
    assert "more characters in results.json" in raw


def test_thousands_of_findings_are_one_small_page():
    """3,000 findings are written in well under a second, ten in sight, the others folded; beyond 5,000 the rest is counted."""
    began = time.process_time()
    raw = render_html(huge())
    assert time.process_time() - began < 1
    assert len(raw) < 2_000_000
    assert b"and 2,990 more" in raw
    many = render_html(
        results(result("a.b", "failed", *[finding(f"Pod/a/{number}", "bad") for number in range(6_000)]))
    )
    assert "… and 990 more in results.json" in many.decode()


@pytest.mark.parametrize("example", EXAMPLES)
def test_equal_results_give_equal_pages(example):
    """Nothing but the results decides what is written."""
    assert render_html(example()) == render_html(example())
