"""What one round says about each check, as far as alerts go. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from upgate.verdict import CheckResult, Finding

#: good         judged, and nothing to wake anybody for
#: bad          failed by itself
#: consequence  failed, and all that it found follows from another check's finding: that one shouts
#: unknown      could not be judged
#: blind        the same, because the API server does not answer: `api.ready` shouts
#: off          the profile does not select it
Signal = Literal["good", "bad", "consequence", "unknown", "blind", "off"]
#: The check without which no other can be judged.
GATEWAY = "api.ready"
#: Objects that are remembered of one check; an alert about so many is loud enough.
MOST = 50
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
    return [seen(check, blind, explained, fail_on_warnings) for check in checks]


def seen(check: CheckResult, blind: bool, explained: dict[str, set[str]], fail_on_warnings: bool) -> Seen:
    """What the round says about one check."""
    found = shouting(check, fail_on_warnings)
    signal = signal_of(check, found, blind, fail_on_warnings)
    objects = {family(finding.object): finding.observed for finding in reversed(found)}
    return Seen(
        name=check.id,
        title=check.title,
        signal=signal,
        objects=dict(sorted(objects.items())[:MOST]) if signal == "bad" else {},
        count=len(found),
        reason=check.reason,
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


def shouting(check: CheckResult, fail_on_warnings: bool) -> list[Finding]:
    """The findings that are worth an alert: neither waived, nor explained by another one, nor a rollout under way."""
    grave = [each for each in check.roots if fail_on_warnings or each.severity == "critical"]
    return [each for each in grave if not each.transitional]


def causes(check: CheckResult) -> set[str]:
    """The checks that explain all that this one found; none where it found something of its own."""
    grave = [finding for finding in check.active if finding.severity == "critical"]
    if not all(finding.because for finding in grave):
        return set()
    return {(finding.because or "").partition(": ")[0] for finding in grave}


def family(object: str) -> str:
    """The object, without the end of a name that changes whenever a controller makes a new pod."""
    return ENDING.sub("-*", object) if object.startswith(("Pod/", "Job/", "ReplicaSet/")) else object
