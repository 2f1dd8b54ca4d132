"""A judgement becomes an outcome: failures first, then what could not be judged, warnings, waived findings, a pass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from msgspec.structs import replace

from tests.worlds import good, judge, lease, node, pod, profile
from upgate.base.harmless import fill
from upgate.battery.check import Check, check, read_docstring, with_severity
from upgate.battery.judgement import Judgement, Subjects
from upgate.judge.outcome import conclude, ending, is_like, result, unused
from upgate.results import CheckResult, Finding

CRITICAL = Check("some.check", "critical", "All is well.", "", "")


@dataclass
class Waiver:
    """An entry of `waivers:`."""

    check: str = "some.check"
    object: str = "*"
    reason: str = "OPS-1"
    until: date = date(2099, 12, 31)


def finding(object="Pod/shop/web-1", severity="critical", **more):
    """A finding."""
    return Finding(object=object, observed="bad", expected="good", severity=severity, **more)


def concluded(*findings, gaps=(), examined=1, waivers=(), check=CRITICAL, **more) -> CheckResult:
    """What a judgement with these findings comes to."""
    judgement = Judgement(check, examined=examined, noun="pods", findings=list(findings), gaps=list(gaps))
    return conclude(judgement, waivers, **more)


BAD, MILD = finding(), finding("Pod/shop/web-2", "warning")
ALL, FIRST, SECOND = Waiver(), Waiver(object="*web-1"), Waiver(object="*web-2")


@pytest.mark.parametrize(
    ("findings", "waivers", "gaps", "outcome"),
    [
        ([], [], [], "passed"),
        ([], [], ["no permission"], "inconclusive"),
        ([], [ALL], [], "passed"),
        ([BAD], [], [], "failed"),
        ([BAD], [], ["no permission"], "failed"),
        ([BAD, MILD], [], [], "failed"),
        ([BAD], [ALL], [], "waived"),
        ([BAD], [ALL], ["no permission"], "inconclusive"),
        ([MILD], [], [], "warned"),
        ([MILD], [], ["no permission"], "inconclusive"),
        ([MILD], [ALL], [], "waived"),
        ([BAD, MILD], [FIRST], [], "warned"),
        ([BAD, MILD], [SECOND], [], "failed"),
        ([BAD, MILD], [FIRST, SECOND], [], "waived"),
        ([replace(BAD, transitional=True)], [], [], "inconclusive"),
        ([replace(BAD, transitional=True)], [ALL], [], "waived"),
        ([replace(MILD, transitional=True)], [], [], "warned"),
        ([BAD, replace(BAD, transitional=True)], [], [], "failed"),
        ([MILD, replace(BAD, transitional=True)], [], [], "inconclusive"),
    ],
)
def test_what_is_worst_and_not_waived_decides(findings, waivers, gaps, outcome):
    """A critical finding fails; else a gap is inconclusive; else a warning warns; else waived findings are told."""
    assert concluded(*findings, waivers=waivers, gaps=gaps).outcome == outcome


def test_what_is_under_way_says_how_far_it_is():
    """ "Not yet" names the first object and counts the others; in monitoring it only warns."""
    rolling = replace(BAD, transitional=True, observed="2 of 3 updated")
    assert concluded(rolling).reason == "not yet: Pod/shop/web-1: 2 of 3 updated"
    assert concluded(rolling, rolling, rolling).reason == "not yet: Pod/shop/web-1: 2 of 3 updated, and 2 other objects"
    assert concluded(rolling, monitoring=True).outcome == "warned"


@pytest.mark.parametrize(
    ("why", "changes", "outcome"),
    [
        ("nothing examined", {}, "inconclusive"),
        ("may be empty", {"may_be_empty": True}, "passed"),
        ("none is fine", {"check": Check("a.b", "critical", "", "", "", none_is_fine=True)}, "passed"),
        ("a gap, although it may be empty", {"may_be_empty": True, "gaps": ["no permission"]}, "inconclusive"),
    ],
)
def test_nothing_examined_is_no_pass(why, changes, outcome):
    """A check that looked at nothing does not pass, unless the catalogue or the profile says that this is fine."""
    assert concluded(examined=0, **changes).outcome == outcome


def test_an_empty_check_says_how_to_allow_it():
    """The reason names what there is none of, and the line for the profile."""
    reason = concluded(examined=0).reason
    assert "there are no pods to judge" in reason
    assert "may-be-empty: [some.check]" in reason


def test_a_finding_without_objects_still_fails():
    """A finding about something that is not there (no node at all) is a failure, not an empty check."""
    assert concluded(BAD, examined=0).outcome == "failed"


def test_gaps_are_told_beside_a_failure():
    """What could not be judged is said even when something else has failed."""
    assert concluded(BAD, gaps=["a is unreadable", "b is unreadable"]).reason == "a is unreadable; b is unreadable"


@pytest.mark.parametrize(
    ("pattern", "object", "waived"),
    [
        ("some.*", "Pod/shop/*", True),
        ("some.check", "Pod/*", True),
        ("some.check", "Pod/shop/web-1", True),
        ("*", "*", True),
        ("some.check", "pod/shop/*", False),
        ("some.check", "Pod/shop/web", False),
        ("other.check", "*", False),
        ("some", "*", False),
    ],
)
def test_waivers_are_globs_over_check_and_object(pattern, object, waived):
    """A waiver covers findings by patterns of the check's id and of the object, whole and with their case."""
    (found,) = concluded(BAD, waivers=[Waiver(pattern, object)]).findings
    assert found.waived == ("OPS-1 (until 2099-12-31)" if waived else None)


