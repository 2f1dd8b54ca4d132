"""Admission webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgate.battery import Subjects, check

if TYPE_CHECKING:
    from datetime import datetime

    from upgate.facts.admission import (
        MutatingWebhookConfiguration,
        ValidatingWebhookConfiguration,
    )
    from upgate.facts.backends import Backends
    from upgate.facts.interception import Interceptions
    from upgate.facts.webhooks import WebhookCalls
    from upgate.profile.parts import Patience


@check(
    "webhooks.alive",
    severity="critical",
    preflight="critical",
    none_is_fine=True,
    monitor=True,
    after=("services.endpoints", "mesh.retired", "mesh.revision-tag"),
)
def test_every_webhook_can_be_called(
    validatingwebhookconfigurations: Subjects[ValidatingWebhookConfiguration],
    mutatingwebhookconfigurations: Subjects[MutatingWebhookConfiguration],
    webhook_calls: WebhookCalls,
    backends: Backends,
    patience: Patience,
    now: datetime,
) -> None:
    """Every admission webhook that is behind a Service has a ready endpoint there, and a caBundle that is valid.

    With failurePolicy Fail the API server refuses all that it should ask the webhook about: often every pod. With Ignore
    nobody is asked, which is a warning.
    Look first: kubectl get {kind} {name} -o yaml
    """
    each: Subjects[Any]
    for each in (validatingwebhookconfigurations, mutatingwebhookconfigurations):
        each.none(
            lambda one: webhook_calls.fault(one, now),
            expected="a Service with a ready endpoint for its port, and a valid caBundle",
            severity=lambda one: None if webhook_calls.refuses(one, now) else "warning",
            transitional=lambda one: (
                one.age(now) < patience.start_up
                or webhook_calls.starting(webhook_calls.unanswered(one, now), backends, now, patience)
            ),
        )


@check(
    "webhooks.scope",
    severity="warning",
    preflight="critical",
    none_is_fine=True,
    after=("nodes.ready", "nodes.heartbeat", "nodes.schedulable"),
)
def test_no_webhook_stands_in_the_way(
    validatingwebhookconfigurations: Subjects[ValidatingWebhookConfiguration],
    mutatingwebhookconfigurations: Subjects[MutatingWebhookConfiguration],
    interceptions: Interceptions,
) -> None:
    """No webhook stands in the way of an upgrade: of kube-system, nodes, leases and evictions, or by a single backend.

    While a webhook with failurePolicy Fail does not answer, what it intercepts is refused: system pods on new nodes, the
    kubelets' heartbeats, the drain itself. A validating webhook on evictions may refuse them whatever its failurePolicy. What
    the clouds' own control planes call is left out.
    Look first: kubectl get {kind} {name} -o yaml
    """
    each: Subjects[Any]
    for each in (validatingwebhookconfigurations, mutatingwebhookconfigurations):
        each.none(
            interceptions.words,
            expected="kube-system exempt by its namespaceSelector, no evictions, nodes or leases, two ready backends",
            severity=lambda one: None if interceptions.blocks(one) else "warning",
        )
