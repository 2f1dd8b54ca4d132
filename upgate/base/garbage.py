"""Memory: Python's garbage collection paused while large lists of facts are made, and large blocks given back."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Pause the garbage collection: facts have no cycles, and visiting 50,000 pods repeatedly takes seconds."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


#: The parameter of glibc's mallopt, and bytes: https://man7.org/linux/man-pages/man3/mallopt.3.html
MMAP_THRESHOLD, LARGE = -3, 2**17


def give_back_large_blocks() -> None:
    """Let the system have every block of 128 KiB and more as soon as it is freed, and let such blocks grow in place.

    glibc by itself keeps those of up to 32 MiB, for each thread: eight threads that read endless answers held 350 MB instead
    of 180. Other C libraries have no such function, and no such habit.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(MMAP_THRESHOLD, LARGE)
