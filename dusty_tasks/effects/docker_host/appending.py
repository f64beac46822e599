"""Files of this machine to which several writers append whole lines, each with a lock on their folder."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress

from dusty_tasks.effects.docker_host.files import PRIVATE
from dusty_tasks.effects.doors.failures import Failure

PATIENCE = 2.0
"""Seconds for another writer; a line without the lock is still whole, and only a full file could be replaced twice."""


def append(path: str, lines: Iterable[bytes], former: str, full: int) -> None:
    """Append whole lines to a file, which takes the place of `former` once it is of that size. Raises Failure."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(folder)
            _make_way(path)
            if _size(path) >= full:
                _make_way(former)
                os.replace(path, former)
            journal = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
            try:
                for line in lines:
                    os.write(journal, line)
            finally:
                os.close(journal)
        finally:
            os.close(folder)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror or error}", code=2) from error


def _lock(folder: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.005)


def _make_way(path: str) -> None:
    """Take away what is no file there: a link that a container put there leads anywhere, and a pipe never ends."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.lstat(path).st_mode):
            os.unlink(path)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def end_of(path: str, most: int) -> bytes:
    """The last bytes of a file, b"" for what is none."""
    try:
        journal = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(journal).st_mode):
            return b""
        size = os.fstat(journal).st_size
        if size > most:
            os.lseek(journal, size - most, os.SEEK_SET)
        with os.fdopen(os.dup(journal), "rb") as file:
            return file.read(most)
    except OSError:
        return b""
    finally:
        os.close(journal)
