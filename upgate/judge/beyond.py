"""What depends on more than nodes and pods: on controller manager and scheduler, on webhooks, on aggregated APIs, on rights.

Each dependency is written down only where it covers all that is missing: a cause must not hide another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from upgate.facts.admission import WebhookConfiguration
from upgate.facts.backends import controller_of
from upgate.facts.control_plane import HOME, LED, component_of
from upgate.facts.cronjobs import CronJob, Timetables
from upgate.facts.extensions import APIService
from upgate.facts.jobs import Job
from upgate.facts.meta import condition
from upgate.facts.namespaces import Namespace
from upgate.facts.rights import accounts_of
from upgate.facts.webhooks import WebhookCalls
from upgate.facts.workloads import Replicated, Workload
from upgate.profile.parts import Patience

Lists = Mapping[str, list[Any]]
Depends = dict[str, list[str]]
MANAGER, SCHEDULER = (f"Lease/{HOME}/{name}" for name in LED)
CONFIGURATIONS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
#: What only the controller manager moves.
MOVED = ("services", "volumeattachments")
#: The kinds that are asked for here, beside pods, namespaces, workloads and endpoints.
NOUNS = (
    *(*CONFIGURATIONS, "apiservices", "customresourcedefinitions", "warnings", "jobs", "horizontalpodautoscalers"),
    *(*MOVED, "cronjobs", "leader_leases"),
)
#: What the API server says when a webhook does not answer; a webhook that answers and refuses says "denied the request".
UNANSWERED = re.compile(r'failed calling webhook "([^"]{1,253})"')
#: Why an autoscaler has no metrics → the aggregated API that has none.
METRICS = {
    "FailedGetResourceMetric": "metrics.k8s.io",
    "FailedGetContainerResourceMetric": "metrics.k8s.io",
    "FailedGetPodsMetric": "custom.metrics.k8s.io",
    "FailedGetObjectMetric": "custom.metrics.k8s.io",
    "FailedGetExternalMetric": "external.metrics.k8s.io",
}


def add_beyond(depends: Depends, lists: Lists, unmade: Sequence[Workload], moment: datetime) -> None:
    """All of them. `unmade`: the workloads of which pods are missing, and every pod that is there is ready."""
    add_movers(depends, lists)
    add_refused(depends, lists, unmade)
    add_calls(depends, lists, moment)
    add_apis(depends, lists)


def add_movers(depends: Depends, lists: Lists) -> None:
    """What waits for the scheduler or the controller manager, their leases on their pods, and add-ons on their rights."""
    addons = {(each.namespace, each.name): each.ref for each in accounts_of(lists["pods"])}
    for pod in lists["pods"]:
        if component_of(pod) in LED:
            depends[f"Lease/{HOME}/{component_of(pod)}"].append(pod.ref)
        if pod.unseen_by_scheduler and pod.spec.scheduler_name in ("", "default-scheduler"):
            depends[pod.ref].append(SCHEDULER)
        account = addons.get((pod.namespace, pod.spec.service_account_name))
        if account and pod.status.phase == "Running" and not pod.ready.is_true:
            depends[pod.ref].append(account)
    for each in (one for noun in MOVED for one in lists[noun]):
        depends[each.ref].append(MANAGER)
    for each in late_since_stop(lists):
        depends[each.ref].append(MANAGER)


def late_since_stop(lists: Lists) -> list[CronJob]:
    """The CronJobs that had missed no time when the controller manager last renewed its lease; a suspended one waits for none."""
    renewed = next((each.spec.renew_time for each in lists["leader_leases"] if each.ref == MANAGER), None)
    if renewed is None:
        return []
    timetables = Timetables(lists)
    return [each for each in lists["cronjobs"] if each.runs and was_on_time(each, timetables, renewed)]


def was_on_time(cronjob: CronJob, timetables: Timetables, moment: datetime) -> bool:
    """It had missed no time at that moment; not, where its schedule cannot be read."""
    try:
        return not timetables.missed(cronjob, moment, Patience().cronjob_late)
    except ValueError:
        return False


def add_refused(depends: Depends, lists: Lists, unmade: Sequence[Workload]) -> None:
    """A workload whose pods a webhook keeps from being made depends on that; where nothing refuses them, on who makes them."""
    homes = by_webhook(lists)
    refused = {each.about: each.message for each in lists["warnings"] if each.reason == "FailedCreate"}
    for each in (*unmade, *jobs_without_pods(lists)):
        failure = each.failure if isinstance(each, Replicated) else ""
        said = failure or refused.get((each.kind, each.namespace, each.name), "")
        depends[each.ref] += homes_in(said, homes) if said else [MANAGER]


def jobs_without_pods(lists: Lists) -> list[Job]:
    """The Jobs of which no pod is there."""
    made = {controller_of(pod) for pod in lists["pods"]}
    return [job for job in lists["jobs"] if (job.namespace, job.metadata.uid) not in made]


def by_webhook(lists: Lists) -> dict[str, list[str]]:
    """The configurations that each webhook's name is in."""
    homes: dict[str, list[str]] = {}
    for each in configurations(lists):
        for webhook in each.webhooks or ():
            homes.setdefault(webhook.name, []).append(each.ref)
    return homes


def configurations(lists: Lists) -> Iterator[WebhookConfiguration]:
    """Those of both kinds."""
    for noun in CONFIGURATIONS:
        yield from lists[noun]


def homes_in(said: str, homes: Mapping[str, list[str]]) -> list[str]:
    """The configuration of the webhook that a message names as not answering; none where it says something else."""
    match = UNANSWERED.search(said)
    return homes.get(match[1], []) if match else []


def add_calls(depends: Depends, lists: Lists, moment: datetime) -> None:
    """Webhooks, conversions and aggregated APIs depend on the Services behind them, where nothing else is wrong with them."""
    calls = WebhookCalls(lists)
    for each in configurations(lists):
        depends[each.ref] += [reference.ref for reference in calls.unanswered(each, moment)]
    for each in lists["customresourcedefinitions"]:
        depends[each.ref] += [reference.ref for reference in calls.unconverted(each, moment)]
    for api in unavailable(lists):
        depends[api.ref] += [api.spec.service.ref] if api.spec.service else []


def unavailable(lists: Lists) -> list[APIService]:
    """The aggregated APIs that are not available."""
    return [each for each in lists["apiservices"] if each.spec.service and not each.available.is_true]


def add_apis(depends: Depends, lists: Lists) -> None:
    """A namespace that waits for an API to be asked depends on that; an autoscaler on the API of its metrics."""
    apis = {f"{each.spec.group}/{each.spec.version}": each.ref for each in unavailable(lists)}
    for namespace in lists["namespaces"]:
        depends[namespace.ref] += awaited(namespace, apis)
    for each in lists["horizontalpodautoscalers"]:
        group = METRICS.get(condition(each.status.conditions, "ScalingActive").reason)
        depends[each.ref] += (
            [ref for name, ref in apis.items() if group == name.partition("/")[0]] if group else [MANAGER]
        )


def awaited(namespace: Namespace, apis: Mapping[str, str]) -> list[str]:
    """The APIs that hold a namespace, if they are all that holds it; else the one who should delete what is in it."""
    if not namespace.metadata.deletion_timestamp:
        return []
    if namespace.only_own_fault:
        return [ref for name, ref in apis.items() if name in namespace.blockers]
    return [] if namespace.held_otherwise else [MANAGER]
