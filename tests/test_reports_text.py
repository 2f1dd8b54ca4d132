"""The terminal's report, as people read it."""

import re

import msgspec
import pytest

from tests.test_reports_examples import EXAMPLES, broken, finding, healthy, hostile, huge, result, results, unreachable
from upgate.reports.cleaning import harmless
from upgate.reports.terminal import render_terminal


def shown(of, width=80):
    return render_terminal(of, colour=False, width=width)


def flat(of):
    return " ".join(shown(of).split())


def test_causes_come_last_before_the_verdict():
    """What is skipped, waived and not judged comes first, then the causes, then the verdict with all counts."""
    text = shown(broken())
    places = [text.index(word) for word in ("skipped:", "waived:", "NOT JUDGED", "WRONG:", "NOT CLEAR")]
    assert places == sorted(places)
    assert flat(broken()).endswith(
        "NOT CLEAR — stop, roll back or repair 6 causes (52 findings), 3 consequences; "
        "6 failed, 5 inconclusive, 1 warned, 1 waived, 5 passed, 1 skipped"
    )


def test_the_next_step_belongs_to_the_verdict():
    """Each verdict says what to do next, and a rollout that was not waited for says that it can be."""
    rollout = result("deployments.ready", "failed", finding("Deployment/a/b", "1 of 2", transitional=True))
    assert "CLEAR — go on 5 passed, 1 skipped" in flat(healthy())
    assert "INCONCLUSIVE — see why, and run again no check was run" in flat(results())
    assert "NOT CLEAR — not finished yet, run again with --settle" in shown(results(rollout))
    not_yet = result("deployments.ready", "inconclusive", *rollout.findings)
    assert "INCONCLUSIVE — not finished yet, run again with --settle" in shown(results(not_yet))
    assert "NOT CLEAR — stop, roll back or repair" in shown(results(rollout, rounds=9))


def test_a_cause_says_all_of_itself():
    """A cause shows its object, what was observed and expected, its check, whom it reaches, and where to look first."""
    text = flat(broken())
    assert "Node/worker-3: Ready=Unknown for 12m (Kubelet stopped posting node status.) (expected: Ready=True)" in text
    assert "nodes.ready; 3 consequences: Deployment/shop/web and 2 more kubectl describe node worker-3" in text
    assert "external.shop; users may notice" in text
    assert "statefulsets.ready; not finished yet" in text


def test_what_is_new_comes_before_what_is_known():
    """What the baseline knows says so, behind what it does not know."""
    known, new = finding("Node/a", "NotReady", known=True), finding("Node/b", "NotReady")
    text = flat(results(result("nodes.ready", "failed", known, new)))
    assert text.index("Node/b") < text.index("Node/a")
    assert text.count("known since before the upgrade") == 1
    assert text.index("Node/a") < text.index("known since before the upgrade")


def test_alike_pods_are_one_cause():
    """47 pods of one workload that crash alike are one entry with their number; 3,000 pods are a few lines."""
    text = shown(broken())
    assert "Pod/shop/web-7d9f8c6b5-* (47 of them): container app waits in CrashLoopBackOff" in " ".join(text.split())
    assert len(re.findall("Pod/shop/web-", text)) == 1
    assert len(shown(huge()).splitlines()) < 140


def test_many_causes_are_cut():
    """Of 60 causes 25 are shown, and the line behind them says which checks have the other 35."""
    many = [finding(f"Deployment/a/web{number}", "0 of 1") for number in range(60)]
    text = flat(results(result("deployments.ready", "failed", *many)))
    assert "25. Deployment/a/web24" in text
    assert "… and 35 more in report.html: 35 deployments.ready" in text


def test_a_consequence_is_told_under_its_cause():
    """A finding with a known cause is named once, in the line under that cause, and is no entry of its own."""
    assert flat(broken()).count("Deployment/shop/web") == 1


