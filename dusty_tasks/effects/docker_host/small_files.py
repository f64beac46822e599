"""JSON files of Dusty's on the Docker host, below `host.root`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dusty_tasks.effects.docker_host.host import DockerHost


def write_host_json(host: DockerHost, below: str, value: Any, mode: int = 0o644) -> None:
    """Put a JSON value, on one line, at a path below host.root. Raises Failure."""
    host.files.write(below, json.dumps(value, sort_keys=True).encode(), mode)


def read_host_json(host: DockerHost, below: str) -> dict[str, Any]:
    """The mapping in a JSON file below host.root; {} if it is missing or damaged. Raises Failure if an ssh host is away."""
    try:
        found = json.loads(host.files.read(below) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
