"""The inodes of files and folders on the Docker host, by which a replaced one is told from one that was changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def read_inodes(host: DockerHost, paths: Sequence[str]) -> dict[str, int]:
    """Path -> inode of what is a file or folder there, links followed; one round trip on an ssh host. Raises Unreachable."""
    return host.files.inodes(paths) if paths else {}


def read_last_change(host: DockerHost, paths: Sequence[str]) -> int:
    """The second since which none of these files, folders and links was renamed or made. Raises Unreachable."""
    script = 'stat -c %Z -- "$@"; stat -L -c %Z -- "$@"'
    return max(
        (int(line) for line in host.run_script(script, *paths, check=False).out.split() if line.isdigit()), default=0
    )
