from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.test_monitor_round import Rounds
from tests.worlds import profile
from upgate.cli import main


@pytest.fixture
def past(tmp_path, monkeypatch) -> Rounds:
    """A history of a quarter of an hour, in the folder of the profile prod; its last round was a minute ago."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "prod.yaml").write_text("description: a\n")
    rounds = Rounds(tmp_path / "reports" / "prod")
    rounds.at = datetime.now(UTC) - timedelta(minutes=16)
    rounds.run("...FFFF....????")
    return rounds


def test_history_says_what_is_wrong_and_what_was(past, capsys) -> None:
    """The last round, what is wrong now and since when, alerts, and transitions."""
    assert main(["history", "--profile", "prod"]) == 0
    said = capsys.readouterr().out
    assert re.match(
        r"last round: inconclusive, .* \(1m\d*s? ago\)\nsince .*: 15 rounds, 7 clear, 4 inconclusive\n", said
    )
    assert re.search(r"WRONG NOW\nnodes.ready inconclusive for 4m.*: not permitted\n", said)
    assert re.search(r"nodes.ready failing for 4m.*: Node/a: Ready=False\n", said)
    assert re.search(r"TRANSITIONS\n.* inconclusive: not permitted\n.* passed\n.* failed: Node/a: Ready=False$", said)


def test_history_is_given_to_programs(past, capsys) -> None:
    """JSON has all, CSV one table."""
    assert main(["history", "--profile", "prod", "--format", "json"]) == 0
    everything = json.loads(capsys.readouterr().out)
    assert [each["outcome"] for each in everything["transitions"]] == ["passed", "failed", "passed", "inconclusive"]
    assert [each["rounds"] for each in everything["transitions"]] == [3, 4, 4, 4]
    assert len(everything["rounds"]) == 15
    assert main(["history", "--profile", "prod", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["name"], row["outcome"]) for row in rows][1] == ("nodes.ready", "failed")
    assert (
        main(["history", "--reports", str(past.folder), "--format", "csv", "--table", "rounds", "--since", "5m"]) == 0
    )
    assert len(capsys.readouterr().out.splitlines()) == 1 + 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["history"], "which history? Use --profile=NAME or --reports=DIR. There are: "),
        (["history", "--profile", "prdo"], "there is no profile prdo; did you mean"),
        (["history", "--profile", "demo"], "there is no history reports/demo/history.sqlite: runs with --monitor"),
        (["history", "--profile", "prod", "--since", "soon"], "--since=soon: not a duration such as"),
        (["maintenance", "stop", "--profile", "demo"], "there is no history reports/demo/history.sqlite"),
        (["maintenance", "start", "--profile", "prod", "--for", "2", "--reason", "a"], "--for=2: not a duration"),
        (
            ["maintenance", "start", "--profile", "prod", "--for", "0s", "--reason", "a"],
            "--for: the duration must be longer",
        ),
        (["maintenance", "start", "--profile", "prod", "--for", "2h", "--reason", " "], "--reason: must not be empty"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(past, capsys, arguments, problem) -> None:
    """Exit code 4, and what to say instead."""
    assert main(arguments) == 4
    assert capsys.readouterr().err.startswith(problem)


def test_a_torn_history_is_shown_to_nobody_and_left_as_it_is(past, capsys) -> None:
    """Reading moves nothing away."""
    past.path.write_bytes(b"no database at all" * 500)
    assert main(["history", "--profile", "prod"]) == 4
    assert "cannot be used: file is not a database" in capsys.readouterr().err
    assert past.path.read_bytes() == b"no database at all" * 500


def test_what_is_no_longer_asked_is_not_wrong_now(past, capsys) -> None:
    """A check that was renamed while it failed is told among the transitions, and not for ever as what is wrong."""
    past.run("F", ids=("nodes.ready", "old.name"))
    main(["history", "--profile", "prod", "--since", "3650d"])
    assert "old.name failed" in capsys.readouterr().out.partition("WRONG NOW")[2].partition("ALERTS")[0]
    past.at += timedelta(days=3)
    past.run("F")
    main(["history", "--profile", "prod", "--since", "3650d"])
    now = capsys.readouterr().out.partition("WRONG NOW")[2].partition("ALERTS")[0]
    assert "nodes.ready failed" in now
    assert "old.name" not in now


def test_maintenance_is_announced_listed_and_ended(past, capsys) -> None:
    """While it lasts rounds say so and tell nobody; after its end they do."""
    assert main(["maintenance", "start", "--profile", "prod", "--for", "2h", "--reason", "to 1.37"]) == 0
    assert capsys.readouterr().out.endswith(" UTC: rounds go on, and alerts are not sent\n")
    past.at = datetime.now(UTC)
    assert "alerts are not sent: to 1.37" in past.run("F")[0]
    assert main(["maintenance", "list", "--profile", "prod"]) == 0
    assert re.fullmatch(r".* UTC to .* UTC \(now, command\): to 1.37\n", capsys.readouterr().out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upgate.monitor.commands.datetime", Later)
        assert main(["maintenance", "stop", "--profile", "prod"]) == 0
        assert (
            capsys.readouterr().out
            == "the announced maintenance has ended\nthe next round sends alerts for what is wrong now\n"
        )
        assert main(["maintenance", "stop", "--profile", "prod"]) == 0
        assert capsys.readouterr().out == "no maintenance was announced\n"
    past.at = datetime.now(UTC) + timedelta(minutes=30)
    assert past.run("F") == []


def test_whoever_stops_maintenance_is_told_what_goes_on(past, capsys) -> None:
    """A window of the profile is not ended by the command; one that the profile no longer has is over at once."""
    assert main(["maintenance", "start", "--profile", "prod", "--for", "2h", "--reason", "to 1.37"]) == 0
    past.at = datetime.now(UTC)
    window = {"from": past.at - timedelta(hours=1), "to": past.at + timedelta(hours=5), "reason": "nodes"}
    past.profile = profile(monitor={"maintenance": [window]})
    past.at -= timedelta(minutes=1)
    past.run(".")
    capsys.readouterr()
    main(["maintenance", "stop", "--profile", "prod"])
    assert re.fullmatch(
        "the announced maintenance has ended\na window of the profile goes on until .* UTC\n", capsys.readouterr().out
    )
    past.profile = profile()
    past.at -= timedelta(minutes=1)
    past.run(".")
    main(["maintenance", "list", "--profile", "prod"])
    assert "now" not in capsys.readouterr().out


class Later(datetime):
    """Twenty minutes from now."""

    @classmethod
    def now(cls, tz=None) -> datetime:
        """The time then."""
        return datetime.now(tz) + timedelta(minutes=20)


def test_maintenance_can_be_announced_before_the_first_round(tmp_path, capsys) -> None:
    """There is no history yet, and one begins; whoever announced it in the wrong folder is told so."""
    assert main(["maintenance", "start", "--reports", str(tmp_path / "new"), "--for", "2h", "--reason", "a"]) == 0
    assert f"is {tmp_path / 'new'} where rounds with --monitor write?" in capsys.readouterr().out
    rounds = Rounds(tmp_path / "new")
    rounds.at = datetime.now(UTC)
    assert rounds.run(".")[0].startswith("maintenance until")
    capsys.readouterr()
    assert main(["history", "--reports", str(tmp_path / "new")]) == 0
    assert "MAINTENANCE\n" in capsys.readouterr().out
