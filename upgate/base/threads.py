"""Several things at once, in daemon threads: whoever presses Ctrl-C does not wait for a hanging server.

A thread that has given its result is waited for: one that still runs while Python ends can take the process with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from upgate.base.errors import Inconclusive

Task = Callable[[], Any]
T = TypeVar("T")


def concurrently(tasks: Mapping[str, Task], workers: int = 8) -> dict[str, Any]:
    """The result of each task, or the Inconclusive that it raised. Any other error is raised here."""
    todo: queue.SimpleQueue[tuple[str, Task]] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for item in tasks.items():
        todo.put(item)
    threads = [in_background(work, todo, done) for _ in range(min(workers, len(tasks)))]
    results = dict(done.get() for _ in tasks)
    for thread in threads:
        thread.join()
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
        except Inconclusive as gap:
            done.put((name, without_frames(gap)))
        except BaseException as problem:
            done.put((name, problem))


def without_frames(problem: Inconclusive) -> Inconclusive:
    """The error without the frames that it came through: they hold all that was being read, megabytes for each list."""
    problem.__traceback__ = problem.__cause__ = problem.__context__ = None
    return problem


def ahead(work: Callable[..., T], *arguments: Any) -> Callable[..., T]:
    """Begin the work now; what is returned waits for its result, and raises what it raised."""
    done: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def begin() -> None:
        try:
            done.put((work(*arguments), None))
        except BaseException as problem:
            done.put((None, problem))

    def result(seconds: float | None = None) -> T:
        value, problem = done.get(timeout=seconds)
        thread.join()
        if problem is not None:
            raise problem
        return value  # type: ignore[return-value]

    thread = in_background(begin)
    return result


def in_background(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    """A daemon thread that is at work."""
    thread = threading.Thread(target=work, args=arguments, daemon=True, name="upgate")
    thread.start()
    return thread


def run_with_timeout(seconds: float, work: Callable[[], T]) -> T:
    """The work's result, or what it raised. Raises TimeoutError when there is none after so long; it is left to itself."""
    try:
        return ahead(work)(seconds)
    except queue.Empty:
        raise TimeoutError(f"no end of it after {seconds:g} s") from None
