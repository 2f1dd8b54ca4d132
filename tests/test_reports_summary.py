"""`summary.md` and GitHub's annotations; and that all formats count alike."""

import html
import json
import re

import pytest

from tests.test_reports_examples import EXAMPLES, HOSTILE, broken, finding, hostile, huge, result, results
from upgate.reports.cause_list import cause_list
from upgate.reports.html import render_html
from upgate.reports.results_json import render_json
from upgate.reports.summary import code_span, github_annotations, render_summary
from upgate.reports.terminal import render_terminal

CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")


def summary(of):
    return render_summary(of).decode()


@pytest.mark.parametrize("example", EXAMPLES)
def test_all_formats_count_alike(example):
    """The page, the terminal and the summary say the same numbers, and results.json holds as many findings."""
    listed = cause_list(example())
    active = [
        it for check in json.loads(render_json(example()))["checks"] for it in check["findings"] if not it["waived"]
    ]
    assert listed.findings + listed.consequences == len(active)
    said = {
        tuple(re.findall(r"(\d+) causes?(?: \((\d+) findings?\))?, (\d+) consequences?", text)[:1])
        for text in (
            html.unescape(render_html(example()).decode()),
            " ".join(render_terminal(example(), colour=False, width=80).split()),
            summary(example()),
        )
    }
    assert len(said) == 1
    assert bool(listed.causes) is (said != {()})


def test_all_formats_have_the_same_first_cause():
    """What stands first on the page stands first in the terminal and in the summary."""
    first = cause_list(broken()).causes[0].first.object
    page = re.search('<li class="cause.*?<a class="object"[^>]*>(.*?)</a>', render_html(broken()).decode())
    assert html.unescape(page[1]) == first
    assert f"1. {first}: " in render_terminal(broken(), colour=False, width=132)
    assert f"1. `{first}`: " in summary(broken())


def test_causes_are_ordered_by_what_they_take_down():
    """What users see comes before workloads, new before known, critical before warnings."""
    found = (
        result("a.a", "warned", finding("Service/a/warned", "no endpoint", severity="warning")),
        result("b.b", "failed", finding("Secret/a/rest", "bad"), finding("Service/a/known", "bad", known=True)),
        result("c.c", "failed", finding("Deployment/a/web", "0 of 1"), finding("Service/a/web", "no endpoint")),
        result("d.d", "failed", finding("Node/a", "down")),
        result("e.e", "failed", finding("Ingress/a/shop", "502", because="d.d: Node/a")),
    )
    order = [cause.first.object for cause in cause_list(results(*found)).causes]
    assert order == [
        "Node/a",
        "Service/a/web",
        "Deployment/a/web",
        "Secret/a/rest",
        "Service/a/known",
        "Service/a/warned",
    ]


def test_the_summary_has_what_one_looks_for():
    """Verdict, numbers, cluster, and for each cause its check, what follows and the command."""
    text = summary(broken())
    assert text.startswith(
        "## upgate: NOT CLEAR — stop, roll back or repair\n\n6 causes (52 findings), 3 consequences; 6 failed"
    )
    assert "`nodes.ready`, 3 consequences: `Deployment/shop/web`, `Deployment/shop/cart`, `Pod/shop/cart-1`" in text
    assert "look first: `kubectl describe node worker-3`" in text
    assert "Not judged, so not a pass:" in text


def test_hostile_text_stays_in_code():
    """Outside of code spans there is nothing that the cluster wrote, and no control character anywhere."""
    text = summary(hostile())
    assert HOSTILE[:20] in text
    outside = CODE.sub("", text)
    assert not re.search("script|img|onerror|alert|HOME", outside)
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)
    assert len(summary(huge())) < 200_000


@pytest.mark.parametrize("text", ["plain", "`", "a``b", "``` ~~~", "[x](http://evil) @here <img src=x>", ""])
def test_a_code_span_cannot_be_left(text):
    """Whatever the text holds, one code span holds it all."""
    assert CODE.fullmatch(code_span(text))


def test_annotations_are_bounded_and_escaped():
    """Ten errors and ten warnings at most; a text can neither begin a second command nor end its own."""
    many = [finding(f"Deployment/a/web{number}", "100%\n::error::x") for number in range(30)]
    told = github_annotations(results(result("a,b:c", "failed", *many)))
    assert len(told) == 10
    assert told[0].startswith("::error title=upgate a%2Cb%3Ac::Deployment/a/web0: 100%25 ")
    assert all(line.count("::error") == 1 and "\n" not in line for line in told)
    kinds = [line.split()[0] for line in github_annotations(broken())]
    assert kinds == ["::error"] * 4 + ["::warning"] * 4