def test_the_first_waiver_that_covers_is_told():
    """Of two waivers the first gives the reason, and the other is not called unused."""
    waivers = [Waiver(reason="first"), Waiver(object="Pod/*", reason="second")]
    outcome = concluded(BAD, waivers=waivers)
    assert outcome.findings[0].waived == "first (until 2099-12-31)"
    assert unused(waivers, [outcome]) == []


def outcome_of(id, outcome, *findings):
    """A check's result."""
    return result(Check(id, "critical", "", "", ""), outcome, findings=findings)


@pytest.mark.parametrize(
    ("why", "waiver", "results", "said"),
    [
        ("its check passed", Waiver("a.b"), [outcome_of("a.b", "passed")], True),
        ("its object is gone", Waiver("a.b", "Pod/x"), [outcome_of("a.b", "failed", BAD)], True),
        ("used", Waiver("a.b"), [outcome_of("a.b", "waived", BAD)], False),
        ("its check was not judged", Waiver("a.b"), [outcome_of("a.b", "inconclusive")], False),
        ("its check was not run", Waiver("a.b"), [outcome_of("x.y", "passed")], False),
        ("its check is off", Waiver("a.b"), [outcome_of("a.b", "skipped")], False),
        (
            "one of its checks was not judged",
            Waiver("a.*"),
            [outcome_of("a.b", "passed"), outcome_of("a.c", "inconclusive")],
            False,
        ),
        ("one of its checks is off", Waiver("a.*"), [outcome_of("a.b", "passed"), outcome_of("a.c", "skipped")], True),
        (
            "used in one of its checks",
            Waiver("a.*"),
            [outcome_of("a.b", "passed"), outcome_of("a.c", "waived", BAD)],
            False,
        ),
        ("used in a check that could not judge all", Waiver("a.b"), [outcome_of("a.b", "inconclusive", BAD)], False),
    ],
)
def test_a_waiver_that_matches_nothing_is_reported(why, waiver, results, said):
    """A waiver is reported as unused once all of its checks were judged and none found what it covers; never before."""
    notes = unused([waiver], results)
    assert [f"waiver matches nothing: {waiver.check}" in note for note in notes] == ([True] if said else [])


@pytest.mark.parametrize(
    ("own", "profile_says", "expected"),
    [
        ("critical", None, "critical"),
        ("critical", "warning", "warning"),
        ("warning", "critical", "critical"),
        ("warning", None, "warning"),
    ],
)
def test_the_profile_may_change_a_severity(own, profile_says, expected):
    """A check has its own severity until the profile gives it another."""
    its = Check("a.b", own, "", "", "")
    assert with_severity(its, {"a.b": profile_says} if profile_says else {"x.y": "warning"}).severity == expected