@pytest.mark.parametrize("because", ["nodes.ready: Node/gone", "a.b: Pod/x/y"])
def test_a_consequence_without_a_visible_cause_is_shown(because):
    """A finding whose cause is not among the results, or is itself, is told like any other."""
    text = flat(results(result("a.b", "failed", finding("Pod/x/y", "broken", because=because))))
    assert "1. Pod/x/y: broken (expected: as declared)" in text


def test_a_chain_of_causes_ends_at_its_root():
    """A consequence of a consequence is listed under the first cause, and a waived cause explains nothing."""
    root = finding("Node/n", "down")
    chain = (
        result("b.b", "failed", finding("Pod/x/b", "off", because="a.a: Node/n")),
        result("c.c", "failed", finding("Pod/x/c", "off", because="b.b: Pod/x/b")),
    )
    text = flat(results(result("a.a", "failed", root), *chain))
    assert "WRONG: 1 cause, 2 consequences" in text
    assert "2 consequences: Pod/x/b and 1 more" in text
    waived = result("a.a", "waived", msgspec.structs.replace(root, waived="known"))
    assert "1. Pod/x/b: off" in flat(results(waived, *chain))


def test_checks_with_one_reason_share_a_line():
    """28 checks that could not be judged for one reason take one entry, and another reason has its own."""
    text = flat(unreachable())
    assert text.count("cannot be reached: connection refused") == 1
    assert "nodes.a, nodes.b, nodes.c, nodes.d, nodes.e, nodes.f and 22 more: the API server at" in text
    assert "services.endpoints-live: list of endpointslices broke off after 30s" in flat(broken())
    assert "version unknown, nodes not seen, pods not seen" in text


def test_waivers_stay_visible():
    """A waived finding is listed with its reason and end, also in a check that failed for another object."""
    assert flat(broken()).count("OPS-812: leaks by design, until 2026-12-31") == 2


def test_rounds_are_told():
    """A run with several rounds says which checks became clear late and which flapped."""
    checks = (result("a.a", clear_after=190.0), result("b.b", clear_after=0.0), result("c.c", flapped=True))
    text = flat(results(*checks, rounds=4))
    assert "Flapped (clear in one round, not in a later one): c.c Became clear: a.a after 3m10s" in text
    assert "4 rounds in 4.44s" in text


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("width", [40, 80, 132])
def test_lines_fit(example, width):
    """No line is wider than the terminal but a command, which stays whole to be copied."""
    wide = [line for line in shown(example(), width).splitlines() if len(line) > width]
    assert all(line.lstrip().startswith(("kubectl ", "curl ")) for line in wide)


def test_colour_is_asked_for():
    """With colour each coloured line ends its colour; without it there is no escape at all."""
    coloured = render_terminal(broken(), colour=True, width=80).splitlines()
    assert any(line.startswith("\x1b[1;31m") for line in coloured)
    assert all(line.endswith("\x1b[0m") for line in coloured if "\x1b[" in line)
    assert "\x1b" not in shown(broken())


@pytest.mark.parametrize("colour", [True, False])
def test_the_cluster_cannot_steer_the_terminal(colour):
    """Of hostile text no control character but our own colours reaches the terminal, and 100 kB are cut."""
    text = re.sub("\x1b\\[[0-9;]+m", "", render_terminal(hostile(), colour=colour, width=80))
    assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert "red" in text
    assert "more characters in results.json" in text
    assert len(text) < 30_000


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x9b31mred", "red"),
        ("\x1b(Bplain\x1b=", "plain"),
        ("tab\tline\r\nnext\n", "tab\tline\nnext\n"),
        ("a\x1b", "a\\x1b"),
        ("nul\0 sur\udc80 bidi\u202e", "nul\\x00 sur\\udc80 bidi\\u202e"),
        ("日本語 ünïcödé 🚀", "日本語 ünïcödé 🚀"),
    ],
)
def test_harmless_text(text, safe):
    """Sequences vanish, single controls become visible, everything readable stays, and twice is as good as once."""
    assert harmless(text) == safe
    assert harmless(safe) == safe
