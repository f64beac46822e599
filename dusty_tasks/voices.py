"""Who hears what is said in a block, in place of the terminal: whoever runs `up` in his own process, and prints what he likes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Protocol


class Voice(Protocol):
    """Called from the thread of the run, and from those of its parallel work. What it says by `console` itself is printed."""

    def say(self, text: str) -> None:
        """One or more lines, marked as in core/text/looks."""

    def warn(self, text: str) -> None:
        """The same, of what went wrong."""

    def progress(self, title: str, total: int | None) -> AbstractContextManager[Callable[[str], None]]:
        """A long step, of so many parts if that is known; what it gives hears of each part by its text ('' for one that has none)."""


_heard_by: ContextVar[Voice | None] = ContextVar("voice", default=None)


def heard_by() -> Voice | None:
    """Who hears it; None where it is printed."""
    return _heard_by.get()


@contextmanager
def speaking_to(voice: Voice | None) -> Iterator[None]:
    """Let it hear what is said in the block; None prints it. Nobody is asked anything then."""
    before = _heard_by.set(voice)
    try:
        yield
    finally:
        _heard_by.reset(before)
