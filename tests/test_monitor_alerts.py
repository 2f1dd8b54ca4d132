from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from upgate.monitor import alerts, memory
from upgate.monitor.alerts import News, Rules, State, States
from upgate.monitor.signals import CheckSignal, signals
from upgate.profile.quantities import FailAfter
from upgate.reports.families import replica_family
from upgate.results import CheckResult, Finding

START = datetime(2026, 11, 21, tzinfo=UTC)
RULES = Rules(FailAfter(2, 3), FailAfter(3, 5), timedelta(hours=4))
SIGNALS = {"F": "bad", ".": "good", "?": "unknown", "c": "consequence", "b": "blind", "x": "off"}


class Pager:
    """Rounds a minute apart, and what people were told in each of them."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules, self.states, self.at, self.told = rules, States(), START, []

    def round(
        self, *seen: CheckSignal, muted: bool = False, anyway: bool = False, later: timedelta = timedelta()
    ) -> str:
        """One round; what was told of it, a letter each, with a `-` for nothing."""
        self.at += later or timedelta(minutes=1)
        alerts.step(self.states, seen, self.at, self.rules)
        news = None if muted else alerts.news(self.states, self.at, self.rules, anyway=anyway)
        self.states = {name: again(state) for name, state in self.states.items() if not memory.is_over(state)}
        return letters(news)

    def rounds(self, text: str, **options: bool) -> str:
        """One check round by round, by the letters of SIGNALS."""
        return "".join(self.round(seen(letter), **options) for letter in text)


def again(state: State) -> State:
    """What the next process reads of it."""
    return msgspec.json.decode(msgspec.json.encode(state), type=State)


def letters(news: News | None) -> str:
    """What is told: n(ew), m(ore), o(ngoing), r(ecovered), g(one)."""
    if news is None:
        return "-"
    return "".join(key[0] for key in ("new", "more", "ongoing", "recovered", "gone") if getattr(news, key))


def seen(letter: str, name: str = "nodes.ready", *objects: str) -> CheckSignal:
    """One check in one round."""
    found = dict.fromkeys(objects or ("Node/a",), "Ready=False") if letter == "F" else {}
    return CheckSignal(name=name, title="Every node is Ready.", signal=SIGNALS[letter], objects=found, count=len(found))


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ("F....F....F", "-----------"),
        ("FF.F..", "-n----"),
        ("F.F...", "--n--r"),
        ("FFFFF...", "-n-----r"),
        ("FF..F...", "-n-----r"),
        ("FF...FF...", "-n--r-n--r"),
        ("F?F", "--n"),
        ("FF???????", "-n--no----"),
        ("FFccc...", "-n-----r"),
        ("ccccc", "-----"),
        ("bbbbbbb", "-------"),
        ("??.", "---"),
        ("?.?.?", "----n"),
        ("???.....", "--n----r"),
        ("FFx", "-ng"),
        ("Fx.F", "----"),
    ],
)
def test_alerts_come_after_n_of_m_rounds_and_go_after_m_good_ones(rounds: str, told: str) -> None:
    """2 of 3 bad rounds are told once, then 3 good ones; rounds that say nothing about the check change nothing."""
    assert Pager().rounds(rounds) == told


def test_what_goes_on_is_repeated_after_the_time_that_the_profile_says() -> None:
    """A reminder comes every four hours, and not before."""
    pager = Pager()
    told = pager.rounds("F" * (2 + 480))
    assert [minute for minute, letter in enumerate(told) if letter != "-"] == [1, 241, 481]
    assert told[241] == "o"


def test_a_good_round_reminds_nobody() -> None:
    """After a night without rounds, or after maintenance, nothing is told to go on that is good at that moment."""
    pager = Pager()
    pager.rounds("FF")
    assert pager.round(seen("."), later=timedelta(hours=9)) + pager.rounds("..") == "--r"
    pager.rounds("FFF")
    assert pager.round(seen("."), anyway=True) + pager.rounds("..") == "--r"


def test_one_message_tells_all_that_there_is() -> None:
    """What is new comes with what goes on and what recovered, and sets the time of the next reminder for all."""
    pager = Pager()
    for letters_of_two in ("F.", "F.", "F.", "FF"):
        last = pager.round(*(seen(each, name) for each, name in zip(letters_of_two, ("a.b", "c.d"), strict=True)))
    assert last == "-"
    assert pager.round(seen("F", "a.b"), seen("F", "c.d")) == "no"
    told = [pager.round(seen(".", "a.b"), seen("F", "c.d")) for _ in range(3)]
    assert told == ["-", "-", "or"]
    assert [pager.round(seen(".", "a.b"), seen("F", "c.d")) for _ in range(239)] == ["-"] * 239


def test_an_object_more_is_news_of_an_alert_that_is_known() -> None:
    """A second node that goes down days after the first one is told, once it was down in two rounds."""
    pager = Pager()
    pager.rounds("F" * 200)
    both = [pager.round(seen("F", "nodes.ready", "Node/a", "Node/b")) for _ in range(4)]
    assert both == ["-", "m", "-", "-"]
    assert pager.rounds("FFF") == "---"
    assert [pager.round(seen("F", "nodes.ready", "Node/a", "Node/b")) for _ in range(3)] == ["-", "-", "-"]


def test_an_object_that_comes_back_after_an_hour_is_news_again() -> None:
    """People do not remember for ever what they were told."""
    pager = Pager()
    for _ in range(2):
        pager.round(seen("F", "nodes.ready", "Node/a", "Node/b"))
    pager.rounds("F" * 70)
    assert [pager.round(seen("F", "nodes.ready", "Node/a", "Node/b")) for _ in range(2)] == ["-", "m"]


def test_a_check_that_fails_on_another_object_each_time_is_an_alert() -> None:
    """What flees from object to object, or has pods with new names, is still one thing that is wrong."""
    pager = Pager()
    told = [pager.round(seen("F", "pods.ready", f"Pod/a/{number}")) for number in range(30)]
    assert told == ["-", "n", *["-"] * 28]


def test_flapping_is_told_once_and_named() -> None:
    """An alert that comes and goes is held, until an hour without a bad round is over."""
    pager = Pager()
    told = pager.rounds("FF..." * 20)
    assert told.count("n") == 3
    assert told.count("r") == 2
    assert pager.states["nodes.ready"].failing.flapping
    calm = pager.rounds("." * 90)
    assert calm.index("r") == 57
    assert calm.count("r") == 1
    assert pager.rounds("FF") == "-n"


def test_maintenance_mutes_and_what_is_still_wrong_is_told_at_its_end() -> None:
    """What came and went in the window is never told; what is still wrong then is, in its first round."""
    pager = Pager()
    assert pager.rounds("FFFF....", muted=True) == "--------"
    assert pager.rounds("....") == "----"
    assert pager.rounds("FFF", muted=True) == "---"
    assert pager.round(seen("F"), anyway=True) == "n"
    assert pager.rounds("FF", muted=True) == "--"
    assert pager.round(seen("F"), anyway=True) == "o"


def test_a_window_that_ends_in_a_good_round_wakes_nobody() -> None:
    """An alert that nobody knows of is not told in a round in which its check is good."""
    pager = Pager()
    pager.rounds("FFF", muted=True)
    assert pager.round(seen("."), anyway=True) == "-"
    assert pager.rounds("....") == "----"


def test_a_recovery_in_the_window_is_told_at_its_end() -> None:
    """Nobody who was woken is left without the good news."""
    pager = Pager()
    pager.rounds("FF")
    assert pager.rounds("....", muted=True) == "----"
    assert pager.round(seen("."), anyway=True) == "r"


def test_a_check_that_is_not_selected_any_more_ends_its_alert_after_two_days() -> None:
    """Rounds of another selection say nothing about it; for ever would be too long."""
    pager = Pager()
    pager.rounds("FF")
    assert [pager.round(seen(".", "pods.ready")) for _ in range(239)] == ["-"] * 239
    assert pager.round(seen(".", "pods.ready"), later=timedelta(hours=49)) == "g"
    assert pager.round(seen(".", "pods.ready")) == "-"


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(hours=-5), timedelta(days=4000)])
def test_a_clock_that_jumps_loses_no_alert(jump: timedelta) -> None:
    """What goes on is still known, the next alert still comes, and so does its end."""
    pager = Pager()
    pager.rounds("FF")
    pager.at += jump
    after = pager.rounds("F" * 250)
    assert after.count("n") == 0
    assert 1 <= after.count("o") <= 2
    assert pager.rounds("...") == "--r"
    assert pager.rounds("FF") == "-n"


def test_nothing_is_remembered_of_what_is_well() -> None:
    """The state does not grow with the rounds."""
    pager = Pager()
    pager.rounds("." * 20)
    assert not pager.states
    pager.rounds("F.F." * 500)
    assert len(msgspec.json.encode(pager.states)) < 4000


def test_whatever_comes_every_alert_is_told_before_it_ends_and_ends_once() -> None:
    """New and recovered take turns, for every sequence of six rounds."""
    for number in range(3**6):
        text = "".join(".F?"[number // 3**place % 3] for place in range(6))
        pager = Pager(RULES._replace(inconclusive=FailAfter(9, 9)))
        told = pager.rounds(text + "..." + "." * 60)
        turns = told.replace("-", "")
        assert turns == "nr" * (len(turns) // 2), text
        assert ("FF" in text) <= ("n" in told), text


def test_a_check_that_is_judged_once_a_day_has_its_alert() -> None:
    """Between two daily rounds, of which one starts late, others go on: the first bad round is not forgotten."""
    pager, told = Pager(), ""
    for _ in range(4):
        told += pager.round(seen("F"))
        told += "".join(pager.round(seen(".", "pods.ready"), later=timedelta(hours=1, seconds=2)) for _ in range(24))
    assert (told.count("n"), told.count("g")) == (1, 0)


def finding(object: str = "Node/a", **fields: object) -> Finding:
    """A finding."""
    return Finding(object=object, observed="Ready=False", expected="Ready=True", **fields)


def result(outcome: str, *findings: Finding, id: str = "nodes.ready") -> CheckResult:
    """A check's result."""
    return CheckResult(id=id, title="t", severity="critical", outcome=outcome, findings=findings)


