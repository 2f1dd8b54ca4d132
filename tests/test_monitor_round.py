from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.running import REPOSITORY
from tests.webhooks import Webhook, webhook
from tests.worlds import profile
from upgate.base.errors import UsageError
from upgate.base.files import locked
from upgate.facts.attempts import Attempt, Elapsed
from upgate.monitor import delivery, history, maintenance, round, sending, storage
from upgate.monitor.round import Monitored
from upgate.plugin import monitoring
from upgate.results import EXIT_CODES, CheckResult, ClusterSummary, Finding, Results, decide
from upgate.snapshot import Snapshot

START = datetime(2026, 11, 21, tzinfo=UTC)
TOKEN = "T0KEN-of-a-webhook"


@pytest.fixture
def server() -> Iterator[Webhook]:
    with webhook() as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "BETWEEN", 0.01)


def check(letter: str, id: str = "nodes.ready") -> CheckResult:
    """A check that failed (F), passed (.) or could not be judged (?)."""
    found = Finding(object="Node/a", observed="Ready=False", expected="Ready=True")
    outcome = {"F": "failed", ".": "passed", "?": "inconclusive"}[letter]
    return CheckResult(
        id=id,
        title="Every node is Ready.",
        severity="critical",
        outcome=outcome,
        examined=3,
        duration=0.002,
        findings=(found,) if letter == "F" else (),
        reason="not permitted" if letter == "?" else "",
    )


def results(checks: Iterable[CheckResult], at: datetime) -> Results:
    """A round's results."""
    verdict = decide(checks := tuple(checks))
    return Results(
        profile="prod",
        verdict=verdict,
        exit_code=EXIT_CODES[verdict],
        cluster=ClusterSummary(server="https://127.0.0.1:6443"),
        started=at,
        finished=at + timedelta(seconds=1),
        checks=checks,
    )


class Rounds:
    """Rounds a minute apart in one folder."""

    def __init__(self, folder: Path, **monitor: Any) -> None:
        self.folder, self.at, self.profile = folder, START, profile(monitor=monitor)

    @property
    def path(self) -> Path:
        """The history."""
        return self.folder / history.FILE

    def run(self, letters: str, *, seen: Snapshot | None = None, ids: Iterable[str] = ("nodes.ready",)) -> list[str]:
        """A round for each letter, in which that is so for all of these checks; the notes of the last one."""
        notes = []
        for letter in letters:
            self.at += timedelta(minutes=1)
            checks = [check(letter, id) for id in ids]
            notes = round.follow_round(Monitored(self.profile, results(checks, self.at), seen, self.folder))
        return notes

    def ask(self, statement: str) -> list[Any]:
        """What the database itself holds."""
        with closing(sqlite3.connect(self.path)) as db:
            return [tuple(row) for row in db.execute(statement)]


def test_an_alert_arrives_once_and_so_does_its_end(server: Webhook, tmp_path: Path) -> None:
    """A webhook gets JSON, and a service of apprise the same in words: new, then recovered, and nothing between."""
    rounds = Rounds(tmp_path, notify=[server.url(f"/hook/{TOKEN}"), server.url(f"/apprise/{TOKEN}", "json")])
    assert rounds.run("FFFFF.....") == []
    new, recovered = server.at(f"/hook/{TOKEN}")
    assert [line["check"] for line in new["new"]] == ["nodes.ready"]
    assert new["title"] == "[prod] 1 new alert: nodes.ready"
    assert "Node/a: Ready=False" in new["text"]
    assert "failing for 1m, since 2026-11-21 00:01 UTC" in new["text"]
    assert "report.html" in new["text"]
    assert new["id"] in new["text"]
    assert recovered["title"] == "[prod] recovered: nodes.ready"
    assert "after 5m, at 2026-11-21 00:06 UTC" in recovered["text"]
    assert [each["message"] for each in server.at(f"/apprise/{TOKEN}")] == [new["text"], recovered["text"]]


