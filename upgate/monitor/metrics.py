"""Metrics for Prometheus: a file for node_exporter's textfile collector, and a push to a Pushgateway.

What can change is a value and never a label, so that no series goes stale and none is left behind: the labels are the
profile, the ids of its checks and those of its `external:` entries. States are numbers, the worse the higher, so that
`max` means the worst; a StateSet (one series for each state) would make six times as many series to say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from upgate.base.errors import UsageError
from upgate.base.files import write_whole
from upgate.monitor.pushing import push
from upgate.monitor.targets import Measured, measured
from upgate.reports.cleaning import cleaned
from upgate.results import CheckResult, Outcome, Results, Verdict

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from upgate.monitor.history import History
    from upgate.profile import Profile
    from upgate.snapshot import Snapshot

STATES: dict[Outcome, int] = {"passed": 0, "skipped": 1, "waived": 2, "warned": 3, "inconclusive": 4, "failed": 5}
VERDICTS: dict[Verdict, int] = {"clear": 0, "inconclusive": 1, "not clear": 2}


class Metric(NamedTuple):
    """One metric family, in the words of Prometheus."""

    name: str
    help: str
    #: The label beside the profile; empty where there is none, and then the only value has the key "".
    label: str
    values: dict[str, float]


class MetricsHistory(NamedTuple):
    """What the history adds to one round."""

    #: When a round was clear for the last time, this one aside.
    last_clear: datetime | None = None
    #: A maintenance window is open.
    maintenance: bool = False


def publish(results: Results, profile: Profile, snapshot: Snapshot | None, past: History | None) -> list[str]:
    """Write and push what the profile asks for. A note says what failed; nothing else changes."""
    if not (profile.monitor.textfile or profile.monitor.pushgateway):
        return []
    results = cleaned(results)
    known = metrics(results, measured(profile, snapshot), metrics_history(past))
    return publish_registry(collector_registry(results.profile, known), profile, results.profile)


def metrics_history(past: History | None) -> MetricsHistory:
    """What the history adds, in which the round is recorded already."""
    last = past and past.last_round()
    if not (past and last):
        return MetricsHistory()
    clear = past.last_clear()
    return MetricsHistory(clear.at if clear else None, last.maintenance)


def publish_registry(registry: CollectorRegistry, profile: Profile, name: str) -> list[str]:
    """Send the metrics wherever the profile wants them; a note for each place that did not take them."""
    wanted = profile.monitor
    notes = (
        wanted.textfile and write_textfile(registry, Path(wanted.textfile)),
        wanted.pushgateway and push(registry, wanted.pushgateway, name, profile.secrets),
    )
    return [note for note in notes if note]


def metrics(results: Results, targets: Iterable[Measured], context: MetricsHistory) -> Iterator[Metric]:
    """Everything that is known about a round."""
    yield from round_metrics(results, context)
    yield from check_metrics(results.checks)
    yield from target_metrics(list(targets))


def round_metrics(results: Results, context: MetricsHistory) -> Iterator[Metric]:
    """Verdict and times."""
    taken = (results.finished - results.started).total_seconds()
    clear = results.finished if results.verdict == "clear" else context.last_clear
    yield alone("upgate_verdict", f"What the last round came to: {state_legend(VERDICTS)}.", VERDICTS[results.verdict])
    yield alone("upgate_last_round_timestamp_seconds", "When the last round ended.", results.finished.timestamp())
    yield alone("upgate_round_duration_seconds", "How long the last round took.", taken)
    yield alone(
        "upgate_maintenance", "1 while a maintenance window is open and no alerts are sent.", context.maintenance
    )
    if clear:
        yield alone("upgate_last_success_timestamp_seconds", "When a round was last all clear.", clear.timestamp())


def check_metrics(checks: Iterable[CheckResult]) -> Iterator[Metric]:
    """Each check's state and numbers."""
    by_id = {check.id: check for check in checks}

    def each(name: str, help: str, values: Iterable[float]) -> Metric:
        return Metric(f"upgate_check_{name}", help, "check", dict(zip(by_id, values, strict=True)))

    found = by_id.values()
    yield each("state", f"The check's state: {state_legend(STATES)}.", (STATES[it.outcome] for it in found))
    yield each("examined", "How many objects it looked at.", (it.examined for it in found))
    yield each("findings", "How many are wrong, waived ones aside.", (len(it.active) for it in found))
    yield each("duration_seconds", "How long it took to judge them.", (it.duration for it in found))


def target_metrics(targets: list[Measured]) -> Iterator[Metric]:
    """Each target from outside. One that could not be looked at has no value: it was neither up nor down."""
    up = {it.id: it.availability for it in targets}
    slow = {it.id: it.latency for it in targets if it.latency is not None}
    yield Metric("upgate_target_availability_ratio", "How many of its endpoints answer as expected, 0-1.", "target", up)
    yield Metric("upgate_target_latency_seconds", "How long its slowest answer took.", "target", slow)


def alone(name: str, help: str, value: float) -> Metric:
    """A metric with one value."""
    return Metric(name, help, "", {"": value})


def state_legend(numbers: dict) -> str:
    """What the numbers mean: `0 clear, 1 inconclusive`."""
    return ", ".join(f"{number} {word}" for word, number in numbers.items())


def collector_registry(profile: str, metrics: Iterable[Metric]) -> CollectorRegistry:
    """The metrics as prometheus-client knows them."""
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    for metric in metrics:
        names = ["profile", *filter(None, [metric.label])]
        gauge = Gauge(metric.name, metric.help, names, registry=registry)
        for labelled, value in metric.values.items():
            gauge.labels(profile, *filter(None, [labelled])).set(value)
    return registry


def write_textfile(registry: CollectorRegistry, path: Path) -> str:
    """Replace the file, whole or not at all; a note if that did not work."""
    from prometheus_client import generate_latest

    try:
        write_whole(path, generate_latest(registry), public=True)
    except UsageError as problem:
        return (
            f"the metrics were not written to {path}: {problem.__cause__}. Set monitor.textfile to a path that can be "
            "written; node_exporter still shows the previous round."
        )
    return ""
