"""The journal on the Docker host: two small files, to which several writers append whole lines.

Each writer holds a lock on their folder, which the kernel gives back when it dies. A journal that is full takes the place of the former one, so both together
stay below twice that size.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from dusty_tasks.core.history.events import Event
from dusty_tasks.core.history.journal import FORMER, FULL, JOURNAL, events_in, line_of
from dusty_tasks.effects.docker_host.small_files import DOWN, PRIVATE, check_way
from dusty_tasks.effects.doors.failures import Failure, ToolFailed

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

PATIENCE = 2.0
"""Seconds for another writer; a line without the lock is still whole, and only a full journal could be replaced twice."""
APPEND = f"""
{DOWN}
folder=${{target%/*}} former=$folder/$3
exec 9< "$folder" || exit 4
! command -v flock > /dev/null 2>&1 || flock -w {PATIENCE:.0f} 9 || :
umask 077
[ -f "$target" ] && [ ! -L "$target" ] || rm -rf "$target"
if [ -f "$target" ] && [ "$(($(wc -c < "$target")))" -ge "$4" ]; then rm -rf "$former"; mv -f "$target" "$former" || exit 4; fi
while IFS= read -r line; do printf '\\n%s\\n' "$line" >> "$target" || exit 4; done
[ -z "${{SUDO_UID-}}" ] || chown "$SUDO_UID:$SUDO_GID" "$target"
"""
"""Words: host.root, the journal below it, the name of the former one, the size at which it is full; stdin the lines. One write a line."""
PRINT = """
cd "$1" 2>/dev/null || exit 0
for file in "$2" "$3"; do [ ! -f "$file" ] || [ -L "$file" ] || tail -c "$4" "$file"; done
"""
"""Words: host.root, the two files, the most bytes of each."""
MOST_READ = 2 * FULL


def append_events(host: DockerHost, events: Iterable[Event]) -> None:
    """Add events to the journal. Raises Failure if its place is taken or cannot be written, Unreachable."""
    lines = [line_of(event) for event in events]
    if not lines:
        return
    if host.is_local:
        _append_here(host, lines)
        return
    text = b"".join(line[1:] for line in lines)
    finished = host.run_script(
        APPEND, host.root, JOURNAL, os.path.basename(FORMER), str(FULL), input=text, check=False, as_root=True
    )
    if finished.code:
        raise ToolFailed(["write", host.path(JOURNAL)], finished.code, finished.err or finished.out)


def _append_here(host: DockerHost, lines: list[bytes]) -> None:
    check_way(host, JOURNAL)
    path, former = host.path(JOURNAL), host.path(FORMER)
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(folder)
            _make_way(path)
            if _size(path) >= FULL:
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


def read_journal(host: DockerHost) -> list[Event]:
    """All that the journal holds, in order of time; [] where there is none. Raises Unreachable."""
    if host.is_local:
        return events_in(b"\n".join(_read_here(host.path(path)) for path in (FORMER, JOURNAL)))
    finished = host.run_script(PRINT, host.root, FORMER, JOURNAL, str(MOST_READ), check=False, as_root=True)
    return events_in(finished.out.encode("utf-8", "replace"))


def _read_here(path: str) -> bytes:
    try:
        journal = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(journal).st_mode):
            return b""
        size = os.fstat(journal).st_size
        if size > MOST_READ:
            os.lseek(journal, size - MOST_READ, os.SEEK_SET)
        with os.fdopen(os.dup(journal), "rb") as file:
            return file.read(MOST_READ)
    except OSError:
        return b""
    finally:
        os.close(journal)
