"""What it comes to: one check judged, root causes, one run, and its rounds."""

from upgate.judge.judge import judge

__all__ = ["judge"]
