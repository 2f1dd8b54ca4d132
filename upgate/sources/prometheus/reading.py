"""Answers of Prometheus' HTTP API → facts. Labels and annotations are hostile text: they leave short, and without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from upgate.base.decoders import decoder
from upgate.base.errors import Inconclusive
from upgate.base.redaction import HIDDEN, without_known
from upgate.facts.monitored import BrokenRule, FiringAlert, Labels, QueriedSample, shortened

#: Characters of a label's value, of a summary and of a message; labels of one series.
LONGEST, MOST_LABELS = 500, 64
#: Alerts and values of one answer that are kept.
MOST = 10_000
#: The years of clocks; Go writes a moment that is none as year 1.
YEARS = range(2000, 2200)
UNFIT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
T = TypeVar("T")


class Envelope(msgspec.Struct, rename="camel"):
    """https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview"""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error_type: str = ""
    error: str = ""
    warnings: list[str] | None = None


class ActiveAlert(msgspec.Struct, rename="camel"):
    """One alert of a rule."""

    state: str
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    active_at: str | None = None


class AlertingRule(msgspec.Struct, rename="camel"):
    """One rule; recording rules have neither state nor alerts."""

    name: str
    type: str = "alerting"
    labels: dict[str, str] | None = None
    health: str = "ok"
    last_error: str | None = None
    alerts: list[ActiveAlert] | None = None


class RuleGroup(msgspec.Struct):
    """https://prometheus.io/docs/prometheus/latest/querying/api/#rules"""

    rules: list[AlertingRule] | None = None


class RuleGroups(msgspec.Struct, rename="camel"):
    """All rules; a token, where the server gives them in parts."""

    groups: list[RuleGroup] | None = None
    group_next_token: str = ""


class Series(msgspec.Struct):
    """One series of an instant vector. Native histograms have no value."""

    metric: dict[str, str]
    value: tuple[float, str] | None = None


class Result(msgspec.Struct, rename="camel"):
    """The data of an answer to a query."""

    result_type: str
    result: msgspec.Raw


class Told(NamedTuple):
    """What rules say."""

    rules: int
    alerts: list[FiringAlert]
    broken: list[BrokenRule]
    gaps: list[str]


def data_in(body: bytes, of: type[T]) -> tuple[T, list[str]]:
    """The data of an answer, and its warnings: what it lacks. Raises Inconclusive."""
    try:
        envelope = decoder(Envelope).decode(body)
        if envelope.status != "success":
            raise Inconclusive(f"it answers {clean(f'{envelope.error_type}: {envelope.error}') or 'an error'}")
        data = decoder(of).decode(envelope.data)  # type: ignore[arg-type]  # a type is hashable
    except UNFIT as problem:
        raise Inconclusive(f"its answer is not one of Prometheus' API ({clean(str(problem))})") from None
    return data, [f"it warns: {clean(each)}" for each in (envelope.warnings or ())[:5]]


def rules_in(body: bytes) -> Told:
    """What an answer of /api/v1/rules says. Raises Inconclusive."""
    data, gaps = data_in(body, RuleGroups)
    rules = [rule for group in data.groups or () for rule in group.rules or () if rule.type == "alerting"]
    firing = [(rule, each) for rule in rules for each in rule.alerts or () if each.state == "firing"]
    if data.group_next_token:
        gaps.append("it gave only a part of its rules")
    if len(firing) > MOST:
        gaps.append(f"{len(firing) - MOST} more alerts fire than were read")
    return Told(
        len(rules),
        [alert_of(rule, each) for rule, each in firing[:MOST]],
        [broken_rule(rule) for rule in rules if rule.health != "ok"][:MOST],
        gaps,
    )


def alert_of(rule: AlertingRule, active: ActiveAlert) -> FiringAlert:
    """One alert that fires."""
    said = active.annotations or {}
    summary = next((said[key] for key in ("summary", "message", "description") if said.get(key)), "")
    return FiringAlert(
        shortened(clean(rule.name)), labels_of(active.labels), moment_of(active.active_at), clean(summary)
    )


def broken_rule(rule: AlertingRule) -> BrokenRule:
    """A rule that was not evaluated, or not with success."""
    problem = clean(rule.last_error or "") or "it was not evaluated yet"
    return BrokenRule(shortened(clean(rule.name)), labels_of(rule.labels or {}), problem)


def queried_samples(body: bytes) -> tuple[list[QueriedSample], list[str]]:
    """The values in the answer to an instant query, and what it lacks. Raises Inconclusive."""
    data, gaps = data_in(body, Result)
    try:
        if data.result_type == "scalar":
            return [QueriedSample({}, decoder(tuple[float, str]).decode(data.result)[1][:40])], gaps
        if data.result_type != "vector":
            raise Inconclusive(f"the query gives a {clean(data.result_type)[:40]}, not one value for each series")
        series = decoder(list[Series]).decode(data.result)
    except UNFIT as problem:
        raise Inconclusive(f"its answer is not one of Prometheus' API ({clean(str(problem))})") from None
    if len(series) > MOST:
        gaps.append(f"it gives {len(series)} values, of which {MOST} were read")
    return [
        QueriedSample(labels_of(each.metric), each.value[1][:40] if each.value else "") for each in series[:MOST]
    ], gaps


def alerts_in(samples: list[QueriedSample], began: Mapping[tuple[Any, ...], datetime | None]) -> list[FiringAlert]:
    """The alerts that fire by the series ALERTS, with the times of ALERTS_FOR_STATE.

    https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/#inspecting-alerts-during-runtime
    """
    firing = [each.labels for each in samples if each.labels.get("alertstate") == "firing"]
    return [FiringAlert(each.get("alertname", "(nameless)"), each, began.get(alert_key(each))) for each in firing]


def alert_key(labels: Labels) -> tuple[Any, ...]:
    """What tells an alert from others, in ALERTS and ALERTS_FOR_STATE alike."""
    return tuple(sorted((key, value) for key, value in labels.items() if key not in ("__name__", "alertstate")))


def firing_since(value: str) -> datetime | None:
    """The value of ALERTS_FOR_STATE, seconds since 1970, as a moment; None where it is none."""
    try:
        moment = datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.year in YEARS else None


def moment_of(text: str | None) -> datetime | None:
    """A moment as Go writes it; None where it is none. Go writes nanoseconds, Python reads microseconds."""
    try:
        moment = msgspec.convert((text or "")[:60], datetime)
    except (msgspec.ValidationError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo and moment.year in YEARS else None


def labels_of(labels: Mapping[str, str]) -> Labels:
    """Labels without secrets, and no more of them than are read."""
    return {clean(key): label_value(key, value) for key, value in list(labels.items())[:MOST_LABELS]}


def label_value(name: str, value: str) -> str:
    """A label's value; hidden where the label is named like a secret."""
    short = clean(value)
    named = bool(short) and without_known(f'{name[:100]}="{short}"') == f"{name[:100]}={HIDDEN}"
    return HIDDEN if named else short


def clean(text: str) -> str:
    """A text of the server on one line, short and without what looks like a secret."""
    return " ".join(without_known(text[: 4 * LONGEST]).split())[:LONGEST]
