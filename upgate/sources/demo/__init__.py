"""The demo cluster: an API server on loopback that answers real HTTP from the recorded data of a real one.

It shows `make demo` to somebody who has no cluster. The tests extend it (tests/apiserver).
"""

from upgate.sources.demo.cluster import EmbeddedCluster

__all__ = ["EmbeddedCluster"]
