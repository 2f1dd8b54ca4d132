"""How each check went in the rounds of a run: since when it is clear, and whether it was clear before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from msgspec.structs import replace

from upgate.base.durations import format_duration
from upgate.base.errors import UsageError
from upgate.results import CheckResult, Verdict

CLEAR = ("passed", "warned", "waived", "skipped")


def must_fit(settle: timedelta | None, clean: int, every: timedelta) -> None:
    """Raises UsageError where so many clean rounds do not fit into that time."""
    if settle and (clean - 1) * every > settle:
        raise UsageError(
            f"{clean} clean rounds, {format_duration(every)} apart, do not fit into {format_duration(settle)}: "
            "raise --settle, or lower --clean or --every"
        )


@dataclass
class CheckHistory:
    """How one check went, round by round."""

    #: Seconds from the start of the first round to the end of the one in which it last became clear; 0 if that was the first.
    clear_after: float | None = None
    was_clear: bool = False
    flapped: bool = False

    def add(self, clear: bool, elapsed: float) -> None:
        """One more round."""
        if clear and self.clear_after is None:
            self.clear_after = elapsed
        if not clear:
            self.flapped = self.flapped or self.was_clear
            self.clear_after = None
        self.was_clear = self.was_clear or clear


@dataclass
class Settling:
    """All rounds of a run."""

    #: How many clean rounds in a row are enough.
    clean: int
    rounds: int = 0
    streak: int = 0
    histories: dict[str, CheckHistory] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Enough clean rounds in a row."""
        return self.streak >= self.clean

    def add(self, checks: Sequence[CheckResult], verdict: Verdict, elapsed: float) -> list[CheckResult]:
        """One more round, `elapsed` seconds after the start; its results with what is known of earlier ones."""
        self.rounds += 1
        self.streak = self.streak + 1 if verdict == "clear" else 0
        for check in checks:
            history = self.histories.setdefault(check.id, CheckHistory())
            history.add(check.outcome in CLEAR, elapsed if self.rounds > 1 else 0.0)
        return [self.with_history(check) for check in checks]

    def with_history(self, check: CheckResult) -> CheckResult:
        """The result, with what is known of earlier rounds."""
        history = self.histories.get(check.id)
        return replace(check, clear_after=history.clear_after, flapped=history.flapped) if history else check

    def waits_for(self, checks: Sequence[CheckResult], most: int = 3) -> str:
        """What is not clear yet, shortened for a progress line."""
        waiting = [self._said(check) for check in checks if check.outcome not in CLEAR]
        more = f" and {len(waiting) - most} more checks" if len(waiting) > most else ""
        return ", ".join(waiting[:most]) + more

    @staticmethod
    def _said(check: CheckResult) -> str:
        objects = [finding.object for finding in check.roots] or [finding.object for finding in check.active]
        if not objects:
            return f"{check.id} ({check.outcome})"
        return f"{check.id} ({objects[0]}{f' and {len(objects) - 1} more' if len(objects) > 1 else ''})"
