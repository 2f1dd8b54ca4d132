"""HorizontalPodAutoscalers."""

from __future__ import annotations

from datetime import datetime, timedelta

from upgate.facts.meta import Condition, Fact, KubernetesObject, ManagedMeta, condition, lately

#: What it must be able to do: to change the number of replicas, and to know what that should be.
ABILITIES = ("AbleToScale", "ScalingActive")
#: Reasons that are not trouble: the target is scaled to zero; and, in old releases, the pause between two changes.
AT_REST = ("ScalingDisabled", "BackoffBoth", "BackoffDownscale", "BackoffUpscale")


class ScaleTarget(Fact):
    """`spec.scaleTargetRef`: the workload that is scaled."""

    kind: str = ""
    name: str = ""


class AutoscalerSpec(Fact):
    """`spec` of a HorizontalPodAutoscaler."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    min_replicas: int | None = None
    max_replicas: int = 0


class AutoscalerStatus(Fact):
    """`status` of a HorizontalPodAutoscaler."""

    current_replicas: int = 0
    desired_replicas: int = 0
    conditions: list[Condition] | None = None


class HorizontalPodAutoscaler(KubernetesObject):
    """https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"""

    metadata: ManagedMeta
    spec: AutoscalerSpec = AutoscalerSpec()
    status: AutoscalerStatus = AutoscalerStatus()

    @property
    def target(self) -> str:
        """The workload that it scales, as reports call it."""
        return f"{self.spec.scale_target_ref.kind}/{self.namespace}/{self.spec.scale_target_ref.name}"

    @property
    def lacks_metrics(self) -> bool:
        """It can scale its target, and does not know to what."""
        return all(each.type != ABILITIES[0] for each in self._lacked)

    def inactive(self, moment: datetime, slack: timedelta) -> str:
        """Which of its abilities it lacks, for longer than that. Empty where it has both, or where its target is at rest."""
        if self.age(moment) < slack and not self.status.conditions:
            return ""
        lacked = [each for each in self._lacked if not lately(each.last_transition_time, moment, slack)]
        return "; ".join(f"{each}, for {self._target}" for each in lacked)

    def recovering(self, moment: datetime, slack: timedelta) -> bool:
        """It lost its abilities recently: a metrics server that moves, or pods that start, give no metrics for minutes."""
        return all(lately(each.last_transition_time, moment, slack) for each in self._lacked)

    @property
    def _lacked(self) -> list[Condition]:
        """Its abilities that are not True, though its target is not at rest."""
        said = [condition(self.status.conditions, each) for each in ABILITIES]
        missing = (each for each in said if not each.is_true and each.reason not in AT_REST)
        return [each for each in missing if not self._follows(each, said[0])]

    def _follows(self, lacked: Condition, able: Condition) -> bool:
        """ScalingActive is not written where the target could not be read, which is said by AbleToScale."""
        return lacked is not able and lacked.reason == "no such condition" and able.status == "False"

    @property
    def _target(self) -> str:
        target = self.spec.scale_target_ref
        return f"{target.kind} {target.name}"
