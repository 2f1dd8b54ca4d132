"""Continuous monitoring: one round of the battery, and what is known from the rounds before.

schema       the tables of history.sqlite
storage      history.sqlite: opened, locked, moved aside when it is corrupt
records      what it holds, as types
history      every statement that reads it
updates      every statement that writes to it
recording    records one round, and deletes what is too old
memory       the state of alerts and the incidents, from one round to the next
signals      what a round says about each check, as far as alerts go
impact       how much of a workload is wrong, and what users see of it
alert        one alert, round by round
alerts       those of all checks, and what of them is news
maintenance  times in which no alerts are sent
message      what people get, and message_text the same in words
delivery     the outbox: sent until it has arrived
sending      apprise, webhooks and the heartbeat
outputs      what others read: metrics and the status page
round        all of that, once, after the verdict
"""
