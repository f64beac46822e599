"""Locks between Dusty's own processes: one for changes to the Docker host, one a repo.

A lock is a flock on a file below $DUSTY_HOME/locks, which the kernel gives up when its holder dies. state/ would be the
wrong place: it may be removed at any time, and with it a lock that is held.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import make_home, read_bytes, remove_stray
from dusty_tasks.effects.doors.once import home_folder


class Busy(Failure):
    """Another process holds the lock; `what` names its verb, pid and since when."""


@contextmanager
def held(
    name: str,
    *,
    verb: str = "",
    home: str = "",
    wait: float = 0,
    orphans_wait: float = 0,
    say: Callable[[str], None] = lambda _line: None,
) -> Iterator[IO[str]]:
    """Hold the lock `name` ("up", "repo:<id>") for a block; the open file, whose descriptor a child may inherit.

    Given to a child (`pass_fds=[lock.fileno()]`), the lock outlives a killed parent for as long as the child runs. `wait`
    is how many seconds to wait for another holder, `orphans_wait` the same for the children of one that was killed, which is
    said. Raises Busy.
    """
    from dusty_tasks.effects.doors.process import check_goes_on

    path = lock_path(name, home)
    deadline = time.monotonic() + wait
    is_orphaned = False
    while True:
        file = _open(path)
        if _taken(file, path):
            break
        file.close()
        if orphans_wait and not is_orphaned and (pid := _dead_holder(path)):
            is_orphaned, deadline = True, deadline + orphans_wait
            say(f"waiting for what the killed dusty of pid {pid} left running")
        if time.monotonic() >= deadline:
            raise busy(name, path)
        check_goes_on()
        time.sleep(0.05)
    try:
        _note_holder(file, verb or name)
        yield file
    finally:
        file.close()


def _note_holder(file: IO[str], verb: str) -> None:
    """For people; a lock on a full disk is a lock all the same."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(
            file.fileno(), json.dumps({"verb": verb, "pid": os.getpid(), "since": time.strftime("%H:%M:%S")}).encode()
        )


def lock_path(name: str, home: str = "") -> str:
    """The file of a lock; `home` defaults to the environment's DUSTY_HOME."""
    return f"{Paths(home or home_folder()).locks}/{name.replace('%', '%25').replace('/', '%2F')}"


def last_taken(name: str, home: str = "") -> int:
    """A number that differs once somebody has taken the lock since."""
    try:
        return os.stat(lock_path(name, home)).st_mtime_ns
    except OSError:
        return 0


def is_at_work(name: str, home: str = "") -> bool:
    """True while a process holds the lock. It asks without taking it: a moment of ours would refuse somebody else's run."""
    path = lock_path(name, home)
    try:
        with open("/proc/locks", encoding="ascii") as table:
            inode = str(os.stat(path).st_ino)
            return any(row.split()[1] == "FLOCK" and row.split()[-3].rpartition(":")[2] == inode for row in table)
    except FileNotFoundError:
        pass  # the lock was never taken, or this is no Linux
    try:
        os.kill(int(_holder(path)["pid"]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def busy(name: str, path: str) -> Busy:
    """Who holds it, as a failure."""
    try:
        holder = _holder(path)
        who = f"dusty {holder['verb']} (pid {holder['pid']}) has been running since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        who = f"another dusty is running ({name})"
    return Busy(who, "wait until it finishes, then try again")


def _dead_holder(path: str) -> int:
    """The pid of whoever took the lock, if he is gone: then a child of his holds it. 0 if he lives, or nobody knows."""
    try:
        pid = int(_holder(path)["pid"])
        os.kill(pid, 0)
    except ProcessLookupError:
        return pid
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return 0


def _holder(path: str) -> dict[str, Any]:
    return dict(json.loads(read_bytes(path) or b"{}"))


def _open(path: str) -> IO[str]:
    try:
        make_home(os.path.dirname(os.path.dirname(path)))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for _ in range(2):
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
            except OSError as error:
                if error.errno not in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                    raise
            else:
                if stat.S_ISREG(os.fstat(handle).st_mode):
                    return os.fdopen(handle, "a+", encoding="utf-8")
                os.close(handle)
            remove_stray(path)
        raise Failure(f"{path} is not a file", code=2)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}", code=2) from error


def _taken(file: IO[str], path: str) -> bool:
    """Take the lock, unless another holds it, or the file was replaced since it was opened."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except (BlockingIOError, FileNotFoundError):
        return False
