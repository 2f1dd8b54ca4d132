"""One run of the battery: its profile, what was seen, what was judged, and what it comes to. Knows nothing of pytest."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgate import baseline as baselines
from upgate import snapshot as snapshots
from upgate.base.errors import Inconclusive, UsageError
from upgate.base.files import clear, locked, try_out, worded_os_errors, write_whole
from upgate.base.garbage import without_collection
from upgate.base.redaction import redact_results
from upgate.baseline import Baseline
from upgate.battery.check import Check, before_upgrade
from upgate.battery.evidence import Evidence
from upgate.battery.registry import Registry, allowed_inputs
from upgate.facts.recorded.inventory import OF_BASELINE
from upgate.facts.relations import lists_for
from upgate.judge.causes import relate
from upgate.judge.comparing import already_wrong, compare_with_baseline, comparison_of, parts_unseen
from upgate.judge.dependencies import entrance_refs
from upgate.judge.hints import aimed
from upgate.judge.judge import judge
from upgate.judge.kept_probe import already_kept, kept_probe, with_probe
from upgate.judge.notes import notes_of_run
from upgate.judge.options import Options
from upgate.judge.settling import Settling
from upgate.judge.surroundings import no_longer_wrong, node_pools
from upgate.results import EXIT_CODES, CheckResult, ClusterSummary, Results, decide
from upgate.snapshot import Snapshot
from upgate.sources.look import Look, Progress, looking

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.watch.timeline import Timeline


@dataclass
class Gate:
    """Everything that one run knows."""

    profile: Profile
    options: Options
    registry: Registry = field(default_factory=lambda: Registry(()))
    #: The ids of the checks of this run, in their order.
    order: Sequence[str] = ()
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    results: dict[str, CheckResult] = field(default_factory=dict)
    #: Check id → the checks whose findings explain its own.
    after: dict[str, Sequence[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    snapshot: Snapshot | None = None
    baseline: Baseline | None = None
    #: In a worker: the snapshot of the process that it works for.
    saved: Path | None = None
    #: Another round was at work, and this one is none.
    left_out: bool = False
    settling: Settling = field(init=False)
    _stack: ExitStack = field(default_factory=ExitStack)
    _look: Look | None = None
    _evidence: Evidence | None = None

    def __post_init__(self) -> None:
        self.settling = Settling(self.options.clean)

    def open(self) -> None:
        """Load the baseline and reach for the cluster; earlier reports go only when both can be used. Raises UsageError."""
        self.baseline = self.load_baseline()
        if self.baseline:
            self.notes.append(
                f"compared with the baseline of {self.baseline.taken:%Y-%m-%d %H:%M} UTC, {self.compared_path}"
            )
        try_out(self.options.reports)
        self._look = self._stack.enter_context(looking(self.profile, self.reference_at, self.options.vantage))
        clear(self.options.reports)

    def only_one(self, lock: Path) -> bool:
        """Whether this run holds a lock, which it then keeps until it is closed. Raises UsageError."""
        with worded_os_errors("lock", lock):
            return self._stack.enter_context(locked(lock))

    def load_baseline(self) -> Baseline | None:
        """The baseline to compare with: the one asked for, or for the gate the one that lies there. Raises UsageError."""
        path = self.compared_path
        return baselines.load_baseline(path) if path else None

    @property
    def compared_path(self) -> Path | None:
        """The baseline's file. A round of monitoring compares only when the profile or the command line says so."""
        options, wanted = self.options, self.profile.baseline
        if options.save_baseline:
            return None
        if options.baseline or not options.monitor:
            return options.baseline_path if options.baseline or options.baseline_path.exists() else None
        return Path(wanted) if isinstance(wanted, str) else options.baseline_path if wanted else None

    def look(self, inputs: Collection[str], progress: Progress, *, brief: bool = False) -> Snapshot:
        """Take a new snapshot, with the lists behind these inputs. A brief one holds of the pods only those that may be wrong.

        Raises UsageError where the baseline is that of another cluster.
        """
        if self._look is None:
            raise UsageError("the gate looks at nothing before it is opened")
        wanted = self._wanted(inputs)
        kept = kept_probe(self.options, self.profile, wanted)
        with without_collection():
            seen = self._look(wanted - already_kept(kept), progress, brief and not self.options.save_baseline)
        self.snapshot = with_probe(self.options, seen, kept)
        if self.baseline and not self.options.foreign_baseline:
            baselines.refuse_foreign(self.baseline, self.snapshot)
        return self.snapshot

    def _wanted(self, inputs: Collection[str]) -> set[str]:
        """The lists behind these inputs, and those that a baseline is made of, or known by."""
        compares = self.baseline is not None or self.options.save_baseline
        asked = (each for each in inputs if compares or each not in OF_BASELINE)
        wanted = lists_for(allowed_inputs(asked, self.profile))
        wanted |= set(baselines.NEEDS if self.options.save_baseline else ())
        told_apart = self.recorded is not None or bool(self.baseline and self.baseline.cluster)
        return wanted | ({"namespaces"} if told_apart else set())

    def as_asked(self, check: Check) -> Check:
        """The check as this run asks it: before an upgrade some are graver."""
        return before_upgrade(check) if self.options.preflight else check

    @property
    def evidence(self) -> Evidence:
        """What checks are judged on. Raises Inconclusive as long as nothing was seen."""
        if self._evidence is None or self._evidence.snapshot is not self.seen:
            self._evidence = Evidence(
                self.seen,
                self.profile,
                since=self.reference,
                baseline=self.baseline,
                monitoring=self.options.monitor,
                preflight=self.options.preflight,
                recorded=self.recorded,
            )
        return self._evidence

    @cached_property
    def recorded(self) -> Timeline | str | None:
        """What `upgate watch` has recorded for this profile."""
        from upgate.battery.during import recorded_timeline

        return recorded_timeline(self.options.record_path)

    @property
    def timeline(self) -> Timeline | None:
        """What the record of `upgate watch` says of this upgrade; monitoring and preflight do not judge it."""
        from upgate.battery.during import timeline_of_run

        if self.options.monitor or self.options.preflight:
            return None
        return timeline_of_run(self.recorded, self.snapshot, self.reference)

    def judge(self, check: Check) -> CheckResult:
        """Judge a check on what was seen, and keep its result."""
        begun = time.perf_counter()
        judged = judge(check, self.evidence)
        self.after[check.id] = check.after
        self.add(replace(judged, duration=time.perf_counter() - begun))
        return self.results[check.id]

    @cached_property
    def folder(self) -> Path:
        """A folder for what this run's processes tell each other; it goes with the run."""
        return Path(self._stack.enter_context(TemporaryDirectory(prefix="upgate-")))

    def close(self) -> None:
        """Let go of the cluster."""
        self._stack.close()

    @property
    def seen(self) -> Snapshot:
        """The snapshot. Raises Inconclusive as long as there is none."""
        if self.snapshot is None and self.saved:
            self.snapshot = snapshots.load_snapshot(self.saved)
        if self.snapshot is None:
            raise Inconclusive("nothing was looked at: the run ended before")
        return self.snapshot

    @property
    def snapshot_path(self) -> Path:
        """Where the snapshot is saved."""
        return self.options.reports / "snapshot.json.gz"

    @property
    def reference(self) -> datetime | None:
        """The moment that "since" means: --since, the profile's `since`, the baseline's time, or the profile's window."""
        return self.reference_at(self.snapshot.taken) if self.snapshot else None

    def reference_at(self, taken: datetime) -> datetime:
        """The same for a snapshot of that moment."""
        since = self.options.since or self.profile.since
        if since is None and self.baseline:
            return self.baseline.taken
        since = since or self.profile.window
        return since if isinstance(since, datetime) else taken - since

    def add(self, check: CheckResult) -> None:
        """Keep the result of one check, with what is known of it from earlier rounds."""
        self.results[check.id] = self.settling.with_history(check)

    def keep_unjudged(self, check: CheckResult) -> None:
        """Keep that a check was there and did not run to its end, unless it has a result."""
        if check.id not in self.results:
            self.add(check)

    def checks(self) -> list[CheckResult]:
        """All results in the battery's order, each finding with its root cause."""
        place = {id: number for number, id in enumerate(self.order)}
        ordered = sorted(self.results.values(), key=lambda each: place.get(each.id, len(place)))
        related = self.relate(ordered, self.after)
        return compare_with_baseline(related, self.evidence) if self.baseline and self.snapshot else related

    def relate(self, results: Sequence[CheckResult], after: Mapping[str, Sequence[str]]) -> list[CheckResult]:
        """The results with their root causes. In monitoring, what users come in by has failed whatever is under way behind it."""
        if self.snapshot is None:
            return list(results)
        return relate(results, self.snapshot, after, felt=entrance_refs(self.snapshot) if self.options.monitor else ())

    def finish(self, checks: Sequence[CheckResult] | None = None) -> Results:
        """What the run comes to, without any secret."""
        checks = self.checks() if checks is None else checks
        verdict = decide(checks, fail_on_warnings=self.options.fail_on_warnings)
        if verdict == "clear" and self.settling.rounds and not self.settling.settled:
            verdict = "inconclusive"
        results = Results(
            profile=self.profile.name,
            verdict=verdict,
            exit_code=EXIT_CODES[verdict],
            cluster=self.cluster(),
            vantage=self.vantage,
            started=self.started,
            finished=datetime.now(UTC),
            rounds=max(1, self.settling.rounds),
            reference=self.reference,
            baseline=comparison_of(self.baseline, checks),
            notes=notes_of_run(self, checks),
            checks=aimed(checks, self.profile.cluster),
            pools=node_pools(self.snapshot, self.profile.expect.nodes.pool_label),
            gone=no_longer_wrong(checks, self.baseline),
        )
        return redact_results(results, self.profile.secrets)

    def cluster(self) -> ClusterSummary:
        """Which cluster was looked at."""
        seen = self.snapshot
        if seen is None:
            return ClusterSummary()
        return ClusterSummary(
            server=seen.server, version=seen.version, nodes=seen.count("nodes"), pods=seen.count("pods")
        )

    @property
    def vantage(self) -> str:
        """Where the probes were made from: of a saved snapshot, that is where it was taken."""
        attempts = self.snapshot.attempts if self.snapshot else []
        return attempts[0].vantage if attempts else self.options.vantage

    def save(self) -> None:
        """Write the snapshot."""
        if self.snapshot is not None:
            write_whole(self.snapshot_path, snapshots.dump_snapshot(self.snapshot, self.profile.secrets))

    def save_baseline(self) -> None:
        """Write the baseline, if it is asked for: the snapshot, and what is wrong already. All checks were judged."""
        if self.snapshot is None or not self.options.save_baseline:
            return
        path, checks = self.options.baseline_path, self.checks()
        try:
            taken = baselines.take_baseline(self.snapshot, self.profile.expect.nodes.pool_label, checks)
        except Inconclusive as problem:
            self.notes.append(f"no baseline was saved, an earlier one was left as it is: {problem}")
            return
        write_whole(path, baselines.dump_baseline(taken, self.profile.secrets))
        self.notes.append(f"baseline saved to {path}")
        self.notes += [*already_wrong(checks, partial=bool(self.options.part)), *parts_unseen(taken)]
