"""What one round says about each check, as far as alerts go. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Literal

import msgspec

from upgate.reports.cleaning import begun
from upgate.results import CheckResult, Finding

#: good         judged, and nothing to wake anybody for
#: bad          failed by itself
#: consequence  failed, and all that it found follows from another check's finding: that one shouts
#: unknown      could not be judged
#: blind        the same, because the API server does not answer: `api.ready` shouts
#: off          the profile does not select it
Signal = Literal["good", "bad", "consequence", "unknown", "blind", "off"]
#: The check without which no other can be judged.
GATEWAY = "api.ready"
#: What users see from outside is always told: tenants and kubelets write what could explain it.
OUTSIDE = "external"
#: Objects that are remembered of one check; an alert about so many is loud enough.
MOST = 50
#: Characters of a name, and of what was observed, that are remembered.
LONGEST = 300
#: The letters of names that Kubernetes makes up (SafeEncodeString in k8s.io/apimachinery): no vowels, no 0, 1, 3.
MADE_UP = "[bcdfghjklmnpqrstvwxz2456789]"
#: The end of a pod's name behind its ReplicaSet's, Job's or DaemonSet's; a CronJob adds the minute to its Jobs' names.
ENDING = re.compile(rf"(-{MADE_UP}{{6,10}}|-\d{{8,10}})?-{MADE_UP}{{5}}$|-\d{{8,10}}$")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One check in one round."""

    name: str
    title: str
    signal: Signal
    #: What is wrong → what was observed, at most MOST; pods that replace each other have one name.
    objects: dict[str, str] = {}
    #: What is not right either, but under way: it is no news, and it has not recovered.
    moving: tuple[str, ...] = ()
    #: What is still wrong, and not to be told of any more.
    waived: tuple[str, ...] = ()
    #: How many objects are wrong.
    count: int = 0
    #: Why it could not be judged.
    reason: str = ""
    #: The checks of which all findings follow from this one's.
    explains: tuple[str, ...] = ()


def signals(checks: Sequence[CheckResult], *, fail_on_warnings: bool = False) -> list[Seen]:
    """What the round says about each of its checks."""
    blind = any(check.id == GATEWAY and check.outcome == "failed" for check in checks)
    explained = {check.id: causes(check) for check in checks if check.outcome == "failed"}
    passing = {f"{check.id}: {each.object}" for check in checks for each in check.active if each.transitional}
    found = (shouting(check, passing, fail_on_warnings) for check in checks)
    said = [
        (check, each, signal_of(check, each, blind, fail_on_warnings))
        for check, each in zip(checks, found, strict=True)
    ]
    return [seen(check, each, signal, explained) for check, each, signal in said]


def seen(check: CheckResult, found: Sequence[Finding], signal: Signal, explained: dict[str, set[str]]) -> Seen:
    """What the round says about one check, of which this is worth an alert."""
    objects = {family(finding.object): begun(finding.observed, LONGEST) for finding in reversed(found)}
    return Seen(
        name=check.id,
        title=check.title,
        signal=signal,
        objects=dict(sorted(objects.items())[:MOST]) if signal == "bad" else {},
        moving=tuple({family(each.object) for each in check.active if each.transitional}),
        waived=tuple({family(each.object) for each in check.findings if each.waived}),
        count=len(found),
        reason=begun(check.reason, LONGEST),
        explains=tuple(sorted(name for name, roots in explained.items() if check.id in roots)),
    )


def signal_of(check: CheckResult, found: Sequence[Finding], blind: bool, fail_on_warnings: bool) -> Signal:
    """One word for it."""
    match check.outcome:
        case "skipped":
            return "off"
        case "inconclusive":
            return "blind" if blind else "unknown"
        case "failed":
            return "bad" if found or not check.active else "consequence"
        case "warned" if fail_on_warnings and found:
            return "bad"
    return "good"


def shouting(check: CheckResult, passing: Container[str], fail_on_warnings: bool) -> list[Finding]:
    """The findings that are worth an alert: neither waived, nor explained by another one, nor a rollout under way."""
    grave = [each for each in check.active if fail_on_warnings or each.severity == "critical"]
    if check.subject == OUTSIDE:
        return [each for each in grave if not each.transitional]
    return [each for each in grave if not (each.transitional or is_explained(each, passing))]


def is_explained(finding: Finding, passing: Container[str]) -> bool:
    """Another finding explains it, and shouts itself or is soon over.

    Of what is under way only a node that joins or goes is bounded in time by us; a rollout may take as long as its
    progressDeadlineSeconds say. And what users feel shouts, whatever is under way behind it.
    """
    if not finding.because or finding.because not in passing:
        return bool(finding.because)
    kind = finding.object.partition("/")[0]
    return ": Node/" in finding.because and kind.isalpha() and kind != "Service"


def causes(check: CheckResult) -> set[str]:
    """The checks that explain all that this one found; none where it found something of its own."""
    grave = [finding for finding in check.active if finding.severity == "critical"]
    if not all(finding.because for finding in grave):
        return set()
    return {(finding.because or "").partition(": ")[0] for finding in grave}


def family(object: str) -> str:
    """The object, without the end of a name that changes whenever a controller makes a new pod."""
    named = ENDING.sub("-*", object) if object.startswith(("Pod/", "Job/", "ReplicaSet/")) else object
    return begun(named, LONGEST)
