"""`report.html` in a real browser: the filter filters, and nothing gets out."""

import http.server
import shutil
import subprocess
import threading
from urllib.parse import quote

import pytest

from tests.test_reports_examples import HOSTILE, broken, hostile, huge
from tests.test_reports_page import Page
from upgate.reports.html import render_html

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
QUIET += ["--disable-background-networking", "--disable-component-update", "--disable-default-apps"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def user_data(tmp_path_factory):
    """The browser's own directory, made once because that takes most of its start."""
    return tmp_path_factory.mktemp("chromium")


@pytest.fixture
def browse(tmp_path, user_data):
    """The page's elements, as they are once the browser, with these further flags, has loaded it with this hash."""

    def load(markup, state="", *flags):
        path = tmp_path / "report.html"
        path.write_bytes(markup)
        command = [
            CHROMIUM,
            *QUIET,
            *flags,
            f"--user-data-dir={user_data}",
            "--dump-dom",
            f"{path.as_uri()}#{state}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return Page(done.stdout)

    return load


def checks(found):
    return [
        it["id"].removeprefix("check-")
        for it in found.all("details")
        if it.get("id", "").startswith("check-") and "hidden" not in it
    ]


def objects(found):
    return [it for it in found.all("li", class_="finding") if "hidden" not in it]


def page_of(results):
    return Page(render_html(results).decode())


def count(found):
    return found.all("span", id="shown")[0]["text"]


def test_without_a_filter_all_is_shown(browse):
    """The script makes the filter visible, counts everything, and hides nothing."""
    found = browse(render_html(broken()))
    assert "hidden" not in found.all("form")[0]
    assert count(found) == "Shown: 6 of 6 causes, 19 of 19 checks, 57 findings"
    assert len(objects(found)) == 57


def test_a_link_with_outcome_and_namespace_shows_just_those(browse):
    """Outcome and namespace in the address leave the failed checks' findings of that namespace, and tick the fields."""
    found = browse(render_html(broken()), "outcome=failed&namespace=pay")
    assert checks(found) == ["deployments.ready"]
    assert ["Deployment/pay/ledger" in it["text"] for it in objects(found)] == [True]
    assert count(found) == "Shown: 1 of 6 causes, 1 of 19 checks, 1 finding"
    assert [it["id"] for it in found.all("section", class_="group failed") if "hidden" in it] == []
    assert all("hidden" in it for it in found.all("section", class_="group passed"))


def test_text_finds_what_is_folded_away(browse):
    """A text that only finding 2,345 of 3,000 has opens the fold that it is in."""
    found = browse(render_html(huge()), "text=Web-7d9f8c6b5-02345")
    assert [it["text"].split("container")[0] for it in objects(found)] == ["Pod/team-25/web-7d9f8c6b5-02345"]
    fold = found.all("details", class_="fold")[0]
    assert "open" in fold
    assert "… and 2,990 more (1 shown)" in fold["text"]


def test_text_finds_checks_by_their_own_words(browse):
    """A text that is in a check's id, title or reason shows the check, also where it found nothing."""
    found = browse(render_html(broken()), "text=" + quote("may not list events"))
    assert checks(found) == ["pods.scheduler-silent", "nodes.stable", "events.warnings", "nodes.work"]


def test_a_link_to_a_check_opens_it(browse):
    """The address of a folded check opens that check and filters nothing."""
    found = browse(render_html(broken()), "check-pods.ready")
    assert "open" in found.all("details", id="check-pods.ready")[0]
    assert len(checks(found)) == 19


def test_a_part_of_a_picture_filters(browse):
    """The address behind a cell of the matrix leaves that namespace's findings of that subject, and their causes."""
    found = browse(render_html(broken()), "namespace=shop&subject=deployments")
    assert checks(found) == ["deployments.ready"]
    assert count(found) == "Shown: 1 of 6 causes, 1 of 19 checks, 2 findings"
    found = browse(render_html(broken()), "namespace=shop&known=new")
    causes = [it["text"] for it in found.all("li") if it.get("class", "").startswith("cause") and "hidden" not in it]
    assert [it.split("Ready")[0].split("container")[0] for it in causes] == [
        "Node/worker-3",
        "Pod/shop/web-7d9f8c6b5-* (47 of them)",
    ]


def test_a_link_to_a_finding_opens_what_it_is_in(browse):
    """The address of a finding that is folded away opens its check and its fold."""
    target = next(it for it in page_of(huge()).all("li", class_="finding") if "02345" in it["text"])
    found = browse(render_html(huge()), target["id"])
    assert "open" in found.all("details", id="check-pods.crashing")[0]
    assert "open" in found.all("details", class_="fold")[-1]


def test_commands_can_be_copied(browse):
    """Each command has a button in front of it that says what it copies."""
    found = browse(render_html(broken()))
    buttons = found.all("button", class_="copy")
    assert len(buttons) == len([it for it in found.all("code") if "main" in it["inside"]])
    assert "Copy the command: kubectl describe node worker-3" in {it["aria-label"] for it in buttons}


def test_a_broken_address_does_not_break_the_page(browse):
    """A mangled hash that names no namespace and no outcome there is still leaves a page with everything in it."""
    found = browse(render_html(broken()), "%zz&outcome=%3Cimg%3E&namespace=nowhere&text=")
    assert count(found) == "Shown: 6 of 6 causes, 19 of 19 checks, 57 findings"


@pytest.fixture
def ear():
    """A server on loopback, and the list of what it was asked."""
    asked = []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


@pytest.mark.parametrize("guarded", [True, False])
def test_the_policy_holds_in_the_browser(browse, ear, guarded):
    """Markup smuggled into a page neither runs nor fetches, while our script runs; without the policy it does both."""
    url, asked = ear
    attack = (
        f'<img src="{url}/img"><link rel="stylesheet" href="{url}/css"><iframe src="{url}/frame"></iframe>'
        f'<script src="{url}/js"></script><script>document.title = "taken over"</script></main>'
    )
    markup = render_html(broken()).decode().replace("</main>", attack)
    markup = markup if guarded else markup.replace("Content-Security-Policy", "x-nothing")
    found = browse(markup.encode())
    assert count(found).startswith("Shown: 6 of 6")
    assert (asked == []) is guarded
    assert found.all("title")[0]["text"] == ("NOT CLEAR — prod — upgate" if guarded else "taken over")


def test_hostile_text_does_nothing_in_the_browser(browse):
    """The browser builds from hostile text the elements that were written, and no other."""
    found = browse(render_html(hostile()))
    assert found.all("img") == []
    assert len(found.all("script")) == 1
    assert HOSTILE in found.all("main")[0]["text"]
