"""One decoder for each type, made by one thread at a time.

msgspec shares what it knows of a struct between the decoders that use it, also while that is not complete yet: a thread that
takes it then takes the process with it (a segmentation fault in ten of ten tries, tests/test_decoders.py).
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TypeVar

import msgspec

T = TypeVar("T")

_MAKING = threading.Lock()


@cache
def decoder(type: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of JSON into a type: making one costs more than an object does."""
    with _MAKING:
        return msgspec.json.Decoder(type)
