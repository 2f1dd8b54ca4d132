"""`upgate notify test`: one message to each recipient of a profile, so that the first real one arrives."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from uuid import uuid4

from upgate.base.errors import UsageError
from upgate.monitor.delivery import recipient_name
from upgate.monitor.message import Message
from upgate.monitor.sending import Undelivered, check_urls, send
from upgate.profile import Profile, load


def send_test(options: argparse.Namespace) -> int:
    """`upgate notify test`: 0 where every recipient took the message, else 1. Raises UsageError."""
    from upgate.battery.commands import load_registry

    profile = load(options.profile, known_checks=load_registry([]).ids, environ=os.environ)
    urls = profile.monitor.notify
    if not urls:
        raise UsageError(f"the profile {profile.name} has no recipient: name them under monitor: {{notify: [...]}}")
    check_urls(urls)
    return max([try_recipient(number, url, trial(profile)) for number, url in enumerate(urls)])


def trial(profile: Profile) -> Message:
    """A message that says what it is."""
    text = f"This is a test of `upgate notify test`. Alerts of the profile {profile.name} arrive here. There is nothing to do."
    return Message(
        id=uuid4().hex[:12],
        title=f"[{profile.name}] test: alerts arrive here",
        text=text,
        profile=profile.name,
        server="",
        verdict="clear",
        at=datetime.now(UTC),
        report="",
    )


def try_recipient(number: int, url: str, message: Message) -> int:
    """Send it to one recipient, and say how that went; the URL is not repeated, as it may hold a token."""
    name = recipient_name(number, url)
    try:
        send(url, message)
    except Undelivered as problem:
        print(f"{name}: not delivered: {problem}")
        return 1
    print(f"{name}: delivered")
    return 0
