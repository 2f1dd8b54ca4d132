"""What one round says about each check, as far as alerts go. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from upgate.monitor.impact import LONGEST, NO_IMPACT, Impact, Size, home, replica_family
from upgate.reports.cleaning import begun
from upgate.results import CheckResult, Finding, finding_key

#: good         judged, and nothing to alert about
#: bad          failed by itself
#: consequence  failed, and all that it found follows from another check's finding: that one shouts
#: unknown      could not be judged
#: blind        the same, because the API server does not answer: `api.ready` shouts
#: off          the profile does not select it
Signal = Literal["good", "bad", "consequence", "unknown", "blind", "off"]
#: The check without which no other can be judged.
GATEWAY = "api.ready"
#: Findings from outside always alert: tenants and kubelets write the objects that could explain them.
OUTSIDE = "external"
#: Objects that are remembered of one check; an alert about so many is loud enough.
MOST = 50


class CheckSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One check in one round."""

    name: str
    title: str
    signal: Signal
    #: What is wrong → what was observed, at most MOST; pods that replace each other have one name.
    objects: dict[str, str] = {}
    #: What is not right either, but under way: it is not news, and it has not recovered.
    moving: tuple[str, ...] = ()
    #: The Services that users come in by which lead nowhere, under way or not → what was observed.
    felt: dict[str, str] = {}
    #: What is still wrong, but waived.
    waived: tuple[str, ...] = ()
    #: How many objects are wrong.
    count: int = 0
    #: Why it could not be judged.
    reason: str = ""
    #: The checks of which all findings follow from this one's.
    explains: tuple[str, ...] = ()
    #: The same checks, and each consequence that users see → what was observed of it, at most MOST.
    follows: dict[str, str] = {}
    #: How large a part of each object is wrong; "" is the check as a whole.
    sizes: dict[str, Size] = {}
    #: Users see it, or something that follows from it.
    visible: bool = False


def signals(
    checks: Sequence[CheckResult], impact: Impact = NO_IMPACT, *, fail_on_warnings: bool = False
) -> list[CheckSignal]:
    """What the round says about each of its checks."""
    blind = any(check.id == GATEWAY and check.outcome == "failed" for check in checks)
    passing = {finding_key(check.id, each.object) for check in checks for each in check.active if each.transitional}
    follows = consequences_of(checks, passing, impact)
    explained = {check.id: causes(check) for check in checks if check.outcome == "failed"}
    said = []
    for check in checks:
        found = shouting(check, passing, fail_on_warnings)
        signal = signal_of(check, found, blind, fail_on_warnings)
        explains = tuple(sorted(name for name, roots in explained.items() if check.id in roots))
        said.append(replace(check_signal(check, found, signal, impact, follows[check.id]), explains=explains))
    return said


def consequences_of(
    checks: Sequence[CheckResult], passing: Container[str], impact: Impact
) -> Mapping[str, dict[str, str]]:
    """Check → what follows from its findings: the checks that are wrong only because of it, and what users see.

    What is asked from outside has alerts of its own, and what follows from a change under way is not news.
    """
    follows: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for check in checks:
        if check.outcome != "failed" or check.subject == OUTSIDE:
            continue
        explained = [each for each in check.active if each.severity == "critical" and each.because]
        lasting = [each for each in explained if each.because not in passing]
        if causes(check):
            for each in lasting:
                follows[cause_of(each)].setdefault(check.id, "")
        for each in lasting:
            if impact.seen_by_users(each.object):
                observed = begun(each.observed, LONGEST)
                follows[cause_of(each)].setdefault(finding_key(check.id, replica_family(each.object)), observed)
    return follows


def check_signal(
    check: CheckResult, found: Sequence[Finding], signal: Signal, impact: Impact, follows: Mapping[str, str]
) -> CheckSignal:
    """What the round says about one check, of which this is worth an alert."""
    worst_first = sorted(found, key=lambda each: (not impact.seen_by_users(each.object), replica_family(each.object)))
    objects = {replica_family(each.object): begun(each.observed, LONGEST) for each in reversed(worst_first)}
    some = fair_share(list(reversed(objects)))
    objects = {name: objects[name] for name in reversed(objects) if name in some} if signal == "bad" else {}
    sizes = impact.sizes(found)
    return CheckSignal(
        name=check.id,
        title=check.title,
        signal=signal,
        objects=objects,
        moving=tuple({replica_family(each.object) for each in check.active if each.transitional}),
        felt={each.object: begun(each.observed, LONGEST) for each in check.active if each.object in impact.entrances},
        waived=tuple({replica_family(each.object) for each in check.findings if each.waived}),
        count=len(found),
        reason=begun(check.reason, LONGEST),
        follows=dict(list(follows.items())[:MOST]) if signal == "bad" else {},
        sizes={"": whole_size(check, found), **{name: sizes[name] for name in objects if name in sizes}}
        if signal == "bad"
        else {},
        visible=any(impact.seen_by_users(each.object) for each in found) or any(": " in name for name in follows),
    )


def fair_share(names: Sequence[str]) -> set[str]:
    """As many as are remembered, from each namespace in turn, so that one with many does not crowd out the others."""
    turns: Counter[str] = Counter()
    turn = {}
    for name in names:
        turns[home(name)] += 1
        turn[name] = turns[home(name)]
    return set(sorted(names, key=lambda name: turn[name])[:MOST])


def whole_size(check: CheckResult, found: Sequence[Finding]) -> Size:
    """How large a part of all that was looked at is wrong."""
    bad = len({each.object for each in found})
    return Size(bad, check.examined if check.examined >= bad else 0)


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
    return {cause_of(finding) for finding in grave}


def cause_of(finding: Finding) -> str:
    """The check that found the cause."""
    return (finding.because or "").partition(": ")[0]
