"""Metrics of the API server: what one process has counted since it started.

https://kubernetes.io/docs/reference/instrumentation/metrics/
Behind a load balancer each look may meet another process: the time at which it started tells them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from upgate.facts.meta import Fact

STARTED = "process_start_time_seconds"
DEPRECATED = "apiserver_requested_deprecated_apis"
#: Calls of admission webhooks: those that were refused with a failurePolicy of Fail, let through with Ignore, and all.
REFUSED, LET_THROUGH = "apiserver_admission_webhook_rejection_count", "apiserver_admission_webhook_fail_open_count"
CALLED = "apiserver_admission_webhook_request_total"
#: Calls of conversion webhooks, by CustomResourceDefinition and whether they succeeded.
CONVERTED = "apiserver_crd_conversion_webhook_duration_seconds_count"
#: What earlier API servers call that.
RENAMED = {"apiserver_crd_webhook_conversion_duration_seconds_count": CONVERTED}
#: Calls of any webhook, and of aggregated API servers, whose certificate cannot be checked.
BAD_CERTIFICATES = tuple(
    f"apiserver_{caller}_x509_{fault}_total"
    for caller in ("webhooks", "kube_aggregator")
    for fault in ("missing_san", "insecure_sha1")
)
#: Who was not let in: tokens and certificates that are not valid, and requests that no authorizer allows. The answers 401
#: and 403 to them are not in REQUESTS: they are given before a request is counted there.
UNKNOWN, UNALLOWED = "authentication_attempts", "authorization_attempts_total"
REQUESTS = "apiserver_request_total"
STALE, INVALID = "serviceaccount_stale_tokens_total", "serviceaccount_invalid_legacy_auto_token_uses_total"
#: What is kept of some 20,000 lines.
FAMILIES = (
    STARTED,
    DEPRECATED,
    REFUSED,
    LET_THROUGH,
    CALLED,
    CONVERTED,
    *RENAMED,
    *BAD_CERTIFICATES,
    UNKNOWN,
    UNALLOWED,
    STALE,
    INVALID,
)
#: How their lines begin; of requests only those that were answered with 403 or 404: labels are written in alphabetical order.
PREFIXES = (
    *(f"{family}{behind}".encode() for family in FAMILIES for behind in ("{", " ")),
    *(f'{REQUESTS}{{code="{code}"'.encode() for code in (403, 404)),
)
#: One line, and one of its labels: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
LINE = re.compile(r"\A([a-z_]\w*+)(?:\{(.*)\})? +([0-9.eE+-]++|\+Inf|NaN)(?: +-?\d+)?\s*")
LABEL = re.compile(r'(?<!\w)([a-zA-Z_]\w*+)="((?:[^"\\]|\\.)*+)"')
#: More lines are not kept, nor longer values of labels, nor more labels of a line: extensions name their webhooks.
MOST, LONGEST, LABELS = 20_000, 300, 12
#: The first moments that can be the start of a process, and the last.
YEARS = range(2000, 2200)

Labels = tuple[tuple[str, str], ...]


class Sample(Fact):
    """One line."""

    name: str
    labels: dict[str, str]
    value: float

    @property
    def key(self) -> tuple[str, Labels]:
        """The name and all labels."""
        return self.name, tuple(sorted(self.labels.items()))

    def has(self, labels: dict[str, str]) -> bool:
        """It has all of these labels."""
        return labels.items() <= self.labels.items()


class Exposition(Fact):
    """What /metrics said at one moment."""

    #: By the API server's clock.
    taken: datetime
    samples: list[Sample]

    @property
    def started(self) -> datetime | None:
        """When the process started; None where it does not say so."""
        seconds = self.total(STARTED)
        try:
            moment = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return None
        return moment if moment.year in YEARS else None

    def of(self, family: str, /, **labels: str) -> Iterator[Sample]:
        """The samples of a family that have these labels."""
        return (each for each in self.samples if each.name == family and each.has(labels))

    def total(self, family: str, /, **labels: str) -> float:
        """The sum of these samples; 0 where there are none: a counter that has counted nothing may not exist yet."""
        return sum(each.value for each in self.of(family, **labels))

    def same_process(self, other: Exposition) -> bool:
        """Both are of one process."""
        return self.started is not None and self.started == other.started


class ServerMetrics(Fact):
    """One look at /metrics, or two, seconds apart."""

    looks: list[Exposition]

    @property
    def last(self) -> Exposition:
        """The latest look."""
        return self.looks[-1]

    @property
    def earlier(self) -> Exposition | None:
        """The look before that, where it met the same process."""
        first = self.looks[0]
        return first if len(self.looks) > 1 and first.same_process(self.last) else None


def samples_in(lines: Iterable[str]) -> list[Sample]:
    """The samples of these lines, no more than are kept."""
    samples = filter(None, map(sample_in, lines))
    return [sample for sample, _ in zip(samples, range(MOST), strict=False)]


def sample_in(line: str) -> Sample | None:
    """The sample of a line; None where it is not one, or counts nothing."""
    match = LINE.fullmatch(line)
    if match is None:
        return None
    written, labels, value = match.groups()
    name = RENAMED.get(written, written)
    found = LABEL.findall(labels or "")[:LABELS]
    try:
        number = float(value)
    except ValueError:
        return None
    return Sample(name, {key: unescaped(text)[:LONGEST] for key, text in found}, number) if number == number else None


def unescaped(text: str) -> str:
    """The value of a label as it was before it was written."""
    return text.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
