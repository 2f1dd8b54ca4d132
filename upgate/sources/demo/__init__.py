"""The demo cluster: an API server on loopback that answers real HTTP from recorded data.

It shows `make demo` to somebody who has no cluster, and it is what the suite's own tests ask: with faults to order, and
with worlds built from plain dicts.
"""

from upgate.sources.demo.cluster import EmbeddedCluster
from upgate.sources.demo.faults import FAULTS, Fault

__all__ = ["FAULTS", "EmbeddedCluster", "Fault"]
