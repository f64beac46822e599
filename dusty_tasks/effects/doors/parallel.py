"""Several things at once, in threads that wait for programs; an interruption ends the programs and waits for the threads."""

from __future__ import annotations

import contextvars
import itertools
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from dusty_tasks.effects.doors import process

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

Thing = TypeVar("Thing")
Result = TypeVar("Result")
Other = TypeVar("Other")
_numbers = itertools.count()


def threads(count: int, name: str = "") -> ThreadPoolExecutor:
    """A pool whose threads belong to the session of whoever submits (effects/doors/once), and speak where he speaks."""
    from concurrent.futures import ThreadPoolExecutor

    class Threads(ThreadPoolExecutor):
        def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
            return super().submit(contextvars.copy_context().run, work, *args, **named)

    return Threads(count, thread_name_prefix=name)


def each_in_parallel(
    work: Callable[[Thing], Result], things: Iterable[Thing], jobs: int, done: Callable[[Result], None]
) -> list[Result]:
    """`work` of each thing, `jobs` at a time; the results in the order of the things, each handed to `done` as its turn comes.

    If the caller is interrupted, nothing new is begun and what runs is ended first. `work` deals with its own failures.
    """
    from concurrent.futures import wait

    prefix = f"parallel-{next(_numbers)}-"
    pool = threads(max(1, jobs), prefix)
    results: list[Result] = []
    try:
        for future in [pool.submit(work, thing) for thing in things]:
            # A signal that comes just before an endless wait would be noticed only at its end.
            while not wait([future], timeout=0.2).done:
                pass
            results.append(future.result())
            done(results[-1])
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        # Futures do not tell which threads are at work: an interruption may come while one is being submitted.
        with process.giving_up():
            while any(thread.name.startswith(prefix) for thread in threading.enumerate()):
                process.end_children()
                time.sleep(0.02)
        raise
    pool.shutdown()
    return results


def beside(wait: Callable[[], Result], work: Callable[[], Other]) -> tuple[Result, Other]:
    """What `wait` returns, which waits for a program, and what `work` does meanwhile, which starts none and raises nothing."""
    done: list[Other] = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: done.append(context.run(work)), daemon=True)
    thread.start()
    result = wait()
    thread.join()
    return result, done[0]
