"""Pods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from upgate.base.harmless import Typed, shell_word
from upgate.facts.containers import PROXIES, Container, ContainerStatus, beyond_longest
from upgate.facts.meta import CLOCKS, Condition, KubernetesObject, condition, lately
from upgate.facts.pod_fields import PodMeta, PodSpec, PodStatus
from upgate.facts.starting import INIT, becoming_ready, initializing, wavering

#: Reasons of pods that a graceful shutdown of their node ended or refused: pkg/kubelet/nodeshutdown/nodeshutdown_manager.go.
SHUTDOWN = ("Terminated", "NodeShutdown")
#: Kinds whose pods serve although they have the restartPolicy Never: KubeVirt, Agones.
NEVER_RESTARTED = ("VirtualMachineInstance", "GameServer")
#: The group of workloads that change images in place: https://openkruise.io/docs/core-concepts/inplace-update
IN_PLACE = "apps.kruise.io/"
#: Conditions that change when a pod ends.
ENDING = (("Ready", "False"), ("ContainersReady", "False"), ("DisruptionTarget", "True"))


class Pod(KubernetesObject):
    """A pod."""

    metadata: PodMeta
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def words(self) -> dict[str, str]:
        """What may stand in a check's hint."""
        # Without --ignore-errors, kubectl stops at the first container that never ended.
        options = "--all-containers --previous --ignore-errors"
        place, name = shell_word(self.namespace), shell_word(self.name)
        return {**super().words, "logs": Typed(f"kubectl -n {place} logs {name} {options}")}

    @property
    def done(self) -> bool:
        """It has ended for good, well or badly."""
        return self.status.phase in ("Succeeded", "Failed")

    @property
    def needs_its_node(self) -> bool:
        """What its node does explains it: it has not ended, or ended because its node was shut down."""
        return not self.done or self.status.reason in SHUTDOWN

    @property
    def terminating(self) -> bool:
        """It is being deleted."""
        return self.metadata.deletion_timestamp is not None

    @property
    def active(self) -> bool:
        """It is there to stay: neither ended nor being deleted."""
        return not self.done and not self.terminating

    @property
    def of_job(self) -> bool:
        """It belongs to a Job of Kubernetes' own, whose controller answers for its failures and retries. Volcano has others."""
        owner = self.metadata.controller
        return owner is not None and owner.kind == "Job" and owner.api_version in ("", "batch/v1")

    @property
    def queued(self) -> bool:
        """It is a Job's and waits for a node: queues are what Jobs are for."""
        return self.of_job and not self.spec.node_name

    @property
    def ends_by_itself(self) -> bool:
        """It runs to its end, as those of kubeflow, Spark and CI systems: its containers are not started again.

        Virtual machines, game servers and some databases are not started again either, but serve, and are asked if they do.
        """
        owner = self.metadata.controller
        asked = any(each.readiness_probe and each.name not in PROXIES for each in self.spec.containers or ())
        serves = asked or (owner is not None and owner.kind in NEVER_RESTARTED)
        return self.spec.restart_policy != "Always" and not serves and not self.mirror

    @property
    def waits_in_queue(self) -> bool:
        """It runs to its end, and has no node yet: what has a queue may wait in it. Scheduling gates say the same."""
        return bool(self.spec.scheduling_gates) or (self.ends_by_itself and not self.spec.node_name)

    @property
    def mirror(self) -> bool:
        """It shows a static pod of its node, and is recreated, with another UID, whenever the kubelet starts."""
        owner = self.metadata.controller
        return owner is not None and owner.kind == "Node"

    @property
    def bare(self) -> bool:
        """No controller recreates it. Mirror pods are controlled by their node.

        The rule of kubectl drain: https://kubernetes.io/docs/reference/kubectl/generated/kubectl_drain/
        """
        return self.metadata.controller is None

    @property
    def ready(self) -> Condition:
        """The Ready condition."""
        return condition(self.status.conditions, "Ready")

    @property
    def at_work(self) -> bool:
        """It runs to its end, and of its containers only those that have done their part are not ready: Tekton, CI runners."""
        waits = [each for each in self.statuses if not each.ready]
        return bool(waits) and all(map(self.over, waits))

    def container(self, status: ContainerStatus) -> Container:
        """What the container with this status should run."""
        return next((each for each in self.containers if each.name == status.name), Container(status.name))

    def over(self, status: ContainerStatus) -> bool:
        """The container has ended well, and is not started again."""
        return status.succeeded and self.policy_of(status) != "Always"

    def policy_of(self, status: ContainerStatus) -> str:
        """When a container is started again: by its own restartPolicy (KEP-5307), else by that of its pod."""
        return self.container(status).restart_policy or self.spec.restart_policy

    def changed_in_place(self, status: ContainerStatus) -> int:
        """How often a change of its spec may have restarted the container: a resize, or an image by OpenKruise.

        Each change of a pod's spec counts its generation up; releases before Kubernetes 1.34 do not say.
        """
        owner = self.metadata.controller
        in_place = owner is not None and owner.api_version.startswith(IN_PLACE)
        restarts = in_place or self.container(status).restarts_to_resize
        return max(0, self.metadata.generation - 1 if self.metadata.generation else 1) if restarts else 0

    def started_for(self, moment: datetime) -> timedelta:
        """Time since the last of its containers began its first run, as far as that is known; it is never older than itself."""
        runs = (each.now.running for each in self.statuses if not each.restart_count)
        starts = (run.started_at for run in runs if run and lately(run.started_at, moment, self.age(moment)))
        return min([self.age(moment), *(moment - start for start in starts if start)])

    def starting(
        self, moment: datetime, pending: timedelta, start_up: timedelta, deadline: timedelta | None = None
    ) -> bool:
        """Its start takes no longer than it may, and nothing is wrong with its containers; `deadline`: of init containers."""
        if self.crash(moment):
            return False
        if self.status.phase == "Pending":
            return self.age(moment) <= pending or self.initializing(moment, pending, deadline)
        return self.started_for(moment) <= start_up or self.becoming_ready(moment, pending, start_up)

    def initializing(self, moment: datetime, pending: timedelta, deadline: timedelta | None) -> bool:
        """Its init containers are at work, within their deadline."""
        return initializing(self, moment, pending, deadline or INIT) and not self.crash(moment)

    def becoming_ready(self, moment: datetime, pending: timedelta, start_up: timedelta) -> bool:
        """It is within the time of its probes and readiness gates, or was ready until a moment ago."""
        slow = becoming_ready(self, moment, pending, start_up) or wavering(self, moment, start_up)
        return slow and not self.crash(moment)

    def just_scheduled(self, moment: datetime, pending: timedelta) -> bool:
        """It got its node recently, after a queue or an autoscaler had let it wait, and nothing is wrong with its containers."""
        since = self.scheduled.last_transition_time if self.scheduled and self.scheduled.is_true else None
        return lately(since, moment, pending) and not self.crash(moment)

    def pending_for(self, moment: datetime) -> timedelta:
        """Time since it was made, as long as it is pending; none for any other."""
        return self.age(moment) if self.status.phase == "Pending" else timedelta(0)

    def ready_for(self, moment: datetime) -> timedelta:
        """Time since its Ready condition last changed; since it was made where that is not known."""
        since = self.ready.last_transition_time
        return moment - since if since and since <= moment + CLOCKS else self.age(moment)

    def counts(self, moment: datetime, min_ready: timedelta) -> bool:
        """It is ready, and has been for long enough."""
        return self.ready.is_true and self.ready_for(moment) >= min_ready

    @property
    def scheduled(self) -> Condition | None:
        """The PodScheduled condition; None as long as no scheduler has said anything."""
        return next((each for each in self.status.conditions or () if each.type == "PodScheduled"), None)

    @property
    def addresses(self) -> set[str]:
        """All its IP addresses."""
        return {each.ip for each in self.status.pod_ips or ()}

    @property
    def containers(self) -> list[Container]:
        """Init containers, sidecars and containers, but not the ephemeral ones, which are people's tools."""
        return [*(self.spec.init_containers or ()), *(self.spec.containers or ())]

    @property
    def statuses(self) -> Iterator[ContainerStatus]:
        """The statuses of `containers`."""
        yield from self.status.init_container_statuses or ()
        yield from self.status.container_statuses or ()

    def crash(self, moment: datetime) -> str:
        """What is wrong with the containers of a pod that should run: they wait for a bad reason or crash. Else empty."""
        return "; ".join(filter(None, (each.trouble(moment, self._restarts(each)) for each in self.statuses)))

    def crash_for_good(self, moment: datetime) -> str:
        """The same without what a Job retries: it counts runs that fail, but not that an image is never there."""
        judged = (
            each for each in self.statuses if not (self.of_job and self.policy_of(each) != "Always" and each.retried)
        )
        return "; ".join(filter(None, (each.trouble(moment, self._restarts(each)) for each in judged)))

    def why_pending(self, complaint: str, refusal: str = "") -> str:
        """What a pending pod waits for, in the words of scheduler, autoscaler, its latest warning event, or the kubelet."""
        if self.spec.scheduling_gates:
            return f"held by scheduling gates {', '.join(gate.name for gate in self.spec.scheduling_gates)}"
        if self.scheduled and not self.scheduled.is_true:
            return "; ".join(filter(None, [str(self.scheduled), refusal]))
        running = [
            f"init container {each.name} is running" for each in self.statuses if each.now.running and not each.ready
        ]
        waiting = [f"container {each.name}: {each.now.waiting.reason}" for each in self.statuses if each.now.waiting]
        return "; ".join(filter(None, [*(running or waiting), complaint])) or "no container has a status"

    @property
    def unseen_by_scheduler(self) -> bool:
        """It waits for a node, and no scheduler has said anything."""
        return self.status.phase == "Pending" and not self.spec.node_name and self.scheduled is None

    @property
    def ended_at(self) -> datetime | None:
        """When it failed or completed, as far as its containers or conditions tell.

        A pod that its node refused, or that an old kubelet evicted, has neither.
        """
        ends = [each.now.terminated.finished_at for each in self.statuses if each.now.terminated]
        said = [
            each.last_transition_time for each in self.status.conditions or () if (each.type, each.status) in ENDING
        ]
        return max(filter(None, [*ends, *said]), default=None)

    def failed_before(self, moment: datetime, owned: bool) -> bool:
        """It failed before that. One that its node refused says not when: without a workload it is as old as it is."""
        began = owned or self.status.container_statuses or self.status.reason == "Evicted"
        made = None if began else self.metadata.creation_timestamp
        ended = self.ended_at or made
        return self.status.phase == "Failed" and ended is not None and ended < moment

    def failed_within(self, patience: timedelta, moment: datetime) -> bool:
        """It failed a moment ago; one that its node refused, not long after it was made."""
        return lately(self.ended_at or self.metadata.creation_timestamp or moment, moment, patience)

    @property
    def went_well(self) -> bool:
        """It is ready, or has completed."""
        return self.status.phase == "Succeeded" or (self.active and self.ready.is_true)

    @property
    def end(self) -> str:
        """How it ended: its phase, the reason that the kubelet gave, and its containers' exit codes."""
        codes = [
            f"container {s.name} exit code {s.now.terminated.exit_code}" for s in self.statuses if s.now.terminated
        ]
        why = ": ".join(filter(None, [self.status.reason, " ".join(self.status.message.split())]))
        return ", ".join([f"phase {self.status.phase}", *filter(None, [why]), *codes])

    def overdue(self, moment: datetime) -> timedelta:
        """Time since it was due to be gone, at the latest when the longest grace that counts was over; none where it stays."""
        due, grace = self.metadata.deletion_timestamp, self.metadata.deletion_grace_period_seconds or 0
        return moment - due + beyond_longest(grace) if due else timedelta(0)

    @property
    def finalizers(self) -> str:
        """What holds it, in words."""
        held = self.metadata.finalizers
        return f"held by finalizer {', '.join(held)}" if held else "no finalizers"

    def killed_for_memory_since(self, moment: datetime) -> str:
        """The containers that were OOMKilled after that moment. Empty where none was."""
        killed = [each.name for each in self.statuses if each.killed_for_memory_since(moment)]
        return f"OOMKilled: container {', '.join(killed)}" if killed else ""

    def _restarts(self, status: ContainerStatus) -> bool:
        init = status in (self.status.init_container_statuses or ())
        return not init and self.policy_of(status) == "Always"
