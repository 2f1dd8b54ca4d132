"""What a Job makes of the failures of its pods."""

from __future__ import annotations

from upgate.facts.meta import Fact, condition
from upgate.facts.pods import Pod


class ExitCodes(Fact):
    """`onExitCodes` of a rule: which containers' exit codes it is about."""

    container_name: str | None = None
    operator: str = ""
    values: list[int] | None = None

    def match(self, pod: Pod) -> bool:
        """A container has failed with such a code."""
        ends = [(each.name, each.now.terminated.exit_code) for each in pod.statuses if each.now.terminated]
        codes = [code for name, code in ends if code and self.container_name in (None, "", name)]
        return any((code in (self.values or ())) is (self.operator == "In") for code in codes)


class PodConditionPattern(Fact):
    """One of `onPodConditions` of a rule."""

    type: str = ""
    status: str = "True"


class FailureRule(Fact):
    """One of `spec.podFailurePolicy.rules`; the first that matches counts."""

    action: str = ""
    on_exit_codes: ExitCodes | None = None
    on_pod_conditions: list[PodConditionPattern] | None = None

    def matches(self, pod: Pod) -> bool:
        """It is about this failure."""
        if self.on_exit_codes:
            return self.on_exit_codes.match(pod)
        said = pod.status.conditions
        return any(condition(said, each.type).status == each.status for each in self.on_pod_conditions or ())


class FailurePolicy(Fact):
    """https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-failure-policy"""

    rules: list[FailureRule] | None = None

    def ignores(self, pod: Pod) -> bool:
        """Its failure does not count."""
        rule = next((each for each in self.rules or () if each.matches(pod)), None)
        return rule is not None and rule.action == "Ignore"
