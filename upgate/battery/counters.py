"""The API server's counters and gauges, as checks take them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from upgate.battery.judgement import Judgement, Subjects
from upgate.facts.admission import ValidatingWebhookConfiguration, WebhookConfiguration
from upgate.facts.counting import Calls, Counting, failed_calls
from upgate.facts.extensions import CustomResourceDefinition
from upgate.facts.lifecycle import RequestedApi, requested_apis
from upgate.facts.metrics import BAD_CERTIFICATES
from upgate.facts.rejections import Rejection, rejections_in
from upgate.results import Severity

#: Names of webhooks that are known not to be callable, and of the configurations in which that is so.
Uncallable = Mapping[str, Collection[str]]
NONE: Uncallable = MappingProxyType({})


@dataclass(frozen=True)
class Process:
    """The one process that answered: behind a load balancer there are others."""

    counting: Counting
    ref: str = "APIServer/metrics"

    @property
    def words(self) -> dict[str, str]:
        """Nothing that a hint would need."""
        return {}

    @property
    def bad_certificates(self) -> str:
        """That it met certificates that cannot be checked where no call of a webhook failed that tells more. Else empty."""
        counting = self.counting
        grown = sum(map(counting.grown, BAD_CERTIFICATES)) if counting.certain else 0
        grown = grown or sum(map(counting.growing, BAD_CERTIFICATES))
        if not grown or failed_calls(counting.metrics.last):
            return ""
        fault = "a certificate without the name that was called, or signed with SHA-1"
        return f"{grown:.0f} calls of webhooks or aggregated APIs met {fault}, {counting.words}"


@dataclass(frozen=True)
class Counters:
    """What one API server has counted."""

    counting: Counting
    judgement: Judgement
    #: How many of our own requests were refused.
    own: int

    @property
    def process(self) -> Subjects[Process]:
        """The API server that answered."""
        return Subjects("API servers", [Process(self.counting)], self.judgement)

    @property
    def requested(self) -> Subjects[RequestedApi]:
        """The deprecated APIs that somebody has requested."""
        return Subjects("deprecated APIs", requested_apis(self.counting.metrics.last), self.judgement)

    @property
    def rejections(self) -> Subjects[Rejection]:
        """The ways in which requests are turned down."""
        return Subjects("counters of rejections", rejections_in(self.counting, self.own), self.judgement)

    def unanswered(self, configuration: WebhookConfiguration, uncallable: Uncallable) -> str:
        """Which of its webhooks the API server could not call, in words. Empty where it could call all."""
        told = (calls.said(f"webhook {name}", self.counting) for name, calls in self._calls(configuration, uncallable))
        return "; ".join(filter(None, told))

    def unconverted(self, definition: CustomResourceDefinition) -> str:
        """That the API server could not call its conversion webhook, in words. Else empty."""
        return self.counting.conversion(definition.name).said("conversion webhook", self.counting)

    def severity(
        self, item: WebhookConfiguration | CustomResourceDefinition, uncallable: Uncallable = NONE
    ) -> Severity | None:
        """The check's own where a webhook is broken; what has failed at times and answers now is a warning."""
        return None if any(calls.broken for calls in self._calls_of(item, uncallable)) else "warning"

    def _calls_of(self, item: WebhookConfiguration | CustomResourceDefinition, uncallable: Uncallable) -> list[Calls]:
        if isinstance(item, WebhookConfiguration):
            return [calls for _, calls in self._calls(item, uncallable)]
        return [self.counting.conversion(item.name)]

    def _calls(self, configuration: WebhookConfiguration, uncallable: Uncallable) -> Iterator[tuple[str, Calls]]:
        """The calls of each of its webhooks.

        Those of equal names in two configurations are counted together, as of the revisions of a mesh: where one is known
        that cannot be called, the others are not blamed for it.
        """
        type = "validating" if isinstance(configuration, ValidatingWebhookConfiguration) else "admit"
        for each in configuration.webhooks or ():
            if configuration.name in uncallable.get(each.name, (configuration.name,)):
                yield each.name, self.counting.admission(each.name, type)
