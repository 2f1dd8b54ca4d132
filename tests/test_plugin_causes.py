"""pytest's own progress tells what a check comes to with its causes, in whichever order they are judged."""

from __future__ import annotations

import pytest

from tests.running import profile, run, runs

MINE = '''
from upgate.battery import check

@check("mine.crashed", severity="critical")
def test_crashed(nodes):
    """Finds fault with all, by itself."""
    nodes.all(lambda node: False, observed="broken")

@check("mine.consequence", severity="critical", after=("mine.between",))
def test_consequence(nodes):
    """Follows from what follows from what is under way."""
    nodes.all(lambda node: False, observed="late")

@check("mine.between", severity="critical", after=("mine.cause",))
def test_between(nodes):
    """Follows from what is under way."""
    nodes.all(lambda node: False, observed="waits")

@check("mine.cause", severity="critical")
def test_cause(nodes):
    """Is under way."""
    nodes.all(lambda node: False, observed="starts", transitional=lambda node: True)
'''
NOT_YET = "not mine.crashed"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Runs of these checks: whole, stopped by the first, without their cause, in two processes, and in rounds."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine").mkdir()
    (folder / "mine" / "test_mine.py").write_text(MINE)
    demo, mine = profile(folder, embedded="healthy"), folder / "mine"
    ways = {
        "whole": (),
        "not yet": ("-k", NOT_YET),
        "first": ("-k", NOT_YET, "-x"),
        "alone": ("-k", "mine.consequence or mine.between"),
        "workers": ("-n", "2"),
        "rounds": ("--settle=1s", "--every=500ms"),
    }
    return runs(
        **{
            name: (lambda name=name, way=way: run(demo, "-q", *way, "-p", "upgate.plugin", mine, reports=folder / name))
            for name, way in ways.items()
        }
    )


def letters(run):
    """pytest's progress line."""
    return next(line.split()[0] for line in run.out.splitlines() if line.rstrip().endswith("%]"))


@pytest.mark.parametrize(
    ("how", "progress", "code"),
    [
        ("whole", "F???", 1),
        ("not yet", "???", 75),
        ("alone", "FF", 1),
        ("rounds", "F???", 1),
    ],
)
def test_the_progress_line_says_what_the_verdict_says(own, how, progress, code):
    """A check whose cause is not yet right, and is judged after it, is never shown as failed."""
    assert (letters(own[how]), own[how].code) == (progress, code), own[how].out


def test_the_first_that_is_not_yet_right_is_no_failure(own):
    """With -x the run stops at it, and what explains it has been judged all the same."""
    assert own["first"].code == 75, own["first"].out
    assert own["first"].check("mine.consequence")["findings"][0]["because"].startswith("mine.cause: ")


def test_workers_say_the_same(own):
    """However checks are distributed, their outcomes are those of a run in one process."""
    assert own["workers"].outcomes == own["whole"].outcomes
    assert sorted(letters(own["workers"])) == sorted("F???")
