"""What lies in a folder of the Docker host: names, kinds, sizes and times, of a copy or of what was kept of one; and inodes of single paths there."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from dusty_tasks.core.code.copies import Entry, Listing, State
from dusty_tasks.effects.docker_host.files_there import states_of

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def read_states(host: DockerHost, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
    """Folder (`/`, `/a/`) -> the (name, state) of what is in it; {} if `folder` is not there. Raises Unreachable."""
    return host.files.states(folder)


PRINT_SOME = r"""
cd "$1" 2>/dev/null || exit 0
if find . -maxdepth 0 -printf '' 2>/dev/null; then
    xargs -0 sh -c 'find "$@" -maxdepth 0 -printf "%y %s %T@ %p\0%l\0" 2>/dev/null; exit 0' sh
else
    xargs -0 sh -c 'for path do
        if [ -L "$path" ]; then printf "l 0 0 %s\0%s\0" "$path" "$(readlink "$path")"
        elif [ -f "$path" ]; then printf "f %s %s\0\0" "$(stat -c "%s %Y" "$path")" "$path"; fi
    done; exit 0' sh
fi
"""
"""Word: a folder; stdin: paths `./a/b`, each ended by a NUL byte. Prints what PRINT_STATES prints, for these."""


def read_states_at(host: DockerHost, folder: str, paths: Collection[bytes]) -> dict[bytes, State]:
    """Path `a/b` -> state of what lies at these paths below `folder`, but for folders. Raises Unreachable."""
    if not paths:
        return {}
    asked = b"".join(b"./" + path + b"\0" for path in paths)
    done = host.run_script(PRINT_SOME, folder, input=asked, check=False, as_root=True, errors="surrogateescape")
    return files_in(states_of(done.out.encode("utf-8", "surrogateescape").split(b"\0")))


def entry_of(path: bytes, state: State) -> Entry:
    """What lies at a path `a/b` as an entry of a source, for is_as_sent (core/code/replaced): the bits of its mode are not known."""
    name = path.rpartition(b"/")[2]
    if state.kind == "l":
        return name, stat.S_IFLNK, state.target
    return name, stat.S_IFREG, state.size, state.mtime


def files_in(states: dict[bytes, list[tuple[bytes, State]]]) -> dict[bytes, State]:
    """Path `a/b` -> state of everything but folders."""
    return {
        (folder + name)[1:]: state for folder, entries in states.items() for name, state in entries if state.kind != "d"
    }


_FOLDER, _FILE = State("d"), State("f")


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


def read_inodes(host: DockerHost, paths: Sequence[str]) -> dict[str, int]:
    """Path -> inode of what is a file or folder there, links followed; one round trip on an ssh host. Raises Unreachable."""
    return host.files.inodes(paths) if paths else {}


def read_last_change(host: DockerHost, paths: Sequence[str]) -> int:
    """The second since which none of these files, folders and links was renamed or made. Raises Unreachable."""
    script = 'stat -c %Z -- "$@"; stat -L -c %Z -- "$@"'
    return max(
        (int(line) for line in host.run_script(script, *paths, check=False).out.split() if line.isdigit()), default=0
    )
