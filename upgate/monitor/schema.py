"""The tables of history.sqlite."""

VERSION = 1
#: Times are milliseconds since 1970 in UTC. A round's number only grows, whatever the clock does: it is the order.
SCHEMA = """
CREATE TABLE rounds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    took INTEGER NOT NULL,              -- milliseconds
    verdict TEXT NOT NULL,
    failed INTEGER NOT NULL,
    inconclusive INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    maintenance INTEGER NOT NULL        -- 1 in a maintenance window
);
CREATE TABLE checks (                   -- every check that was ever judged, as it was last
    name TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    severity TEXT NOT NULL,
    examined INTEGER NOT NULL,
    findings INTEGER NOT NULL,
    took REAL NOT NULL,                 -- seconds
    round INTEGER NOT NULL,
    good INTEGER                        -- when it was last judged and not failed
);
CREATE TABLE spans (                    -- one row for each time that a check had one outcome without a break
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,             -- the last round in which it was seen
    rounds INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX spans_of_check ON spans (name, id);
CREATE TABLE days (                     -- rounds by outcome, for each check, day and being in maintenance or not
    day INTEGER NOT NULL,               -- days since 1970
    name TEXT NOT NULL,
    maintenance INTEGER NOT NULL,
    passed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    warned INTEGER NOT NULL DEFAULT 0,
    inconclusive INTEGER NOT NULL DEFAULT 0,
    waived INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    took REAL NOT NULL DEFAULT 0,       -- seconds, of all rounds together
    slowest REAL NOT NULL DEFAULT 0,
    first INTEGER NOT NULL,             -- the round that began this row
    PRIMARY KEY (name, day, maintenance)
) WITHOUT ROWID;
CREATE TABLE targets (                  -- the same by the hour for each target that is asked from outside
    hour INTEGER NOT NULL,              -- hours since 1970
    target TEXT NOT NULL,
    name TEXT NOT NULL,                 -- the check's
    maintenance INTEGER NOT NULL,
    up INTEGER NOT NULL DEFAULT 0,
    down INTEGER NOT NULL DEFAULT 0,
    unknown INTEGER NOT NULL DEFAULT 0,
    took REAL NOT NULL DEFAULT 0,       -- seconds, of the attempts that were up
    slowest REAL NOT NULL DEFAULT 0,
    first INTEGER NOT NULL,
    PRIMARY KEY (target, hour, maintenance)
) WITHOUT ROWID;
CREATE TABLE alerts (                   -- what is remembered for the next round, for checks that are not simply well
    name TEXT PRIMARY KEY,
    state TEXT NOT NULL
);
CREATE TABLE incidents (                -- one row for each time that an alert was on
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,                 -- failing, or inconclusive
    since INTEGER NOT NULL,
    until INTEGER,
    flapping INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0,    -- people were told of it
    maintenance INTEGER NOT NULL DEFAULT 0,  -- it began in a maintenance window
    objects TEXT NOT NULL,
    observed TEXT NOT NULL,
    round INTEGER NOT NULL
);
CREATE TABLE windows (                  -- maintenance, as it was announced by the command, or as rounds met the profile's
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,               -- command, or profile
    UNIQUE (since, reason, source)
);
CREATE TABLE outbox (                   -- one row for each message and recipient
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL,              -- the same for all recipients, and for every attempt
    recipient TEXT NOT NULL,            -- a digest of its URL, which may hold a token
    title TEXT NOT NULL,
    body TEXT NOT NULL,                 -- the message as JSON
    created INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,    -- not to be tried before
    sent INTEGER,
    error TEXT NOT NULL DEFAULT ''
);
CREATE TABLE recipients (               -- the URLs that apprise was asked about and understands, as digests
    recipient TEXT PRIMARY KEY
);
"""
