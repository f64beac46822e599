"""Small files on the Docker host, below `host.root`: written whole, by root where the login is not root."""
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dusty_tasks.effects.files import write_atomically

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host import DockerHost

PUT = 'mkdir -p "${1%/*}" && cat > "$1.new" && mv "$1.new" "$1"'


def write_host_file(host: DockerHost, path: str, data: bytes) -> None:
    """Put `data` at `path` below host.root. Raises Failure."""
    full = f"{host.root.rstrip('/')}/{path}"
    if host.kind == "ssh":
        host.run(["sh", "-c", PUT, "sh", full], input=data, check=True, as_root=True)
    else:
        write_atomically(full, data)


def write_host_json(host: DockerHost, path: str, value: Any) -> None:
    """The same for a JSON value, on one line."""
    write_host_file(host, path, json.dumps(value, sort_keys=True).encode())


def move_host_file(host: DockerHost, source: str, destination: str) -> None:
    """Rename a file below host.root; both lie in one folder. Raises Failure."""
    import os

    root = host.root.rstrip("/")
    if host.kind == "ssh":
        host.run(["mv", f"{root}/{source}", f"{root}/{destination}"], check=True, as_root=True)
    else:
        os.replace(f"{root}/{source}", f"{root}/{destination}")


def remove_host_file(host: DockerHost, path: str) -> None:
    """Remove a file below host.root, if it is there."""
    import os

    full = f"{host.root.rstrip('/')}/{path}"
    if host.kind == "ssh":
        host.run(["rm", "-f", full], check=True, as_root=True)
        return
    try:
        os.unlink(full)
    except FileNotFoundError:
        pass
