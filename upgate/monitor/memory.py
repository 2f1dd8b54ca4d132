"""The states of alerts in the history: what one round leaves for the next, and the incidents that people read of."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from upgate.monitor.alerts import AlertNews, State, States, all_alerts
from upgate.monitor.history import milliseconds
from upgate.monitor.storage import inserted

#: Incidents that are kept.
INCIDENTS = 5000


def load_states(db: sqlite3.Connection) -> tuple[States, list[str]]:
    """What the rounds before left; and the names of the checks of which that cannot be understood."""
    states, lost = {}, []
    for row in db.execute("SELECT name, state FROM alerts"):
        try:
            states[row["name"]] = msgspec.json.decode(row["state"], type=State)
        except (msgspec.DecodeError, UnicodeError):
            lost.append(row["name"])
    return states, lost


def save_states(db: sqlite3.Connection, states: States) -> None:
    """Leave it for the next round; of checks that are simply well there is nothing to leave."""
    db.execute("DELETE FROM alerts")
    rows = [(name, msgspec.json.encode(state).decode()) for name, state in states.items() if not is_over(state)]
    db.executemany("INSERT INTO alerts VALUES (?, ?)", rows)


def is_over(state: State) -> bool:
    """There is nothing to remember of it, or nobody judges it any more and people know."""
    return state.quiet or (state.gone and not any(alert.told for _, alert in state.alerts))


def write_incidents(db: sqlite3.Connection, states: States, round: int, at: datetime, maintenance: bool) -> None:
    """Begin, go on with and end the incidents that the alerts are."""
    for each in all_alerts(states):
        open_one = db.execute(
            "SELECT id FROM incidents WHERE name = ? AND kind = ? AND until IS NULL", (each.state.name, each.kind)
        ).fetchone()
        if each.alert.on and not each.state.gone:
            update_incident(db, each, open_one["id"] if open_one else begin_incident(db, each, round, at, maintenance))
        elif open_one:
            end_incident(db, open_one["id"], each.alert.better or at)
    db.execute("DELETE FROM incidents WHERE id <= (SELECT max(id) FROM incidents) - ?", (INCIDENTS,))


def begin_incident(db: sqlite3.Connection, each: AlertNews, round: int, at: datetime, maintenance: bool) -> int:
    """A new incident; its number."""
    since = milliseconds(each.alert.since or at)
    row = (each.state.name, each.kind, since, maintenance, "[]", "", round)
    return inserted(
        db,
        "INSERT INTO incidents (name, kind, since, maintenance, objects, observed, round) VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
    )


def update_incident(db: sqlite3.Connection, each: AlertNews, id: int) -> None:
    """What is known of an incident by now."""
    objects, observed = observed_now(each)
    db.execute(
        "UPDATE incidents SET flapping = flapping OR ?, told = told OR ? WHERE id = ?",
        (each.alert.flapping, each.alert.told is not None, id),
    )
    if objects or observed:
        text = msgspec.json.encode(objects).decode()
        db.execute("UPDATE incidents SET objects = ?, observed = ? WHERE id = ?", (text, observed, id))


def observed_now(each: AlertNews) -> tuple[list[str], str]:
    """What is wrong at the moment, and what was seen of the first of it."""
    last = each.state.last
    if last is None or not each.alert.bad:
        return [], ""
    if each.kind == "inconclusive":
        return [], last.reason
    return list(last.objects), next(iter(last.objects.values()), "")


def end_incident(db: sqlite3.Connection, id: int, at: datetime) -> None:
    """An incident is over. A clock that jumped back gives no incident of less than no time."""
    db.execute("UPDATE incidents SET until = max(since, ?) WHERE id = ?", (milliseconds(at), id))
