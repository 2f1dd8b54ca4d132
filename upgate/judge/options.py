"""What the command line asks of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

#: The part of the battery that is asked before an upgrade.
PREFLIGHT = "preflight"


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    #: The profile's folder: what outlives a run lies here, such as the baseline and the history.
    home: Path
    #: The folder in it for the reports of a run that is not of the whole battery.
    part: str = ""
    since: datetime | timedelta | None = None
    settle: timedelta | None = None
    clean: int = 1
    every: timedelta = timedelta(seconds=30)
    fail_on_warnings: bool = False
    save_baseline: bool = False
    baseline: Path | None = None
    #: The baseline may be that of another cluster.
    foreign_baseline: bool = False
    #: The name of the place that probes are made from.
    vantage: str = ""
    #: One round of continuous monitoring.
    monitor: bool = False

    @property
    def reports(self) -> Path:
        """Where this run writes its reports."""
        return self.home / self.part

    @property
    def preflight(self) -> bool:
        """It asks what would block or break an upgrade."""
        return self.part == PREFLIGHT

    @property
    def baseline_path(self) -> Path:
        """The baseline to write or to compare with."""
        return self.baseline or self.home / "baseline.json"

    @property
    def record_path(self) -> Path:
        """The record of `upgate watch`."""
        return self.home / "disruption.jsonl"
