"""The cluster before the upgrade: what is kept of it (`taking`), and its file (`file`)."""

from upgate.baseline.file import dump_baseline, limits_of, load_baseline, refuse_foreign
from upgate.baseline.taking import (
    CHANGING,
    NEEDS,
    SCHEMA,
    Baseline,
    cluster_uid,
    pool_of,
    take_baseline,
)

__all__ = [
    "CHANGING",
    "NEEDS",
    "SCHEMA",
    "Baseline",
    "cluster_uid",
    "dump_baseline",
    "limits_of",
    "load_baseline",
    "pool_of",
    "refuse_foreign",
    "take_baseline",
]
