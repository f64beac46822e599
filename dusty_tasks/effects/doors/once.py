"""What a run has read, each thing once, and which home it is about: a value that a run makes and drops, so that many runs in one process see what is there now.

A process that runs one verb has one session, which is made here; `begun` gives a block, and the threads that it starts through
effects/doors/parallel, another one.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from dusty_tasks.core.text.paths import WORLD_FILE, WORLDS

Key = TypeVar("Key")
Value = TypeVar("Value")


def _base_of(home: str) -> str:
    """The DUSTY_HOME in which `home` is the folder of a world; '' if it is none."""
    folder, _, name = home.rstrip("/").rpartition("/")
    is_world = bool(name) and os.path.basename(folder) == WORLDS and os.path.lexists(f"{home}/{WORLD_FILE}")
    return os.path.dirname(folder) if is_world else ""


class Session:
    """One run: the DUSTY_HOME that it is about, and what it has read so far."""

    def __init__(self, home: str = "") -> None:
        self.home = home
        """'' for that of the environment."""
        self.base = _base_of(home)
        """The DUSTY_HOME of the base, where `home` is the folder of a world."""
        self.why = ""
        """Why it is about this world, or the base, where worlds were looked for."""
        self.has_overrides = True
        """Whether the user's overrides of specs are merged over them."""
        self.read: dict[Once[Any] | OnceFor[Any, Any], Any] = {}
        """By what read it."""

    def become(self, home: str) -> None:
        """Be about another DUSTY_HOME from now on; nothing of the former one is known."""
        self.home, self.base = home, _base_of(home)
        self.read = {}

    def forget(self) -> None:
        """Drop what may be other now that specs or settings were changed."""
        self.read = {reader: value for reader, value in self.read.items() if reader.lasts}


_current: ContextVar[Session] = ContextVar("session", default=Session())  # noqa: B039 - one verb a process: nothing is dropped before its end


def current() -> Session:
    """The session that the running code belongs to."""
    return _current.get()


def home_folder() -> str:
    """DUSTY_HOME as an absolute path (default ~/.dusty): that of the session, else that of the environment."""
    return os.path.abspath(os.path.expanduser(current().home or os.environ.get("DUSTY_HOME") or "~/.dusty"))


@contextmanager
def begun(session: Session) -> Iterator[Session]:
    """Read for this session in the block."""
    before = _current.set(session)
    try:
        yield session
    finally:
        _current.reset(before)


class Once(Generic[Value]):
    """A function that reads something; called again in the same session, it gives what it read then. What it raises is not kept."""

    lasts = False

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read
        functools.update_wrapper(self, read)

    def __call__(self) -> Value:
        kept = current().read
        value: Value = kept[self] if self in kept else kept.setdefault(self, self._read())
        return value

    def is_read(self) -> bool:
        """True if this session has it already."""
        return self in current().read

    def forget(self) -> None:
        """Read anew when it is asked for next."""
        current().read.pop(self, None)

    def use(self, value: Value) -> None:
        """Take this for what it reads, for the rest of the session."""
        current().read[self] = value


class Lasting(Once[Value]):
    """The same for what no change of specs and settings makes stale."""

    lasts = True


class OnceFor(Generic[Key, Value]):
    """The same for a function of one word."""

    lasts = False

    def __init__(self, read: Callable[[Key], Value]) -> None:
        self._read = read
        functools.update_wrapper(self, read)

    def __call__(self, key: Key) -> Value:
        kept: dict[Key, Value] = current().read.setdefault(self, {})
        return kept[key] if key in kept else kept.setdefault(key, self._read(key))
