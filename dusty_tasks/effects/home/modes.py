"""Modes below DUSTY_HOME: what other users of this machine may read or change there, and taking that from them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from dusty_tasks.effects.doors.failures import Failure

PRIVATE = ("config.yml", "config.git", "assets", "state", "build", "locks", "test-results", "example", "bin")
"""What Dusty itself keeps there. `host` belongs to containers, `repos` to whoever works in them: the home's own mode closes them."""
READ, WRITE = 0o044, 0o022


class Opened(NamedTuple):
    """What others may do, as paths."""

    written: tuple[str, ...] = ()
    read: tuple[str, ...] = ()


def read_opened(home: str) -> Opened:
    """What is open to others; nothing at all where the home itself keeps them out, or is not there."""
    try:
        mode = os.stat(home).st_mode
    except OSError:
        return Opened()
    if not mode & 0o077:
        return Opened()
    written, read = ([home] if mode & WRITE else []), []
    # Without the right to pass, nothing below can be reached.
    for path, found in _below(home) if mode & 0o011 else ():
        if found & WRITE:
            written.append(path)
        elif found & READ and stat.S_ISREG(found):
            read.append(path)
    return Opened(tuple(written), tuple(read))


def close_home(home: str) -> int:
    """Take every right of others from the home, and from what is Dusty's own in it; how many modes that changed. Raises Failure."""
    count = 0
    try:
        for path, mode in [(home, os.stat(home).st_mode), *_below(home)]:
            if mode & 0o077:
                os.chmod(path, stat.S_IMODE(mode) & ~0o077)
                count += 1
    except OSError as error:
        raise Failure(
            f"{error.filename} cannot be closed to others: {error.strerror}", f"sudo chown -R {os.getuid()} {home}"
        ) from error
    return count


def _below(home: str) -> Iterator[tuple[str, int]]:
    """Path and mode of what is Dusty's own below the home; links, and what is gone by then, are left out."""
    for name in PRIVATE:
        yield from _tree(os.path.join(home, name))


def _tree(path: str) -> Iterator[tuple[str, int]]:
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            yield path, mode
        for name in sorted(os.listdir(path)) if stat.S_ISDIR(mode) else ():
            yield from _tree(os.path.join(path, name))
