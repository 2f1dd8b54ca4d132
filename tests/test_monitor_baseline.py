"""When a round of monitoring compares with a baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds import baseline, good
from upgate import baseline as baselines
from upgate.base.errors import UsageError
from upgate.judge.gate import Gate
from upgate.judge.options import Options
from upgate.profile import load
from upgate.profile.model import Profile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The gate's own baseline lies in the reports, and another one beside the profile."""
    for path in (tmp_path / "reports" / "baseline.json", tmp_path / "april.json"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(baselines.dump_baseline(baseline(good())))
    return tmp_path


def compared(folder: Path, text: str, **options: object) -> Path | None:
    """The baseline that a run with this profile compares with."""
    (folder / "p.yaml").write_text(text)
    profile: Profile = load(str(folder / "p.yaml"), known_checks=(), environ={})
    gate = Gate(profile, Options(home=folder / "reports", **options))
    assert (gate.load_baseline() is None) == (gate.compared_path is None)
    return gate.compared_path


@pytest.mark.parametrize(
    ("text", "monitor", "path"),
    [
        ("{}", False, "reports/baseline.json"),
        ("{}", True, None),
        ("baseline: false", True, None),
        ("baseline: true", True, "reports/baseline.json"),
        ("baseline: april.json", True, "april.json"),
    ],
)
def test_monitoring_compares_only_when_the_profile_says_so(
    folder: Path, text: str, monitor: bool, path: str | None
) -> None:
    """The gate's baseline of three weeks ago does not fail every round for ever."""
    assert compared(folder, text, monitor=monitor) == (folder / path if path else None)


def test_the_command_line_is_heard_first(folder: Path) -> None:
    """--baseline is compared with in a round too; --save-baseline compares with none."""
    assert compared(folder, "{}", monitor=True, baseline=folder / "april.json") == folder / "april.json"
    assert compared(folder, "baseline: true", monitor=True, save_baseline=True) is None


def test_a_baseline_that_the_profile_asks_for_must_be_there(folder: Path) -> None:
    """Comparing with nothing would be a silent pass."""
    with pytest.raises(UsageError, match=r"missing\.json"):
        compared(folder, "baseline: missing.json", monitor=True)


def test_a_baseline_that_is_neither_is_refused(folder: Path) -> None:
    """The error names the key and what it takes."""
    with pytest.raises(UsageError, match=r"baseline: .*the path of a baseline, or true"):
        compared(folder, "baseline: 3", monitor=True)