@pytest.mark.parametrize(("level", "outcome"), [("critical", "failed"), ("warning", "warned")])
def test_a_changed_severity_decides_the_outcome(level, outcome):
    """A critical check made a warning warns, and a warning made critical fails."""
    world = good(nodes=[node(ready="False")], pods=[pod(metadata={"ownerReferences": None})])
    for id in ("nodes.ready", "pods.bare"):
        assert judge(id, world, profile=profile(checks={id: level})).outcome == outcome


def test_a_milder_finding_of_a_critical_check_stays_mild():
    """Litter of an owner that is whole only warns, also where the profile names the check critical."""
    litter = good(pods=[pod("old", status={"phase": "Failed"}), pod()])
    assert judge("pods.failed", litter, profile=profile(checks={"pods.failed": "critical"})).outcome == "warned"


def test_a_waived_finding_keeps_its_words():
    """A waived finding stays in the result with what was seen, and the check says that it is waived."""
    waiver = {"check": "nodes.*", "object": "Node/worker-*", "reason": "known", "until": date(2099, 1, 1)}
    outcome = judge("nodes.heartbeat", good(leases=[lease(renewed=999)]), profile=profile(waivers=[waiver]))
    assert outcome.outcome == "waived"
    assert [(each.observed, each.waived) for each in outcome.findings] == [
        ("lease renewed 16m39s ago", "known (until 2099-01-01)")
    ]


class Thing:
    """Anything that can be judged."""

    ref = "Thing/x"
    words = {"name": "x"}  # noqa: RUF012


def test_objects_are_counted_once_and_as_they_were_narrowed():
    """The denominator is what was judged: narrowed by `where`, counted once however often it is asked."""
    judgement = Judgement(CRITICAL)
    some = Subjects("things", [1, 2, 3, 4], judgement).where(lambda number: number > 2)
    some.all(lambda number: True, observed="")
    some.none(lambda number: False)
    assert (judgement.examined, judgement.noun, len(some)) == (2, "things", 2)


def test_a_rule_that_answers_with_a_text_has_said_what_it_saw():
    """`none` takes the rule's own words as observed; without an expectation the check's title is it."""
    judgement = Judgement(CRITICAL)
    Subjects("things", [Thing()], judgement).none(lambda thing: "it is broken")
    assert [(each.object, each.observed, each.expected) for each in judgement.findings] == [
        ("Thing/x", "it is broken", "All is well.")
    ]


def test_a_docstring_is_title_reason_and_hint():
    """A check's docstring gives its title, its reason and the first command, wrapped lines joined."""

    @check("a.b", severity="warning", after=["c.d"])
    def body():
        """The title.

        The reason,
        in two lines.
        Look first: kubectl get {name}
        """

    assert read_docstring(body) == ("The title.", "The reason, in two lines.", "kubectl get {name}")
    assert (body.__check__.id, body.__check__.severity, body.__check__.after) == ("a.b", "warning", ("c.d",))


def test_hints_keep_braces_that_are_no_words():
    """A hint is filled with the object's own words, and braces of jsonpath and the like stay as they are."""
    assert fill("get {name} -o jsonpath='{.spec}'", {"name": "x"}) == "get x -o jsonpath='{.spec}'"


@pytest.mark.parametrize(("day", "told"), [(date(2026, 11, 25), True), (date(2026, 11, 28), False)])
def test_a_waiver_that_ends_soon_is_told(day, told):
    """A week before its last day: the profile cannot be used with it any more after that."""
    assert bool(ending([replace_until(day)], date(2026, 11, 21))) is told


def replace_until(day: date) -> Waiver:
    """A waiver with that last day."""
    waiver = Waiver()
    waiver.until = day
    return waiver


@pytest.mark.parametrize(
    ("pattern", "object", "fits"),
    [
        ("https://[fd00::1]:8443/", "https://[fd00::1]:8443/", True),
        ("https://[fd00::*]:8443/*", "https://[fd00::1]:8443/healthz", True),
        ("https://[fd00::1]:8443/", "https://f:8443/", False),
        ("Pod/shop/web-?", "Pod/shop/web-1", True),
        ("Pod/shop/web-[12]", "Pod/shop/web-1", False),
    ],
)
def test_a_bracket_of_a_waiver_is_a_bracket(pattern: str, object: str, fits: bool) -> None:
    """URLs have brackets: in a waiver's object only `*` and `?` are wildcards."""
    assert is_like(object, pattern) is fits
