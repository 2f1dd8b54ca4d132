"""The pages in a real browser under axe-core, the tests of accessibility that Lighthouse and others use."""

from __future__ import annotations

import html
import json
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.past import recorded
from tests.test_reports_browser import CHROMIUM, QUIET
from tests.test_reports_examples import FINISHED, broken, healthy
from tests.test_reports_page import pooled
from tests.test_statuspage import page_of
from upgate.monitor import history
from upgate.monitor.status_index import ProfileStatus, render_index
from upgate.reports.html import render_html

#: `make axe` puts it there.
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(not AXE.exists() or CHROMIUM is None, reason="no chromium, or no axe-core: make axe")
#: Runs in the page, which is a frame of the width that is asked for.
RUN = """
addEventListener("load", async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const wide = document.documentElement.scrollWidth > innerWidth ? [["wide", String(document.documentElement.scrollWidth)]] : [];
  const told = found.violations.map((each) => [each.id, each.nodes[0].html, each.nodes[0].failureSummary]);
  parent.document.title = JSON.stringify({ violations: [...wide, ...told], passes: found.passes.length });
});
"""


@cache
def axe() -> str:
    return AXE.read_text().replace("</script", "<\\/script")


def report(tmp_path):
    """A report with every picture and causes of many kinds."""
    return render_html(pooled(60, 5)).decode()


def report_of_trouble(tmp_path):
    return render_html(broken()).decode()


def status(tmp_path):
    """A status page with a history."""
    days = lambda back: (broken() if back < 2 else healthy(), back == 5)  # noqa: E731
    return page_of(broken(), recorded(tmp_path / history.FILE, FINISHED, 9, days))


def index(tmp_path):
    return render_index([ProfileStatus(broken(), "not clear", "2 failed", "prod")]).decode()


@pytest.mark.parametrize("scheme", [1, 0], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("page", [report, report_of_trouble, status, index])
def test_no_violation(page, width, scheme, tmp_path):
    """axe finds no violation, and nothing is wider than the screen: by day and by night, on a phone and on a desk."""
    inner = page(tmp_path).replace("Content-Security-Policy", "x-nothing")
    inner = inner.replace("</body>", f"<script>{axe()}</script><script>{RUN}</script></body>")
    outer = tmp_path / "outer.html"
    outer.write_text(f'<iframe width="{width}" height="900" srcdoc="{html.escape(inner)}"></iframe>')
    flags = [f"--window-size={width + 60},1000", f"--blink-settings=preferredColorScheme={scheme}"]
    command = [
        CHROMIUM,
        *QUIET,
        *flags,
        "--virtual-time-budget=20000",
        f"--user-data-dir={tmp_path / 'user'}",
        "--dump-dom",
    ]
    dom = subprocess.run([*command, outer.as_uri()], capture_output=True, text=True, timeout=90, check=True).stdout
    told = json.loads(html.unescape(dom.partition("<title>")[2].partition("</title>")[0]))
    assert told["violations"] == []
    assert told["passes"] > 15
