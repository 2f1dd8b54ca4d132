"""What the profile expects beside Kubernetes' own objects: of any object, and of what another monitor knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgate.battery import check

if TYPE_CHECKING:
    from upgate.battery import Subjects
    from upgate.battery.alerts import AlertedObject, QueriedValue
    from upgate.battery.complaints import Complaining
    from upgate.battery.expected import ExpectedObject

#: Findings that explain an alert about the same object, or about one that depends on it.
KNOWN_HERE = (
    "nodes.ready",
    "nodes.heartbeat",
    "nodes.pressure",
    "nodes.schedulable",
    "pods.crashing",
    "pods.pending",
    "pods.failed",
    "pods.terminating",
    "pods.ready",
    "deployments.ready",
    "statefulsets.ready",
    "daemonsets.ready",
    "jobs.failed",
)


@check("expect.{name}", severity="critical", after=KNOWN_HERE)
def test_the_objects_are_as_expected(expected: Subjects[ExpectedObject]) -> None:
    """The objects that the profile names are there, and satisfy its conditions.

    A kind that the API server does not serve, or a selector that matches nothing, fails; so does a condition that cannot be
    evaluated, because a field is missing or has another type.
    Look first: kubectl get {kind} -A
    """
    expected.none(lambda each: each.problems, expected=lambda each: each.expected)


@check(
    "conditions.false",
    severity="warning",
    expects="conditions",
    none_is_fine=True,
    preflight="warning",
    after=KNOWN_HERE,
)
def test_no_custom_resource_says_that_it_is_not_right(conditions: Subjects[Complaining]) -> None:
    """No custom resource has reported Ready, Available, Healthy or Synced False for longer than ten minutes.

    Operators say in conditions what they cannot do; Argo CD and Flux also in their own words. What was paused on purpose is
    left out. Every object of every kind is listed for this, which needs wide permissions: so it is asked only with conditions:
    in the profile, and a kind that cannot be listed makes it inconclusive.
    Look first: kubectl -n {namespace} describe {kind} {name}
    """
    conditions.none(lambda each: each.observed, expected="no condition that says that it is not right")


@check("alerts.firing", severity="critical", expects="prometheus", preflight="warning", after=KNOWN_HERE)
def test_no_alert_fires(alerts: Subjects[AlertedObject]) -> None:
    """No alert fires in Prometheus, but for those that the profile ignores.

    What your own monitoring finds wrong is wrong. An alert that is pending is not firing yet. Alerts about one object are
    one finding; those with severity info warn. A rule that Prometheus cannot evaluate makes this inconclusive. Silences of
    Alertmanager are not known here: use ignore.
    Look first: {url}/alerts
    """
    alerts.none(
        lambda each: each.observed,
        expected="no alert fires",
        severity=lambda each: "warning" if each.only_informs else None,
    )


@check("alerts.query.{name}", severity="critical", preflight="critical", after=KNOWN_HERE)
def test_the_query_holds(query: Subjects[QueriedValue]) -> None:
    """Every value that the query gives is as the profile expects.

    A query without an answer, or one that gives NaN, says nothing, and is inconclusive.
    Look first: promtool query instant PROMETHEUS-URL '{query}'
    """
    query.all(
        lambda each: each.holds,
        observed=lambda each: each.observed,
        expected=lambda each: f"{each.query.that}",
    )
