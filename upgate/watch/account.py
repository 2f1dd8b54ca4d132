"""A record as people and programs want it: its timeline, with what can be concluded from it."""

from __future__ import annotations

from pathlib import Path

from upgate.watch.outages import timeline_of
from upgate.watch.reading import load_record
from upgate.watch.sentences import with_sentences
from upgate.watch.timeline import Timeline


def load_timeline(path: Path) -> Timeline:
    """The timeline of a record. Raises UsageError."""
    return with_sentences(timeline_of(load_record(path)))
