"""Small files on the Docker host, below `host.root`: written whole, by root where the login is not root."""
from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from dusty_tasks.effects.files import read_bytes, write_atomically

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host import DockerHost

PUT = """
umask 022
mkdir -p "${1%/*}" && umask 077 && cat > "$1.new" && chmod "$2" "$1.new" || exit
[ -z "${SUDO_UID-}" ] || chown "$SUDO_UID:$SUDO_GID" "$1.new"
mv "$1.new" "$1"
"""
"""Words: path, mode. The mode is set, not inherited from a login's umask; the login that asked through sudo can read the file."""
PRIVATE = 0o600
"""For records of what containers are made of. Not for owner.json, which another owner must be able to read."""


def write_host_file(host: DockerHost, path: str, data: bytes, mode: int = 0o644) -> None:
    """Put `data` at `path` below host.root. Raises Failure."""
    if host.is_local:
        write_atomically(host.path(path), data, mode)
    else:
        host.run_script(PUT, host.path(path), f"{mode:o}", input=data, as_root=True)


def write_host_json(host: DockerHost, path: str, value: Any, mode: int = 0o644) -> None:
    """The same for a JSON value, on one line."""
    write_host_file(host, path, json.dumps(value, sort_keys=True).encode(), mode)


def read_host_json(host: DockerHost, path: str) -> dict[str, Any]:
    """The mapping in a JSON file below host.root; {} if it is missing or damaged. Raises Failure if an ssh host is away."""
    data: str | bytes | None = read_bytes(host.path(path)) if host.is_local else host.run(["cat", host.path(path)], as_root=True).out
    try:
        found = json.loads(data or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def move_host_file(host: DockerHost, source: str, destination: str) -> None:
    """Rename a file below host.root; both lie in one folder. Raises Failure."""
    if host.is_local:
        os.replace(host.path(source), host.path(destination))
    else:
        host.run(["mv", "-f", host.path(source), host.path(destination)], check=True, as_root=True)


def remove_host_file(host: DockerHost, path: str) -> None:
    """Remove a file below host.root, if it is there."""
    if not host.is_local:
        host.run(["rm", "-f", host.path(path)], check=True, as_root=True)
        return
    try:
        os.unlink(host.path(path))
    except FileNotFoundError:
        pass
