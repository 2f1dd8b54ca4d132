"""Users' own checks and plain pytest functions beside the battery: the right outcome for each."""

from __future__ import annotations

import pytest

from tests.running import profile, run, runs

CONFTEST = """
import pytest

@pytest.fixture
def broken():
    raise KeyError("no such thing")

@pytest.fixture
def torn():
    yield
    raise RuntimeError("left over")
"""
MINE = '''
import unittest
import pytest
from upgate.battery import check
from upgate.base.errors import Inconclusive

@check("mine.good", severity="critical")
def test_good(nodes):
    """Nodes have names."""
    nodes.all(lambda node: node.name, observed="")

@check("mine.crash", severity="critical")
def test_crash(nodes):
    """Crashes in its body."""
    {}["nope"]

@check("mine.bad", severity="critical")
def test_bad(nodes):
    """Finds fault with all."""
    nodes.all(lambda node: False, observed="never")

@check("mine.milder", severity="warning")
def test_milder():
    """Asserts something that is only a warning."""
    assert False, "a pity"

@check("mine.many", severity="critical")
@pytest.mark.parametrize("number", [1, 2])
def test_many(nodes, number):
    """Has parameters."""
    nodes.all(lambda node: number == 1, observed=str(number))

def test_plain(): assert 1 + 1 == 2
def test_assertion(): assert 1 + 1 == 3, "arithmetic"
def test_key_error(): {}["x"]
def test_fail(): pytest.fail("by hand")
def test_skip(): pytest.skip("not here")
def test_broken_fixture(broken): pass
def test_missing_fixture(no_such_noun): pass
def test_torn(torn): pass
def test_torn_and_wrong(torn): assert False, "wrong first"
def test_nodes(nodes): assert len(nodes) > 1
def test_imperative(): pytest.xfail("here")

@pytest.mark.parametrize("letter", "ab")
def test_letters(letter): assert letter == "a"

class TestGroup:
    def test_plain(self): pass

class TestOther:
    def test_plain(self): assert False

class Cases(unittest.TestCase):
    def test_right(self): self.assertTrue(True)
    def test_wrong(self): self.assertTrue(False)

@pytest.mark.xfail(reason="OPS-1")
def test_expected(): assert False

@pytest.mark.xfail(reason="OPS-1", strict=False)
def test_unexpectedly_fine(): pass

@pytest.mark.xfail(reason="OPS-1")
def test_strictly_unexpected(): pass

@pytest.mark.xfail(run=False, reason="never")
def test_not_run(): assert False

@pytest.mark.xfail(reason="OPS-1")
def test_blind(nodes): raise Inconclusive("could not look")
'''
EXPECTED = {
    "mine.good": "passed",
    "mine.crash": "inconclusive",
    "mine.bad": "failed",
    "mine.milder": "warned",
    "mine.many[1]": "passed",
    "mine.many[2]": "failed",
    "mine.assertion": "failed",
    "mine.key_error": "inconclusive",
    "mine.fail": "failed",
    "mine.skip": "skipped",
    "mine.broken_fixture": "inconclusive",
    "mine.missing_fixture": "inconclusive",
    "mine.torn": "inconclusive",
    "mine.torn_and_wrong": "failed",
    "mine.nodes": "passed",
    "mine.imperative": "waived",
    "mine.letters[a]": "passed",
    "mine.letters[b]": "failed",
    "mine.TestGroup.plain": "passed",
    "mine.TestOther.plain": "failed",
    "mine.Cases.right": "passed",
    "mine.Cases.wrong": "failed",
    "mine.expected": "waived",
    "mine.unexpectedly_fine": "passed",
    "mine.strictly_unexpected": "failed",
    "mine.not_run": "skipped",
    "mine.blind": "inconclusive",
    "test_broken.py": "inconclusive",
    # two files have a test of this name: both are told
    "mine.plain": "failed",
    "mine.plain (test_mine.py::test_plain)": "passed",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Runs with the battery and a folder of one's own: in one process, in several, in rounds."""
    folder = tmp_path_factory.mktemp("own")
    mine = folder / "mine"
    (mine / "deeper").mkdir(parents=True)
    (mine / "conftest.py").write_text(CONFTEST)
    (mine / "test_mine.py").write_text(MINE)
    (mine / "test_broken.py").write_text("import no_such_module\n")
    (mine / "deeper" / "test_mine.py").write_text("def test_plain(): assert False, 'the other one'\n")
    demo = profile(folder, embedded="healthy")
    return runs(
        one=lambda: run(demo, "-q", "checks", mine, reports=folder / "one"),
        workers=lambda: run(demo, "-q", "-n", "2", "checks", mine, reports=folder / "workers"),
        rounds=lambda: run(demo, "-q", "--settle=1s", "--every=500ms", "checks", mine, reports=folder / "rounds"),
    )


@pytest.mark.parametrize("id", EXPECTED)
def test_each_has_the_outcome_that_it_should(own, id):
    """What is wrong fails, what crashed or could not look is inconclusive, what was expected is waived."""
    assert own["one"].outcomes[id] == EXPECTED[id], own["one"].check(id)


@pytest.mark.parametrize("how", ["one", "workers", "rounds"])
def test_all_are_told_however_they_are_run(own, how):
    """No test is lost, none told twice, and those of the battery are judged beside them."""
    mine = {id: outcome for id, outcome in own[how].whole().outcomes.items() if id.startswith(("mine", "test_broken"))}
    assert mine == EXPECTED
    assert own[how].outcomes["nodes.ready"] == "passed"
    assert own[how].code == 1


def test_a_crash_says_where(own):
    """File and line of the test's own folder, and the error in one line."""
    line = MINE.splitlines().index('    {}["nope"]') + 1
    reason = own["one"].check("mine.crash")["reason"]
    assert reason.startswith("the check itself broke: KeyError: 'nope' (")
    assert reason.endswith(f"/mine/test_mine.py:{line})")
    assert (
        own["one"]
        .check("mine.missing_fixture")["reason"]
        .startswith("the check itself broke in its setup: there is no input or fixture called no_such_noun (")
    )
    assert own["one"].check("mine.broken_fixture")["reason"].endswith("/mine/conftest.py:6)")
    assert "No module named 'no_such_module'" in own["one"].check("test_broken.py")["reason"]


def test_an_expected_failure_says_why_it_is_accepted(own):
    """The reason of xfail is the waiver's."""
    (finding,) = own["one"].check("mine.expected")["findings"]
    assert finding["waived"] == "expected to fail: OPS-1"


def test_a_torn_teardown_takes_nothing_away(own):
    """What the body found wrong is still there, with what broke behind it."""
    check = own["one"].check("mine.torn_and_wrong")
    assert "wrong first" in check["findings"][0]["observed"]
    assert "RuntimeError: left over" in check["reason"]


def test_two_checks_with_one_id_are_refused(tmp_path):
    """Nothing is run: exit code 4, and both places are named."""
    (tmp_path / "test_one.py").write_text(
        "from upgate.battery import check\n@check('nodes.ready', severity='critical')\ndef test_mine(nodes):\n    'Mine.'\n"
    )
    refusal = run(profile(tmp_path, embedded="healthy"), "-q", "checks", tmp_path / "test_one.py")
    assert refusal.code == 4
    assert "test_one.py:2:" in refusal.out
    assert "the id nodes.ready is taken: " in refusal.out
