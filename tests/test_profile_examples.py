"""The profiles in profiles/examples/: each loads, is about its own story, and is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile_files import TODAY
from upgate.battery.registry import battery, load_checks
from upgate.profile import Profile, available, load

EXAMPLES = Path(__file__).parents[1] / "profiles" / "examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))
ENVIRON = dict.fromkeys(("SYNTH_USER", "SYNTH_PASSWORD", "ALERT_URL"), "https://example.com/x")
STORIES = {"rke", "eks", "aks", "kured", "anthos", "kubeadm", "k3s"}


def example(path: Path) -> Profile:
    """The profile, read against the real battery."""
    return load(str(path), known_checks=load_checks([battery()]).ids, environ=ENVIRON, today=TODAY)


def test_there_is_one_for_each_story():
    """No story is left out, and the README of the folder names each file."""
    assert {path.stem for path in FILES} == STORIES
    assert all(f"[{path.name}]({path.name})" in (EXAMPLES / "README.md").read_text() for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_example_loads(path):
    """Without an error against the real battery, and it says what it is for, both to people and in its comments."""
    assert example(path).description
    assert "# The story:" in path.read_text()


def test_examples_are_in_no_list_of_profiles():
    """They are to be copied: a list of profiles names those that can be run."""
    assert not STORIES & set(available([EXAMPLES.parent]))
