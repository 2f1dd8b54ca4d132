"""What follows a round's verdict: it is recorded, alerts are decided, outputs written, messages sent.

Nothing here changes the verdict or the exit code. What cannot be done is a note in the reports, and holds the heartbeat
back: the dead-man's switch then alerts the people that no message reaches.
"""

from __future__ import annotations

import secrets
import socket
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from upgate.base.errors import UpgateError
from upgate.base.redaction import redact
from upgate.battery.entries import all_entries
from upgate.facts.attempts import Attempt
from upgate.monitor import alerts, delivery, history, maintenance, memory, recording, storage
from upgate.monitor.alerts import Rules
from upgate.monitor.history import History
from upgate.monitor.impact import impact_of
from upgate.monitor.message import compose
from upgate.monitor.outputs import publish_metrics, write_status_page
from upgate.monitor.sending import ping
from upgate.monitor.signals import signals
from upgate.results import Results
from upgate.snapshot import Snapshot

if TYPE_CHECKING:
    from upgate.profile.model import Profile
    from upgate.profile.monitoring import Monitor

T = TypeVar("T")
LOCK = "monitor.lock"


@dataclass
class Monitored:
    """One round, for the outputs and the delivery of alerts."""

    profile: Profile
    results: Results
    snapshot: Snapshot | None
    #: The profile's folder, where history and status page are.
    reports: Path
    #: This round's report, seen from there.
    report: str = "report.html"
    fail_on_warnings: bool = False
    #: All rounds until this one; None where the history cannot be used.
    past: History | None = None
    notes: list[str] = field(default_factory=list)
    #: No alert waits in the outbox.
    delivered: bool = True

    @property
    def path(self) -> Path:
        """The history's file."""
        return self.reports / history.FILE

    @property
    def monitor(self) -> Monitor:
        """The profile's `monitor:`."""
        return self.profile.monitor


#: Writes one thing for others to read, such as metrics; what it gives are notes for the reports. It must not keep
#: anything that it is given. Heavy imports belong into the function.
Output = Callable[[Monitored], Iterable[str]]
OUTPUTS: tuple[Output, ...] = (publish_metrics, write_status_page)


def follow_round(round: Monitored) -> list[str]:
    """Everything, in turn; notes for the reports, without secrets."""
    recorded = done(round, record_in_history, "this round is not in the history, and no alert was decided or delivered")
    outputs(round)
    delivered = recorded and done(round, deliver_messages, "not all alerts were delivered") and round.delivered
    done(round, partial(beat, whole=recorded and delivered), "the heartbeat did not arrive")
    return [redact(note, round.profile.secrets) for note in round.notes]


def done(round: Monitored, work: Callable[[Monitored], None], consequence: str) -> bool:
    """Whether a part could be done; why not, and what follows from that, is a note, and not the end of the round."""
    try:
        work(round)
    except UpgateError as problem:
        round.notes.append(f"{consequence}: {problem}")
    except OSError as problem:
        round.notes.append(f"{consequence}: {problem.filename or 'the system'}: {problem.strerror or problem}")
    except Exception as problem:  # a fault of ours must not take the verdict with it
        round.notes.append(f"{consequence}: monitoring failed with {type(problem).__name__}: {problem}")
    else:
        return True
    return False


def record_in_history(round: Monitored) -> None:
    """Write the round down. Raises Unusable."""
    kept(round, lambda db: write_history(db, round))


