"""Rounds of monitoring probe only as often as the profile says, and judge the last answers between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from tests.inside_worlds import probed
from tests.worlds import profile, snapshot
from upgate.facts.relations import PROBED
from upgate.judge.kept_probe import FILE, KeptProbe, already_kept, kept_probe, profile_for, with_probe
from upgate.judge.options import Options

WANTED = {PROBED, "nodes"}
EVERY = profile(probe={"every": "15m"})


def kept(folder, minutes, **more):
    """What a round finds that comes so long after the last one that probed."""
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    (folder / FILE).write_bytes(msgspec.json.encode(KeptProbe(at, probed())))
    return kept_probe(Options(home=folder, monitor=True, **more), EVERY, WANTED)


def test_a_round_does_not_probe_unless_the_profile_says_how_often(tmp_path):
    """A gate always does."""
    silent = profile(probe={})
    assert profile_for(Options(home=tmp_path, monitor=True), silent).probe is None
    assert profile_for(Options(home=tmp_path), silent).probe is not None
    assert profile_for(Options(home=tmp_path, monitor=True), EVERY).probe is not None


def test_between_two_probes_the_last_answers_are_judged(tmp_path):
    """They are asked for again when it is time."""
    assert kept(tmp_path, 14)
    assert kept(tmp_path, 16) is None
    assert already_kept(kept(tmp_path, 1)) == {PROBED}


def test_answers_of_the_future_are_asked_for_again(tmp_path):
    """The clock was wrong."""
    assert kept(tmp_path, -5) is None


def test_a_file_that_cannot_be_read_is_none(tmp_path):
    """It is asked again."""
    (tmp_path / FILE).write_text("{")
    assert kept_probe(Options(home=tmp_path, monitor=True), EVERY, WANTED) is None


def test_a_round_that_probed_keeps_the_answers(tmp_path):
    """The next one finds them, and says of when they are."""
    options = Options(home=tmp_path, monitor=True)
    with_probe(options, snapshot({}, probed=probed()), None)
    found = kept_probe(options, EVERY, WANTED)
    later = with_probe(options, snapshot({}, probed=None), found)
    assert later.probed.asked == probed().asked
    assert "of" in later.probed.made[0]
    assert "as often as probe.every says" in later.probed.made[0]


def test_a_gate_keeps_nothing(tmp_path):
    """It probes each time."""
    with_probe(Options(home=tmp_path), snapshot({}, probed=probed()), None)
    assert list(tmp_path.iterdir()) == []
