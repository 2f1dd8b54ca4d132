"""All reports of a run, written into its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from upgate.base.files import write_whole
from upgate.reports.html import render_html
from upgate.reports.junit import render_junit
from upgate.reports.results_json import render_json
from upgate.reports.summary import render_summary
from upgate.results import Results

if TYPE_CHECKING:
    from upgate.watch.timeline import Timeline


def write_reports(
    results: Results, directory: Path, fail_on_warnings: bool = False, timeline: Timeline | None = None
) -> dict[str, Path]:
    """Write all reports, with the timeline of the upgrade where there is one; their paths by file name.

    Raises UsageError where the directory cannot be written.
    """
    rendered = {
        "junit.xml": render_junit(results, fail_on_warnings=fail_on_warnings),
        "results.json": render_json(results),
        "report.html": report_page(results, timeline),
        "summary.md": render_summary(results),
    }
    for name, data in rendered.items():
        write_whole(directory / name, data)
    return {name: directory / name for name in rendered}


def report_page(results: Results, timeline: Timeline | None) -> bytes:
    """`report.html`."""
    if timeline is None:
        return render_html(results)
    # Few runs have a record of the upgrade: only they load what draws it.
    from upgate.reports.timeline_html import timeline_assets, timeline_fragment

    return render_html(results, timeline_fragment(timeline), timeline_assets())
