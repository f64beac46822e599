"""Several things at once, in threads that wait for programs; an interruption ends the programs and waits for the threads."""
from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from dusty_tasks.effects import process

Thing = TypeVar("Thing")
Result = TypeVar("Result")
_numbers = itertools.count()


def each_in_parallel(work: Callable[[Thing], Result], things: Iterable[Thing], jobs: int) -> Iterator[Result]:
    """`work` of each thing, `jobs` at a time, the results in the order of the things as they become ready.

    If the caller is interrupted, or takes no more results, nothing new is begun and what runs is ended first.
    """
    from concurrent.futures import ThreadPoolExecutor, wait

    prefix = f"parallel-{next(_numbers)}-"
    pool = ThreadPoolExecutor(max(1, jobs), thread_name_prefix=prefix)
    is_whole = False
    try:
        # Futures do not tell which threads are at work: an interruption may come while one is being submitted.
        for future in [pool.submit(work, thing) for thing in things]:
            # A signal that comes just before an endless wait would be noticed only at its end.
            while not wait([future], timeout=0.2).done:
                pass
            yield future.result()
        is_whole = True
    finally:
        pool.shutdown(wait=is_whole, cancel_futures=True)
        if not is_whole:
            with process.giving_up():
                while any(thread.name.startswith(prefix) for thread in threading.enumerate()):
                    process.end_children()
                    time.sleep(0.02)
