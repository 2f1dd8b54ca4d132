"""The states of alerts in the history: what one round leaves for the next, and the incidents in the history."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from upgate.monitor import updates
from upgate.monitor.alerts import AlertNews, State, States, all_alerts
from upgate.monitor.history import History
from upgate.monitor.records import milliseconds

#: Incidents that are kept.
INCIDENTS = 5000


def load_states(db: sqlite3.Connection) -> tuple[States, list[str]]:
    """What the rounds before left; and the names of the checks of which that cannot be understood."""
    states, lost = {}, []
    for name, state in History(db).alert_states().items():
        try:
            states[name] = msgspec.json.decode(state, type=State)
        except (msgspec.DecodeError, UnicodeError):
            lost.append(name)
    return states, lost


def save_states(db: sqlite3.Connection, states: States) -> None:
    """Leave it for the next round; of checks that are simply well there is nothing to leave."""
    rows = [(name, msgspec.json.encode(state).decode()) for name, state in states.items() if not is_over(state)]
    updates.replace_alert_states(db, rows)


def is_over(state: State) -> bool:
    """There is nothing to remember of it, or it is no longer judged and people know."""
    return state.quiet or (state.gone and not any(alert.told for _, alert in state.alerts))


def write_incidents(db: sqlite3.Connection, states: States, round: int, at: datetime, maintenance: bool) -> None:
    """Begin, go on with and end the incidents that the alerts are."""
    open_ids = History(db).open_incident_ids()
    for each in all_alerts(states):
        id = open_ids.get((each.state.name, each.kind))
        if each.alert.on and not each.state.gone:
            update_incident(db, each, begin_incident(db, each, round, at, maintenance) if id is None else id)
        elif id is not None:
            updates.end_incident(db, id, each.alert.better or at)
    updates.keep_latest_incidents(db, INCIDENTS)


def begin_incident(db: sqlite3.Connection, each: AlertNews, round: int, at: datetime, maintenance: bool) -> int:
    """A new incident; its number."""
    since = milliseconds(each.alert.since or at)
    return updates.insert_incident(db, (each.state.name, each.kind, since, maintenance, round))


def update_incident(db: sqlite3.Connection, each: AlertNews, id: int) -> None:
    """What is known of an incident by now."""
    objects, observed = observed_now(each)
    updates.mark_incident(db, id, flapping=each.alert.flapping, told=each.alert.told is not None)
    if objects or observed:
        updates.set_incident_objects(db, id, msgspec.json.encode(objects).decode(), observed)


def observed_now(each: AlertNews) -> tuple[list[str], str]:
    """What is wrong at the moment, and what was seen of the first of it."""
    last = each.state.last
    if last is None or not each.alert.bad:
        return [], ""
    if each.kind == "inconclusive":
        return [], last.reason
    return list(last.objects), next(iter(last.objects.values()), "")
