"""The catalogue reads from the API server outwards, and each of its links leads somewhere."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.worlds import battery
from upgate.battery import catalogue
from upgate.battery.chapters import CHAPTERS, OTHERS, by_chapter, in_order

CHECKS = list(battery().values())
TEXT = catalogue.checks_as_markdown(CHECKS)
OWN = replace(battery()["nodes.ready"], id="backups.succeed", preflight=None)


def anchors(text):
    """The names that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings]


def test_every_link_leads_to_a_heading():
    """Those of the contents and of the table; and no two headings have one name."""
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= set(anchors(TEXT))
    assert len(anchors(TEXT)) == len(set(anchors(TEXT)))


def test_every_subject_has_its_chapter():
    """What the battery asks has a place; a check of a user's own comes last."""
    assert list(by_chapter(CHECKS)) == [each for each in CHAPTERS if each in by_chapter(CHECKS)]
    assert list(by_chapter([OWN, *CHECKS]))[-1] == OTHERS
    assert in_order([OWN, *CHECKS])[-1] is OWN


def test_the_order_in_which_people_read():
    """The API server first, then nodes, pods and workloads, and last what only some clusters have."""
    subjects = list(dict.fromkeys(each.subject for each in in_order(CHECKS)))
    wanted = ["api", "nodes", "pods", "deployments", "services", "certs", "events", "external", "hosts", "sidecars"]
    assert [each for each in subjects if each in wanted] == wanted
    assert TEXT.index("### api.ready") < TEXT.index("### nodes.ready") < TEXT.index("### sidecars.image")


def test_a_line_says_when_a_check_is_asked():
    """Its severity always, before an upgrade, in monitoring, and what it needs."""
    assert catalogue.table_row(battery()["pods.bare"]) == "| [pods.bare](#podsbare) | W | W |  | pods |\n"
    assert catalogue.table_row(battery()["workloads.single-replica"]).startswith(
        "| [workloads.single-replica](#workloadssingle-replica) |  | W |  | pods, deployments,"
    )
    assert catalogue.table_row(battery()["hosts.disk"]).endswith("| ssh, `hosts:` |\n")
    secret = replace(OWN, allow="secrets", monitor=True)
    assert catalogue.table_row(secret).endswith("| C |  | yes | nodes, `allow: [secrets]` |\n")


def test_the_words_of_one_check():
    """It says with which severity it is asked before an upgrade, and what the profile must allow."""
    assert "-m preflight (critical)" in catalogue.check_in_full(battery()["pdbs.allow-drain"])
    assert "Runs in: -m preflight\n" in catalogue.check_in_full(battery()["workloads.readiness-probe"])
    assert "Runs in: the whole battery, -m monitor, -m preflight\n" in catalogue.check_in_full(battery()["api.ready"])
    assert "allow: [pods-proxy]" in catalogue.check_in_full(replace(OWN, allow="pods-proxy"))
    assert "**W** · **C** with `-m preflight` · Every PodDisruptionBudget" in TEXT
    assert "\n**W** with `-m preflight` only · No Service" in TEXT
