"""Kubernetes becomes bytes: the only importer of `kubernetes`. It decides how to log in, how long to wait and when to ask
again; it swallows no error and understands no object."""
