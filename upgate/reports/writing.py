"""All reports of a run, written into its folder."""

from __future__ import annotations

from pathlib import Path

from upgate.base.files import write_whole
from upgate.reports.html import render_html
from upgate.reports.junit import render_junit
from upgate.reports.results_json import render_json
from upgate.reports.summary import render_summary
from upgate.results import Results


def write_reports(results: Results, directory: Path, fail_on_warnings: bool = False) -> dict[str, Path]:
    """Write all reports; their paths by file name. Raises UsageError where the directory cannot be written."""
    rendered = {
        "junit.xml": render_junit(results, fail_on_warnings=fail_on_warnings),
        "results.json": render_json(results),
        "report.html": render_html(results),
        "summary.md": render_summary(results),
    }
    for name, data in rendered.items():
        write_whole(directory / name, data)
    return {name: directory / name for name in rendered}