@pytest.mark.parametrize(
    ("check", "signal"),
    [
        (result("passed"), "good"),
        (result("failed", finding()), "bad"),
        (result("failed", finding(because="pods.ready: Pod/a/b")), "consequence"),
        (result("failed", finding(), finding("Node/b", because="pods.ready: Pod/a/b")), "bad"),
        (result("failed", finding(because="a.b: c"), finding("Node/b", severity="warning")), "consequence"),
        (result("warned", finding(severity="warning")), "good"),
        (result("warned", finding(severity="warning", transitional=True)), "good"),
        (result("waived", finding(waived="known")), "good"),
        (result("inconclusive"), "unknown"),
        (result("skipped"), "off"),
    ],
)
def test_what_a_round_says_about_a_check(check: CheckResult, signal: str) -> None:
    """Only what failed by itself shouts."""
    assert [each.signal for each in signals([check])] == [signal]


def test_warnings_shout_where_they_fail_the_gate_but_a_rollout_never_does() -> None:
    """--fail-on-warnings is for alerts too."""
    warned = result("warned", finding(severity="warning"))
    rolling = result("warned", finding(severity="warning", transitional=True))
    assert [each.signal for each in signals([warned, rolling], fail_on_warnings=True)] == ["bad", "good"]


def test_what_cannot_be_judged_because_the_api_server_is_away_does_not_shout() -> None:
    """One cause is one alert."""
    checks = [result("failed", finding(), id="api.ready"), result("inconclusive", id="pods.ready")]
    assert [each.signal for each in signals(checks)] == ["bad", "blind"]