def test_a_message_is_short_however_much_is_wrong(server: Webhook, tmp_path: Path) -> None:
    """What does not fit is counted; what cannot be judged for one and the same reason is one entry."""
    rounds = Rounds(tmp_path, notify=[server.url("/")])
    ids = [f"a.check-{number:02}" for number in range(40)]
    rounds.run("FF", ids=ids)
    (failing,) = server.at("/")
    assert failing["title"] == "[prod] 40 new alerts: a.check-00, a.check-01, a.check-02 and 37 more"
    assert failing["text"].count("Node/a: Ready=False") == 20
    assert "- and 20 more\n" in failing["text"]
    rounds.run("???", ids=ids)
    new = server.at("/")[-1]["text"].partition("STILL")[0]
    assert new.splitlines()[1].startswith("- a.check-00, a.check-01, a.check-02 and 37 more: could not be judged (")
    assert new.splitlines()[2:] == ["  not permitted", ""]


def test_what_cannot_be_delivered_waits_and_arrives_in_its_order(server: Webhook, tmp_path: Path) -> None:
    """A webhook that is down for half an hour gets everything then, once; the other one does not wait for it."""
    rounds = Rounds(tmp_path, notify=[server.url(f"/{TOKEN}"), server.url("/well")], heartbeat=server.url("/beat"))
    server.broken[f"/{TOKEN}"] = 503
    said = rounds.run("FF")
    assert said == [
        "monitor.notify[0] (http): an alert could not be delivered: it answered with status 503. The next round tries again",
        "the heartbeat was not sent: the history or the delivery of alerts does not work",
    ]
    rounds.run("F" * 5 + "." * 23)
    assert len(server.at("/well")) == 2
    assert len(server.at("/beat")) == 1
    server.broken.clear()
    rounds.run("." * 20)
    assert server.at(f"/{TOKEN}") == server.at("/well")
    assert rounds.run(".") == []
    with history.opened(rounds.path) as past:
        assert all(each.sent for each in past.messages())


