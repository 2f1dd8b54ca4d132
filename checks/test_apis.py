"""The APIs that the API server serves, whom it asks for that, and who asks it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from upgate.battery import Subjects, check
from upgate.facts.lifecycle import gone_in, written_with_removed

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.battery.counters import Counters
    from upgate.facts.admission import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
    from upgate.facts.api_servers import ApiServerFault
    from upgate.facts.autoscaling import HorizontalPodAutoscaler
    from upgate.facts.cronjobs import CronJob
    from upgate.facts.custom_reads import CustomReads
    from upgate.facts.disruption import PodDisruptionBudget
    from upgate.facts.extensions import CustomResourceDefinition
    from upgate.facts.ingresses import Ingress
    from upgate.facts.kubelets import KubeletAnswer
    from upgate.facts.release_changes import Change, ReleaseChanges
    from upgate.facts.webhooks import WebhookCalls


@check("apis.deprecated", severity="critical", preflight="critical", none_is_fine=True)
def test_nobody_uses_an_api_that_is_removed(
    metrics: Counters,
    cronjobs: Subjects[CronJob],
    horizontalpodautoscalers: Subjects[HorizontalPodAutoscaler],
    poddisruptionbudgets: Subjects[PodDisruptionBudget],
    ingresses: Subjects[Ingress],
    next_version: str,
    now: datetime,
) -> None:
    """No API in use is removed by the next version.

    After the upgrade such requests are answered with 404. The API server's gauge says that an API was requested since that
    process started: it stays until a restart, also when the client is gone, and each API server has its own. Which client it
    is, its audit log says (the annotation k8s.io/deprecated). Objects name the managers that wrote them in the last 7 days.
    Look first: kubectl get --raw /metrics | grep apiserver_requested_deprecated_apis
    """
    metrics.requested.none(
        lambda api: api.spoken_of and api.removal(),
        expected=f"no request for an API that {next_version} does not serve",
        severity=lambda api: None if api.removed and gone_in(api.removed, next_version) else "warning",
    )
    for written in (cronjobs, horizontalpodautoscalers, poddisruptionbudgets, ingresses):
        written.none(
            lambda item: written_with_removed(item, next_version, now),
            expected=f"written in an API that {next_version} serves",
        )


@check(
    "webhooks.answer",
    severity="critical",
    preflight="critical",
    none_is_fine=True,
    after=("webhooks.alive", "crds.established", "apis.custom-readable"),
)
def test_webhooks_answer(
    metrics: Counters,
    validatingwebhookconfigurations: Subjects[ValidatingWebhookConfiguration],
    mutatingwebhookconfigurations: Subjects[MutatingWebhookConfiguration],
    customresourcedefinitions: Subjects[CustomResourceDefinition],
    webhook_calls: WebhookCalls,
    now: datetime,
) -> None:
    """The API server can call every admission and conversion webhook.

    Its Service may be there, and its endpoint ready, and yet the certificate be for another name or by another authority. Where
    a webhook does not answer, the requests that it intercepts fail; or, with failurePolicy Ignore, nothing checks them. The
    counters are those of one API server, since it started: after a repair the first answer tells that it answers again, and
    `kubectl create --dry-run=server` of what it intercepts asks for one.
    Look first: kubectl get --raw /metrics | grep -E 'webhook_(rejection|fail_open)_count|conversion_webhook'
    """
    each: Subjects[Any]
    for each in (validatingwebhookconfigurations, mutatingwebhookconfigurations):
        dead = webhook_calls.uncallable(each, now)
        each.none(
            partial(metrics.unanswered, uncallable=dead),
            expected="every call is answered",
            severity=partial(metrics.severity, uncallable=dead),
        )
    customresourcedefinitions.none(metrics.unconverted, expected="every call is answered", severity=metrics.severity)
    metrics.process.none(lambda process: process.bad_certificates, expected="certificates that can be checked")


@check("clients.rejected", severity="warning")
def test_no_client_is_rejected_again_and_again(metrics: Counters) -> None:
    """No client is rejected again and again.

    A controller that may not do what its new version needs, or whose token is no longer valid, tries on and says so only in its
    log. The API server counts rejections, but not whose: a few are normal. Told are those that come each second now, and those
    that have been steady since the baseline and more than before it.
    Look first: kubectl get --raw /metrics | grep -E '^(authentication_attempts|authorization_attempts|serviceaccount_stale)'
    """
    metrics.rejections.none(lambda each: each.goes_on, expected="no more than now and then")


@check(
    "apis.custom-readable", severity="critical", preflight="critical", none_is_fine=True, after=("crds.established",)
)
def test_every_custom_resource_can_be_listed(
    customresourcedefinitions: Subjects[CustomResourceDefinition], custom_reads: CustomReads
) -> None:
    """Every custom resource can be listed, in every version that is served.

    Objects are stored in one version, and converted when they are read in another: where the conversion webhook does not
    answer, they are there, and neither their controller nor kubectl can read them.
    Look first: kubectl get {name} --all-namespaces
    """
    customresourcedefinitions.where(lambda each: each.established).none(
        custom_reads.problem, expected="status 200 for a list in each served version"
    )


@check("release.changes", severity="warning", preflight="warning", only_preflight=True, none_is_fine=True)
def test_no_change_of_the_next_releases_concerns_the_cluster(
    coming_changes: Subjects[Change], release_changes: ReleaseChanges
) -> None:
    """Nothing that this cluster uses is removed or turned round by the releases on the way to the next version.

    The table of the battery has what releases remove or turn round, each with what the API shows of it; flags of processes are
    on the hosts. What does not concern this cluster is not told.
    Look first: the announcement, {source}
    """
    coming_changes.none(release_changes.said, expected=lambda change: change.todo)


@check(
    "apis.kubelets-reachable",
    severity="critical",
    allow="nodes-proxy",
    after=("nodes.ready", "nodes.heartbeat"),
    preflight="critical",
)
def test_the_api_server_reaches_every_kubelet(kubelet_answers: Subjects[KubeletAnswer]) -> None:
    """The API server reaches the kubelet of every Ready node, each of five times.

    Logs, exec, port-forwards and webhooks travel from the API server to the nodes, often through a tunnel (konnectivity),
    while every kubelet reports the other way and is Ready. One failure of five is a warning.
    Look first: kubectl get --raw /api/v1/nodes/{name}/proxy/healthz
    """
    kubelet_answers.none(
        lambda each: each.unreached,
        expected="every request is answered",
        severity=lambda each: each.severity,
    )


@check("apis.answer", severity="critical", none_is_fine=True, after=("api.ready", "nodes.ready", "nodes.heartbeat"))
def test_every_api_server_answers(api_servers: Subjects[ApiServerFault]) -> None:
    """Every API server answers by itself: ready, of the same version and authority as the others, and with the same data.

    A load balancer hides that one of three is away until the next one goes. Asked are the addresses of the EndpointSlice
    `kubernetes`, as far as one of them can be reached from here, and those of `cluster: {api-servers: […]}`; of the control
    plane's nodes each must have one. What a server knows is compared by the leases of nodes that it has seen renewed.
    Look first: kubectl --namespace default get endpointslice kubernetes -o yaml; kubectl get --raw '/readyz?verbose'
    """
    api_servers.none(
        lambda each: each.fault,
        expected="it answers as the others do",
        severity=lambda each: each.severity,
    )
