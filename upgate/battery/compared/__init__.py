"""Parts of the cluster compared with the baseline: what changed that an upgrade does not change by itself.

A rule answers with what was observed, old → new; empty where all is as before.
"""
