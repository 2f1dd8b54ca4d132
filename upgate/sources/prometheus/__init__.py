"""What another monitor knows: Prometheus' HTTP API, as Thanos, Mimir and the managed ones of clouds speak it, too.

looking     which alerts fire, and what the profile's queries answer → facts
asking      one question, bounded in time and size                    (looks)
reading     an answer → facts; pure

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

from upgate.sources.prometheus.looking import look_at_prometheus

__all__ = ["look_at_prometheus"]
