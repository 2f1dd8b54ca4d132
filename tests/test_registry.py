"""The registry: which checks there are, where they come from, and what they need."""

from __future__ import annotations

import sys

import pytest

from tests.worlds import CHECKS, profile
from upgate.base.errors import UsageError
from upgate.battery import registry
from upgate.battery.inputs import names
from upgate.battery.nouns import input_summary, questions
from upgate.battery.registry import load_checks

OWN = '''
import pytest
from upgate.battery import check
from checks_of_others import test_theirs

@check("own.first", severity="critical")
def test_first(nodes, now):
    """First."""

@check(id="own.second", severity="warning")
def test_second(pods):
    """Second."""

@pytest.fixture
def mine(services): ...

def test_plain(leases, mine): ...

class TestGroup:
    def test_method(self, namespaces): ...
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of one's own checks."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "checks_of_others.py").write_text(
        "from upgate.battery import check\n@check('theirs.one', severity='critical')\ndef test_theirs(): 'Theirs.'\n"
    )
    (tmp_path / "test_own.py").write_text(OWN)
    (tmp_path / "helper.py").write_text("raise RuntimeError('not collected')\n")
    return tmp_path


def test_checks_are_those_that_are_written_in_test_files(folder):
    """Each once, in the order of the file, with its place; imported ones belong to the file that they are written in."""
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "test_aside.py").write_text("raise RuntimeError('aside')\n")
    found = load_checks([folder, folder / "test_own.py::test_first"])
    assert {check.id: check.place.rpartition(":")[2] for check in found.checks} == {
        "own.first": "6",
        "own.second": "10",
    }
    assert found.ids == {"own.first", "own.second"}


def test_a_check_says_what_it_takes_by_its_signature(folder):
    """Functions beside the checks, fixtures and methods may take inputs too: all of them are looked at."""
    found = load_checks([folder])
    assert found.by_id["own.first"].inputs == ("nodes", "now")
    assert found.other_inputs >= {"services", "leases", "mine", "namespaces"}
    assert found.inputs(profile(checks={"own.second": "off"})) >= {"nodes", "services"}
    assert "pods" not in found.inputs(profile(checks={"own.second": "off"}))


@pytest.mark.parametrize("text", ["import nothing_like_this", "def f(:", "\0", "raise SystemExit(3)", "1 / 0"])
def test_a_file_that_cannot_be_loaded_hides_no_other(folder, text):
    """Its reason is kept, the other checks are there, and nobody claims to know all ids."""
    (folder / "test_broken.py").write_text(text)
    found = load_checks([folder])
    assert set(found.by_id) == {"own.first", "own.second"}
    assert found.ids is None
    assert "test_broken.py: " in found.broken[0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '@check("own.first", severity="critical")\ndef f(): "F."',
            r"test_x\.py:2: the id own\.first is taken: .*test_own\.py:6",
        ),
        ('@check("a.b", severity="hard")\ndef f(): ...', "check a.b: severity must be critical or warning, not 'hard'"),
        (
            '@check("ab", severity="critical")\ndef f(): ...',
            "check ab: an id is `subject.property`, such as nodes.ready",
        ),
    ],
)
def test_a_check_that_cannot_be_used_is_one_sentence(folder, text, error):
    """Two checks of one id, unknown severities and odd ids are refused, with the file."""
    (folder / "test_x.py").write_text(f"from upgate.battery import check\n{text}\n")
    with pytest.raises(UsageError, match=error):
        load_checks([folder])


def test_a_file_in_a_package_may_import_its_neighbours(folder, monkeypatch):
    """As pytest imports it: under its full name."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (folder / "acme").mkdir()
    (folder / "acme" / "__init__.py").touch()
    (folder / "acme" / "names.py").write_text("ID = 'acme.one'\n")
    (folder / "acme" / "test_acme.py").write_text(
        "from upgate.battery import check\nfrom .names import ID\n@check(ID, severity='critical')\ndef test_one(): 'One.'\n"
    )
    assert load_checks([folder / "acme"]).ids == {"acme.one"}


def test_installed_packages_bring_checks(folder, monkeypatch):
    """The entry point group `upgate.checks` names their modules or packages; one that is not there is a usage error."""
    info = folder / "acme_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-checks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[upgate.checks]\nacme = test_own\n")
    assert registry.installed() == [folder / "test_own.py"]
    (info / "entry_points.txt").write_text("[upgate.checks]\nacme = not_installed_at_all\n")
    with pytest.raises(UsageError, match="not_installed_at_all"):
        registry.installed()


def test_the_battery_is_found(tmp_path):
    """In a checkout beside the package; a path that does not exist is a usage error."""
    assert registry.battery() == CHECKS
    with pytest.raises(UsageError, match="there is no file or folder"):
        load_checks([tmp_path / "nowhere"])


@pytest.mark.parametrize("name", names())
def test_every_input_says_what_it_is(name):
    """`upgate nouns` has a sentence for each input, and for each question that can be asked of it."""
    assert input_summary(name)
    assert all(questions(name).values())
