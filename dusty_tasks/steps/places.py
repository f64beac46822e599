"""From a container's key in the Compose file back to the spec line that put it there, for causes and errors."""
from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from dusty_tasks.core.changes import PlaceOf
from dusty_tasks.effects.files import read_bytes

COMPOSE = "docker-compose.yml"


def read_origins(build: str) -> Mapping[str, Any]:
    """The content of build/origins.json; {} if it is missing or damaged."""
    try:
        found = json.loads(read_bytes(f"{build}/origins.json") or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def place_finder(read: Callable[[], Mapping[str, Any]]) -> PlaceOf:
    """A function from (container, key path) to `file:line:col` or ''; the origins are read when it is first asked."""
    origins: list[Mapping[str, Any]] = []

    def place_of(name: str, path: tuple[str | int, ...]) -> str:
        from dusty_tasks.core.origins import source_at
        from dusty_tasks.core.traced import key_text

        if not origins:
            origins.append(read())
        where = f"commands/{name}/start.sh" if path == ("commands", "always") else COMPOSE
        source = source_at(origins[0], where, 1) if where != COMPOSE else source_at(origins[0], COMPOSE, key_text(("services", name, *path)))
        return source.place if source else ""
    return place_of