def kept(round: Monitored, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do it with the history; a corrupt one is moved aside, and a new one begins. Raises Unusable."""
    try:
        with storage.transaction(round.path) as db:
            return work(db)
    except storage.Unusable as problem:
        if not storage.is_corrupt(problem):
            raise
        aside = storage.move_aside(round.path)
        round.notes.append(f"{problem}: it was moved to {aside.name}, and a new history begins with this round")
    with storage.transaction(round.path) as db:
        return work(db)


def write_history(db: sqlite3.Connection, round: Monitored) -> None:
    """The round, its alerts, and the messages about them, in one transaction."""
    results, at = round.results, round.results.started
    storage.give_to(db, round.profile.name)
    windows = maintenance.windows_in_force(db, round.monitor.maintenance, at, round.profile.secrets)
    before = History(db).last_round()
    results = replace(results, checks=(*results.checks, *recording.removed(db, results, all_entries(round.profile))))
    id = recording.record_round(db, results, attempts_of(round), bool(windows))
    states, lost = memory.load_states(db)
    round.notes += [f"the alert state of {name} could not be read and starts empty" for name in lost]
    said = signals(results.checks, impact_of(round.snapshot), fail_on_warnings=round.fail_on_warnings)
    alerts.step(states, said, at, alert_rules(round.monitor))
    if windows:
        ends = max(ends for _, ends, _ in windows)
        round.notes.append(f"maintenance until {ends:%Y-%m-%d %H:%M} UTC, alerts are not sent: {windows[0][2]}")
    else:
        tell(db, round, states, anyway=bool(before and before.maintenance))
    memory.write_incidents(db, states, id, at, bool(windows))
    memory.save_states(db, states)
    delivery.remember_recipients(db, round.monitor.notify)
    recording.forget_old_rounds(db, id, at, round.monitor.keep)


def attempts_of(round: Monitored) -> list[Attempt]:
    """What was asked from outside, called as the results call it."""
    attempts = round.snapshot.attempts if round.snapshot else []
    return [replace(each, target=redact(each.target, round.profile.secrets)) for each in attempts]


def tell(db: sqlite3.Connection, round: Monitored, states: alerts.States, *, anyway: bool) -> None:
    """Put the news into the outbox, if there are any; a new recipient also gets all alerts that are on."""
    at = round.results.started
    anyway = anyway or delivery.has_new(db, round.monitor.notify)
    news = alerts.news(states, at, alert_rules(round.monitor), anyway=anyway)
    if news:
        message = compose(news, round.results, secrets.token_hex(4), report_location(round))
        delivery.enqueue(db, message, round.monitor.notify, at)


def alert_rules(monitor: Monitor) -> Rules:
    """When alerts come on, and how often they are repeated."""
    return Rules(monitor.fail_after, monitor.inconclusive_after, monitor.remind)


def report_location(round: Monitored) -> str:
    """Where people find the report."""
    return round.monitor.report or f"{socket.gethostname()}:{round.reports / round.report}"


def outputs(round: Monitored) -> None:
    """Let all outputs be written; none of them keeps another one from it."""
    with ExitStack() as stack:
        if OUTPUTS and round.path.exists():
            done(round, partial(look_back, stack), "outputs are written without the history")
        for output in OUTPUTS:
            done(round, partial(put_out, output), "an output is incomplete")
    round.past = None


def look_back(stack: ExitStack, round: Monitored) -> None:
    """Open the history for outputs. Raises Unusable."""
    round.past = stack.enter_context(history.opened(round.path))


def put_out(output: Output, round: Monitored) -> None:
    """Let one output be written."""
    round.notes += output(round)


def deliver_messages(round: Monitored) -> None:
    """Send what is in the outbox. Raises Unusable."""
    if round.monitor.notify:
        round.notes += delivery.Delivery(round.path, round.monitor.notify, round.results.started).run()
        with storage.transaction(round.path) as db:
            round.delivered = not History(db).count_undelivered()


def beat(round: Monitored, whole: bool) -> None:
    """Call the dead-man's switch if the round was judged, recorded and delivered; otherwise its silence alerts people.

    Raises Undelivered.
    """
    reason = held_back(round, whole)
    if round.monitor.heartbeat and reason:
        round.notes.append(f"the heartbeat was not sent: {reason}")
    elif round.monitor.heartbeat:
        ping(round.monitor.heartbeat)


def held_back(round: Monitored, whole: bool) -> str:
    """Why the dead-man's switch is not called. Empty where it is."""
    if round.results.verdict == "inconclusive":
        return "this round could not be judged"
    return "" if whole else "the history or the delivery of alerts does not work"
