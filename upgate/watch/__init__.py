"""During the upgrade: what users could reach, measured on a fixed grid, and what the cluster did meanwhile.

clock       the time that everything here is dated by: it runs on while the machine sleeps
series      the samples of one target in their order → runs of what was not good
grid        when each target is sampled, and which slots were missed
exchange    one request over a new or a kept connection                  (looks)
sampling    one process: targets → runs and counts, a line at a time     (looks)
sampler     the processes of one watch, seen from the one that records
record      the lines of disruption.jsonl; writing: appended, rotated
reading     disruption.jsonl → its watches
outages     watches → a timeline, with what is not measured taken out; pure
story       what the cluster did → events; sentences: which of it explains an outage
running     one `upgate watch` from its start to its end
"""
