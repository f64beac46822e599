"""What lies in a folder of the Docker host: names, kinds, sizes and times, of a copy or of what was kept of one."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dusty_tasks.core.code.copies import Listing, State

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost

PRINT_STATES = r"""
cd "$1" 2>/dev/null || exit 0
if find . -maxdepth 0 -printf '' 2>/dev/null; then
    find . -mindepth 1 -printf '%y %s %T@ %P\0%l\0'
else
    find . -type d -exec sh -c 'for path do printf "d 0 0 %s\0\0" "${path#./}"; done' sh {} +
    find . ! -type d ! -type l -exec sh -c 'for path do
        kind=o
        [ -f "$path" ] && kind=f
        printf "%s %s %s\0\0" "$kind" "$(stat -c "%s %Y" "$path")" "${path#./}"
    done' sh {} +
    find . -type l -exec sh -c 'for path do printf "l 0 0 %s\0%s\0" "${path#./}" "$(readlink "$path")"; done' sh {} +
fi
"""
"""Word: a folder. Prints `kind size time path` and a link's target for all that is in it, each ended by a NUL byte; times in whole
seconds where find cannot print them (busybox).
"""
_RECORD = re.compile(rb"(.) (\d+) (\d+)(?:\.(\d{1,9})\d*)? (.*)", re.DOTALL)


def read_states(host: DockerHost, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
    """Folder (`/`, `/a/`) -> the (name, state) of what is in it; {} if `folder` is not there. Raises Unreachable."""
    found: dict[bytes, list[tuple[bytes, State]]] = {}
    if host.is_local:
        pending = [b"/"]
        while pending:
            below = pending.pop()
            found[below] = list(_scanned(os.fsencode(folder), below))
            pending += [below + name + b"/" for name, state in found[below] if state.kind == "d"]
        return found
    done = host.run_script(PRINT_STATES, folder, check=False, as_root=True, errors="surrogateescape")
    fields = done.out.encode("utf-8", "surrogateescape").split(b"\0")
    for record, target in zip(fields[::2], fields[1::2], strict=False):
        if match := _RECORD.fullmatch(record):
            kind, size, seconds, fraction, path = match.groups()
            below, _, name = (b"/" + path).rpartition(b"/")
            nanoseconds = int((fraction or b"").ljust(9, b"0"))
            found.setdefault(below + b"/", []).append(
                (name, State(kind.decode(), int(size), int(seconds) * 10**9 + nanoseconds, target))
            )
    return found


def files_in(states: dict[bytes, list[tuple[bytes, State]]]) -> dict[bytes, State]:
    """Path `a/b` -> state of everything but folders."""
    return {
        (folder + name)[1:]: state for folder, entries in states.items() for name, state in entries if state.kind != "d"
    }


def local_listing(root: str) -> Listing:
    """The kinds of what a folder of this machine has in it, read as they are asked for."""
    top = os.fsencode(root)

    def listing(folder: bytes) -> Iterable[tuple[bytes, State]]:
        try:
            with os.scandir(top + folder) as found:
                return [(entry.name, _FOLDER if entry.is_dir(follow_symlinks=False) else _FILE) for entry in found]
        except OSError:
            return ()  # gone, or not ours: rsync says so if it matters

    return listing


_FOLDER, _FILE = State("d"), State("f")


def _scanned(root: bytes, folder: bytes) -> Iterator[tuple[bytes, State]]:
    try:
        names = os.listdir(root + folder)
    except OSError:
        return
    for name in names:
        path = root + folder + name
        try:
            state = os.lstat(path)
            target = os.readlink(path) if stat.S_ISLNK(state.st_mode) else b""
        except OSError:
            continue
        yield name, State(_kind(state.st_mode), state.st_size, state.st_mtime_ns, target)


def _kind(mode: int) -> str:
    return "d" if stat.S_ISDIR(mode) else "f" if stat.S_ISREG(mode) else "l" if stat.S_ISLNK(mode) else "o"


def listing_of(records: Iterable[bytes]) -> Listing:
    """The same from what `find` printed: folders (`./a`) after a record `@dirs`, everything else after `@files`. A name may come twice."""
    by_folder: dict[bytes, dict[bytes, State]] = {}
    state = _FOLDER
    for record in records:
        if record in (b"@dirs", b"@files"):
            state = _FOLDER if record == b"@dirs" else _FILE
        elif record.startswith(b"./"):
            folder, _, name = record[1:].rpartition(b"/")
            by_folder.setdefault(folder + b"/", {})[name] = state
    return lambda folder: by_folder.get(folder, {}).items()
