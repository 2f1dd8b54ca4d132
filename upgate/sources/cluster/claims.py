"""Lists of one look are seconds apart: a status that counts pods which the later list no longer has is read once more.

An autoscaler that takes a pod away between two lists looks like a controller manager that is dead. What a dead one wrote is
the same a moment later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from upgate.base.errors import Inconclusive
from upgate.facts.backends import WORKLOADS, is_version, uids
from upgate.facts.kinds import KINDS, Kind
from upgate.facts.owned_pods import DeploymentPods
from upgate.facts.workloads import ReplicaSet, Workload
from upgate.sources.cluster.brief import label_query
from upgate.sources.cluster.listing import Listing

Answers = Mapping[str, Any]
#: Where more workloads than this count too much, their controller is dead.
MOST = 20


def with_later_claims(answers: Answers, ask: Callable[[list[str]], Answers]) -> dict[str, Any]:
    """The answers, with a later one about each workload that counts pods which are not there. What fails changes nothing."""
    overstating = overstated(answers)
    if not overstating:
        return dict(answers)
    later = ask([noun for noun in WORKLOADS if noun in answers])
    return {**answers, **{noun: corrected_list(answers[noun], each, overstating) for noun, each in later.items()}}


def with_later_pods(answers: Answers, ask_pods: Callable[[list[Kind]], Listing]) -> dict[str, Any]:
    """The answers, with pods that were made since, of the workloads that still count more. What fails changes nothing.

    A scale-up between the two lists looks like a dead controller, too. Pods that went since stay: their workload counted them.
    """
    counting = overstating_workloads(answers)
    if not 0 < len(counting) <= MOST:
        return dict(answers)
    places = dict.fromkeys(label_query(each, each.template_labels) for each in counting)
    try:
        later = ask_pods([KINDS["pods"]._replace(namespace=place, label_selector=labels) for place, labels in places])
    except Inconclusive:
        return dict(answers)
    before: Listing = answers["pods"]
    known = uids(before.items)
    made = [each for each in later.items if each.metadata.uid not in known]
    return {**answers, "pods": Listing([*before.items, *made], before.malformed, before.unread, before.read)}


def overstated(answers: Answers) -> set[str]:
    """The UIDs of the workloads that count ready pods which are not in the list of pods."""
    return uids(overstating_workloads(answers))


def overstating_workloads(answers: Answers) -> list[Workload]:
    """The workloads that count ready pods which are not in the list of pods."""
    listed = {noun: each for noun, each in answers.items() if isinstance(each, Listing)}
    if not {"pods", "replicasets"} <= listed.keys():
        return []
    lists: dict[str, Any] = {noun: each.items for noun, each in listed.items()}
    owned = DeploymentPods(lists if listed["pods"].read is None else {**lists, "read": listed["pods"].read})
    deployments = uids(lists.get("deployments", ()))
    makers = (each for noun in WORKLOADS for each in lists.get(noun, ()) if not is_version(each, deployments))
    return [each for each in makers if owned.absent(each)]


def corrected_list(before: Listing, after: Listing | Inconclusive, overstating: set[str]) -> Listing:
    """The list, in which those of these UIDs are as they were later, or gone; and with the versions that they made since."""
    if isinstance(after, Inconclusive):
        return before
    later: dict[str, Workload] = {each.metadata.uid: each for each in after.items}
    known = {each.metadata.uid for each in before.items}
    kept = [later.get(each.metadata.uid) if each.metadata.uid in overstating else each for each in before.items]
    made = [each for uid, each in later.items() if uid not in known and is_made_by(each, overstating)]
    return Listing([*filter(None, kept), *made], before.malformed, before.unread, before.read)


def is_made_by(workload: Workload, deployments: set[str]) -> bool:
    """It is a version of one of these Deployments."""
    maker = workload.metadata.controller
    return isinstance(workload, ReplicaSet) and maker is not None and maker.uid in deployments
