"""What lies in a folder of the Docker host: names, kinds, sizes and times, of a copy or of what was kept of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dusty_tasks.core.code.copies import Listing, State

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def read_states(host: DockerHost, folder: str) -> dict[bytes, list[tuple[bytes, State]]]:
    """Folder (`/`, `/a/`) -> the (name, state) of what is in it; {} if `folder` is not there. Raises Unreachable."""
    return host.files.states(folder)


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
