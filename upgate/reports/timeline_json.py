"""`upgate timeline --format=json`: what interface.md promises."""

from __future__ import annotations

import msgspec

from upgate.watch.timeline import Timeline


def timeline_json(timeline: Timeline) -> bytes:
    """The timeline as JSON; times are RFC 3339 in UTC."""
    return msgspec.json.format(msgspec.json.encode(timeline), indent=2) + b"\n"
