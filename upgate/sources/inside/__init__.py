"""Asks from inside: short-lived pods on the nodes. The only part of upgate that creates objects in a cluster.

namespace  the probe's own namespace: claimed, written to, and emptied on every way out
manifests  the objects that are created
planning   which nodes are asked, and what
waves      pods that listen, then pods that ask, group after group
pods       what the API server says of the pods
look       beside a look at the cluster
"""
