"""`upgate status`: pages of several profiles, and the index over them."""

from __future__ import annotations

import pytest

from tests.test_reports_examples import broken, healthy, hostile
from tests.test_reports_page import Page
from upgate.cli import main
from upgate.reports.results_json import render_json


@pytest.fixture
def reports(tmp_path):
    """The folders of two profiles, one of which ran a cheap round last."""
    for name, of in (("prod", broken()), ("staging/monitor", healthy())):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "results.json").write_bytes(render_json(of))
    return tmp_path


def test_an_index_leads_to_all_profiles(reports, tmp_path, capsys):
    """Each profile has a page and a badge, and the index names the worst first, with its number of causes."""
    out = tmp_path / "out"
    assert main(["status", f"--output={out}", f"--reports={reports}", "staging", "prod"]) == 0
    assert "staging clear, prod not clear" in capsys.readouterr().out
    page = Page((out / "index.html").read_text())
    assert [it["href"] for it in page.all("a")] == ["prod.html", "staging.html"]
    assert "not clear 1 not clear, 1 clear" in page.all("h1")[0]["text"]
    assert "6 causes (52 findings), 3 consequences" in page.all("li")[0]["text"]
    assert 'href="../prod/report.html"' in (out / "prod.html").read_text()
    assert 'href="../staging/monitor/report.html"' in (out / "staging.html").read_text()
    assert b"prod: clear" in (out / "staging.svg").read_bytes()


def test_public_pages_name_no_object(reports, tmp_path):
    """With --public no page names an object or a server."""
    out = tmp_path / "out"
    assert main(["status", f"--output={out}", f"--reports={reports}", "--public", "prod"]) == 0
    assert not any(word in (out / "prod.html").read_text() for word in ("worker-3", "10.20.0.1", "report.html"))


def test_a_profile_that_never_ran_is_an_error(tmp_path, capsys):
    """A folder without results is a usage error that says what to run."""
    assert main(["status", f"--output={tmp_path}", f"--reports={tmp_path}", "prod"]) == 4
    assert "run `upgate run --profile=prod --monitor` first" in capsys.readouterr().err


def test_hostile_results_stay_text(tmp_path):
    """Whatever the results hold, the index has no element of theirs."""
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "results.json").write_bytes(render_json(hostile()))
    assert main(["status", f"--output={tmp_path / 'out'}", f"--reports={tmp_path}", "a"]) == 0
    page = Page((tmp_path / "out" / "index.html").read_text())
    assert not page.all("img")
    assert len(page.all("script")) == 1