def test_a_cause_names_its_consequences() -> None:
    """People are told what else is red because of it."""
    checks = [result("failed", finding()), result("failed", finding(because="nodes.ready: Node/a"), id="pods.ready")]
    assert signals(checks)[0].explains == ("pods.ready",)


@pytest.mark.parametrize(
    ("object", "name"),
    [
        ("Pod/shop/web-5d8f7c9b6d-x2x4z", "Pod/shop/web-*"),
        ("Pod/shop/agent-x2x4z", "Pod/shop/agent-*"),
        ("Pod/batch/report-29381760-x2x4z", "Pod/batch/report-*"),
        ("Job/batch/report-29381760", "Job/batch/report-*"),
        ("Pod/data/db-0", "Pod/data/db-0"),
        ("Pod/shop/web-front", "Pod/shop/web-front"),
        ("Node/worker-x2x4z", "Node/worker-x2x4z"),
    ],
)
def test_pods_that_replace_each_other_are_one_object(object: str, name: str) -> None:
    """A pod's made-up ending is no news; a node's is its name."""
    assert replica_family(object) == name


def pods(numbers: range) -> CheckResult:
    """A check that finds so many pods."""
    return result("failed", *(finding(f"Pod/shop/db-{number}") for number in numbers), id="pods.ready")


