"""The state of a file, by which a cache tells whether what it keeps is still true."""

from __future__ import annotations

import os
import time

State = tuple[int, ...]
"""mtime_ns, size, inode and ctime_ns of a file, taken before it is read; () if it cannot be looked at."""

_TICK_NS, _COARSE_TICK_NS = 50_000_000, 2_000_000_000


def state_of(found: os.stat_result) -> State:
    """The state that `os.stat` found."""
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def is_settled(state: State, now_ns: int | None = None) -> bool:
    """True if a later change of the file is sure to change its state; `now_ns` is the time before it was read.

    A file can change twice within one tick of its clock: that is some milliseconds, and up to two seconds on file
    systems that keep whole seconds. An mtime of the future was set by hand, and tells nothing; ctime cannot be.
    """
    if not state:
        return False
    now_ns = time.time_ns() if now_ns is None else now_ns
    is_coarse = state[0] % 1_000_000_000 == 0 == state[3] % 1_000_000_000
    tick = _COARSE_TICK_NS if is_coarse else _TICK_NS
    return state[3] < now_ns - tick and not now_ns - tick <= state[0] <= now_ns


def tree_states(path: str) -> list[tuple[str, State]]:
    """The state of each file at or below `path`, sorted; nothing is opened, nothing raised."""
    found: list[tuple[str, State]] = []
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        found.append((entry.path, state_of(entry.stat(follow_symlinks=False))))
        except NotADirectoryError:
            found.append((folder, state_of(os.stat(folder))))
        except OSError:
            found.append((folder, ()))
    return sorted(found)
