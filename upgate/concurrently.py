"""Several things at once, in daemon threads: whoever presses Ctrl-C does not wait for a hanging server."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from upgate.errors import Inconclusive

Task = Callable[[], Any]


def concurrently(tasks: Mapping[str, Task], workers: int = 8) -> dict[str, Any]:
    """The result of each task, or the Inconclusive that it raised. Any other error is raised here."""
    todo: queue.SimpleQueue[tuple[str, Task]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for item in tasks.items():
        todo.put(item)
    for _ in range(min(workers, len(tasks))):
        threading.Thread(target=work, args=(todo, done), daemon=True, name="upgate").start()
    results = dict(done.get() for _ in tasks)
    for result in results.values():
        if isinstance(result, BaseException) and not isinstance(result, Inconclusive):
            raise result
    return results


def work(todo: queue.SimpleQueue[tuple[str, Task]], done: queue.SimpleQueue[tuple[str, Any]]) -> None:
    """Do tasks until none is left."""
    while True:
        try:
            name, task = todo.get_nowait()
        except queue.Empty:
            return
        try:
            done.put((name, task()))
        except BaseException as problem:
            done.put((name, problem))