def test_of_many_that_recover_slowly_none_is_news() -> None:
    """What was not remembered because there were so many is not new when the others have gone."""
    pager = Pager()
    told = [pager.round(*signals([pods(range(gone, 500))])) for gone in (0, 0, 0, *range(0, 500, 7))]
    assert [letter for letter in told if letter != "-"] == ["n"]
    assert len(msgspec.json.encode(pager.states)) < 20_000


def test_what_is_under_way_has_not_recovered() -> None:
    """A rollout that begins while its workload is wrong ends the alert when it is done, not before."""
    bad = result("failed", finding("Deployment/shop/web"), id="deployments.ready")
    rolling = finding("Deployment/shop/web", transitional=True, severity="warning")
    under_way = result("warned", rolling, id="deployments.ready")
    other = result("warned", msgspec.structs.replace(rolling, object="Deployment/shop/other"), id="deployments.ready")
    pager = Pager()
    rounds = [bad, bad, *[under_way] * 9, bad, *[other] * 3]
    assert "".join(pager.round(*signals([each])) for each in rounds) == "-n------------r"


def test_what_is_waived_has_not_recovered() -> None:
    """A waiver ends the alert at once, as no longer checked; one that was there before has nothing to do with it."""
    bad, old = finding("Pod/shop/db-0"), finding("Pod/shop/db-1", waived="OPS-1")
    failed, well = result("failed", bad, old), result("waived", old)
    waived = result("waived", msgspec.structs.replace(bad, waived="OPS-2"), old)
    for end, told in ((waived, "-ng---"), (well, "-n--r-")):
        pager = Pager()
        assert "".join(pager.round(*signals([each])) for each in (failed, failed, *[end] * 4)) == told


@pytest.mark.parametrize(
    ("root", "object", "transitional", "signal"),
    [
        ("Node/a", "Pod/shop/web", True, "consequence"),
        ("Node/a", "Service/shop/web", True, "bad"),
        ("Node/a", "https://shop.example.com/", True, "bad"),
        ("Node/a", "shop.example.com:443", True, "bad"),
        ("Deployment/shop/web", "Pod/shop/web", True, "bad"),
        ("Node/a", "https://shop.example.com/", False, "consequence"),
        ("Deployment/shop/web", "Service/shop/web", False, "consequence"),
    ],
)
def test_what_follows_from_something_under_way_is_silent_only_for_a_bounded_time(
    root: str, object: str, transitional: bool, signal: str
) -> None:
    """A node comes or goes within minutes; a rollout may take for ever, and what users feel does not wait for it."""
    cause = result("failed", finding(root, transitional=transitional), id="a.b")
    follows = result("failed", finding(object, because=f"a.b: {root}"), id="c.d")
    assert signals([cause, follows])[1].signal == signal


def test_however_long_the_words_little_is_remembered() -> None:
    """An address of 10 kB, or a container that says as much at its end, fills no history."""
    wordy = Finding(object="x" * 10_000, observed="y" * 10_000, expected="z", because=None)
    check = msgspec.structs.replace(result("failed", *[wordy] * 60), reason="r" * 10_000)
    assert len(msgspec.json.encode(signals([check]))) < 1200


def crashing(*names: str) -> CheckSignal:
    """What a round says of these pods."""
    found = [Finding(object=f"Pod/{name}", observed="crashes", expected="runs", severity="critical") for name in names]
    check = CheckResult(id="pods.crashing", title="t", outcome="failed", findings=found, severity="critical")
    return signals([check])[0]


@pytest.mark.parametrize("number", [5, 48, 49, 50, 400])
def test_a_crowd_of_one_namespace_hides_no_other(number):
    """However many pods of a tenant crash, in whatever order: those of another namespace are news, the second one too."""
    crowd, pager = [f"aaa/p{n:03}x" for n in range(number)], Pager()
    assert [pager.round(crashing(*crowd)) for _ in range(3)] == ["-", "n", "-"]
    assert [pager.round(crashing(*crowd, "shop/checkout")) for _ in range(3)] == ["-", "m", "-"]
    assert [pager.round(crashing(*crowd, "shop/checkout", "shop/cart")) for _ in range(3)] == ["-", "m", "-"]


def test_of_too_many_namespaces_none_is_news():
    """Where more namespaces are hit than are remembered, one that comes into view is not told as new."""
    everywhere, pager = [f"ns{n:03}/p" for n in range(80)], Pager()
    assert [pager.round(crashing(*everywhere[n:])) for n in range(12)] == ["-", "n", *"-" * 10]
