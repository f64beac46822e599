"""The inodes of files and folders on the Docker host, by which a replaced one is told from one that was changed."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def read_inodes(host: DockerHost, paths: Sequence[str]) -> dict[str, int]:
    """Path -> inode of what is a file or folder there, links followed; one round trip on an ssh host. Raises Unreachable."""
    if not paths:
        return {}
    if not host.is_local:
        return inodes_of(host.run_script(print_inodes(paths), check=False).out.splitlines())
    found = {}
    for path in paths:
        try:
            state = os.stat(path)
        except (OSError, ValueError):
            continue
        if _counts(state.st_mode):
            found[path] = state.st_ino
    return found


def read_last_change(host: DockerHost, paths: Sequence[str]) -> int:
    """The second since which none of these files, folders and links was renamed or made. Raises Unreachable."""
    script = 'stat -c %Z -- "$@"; stat -L -c %Z -- "$@"'
    return max(
        (int(line) for line in host.run_script(script, *paths, check=False).out.split() if line.isdigit()), default=0
    )


def print_inodes(paths: Sequence[str]) -> str:
    """The sh command that prints them for inodes_of; nothing for what is not there."""
    return f"stat -L -c '%f %i %n' -- {shlex.join(paths)} 2>/dev/null" if paths else ":"


def inodes_of(lines: Iterable[str]) -> dict[str, int]:
    """Path -> inode from what print_inodes made."""
    found = {}
    for line in lines:
        mode, _, rest = line.partition(" ")
        inode, _, path = rest.partition(" ")
        try:
            if _counts(int(mode, 16)):
                found[path] = int(inode)
        except ValueError:
            continue
    return found


def _counts(mode: int) -> bool:
    """Sockets do not: a service that is started again makes its own anew, and so does a system at each start."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
