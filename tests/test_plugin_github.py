"""A run in GitHub Actions."""

from __future__ import annotations

from tests.running import run


def test_a_step_has_its_summary_and_annotations(tmp_path):
    """The summary is appended to GitHub's file, as in summary.md, and errors and warnings are printed as commands."""
    step = tmp_path / "step.md"
    step.write_text("before\n")
    done = run("demo-broken", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(step))
    assert done.code == 1
    assert step.read_text() == "before\n" + (done.reports / "summary.md").read_text() + "\n"
    commands = [line for line in done.out.splitlines() if line.startswith("::")]
    assert sum(line.startswith("::error title=upgate ") for line in commands) == 10
    assert any(line.startswith("::warning title=upgate ") for line in commands)


def test_elsewhere_no_command_is_printed(tmp_path):
    """Without GITHUB_ACTIONS nothing is written that only GitHub understands."""
    done = run("demo-broken", "-k", "nodes", GITHUB_ACTIONS="")
    assert "::error" not in done.out


def test_a_summary_that_cannot_be_written_is_told(tmp_path):
    """A file of GitHub's that cannot be written makes no run clear: the reports are not whole."""
    done = run("demo", GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(tmp_path))
    assert done.code == 75
    assert f"Cannot append to {tmp_path}: Is a directory." in done.out
