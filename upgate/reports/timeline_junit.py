"""The timeline as JUnit XML: one testcase for each target, which fails where it was away for longer than its budget."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from upgate.base.harmless import harmless
from upgate.reports.naming import unique_names
from upgate.reports.timeline_text import watched_lines
from upgate.watch.budgets import over_budget
from upgate.watch.timeline import Timeline, TimelineTarget


def timeline_junit(timeline: Timeline) -> bytes:
    """The timeline as JUnit XML."""
    root = ET.Element("testsuites", name="upgate")
    wrong = [over_budget(each, each.budget_total, each.budget_longest) for each in timeline.targets]
    suite = ET.SubElement(
        root,
        "testsuite",
        name=f"upgate watch {timeline.profile}",
        tests=str(len(wrong)),
        failures=str(sum(map(bool, wrong))),
        time=f"{(timeline.end - timeline.start).total_seconds():.3f}",
        timestamp=f"{timeline.start:%Y-%m-%dT%H:%M:%SZ}",
    )
    names = unique_names(each.name for each in timeline.targets)
    for name, target, problem in zip(names, timeline.targets, wrong, strict=True):
        add_case(suite, name, target, problem)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def add_case(suite: ET.Element, name: str, target: TimelineTarget, problem: str) -> None:
    """One target."""
    case = ET.SubElement(
        suite, "testcase", classname="disruption", name=name, time=f"{target.worst.outage_seconds:.3f}"
    )
    text = harmless("\n".join(watched_lines(target)))
    if problem:
        ET.SubElement(case, "failure", type="failed", message=harmless(problem)).text = text
    else:
        ET.SubElement(case, "system-out").text = text
