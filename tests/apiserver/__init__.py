"""The API server that the tests ask: the demo's, with faults to order, tables, TLS and worlds of plain dicts."""

from tests.apiserver.cluster import EmbeddedCluster
from tests.apiserver.faults import FAULTS, Fault

__all__ = ["FAULTS", "EmbeddedCluster", "Fault"]