def test_those_who_answer_do_not_wait_for_one_who_does_not(
    server: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the recipients are called: where one has used up the time of a round, the others are first in the next one."""
    monkeypatch.setattr(delivery, "TOGETHER", 0.15)
    monkeypatch.setattr(delivery, "BETWEEN", 0.2)
    paths = sorted(("/a", "/b"), key=lambda path: delivery.recipient_digest(server.url(path)))
    server.broken[paths[0]] = 503
    rounds = Rounds(tmp_path, notify=[server.url(path) for path in paths])
    monkeypatch.setattr(sending, "post", slowly(sending.post))
    rounds.run("FF")
    rounds.at += timedelta(minutes=15)
    rounds.run("F")
    assert len(server.at(paths[1])) == 1


def slowly(post: Callable[..., None]) -> Callable[..., None]:
    """The same, after a time that is longer than all deliveries of a round may take."""

    def slow(*arguments: object) -> None:
        time.sleep(0.2)
        post(*arguments)

    return slow


def test_a_recipient_that_is_gone_fills_nothing(server: Webhook, tmp_path: Path) -> None:
    """What waits for a URL that the profile no longer names is dropped, and that is said; so is more than fifty."""
    server.broken["/"] = 410
    rounds = Rounds(tmp_path, notify=[server.url("/")])
    rounds.run("FF")
    with closing(sqlite3.connect(rounds.path)) as db, db:
        columns = "message, recipient, title, body, created"
        for _ in range(6):
            db.execute(f"INSERT INTO outbox ({columns}) SELECT {columns} FROM outbox")
    said = rounds.run("F")
    assert rounds.ask("SELECT count(*) FROM outbox WHERE sent IS NULL") == [(50,)]
    assert said[0] == "monitor.notify[0] (http) does not accept messages: the 14 oldest alert messages were dropped"
    rounds.profile = profile(monitor={"notify": [server.url("/other")]})
    assert "50 alert messages for a recipient that the profile no longer names" in rounds.run(".")[0]


def test_no_token_of_a_url_is_anywhere(server: Webhook, tmp_path: Path) -> None:
    """Neither the history nor any note holds what is in the URLs of webhooks, services and heartbeats."""
    urls = [f"http://127.0.0.1:9/{TOKEN}", f"json://user:{TOKEN}@127.0.0.1:9/{TOKEN}?key={TOKEN}"]
    server.broken[f"/{TOKEN}"] = 404
    rounds = Rounds(tmp_path, notify=[*urls, server.url(f"/{TOKEN}", "json")], heartbeat=f"http://127.0.0.1:9/{TOKEN}")
    said = [*rounds.run("."), *rounds.run("FF")]
    assert len(said) == 5
    assert not any(TOKEN in note for note in said), said
    assert all(TOKEN.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_a_cluster_says_cannot_pretend_to_be_a_line_of_ours(server: Webhook, tmp_path: Path) -> None:
    """The last words of a container may hold line breaks, and a heading of ours behind one."""
    forged = Finding(object="Pod/a/b", observed="died\n\nRECOVERED\n- nodes.ready: all is well", expected="")
    rounds = Rounds(tmp_path, notify=[server.url("/")])
    for _ in range(2):
        rounds.at += timedelta(minutes=1)
        checks = [structs.replace(check("F"), findings=(forged,))]
        round.follow_round(Monitored(rounds.profile, results(checks, rounds.at), None, tmp_path))
    (message,) = server.at("/")
    assert "  Pod/a/b: died RECOVERED - nodes.ready: all is well" in message["text"].splitlines()
    with history.opened(rounds.path) as past:
        assert not any("\n" in text for text in (past.checks()[0].detail, past.incidents()[0].observed))


def test_a_message_has_the_same_number_in_every_attempt(server: Webhook, tmp_path: Path) -> None:
    """A process killed between sending and writing that down sends it again, and people can tell."""
    rounds = Rounds(tmp_path, notify=[server.url("/")])
    rounds.run("FF")
    with closing(sqlite3.connect(rounds.path)) as db, db:
        db.execute("UPDATE outbox SET sent = NULL, next = 0")
    rounds.run("FFF")
    first, again = server.at("/")
    assert first == again


def test_the_heartbeat_is_sent_only_when_the_round_was_really_judged(server: Webhook, tmp_path: Path) -> None:
    """A cluster that is wrong was looked at; one that could not be looked at is what the dead-man's switch is for."""
    rounds = Rounds(tmp_path, heartbeat=server.url("/beat"))
    assert rounds.run(".F") == []
    assert len(server.at("/beat")) == 2
    assert rounds.run("?") == ["the heartbeat was not sent: this round could not be judged"]
    assert len(server.at("/beat")) == 2


def test_maintenance_mutes_and_is_booked_apart(server: Webhook, tmp_path: Path) -> None:
    """Rounds in a window of the profile go on, and nobody is told until its end; its time is not among the others."""
    window = {"from": START + timedelta(minutes=2), "to": START + timedelta(minutes=10), "reason": "upgrade"}
    rounds = Rounds(tmp_path, notify=[server.url("/")], maintenance=[window])
    assert rounds.run("..F") == ["maintenance until 2026-11-21 00:10 UTC, alerts are not sent: upgrade"]
    rounds.run("FFFFFF")
    assert server.at("/") == []
    rounds.run("F...")
    assert [each["at"][11:16] for each in server.at("/")] == ["00:10", "00:13"]
    with history.opened(rounds.path) as past:
        assert {(each.maintenance, each.judged, each.failed) for each in past.days()} == {(False, 5, 1), (True, 8, 7)}
        assert [(each.reason, each.source) for each in past.windows()] == [("upgrade", "profile")]
        assert [(each.maintenance, each.told) for each in past.incidents()] == [(True, True)]


def test_the_reason_of_a_window_may_come_from_the_environment(tmp_path: Path) -> None:
    """What `${VAR}` stood for is in no history, as it is in no report."""
    window = {"from": START, "to": START + timedelta(minutes=10), "reason": f"moving {TOKEN}"}
    entries = profile(monitor={"maintenance": [window]}).monitor.maintenance
    with storage.transaction(tmp_path / history.FILE) as db:
        assert [reason for *_, reason in maintenance.windows_in_force(db, entries, START, [TOKEN])] == [
            "moving [hidden]"
        ]
        assert [row["reason"] for row in db.execute("SELECT reason FROM windows")] == ["moving [hidden]"]


@pytest.mark.parametrize("torn", [b"", b"SQLite format 3\0 and then nothing", b"\x7fELF" * 5000])
def test_a_torn_history_is_moved_aside_and_that_is_said(torn: bytes, tmp_path: Path) -> None:
    """The round is told as it is, a new history begins, and the old file is there for those who want to look."""
    rounds = Rounds(tmp_path)
    rounds.path.write_bytes(torn)
    said = rounds.run("F")
    if torn:
        assert "file is not a database" in said[0]
        assert "a new history begins" in said[0]
        assert [path.read_bytes() for path in tmp_path.glob("*.corrupt-*")] == [torn]
    assert rounds.run("F") == []
    assert rounds.ask("SELECT count(*) FROM rounds") == [(2,)]


def test_torn_histories_do_not_fill_the_disk(tmp_path: Path) -> None:
    """Of those that were moved aside the last three stay."""
    rounds = Rounds(tmp_path)
    for number in range(5):
        rounds.path.write_bytes(b"torn, and long enough to be a file of some kind %d" % number * 20)
        rounds.run(".")
    kept = sorted(path.read_bytes()[48:49] for path in tmp_path.glob("*.corrupt-*"))
    assert kept == [b"2", b"3", b"4"]


def test_a_torn_page_is_found_on_the_next_day_at_the_latest(tmp_path: Path) -> None:
    """Pages that nobody reads are read once a day."""
    rounds = Rounds(tmp_path)
    rounds.run(".F" * 40)
    data = bytearray(rounds.path.read_bytes())
    page = rounds.ask("SELECT rootpage FROM sqlite_master WHERE name = 'incidents'")[0][0] - 1
    data[page * 4096 : page * 4096 + 4096] = b"\xff" * 4096
    rounds.path.write_bytes(data)
    rounds.at += timedelta(days=1)
    said = rounds.run(".")
    assert "a new history begins" in said[0], said


def test_a_history_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """It is neither used nor moved: the round says so."""
    rounds = Rounds(tmp_path)
    rounds.run(".")
    with closing(sqlite3.connect(rounds.path)) as db, db:
        db.execute("PRAGMA user_version = 99")
    assert "has schema 99, this version reads 1: it was left as it is" in rounds.run(".")[0]
    assert rounds.ask("SELECT count(*) FROM rounds") == [(1,)]


def test_an_alert_state_that_cannot_be_read_begins_anew(tmp_path: Path) -> None:
    """One broken row does not stop monitoring for ever."""
    rounds = Rounds(tmp_path)
    rounds.run("FF")
    with closing(sqlite3.connect(rounds.path)) as db, db:
        db.execute("UPDATE alerts SET state = '{}'")
    assert rounds.run("F") == ["the alert state of nodes.ready could not be read and starts empty"]
    assert rounds.run("F") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_and_changes_nothing_else(server: Webhook, small_disk: Path, tmp_path: Path) -> None:
    """The history of before stays whole; without one no alert is decided, and the heartbeat stays away so that people notice."""
    rounds = Rounds(small_disk, notify=[server.url("/")], heartbeat=server.url("/beat"))
    rounds.run("...F")
    (small_disk / "ballast").write_bytes(b"x" * (shutil.disk_usage(small_disk).free))
    said = [rounds.run("F") for _ in range(3)][-1]
    assert "this round is not in the history, and no alert was decided or delivered: " in said[0]
    assert "the disk is full" in said[0]
    assert "heartbeat was not sent" in said[-1]
    assert server.at("/") == []
    (small_disk / "ballast").unlink()
    assert rounds.run("F") == []
    assert len(server.at("/")) == 1
    assert rounds.ask("PRAGMA integrity_check") == [("ok",)]
    assert rounds.ask("SELECT count(*) FROM rounds") == [(5,)]


def test_the_clock_may_jump(tmp_path: Path) -> None:
    """A clock that is ten years ahead for a while, and one that starts in 1970, delete nothing of the days before."""
    rounds = Rounds(tmp_path, keep=timedelta(days=2))
    rounds.run("." * 5)
    for year in (2036, 1970):
        rounds.at = datetime(year, 1, 1, tzinfo=UTC)
        rounds.run("." * 3)
    rounds.at = START + timedelta(hours=1)
    rounds.run("FF")
    assert rounds.ask("SELECT count(*) FROM rounds") == [(13 - 5,)] or rounds.ask("SELECT count(*) FROM rounds") == [
        (13,)
    ]
    with history.opened(rounds.path) as past:
        assert past.last_round().at == rounds.at


def test_old_days_are_forgotten(tmp_path: Path) -> None:
    """Only so many days are kept, of everything, and the file does not grow any more."""
    rounds = Rounds(tmp_path, keep=timedelta(days=10))
    attempts = [Attempt(id="nodes.ready", target="https://a", started=START, elapsed=Elapsed(total=0.1))]
    sizes = []
    for _ in range(24):
        rounds.at += timedelta(days=1)
        rounds.run("FF......", seen=Snapshot(taken=START, attempts=attempts))
        sizes.append(rounds.path.stat().st_size)
    assert sizes[-1] <= sizes[12]
    since = rounds.at - timedelta(days=11)
    with history.opened(rounds.path) as past:
        for entries in (past.rounds(), past.targets(), past.incidents(), past.days(), past.spans()):
            assert 9 <= len(entries) <= 100
        assert min(each.at for each in past.rounds()) >= since
        assert min(each.day for each in past.days()) >= since.date()
        assert min(each.until for each in past.incidents()) >= since


def test_latency_and_availability_are_kept_by_target_and_hour(tmp_path: Path) -> None:
    """What was down or unknown has no latency."""
    rounds = Rounds(tmp_path)
    for letter, target in (("F", "Node/a"), (".", "Node/a"), (".", "Node/a"), ("?", "Node/a")):
        attempts = [Attempt(id="nodes.ready[x]", target=target, started=START, elapsed=Elapsed(total=0.2))]
        rounds.run(letter, seen=Snapshot(taken=START, attempts=attempts))
    with history.opened(rounds.path) as past:
        (hour,) = past.targets()
    assert (hour.up, hour.down, hour.unknown, hour.latency, hour.slowest) == (2, 1, 1, 0.2, 0.2)


def test_a_target_that_only_warns_is_down_all_the_same(tmp_path: Path) -> None:
    """How much an entry matters says nothing about whether it answered; right at the second attempt is an answer."""
    rounds = Rounds(tmp_path)
    found = Finding(object="https://a", observed="503", expected="200", severity="warning")
    warned = structs.replace(check("."), outcome="warned", findings=(found,))
    for flaky_after in (0, 1):
        rounds.at += timedelta(minutes=1)
        attempt = Attempt(id=warned.id, target="https://a", started=START, elapsed=Elapsed(), flaky_after=flaky_after)
        seen = Snapshot(taken=START, attempts=[attempt])
        round.follow_round(Monitored(rounds.profile, results([warned], rounds.at), seen, tmp_path))
    with history.opened(rounds.path) as past:
        assert [(each.up, each.down) for each in past.targets()] == [(1, 1)]


def test_an_entry_that_the_profile_no_longer_has_is_told_so_at_once(server: Webhook, tmp_path: Path) -> None:
    """It is not failing for two more days; a check that a round merely does not select is."""
    shop = {"name": "shop", "url": "https://shop.example.com/"}
    rounds = Rounds(tmp_path, notify=[server.url("/")])
    rounds.profile = profile(monitor={"notify": [server.url("/")]}, external=[shop])
    rounds.run("FF", ids=("external.shop", "pods.ready"))
    rounds.run(".")
    rounds.profile = profile(monitor={"notify": [server.url("/")]})
    rounds.run("...")
    assert [[line["check"] for line in each["gone"]] for each in server.at("/")] == [[], ["external.shop"]]
    assert [[line["check"] for line in each["ongoing"]] for each in server.at("/")] == [[], ["pods.ready"]]
    with history.opened(rounds.path) as past:
        assert [each.name for each in past.open_incidents()] == ["pods.ready"]
        assert [(each.outcome, each.rounds) for each in past.spans(name="external.shop")] == [
            ("failed", 2),
            ("skipped", 1),
        ]


def test_a_folder_of_reports_has_one_profile(tmp_path: Path) -> None:
    """Alerts of two clusters that come and go by each other's rounds would be lost: the second profile is refused."""
    rounds = Rounds(tmp_path)
    rounds.run(".")
    monitoring.belongs(rounds.path, rounds.profile.name)
    with pytest.raises(UsageError, match="is the history of another profile than staging: give each profile its own"):
        monitoring.belongs(rounds.path, "staging")
    rounds.path.write_bytes(b"torn" * 5000)
    monitoring.belongs(rounds.path, "staging")


def test_an_output_that_breaks_keeps_nobody_from_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next output is written all the same, with the history to read, and the round goes on."""
    seen = []

    def broken(round: Monitored) -> list[str]:
        raise ZeroDivisionError("oh")

    def whole(round: Monitored) -> list[str]:
        seen.append(len(round.past.rounds()))
        return ["said"]

    monkeypatch.setattr(round, "OUTPUTS", (broken, whole))
    assert Rounds(tmp_path).run(".") == [
        "an output is incomplete: monitoring failed with ZeroDivisionError: oh",
        "said",
    ]
    assert seen == [1]


def test_processes_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Rounds of several processes that write into one history are all in it."""
    program = (
        "import sys; from pathlib import Path; from tests.test_monitor_round import Rounds\n"
        "assert Rounds(Path(sys.argv[1])).run('.F..FF' * 5) == []"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    processes = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    rounds = Rounds(tmp_path)
    assert rounds.ask("SELECT count(*), count(DISTINCT id) FROM rounds") == [(90, 90)]
    assert rounds.ask("SELECT sum(passed + failed) FROM days") == [(90,)]


def test_a_url_that_leads_nowhere_is_found_before_anything_is_judged(tmp_path: Path) -> None:
    """Nobody wants to learn at night that apprise does not know a service."""
    with pytest.raises(UsageError, match=r"monitor.notify\[1\]: apprise does not know this kind of URL"):
        delivery.check_recipients(tmp_path / history.FILE, ["https://a.example.com", "slak://a/b/c"])


def test_a_webhook_with_a_password_is_told_how_it_is_written(tmp_path: Path) -> None:
    """The password itself is not repeated."""
    with pytest.raises(UsageError, match=r"monitor.notify\[0\]: .*jsons://user:password@host/path") as caught:
        delivery.check_recipients(tmp_path / history.FILE, [f"https://me:{TOKEN}@a.example.com/x"])
    assert TOKEN not in str(caught.value)


def test_a_redirect_has_not_taken_a_message(server: Webhook, tmp_path: Path) -> None:
    """A login page answers every GET with 200: nothing was delivered to it."""
    server.moved["/old"] = "/login"
    rounds = Rounds(tmp_path, notify=[server.url("/old")])
    assert "it answered with status 302" in rounds.run("FF")[0]
    assert server.received == []


def test_somebody_new_is_told_what_goes_on(server: Webhook, tmp_path: Path) -> None:
    """Whoever gets another URL because the old one's token had expired must not wait for the next reminder."""
    rounds = Rounds(tmp_path, notify=[server.url("/old")])
    server.broken["/old"] = 403
    rounds.run("FF")
    rounds.profile = profile(monitor={"notify": [server.url("/new")]})
    rounds.run("FFF")
    assert [[line["check"] for line in each["ongoing"]] for each in server.at("/new")] == [["nodes.ready"]]


def test_a_thousand_nodes_are_one_target(tmp_path: Path) -> None:
    """What is asked at each node does not fill the history with a row for each of them and each hour."""
    rounds = Rounds(tmp_path)
    attempts = [
        Attempt(id=f"nodes.ready[{number}]", target=f"http://{number}", started=START, elapsed=Elapsed(total=0.1))
        for number in range(1000)
    ]
    rounds.run("..", seen=Snapshot(taken=START, attempts=attempts))
    with history.opened(rounds.path) as past:
        assert [(each.target, each.up) for each in past.targets()] == [("nodes.ready", 2000)]


def test_a_lock_goes_with_its_process(tmp_path: Path) -> None:
    """Two cannot hold it, and a killed process does not."""
    program = (
        "import sys, time; from pathlib import Path; from upgate.base.files import locked\n"
        "with locked(Path(sys.argv[1])) as held: print(held, flush=True); time.sleep(60)"
    )
    path = tmp_path / "lock"
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], cwd=REPOSITORY, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"True\n"
    with locked(path) as held:
        assert not held
    process.kill()
    process.communicate()
    with locked(path) as held:
        assert held
