"""How far a stream of bytes is, on a terminal; nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dusty_tasks.console import is_terminal, progress
from dusty_tasks.core.text.wording import size_text

STEP = 8 << 20
"""Bytes between two words of progress."""


@contextmanager
def counter(title: str) -> Iterator[Callable[[int], None]]:
    """A function to be told of every chunk's size."""
    if not is_terminal():
        yield lambda _size: None
        return
    done = [0]
    with progress(title) as report:

        def count(size: int) -> None:
            done[0] += size
            if done[0] // STEP != (done[0] - size) // STEP:
                report(size_text(done[0]))

        yield count
