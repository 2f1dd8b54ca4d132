"""`junit.xml`: one testcase for each check, in the shape that Jenkins' and GitLab's readers agree on.

The reference is junit-10.xsd of Jenkins' xunit plugin, with `properties` in a testcase as pytest and Jenkins' junit
plugin have them. GitLab shows the text of a failure and not its `message`, and of equal names only the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from upgate.reports import words
from upgate.reports.causes import RootCauses
from upgate.reports.cleaning import cleaned, one_line
from upgate.reports.naming import unique_names
from upgate.reports.prose import Prose
from upgate.results import CheckResult, ComparedWith, Outcome, Results

#: GitLab refuses reports over 30 MB.
MOST_FINDINGS = 500
#: GitLab and Jenkins show nothing of a testcase that passed: what is warned and waived is "skipped", with its findings.
TAGS: dict[Outcome, str] = {
    "failed": "failure",
    "inconclusive": "error",
    "skipped": "skipped",
    "warned": "skipped",
    "waived": "skipped",
}


def render_junit(results: Results, *, fail_on_warnings: bool = False) -> bytes:
    """The results as JUnit XML; a warning is a skipped testcase, or with `fail_on_warnings` a failed one."""
    tags = TAGS | ({"warned": "failure"} if fail_on_warnings else {})
    results = cleaned(results)
    root = ET.Element("testsuites", name="upgate")
    suite = ET.SubElement(root, "testsuite", totals(results, tags))
    add_properties(suite, suite_properties(results))
    prose = Prose(RootCauses(results), results.rounds, first=MOST_FINDINGS, more_in="results.json")
    for name, check in zip(unique_names(check.id for check in results.checks), results.checks, strict=True):
        case = ET.SubElement(
            suite, "testcase", classname=check.subject, name=name, time=decimal_seconds(check.duration)
        )
        add_properties(case, properties(check, results))
        add_outcome(case, check, tags.get(check.outcome), prose)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def totals(results: Results, tags: dict[Outcome, str]) -> dict[str, str]:
    """The attributes of the suite."""
    used = [tags.get(check.outcome) for check in results.checks]
    return {
        "name": f"upgate {results.profile}",
        "tests": str(len(used)),
        "failures": str(used.count("failure")),
        "errors": str(used.count("error")),
        "skipped": str(used.count("skipped")),
        "time": decimal_seconds((results.finished - results.started).total_seconds()),
        "timestamp": words.rfc3339(results.started),
    }


def suite_properties(results: Results) -> dict[str, str]:
    return {
        "profile": results.profile,
        "server": results.cluster.server,
        "version": results.cluster.version or "",
        "verdict": results.verdict,
        "vantage": results.vantage,
        **compared_properties(results.baseline),
        "reference": words.rfc3339(results.reference) if results.reference else "",
    }


def compared_properties(compared: ComparedWith | None) -> dict[str, str]:
    """When the baseline was taken, and how many findings are new since."""
    if compared is None:
        return {}
    return {"baseline": words.rfc3339(compared.taken), "new": str(compared.new), "known": str(compared.known)}


def properties(check: CheckResult, results: Results) -> dict[str, str]:
    return {
        "severity": check.severity,
        "profile": results.profile,
        "cluster": results.cluster.server,
        "examined": str(check.examined),
        "vantage": results.vantage if check.subject == "external" else "",
        "outcome": check.outcome,
        "known": known_of(check) if results.baseline else "",
    }


def known_of(check: CheckResult) -> str:
    """How many of its findings were there before the upgrade; empty where it has none."""
    return f"{sum(each.known for each in check.findings)} of {len(check.findings)}" if check.findings else ""


def add_properties(parent: ET.Element, named: dict[str, str]) -> None:
    """Add those that have a value."""
    group = ET.SubElement(parent, "properties")
    for name, value in named.items():
        if value:
            ET.SubElement(group, "property", name=name, value=one_line(value))


def add_outcome(case: ET.Element, check: CheckResult, tag: str | None, prose: Prose) -> None:
    """Add what keeps the testcase from passing, or what is to be known although it passes."""
    text = "\n".join(account(check, prose))
    if tag:
        mark = f"{check.outcome.upper()}: " if tag == "skipped" and check.outcome != "skipped" else ""
        message = mark + words.check_headline(check)
        ET.SubElement(case, tag, type=check.outcome, message=message).text = mark + text
    elif check.findings:
        ET.SubElement(case, "system-out").text = text


def account(check: CheckResult, prose: Prose) -> Iterator[str]:
    """The check in lines, of which the first says it all."""
    yield words.check_headline(check)
    yield check.title
    if check.why:
        yield check.why
    if check.findings and check.reason:
        yield one_line(check.reason)
    for line in prose.findings(check):
        yield "  " * line.indent + line.text


def decimal_seconds(duration: float) -> str:
    return f"{max(duration, 0):.3f}"
