"""Continuous monitoring: one round of the battery, and what is known from the rounds before.

schema       the tables of history.sqlite
storage      history.sqlite: opened, locked, moved aside when it is corrupt
history      what it holds, as types, and how to ask for it
recording    one round is written down; what is too old goes
signals      what a round says about each check, as far as alerts go
impact       how much of a workload is wrong, and what users see of it
alert        one alert, round by round
alerts       those of all checks, and what of them is news
maintenance  times in which the pager is muted
message      what people are told, in words
delivery     the outbox: sent until it has arrived
sending      apprise, webhooks and the heartbeat
outputs      what others read: metrics and the status page
round        all of that, once, after the verdict
"""
