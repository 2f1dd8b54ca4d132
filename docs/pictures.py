"""Makes the pictures in the documentation from the demo: report, terminal, summary and status page, as a browser shows them.

python docs/pictures.py        # needs chromium
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.past import add_incident, add_target_hour, ago_hours, recorded  # noqa: E402
from upgate.monitor import history  # noqa: E402
from upgate.monitor.statuspage import render_status  # noqa: E402
from upgate.reports.results_json import load_json  # noqa: E402
from upgate.results import Results  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "chromium")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking")
SGR = re.compile("\x1b\\[([0-9;]*)m")
COLOURS = {
    "1": "b",
    "2": "dim",
    "1;31": "red",
    "31": "red",
    "1;33": "yellow",
    "33": "yellow",
    "1;32": "green",
    "32": "green",
}
TERMINAL = """<!doctype html><style>body{margin:0;background:#101317;color:#e8ebf0;font:13px/1.35 "DejaVu Sans Mono",monospace}
pre{margin:14px;white-space:pre-wrap}.b{font-weight:700}.dim{color:#aab3c0}.red{color:#ff8f97;font-weight:700}
.yellow{color:#ffc46b}.green{color:#7fdc9a}</style><pre>"""
GITHUB = """<!doctype html><style>body{margin:24px;font:14px/1.5 "Liberation Sans",Arial,sans-serif;color:#1f2328}
h2{border-bottom:1px solid #d1d9e0;padding-bottom:6px}li{margin-bottom:8px}
code{background:#eff1f3;padding:2px 5px;border-radius:6px;font:12px "DejaVu Sans Mono",monospace}</style>"""


def main() -> None:
    """Run the demo, and take a picture of everything that it leaves."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        said = run("demo-broken", place / "broken")
        run("demo", place / "healthy")
        (place / "terminal.html").write_text(TERMINAL + as_html(said) + "</pre>")
        write_status_page(place)
        (place / "summary.html").write_text(as_on_github((place / "broken" / "summary.md").read_text()))
        take("summary", place / "summary.html", 1000, 640)
        take("report", place / "broken" / "report.html", 1280, 1150)
        take("terminal", place / "terminal.html", 1100, 1000)
        take("status", place / "status.html", 1280, 1150)


def run(profile: str, reports: Path) -> str:
    """Run the battery on the demo; what the terminal shows."""
    command = [sys.executable, "-m", "pytest", f"--profile={profile}", f"--reports={reports}", "-q", "--color=yes"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment(), check=False)
    return done.stdout


def environment() -> dict[str, str]:
    """As this process has it, with a terminal that is as wide as the picture."""
    import os

    return {**os.environ, "COLUMNS": "130"}


def as_html(said: str) -> str:
    """What a terminal shows, its colours as classes; the end of it, where causes and verdict are."""
    parts = SGR.split(said)
    shown = [escape(parts[0])]
    for code, text in zip(parts[1::2], parts[2::2], strict=True):
        shown.append(f'</span><span class="{COLOURS.get(code, "")}">{escape(text)}')
    lines = f"<span>{''.join(shown)}</span>".splitlines()
    return "\n".join([*lines[:4], "…", *lines[-46:]])


def as_on_github(summary: str) -> str:
    """The summary as a step of GitHub Actions shows it."""
    from markdown import markdown

    return f"{GITHUB}{markdown(summary, extensions=['sane_lists'])}"


def write_status_page(place: Path) -> None:
    """The status page of a cluster that was broken twice in 80 days and is so now."""
    bad, good = (load_json((place / each / "results.json").read_bytes()) for each in ("broken", "healthy"))
    now = datetime.now(UTC).replace(microsecond=0)
    good, bad = (named(each, now) for each in (good, with_few_causes(bad, good)))
    path = place / history.FILE
    recorded(path, now, 80, lambda back: (bad if back in (0, 33) else good, back == 20), a_day=8)
    add_incident(path, "pods.crashing", ago_hours(now, 20))
    add_incident(path, "nodes.ready", ago_hours(now, 33 * 24), ago_hours(now, 33 * 24 - 5))
    for hour in range(24 * 40):
        down = 6 if hour % 311 == 7 else 0
        add_target_hour(
            path, "external.shop", ago_hours(now, hour), up=60 - down, down=down, took=0.08 + (hour * 37 % 23) / 150
        )
    with history.opened(path) as past:
        (place / "status.html").write_bytes(render_status(bad, past))


def with_few_causes(bad: Results, good: Results) -> Results:
    """The same with one node that is lost and one Service without endpoint: what a page has room for."""
    from msgspec.structs import replace

    fine = {check.id: check for check in good.checks}
    kept = ("nodes.ready", "nodes.heartbeat", "services.endpoints")
    return replace(bad, checks=tuple(check if check.id in kept else fine.get(check.id, check) for check in bad.checks))


def named(results: Results, now: datetime) -> Results:
    """The same as a round of production that ends now."""
    from msgspec.structs import replace

    return replace(results, profile="prod", started=now, finished=now)


def take(name: str, page: Path, width: int, height: int) -> None:
    """Take a picture of how the page begins."""
    target = PICTURES / f"{name}.png"
    with tempfile.TemporaryDirectory() as user:
        size = (f"--window-size={width},{height}", f"--user-data-dir={user}", f"--screenshot={target}")
        subprocess.run([BROWSER, *QUIET, *size, page.as_uri()], capture_output=True, check=True)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
