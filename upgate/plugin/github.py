"""In GitHub Actions: the step's summary, and annotations of the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from upgate.base.files import append_line
from upgate.reports.summary import github_annotations, render_summary
from upgate.results import Results


def write_step_summary(results: Results) -> None:
    """Append the summary to the file that GitHub names, if it does. Raises UsageError where that cannot be done."""
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_line(Path(path), render_summary(results))


def annotate(reporter: pytest.TerminalReporter, results: Results) -> None:
    """Print GitHub's commands, past the guard that breaks those of others: the texts in them are harmless already."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    stream = getattr(reporter._tw._file, "unguarded", reporter._tw._file)
    stream.writelines(f"{line}\n" for line in ("", *github_annotations(results)))
    stream.flush()
