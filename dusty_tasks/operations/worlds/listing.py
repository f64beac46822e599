"""What there is to know of each world, for people and as JSON values."""

from __future__ import annotations

import time
from typing import Any

from dusty_tasks import session
from dusty_tasks.core.plan.wanted import from_json
from dusty_tasks.core.text.namespace import NAME_LABEL, PROJECT_LABEL
from dusty_tasks.core.text.paths import WORLDS_THERE, Paths
from dusty_tasks.core.worlds.model import World
from dusty_tasks.effects.docker_host.engine_line import EngineDown
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.effects.engine.persist import read_sizes
from dusty_tasks.effects.engine.stats import read_memory
from dusty_tasks.effects.home.worlds import home_of, names_of_worlds, read_world
from dusty_tasks.operations.worlds.making import lost_sources

NEW, STOPPED, RUNNING, PARTLY, LOST, DAMAGED, UNKNOWN = (
    "new",
    "stopped",
    "running",
    "partly running",
    "worktree gone",
    "damaged",
    "unknown",
)


def read_list() -> list[dict[str, Any]]:
    """A row a world, by name. Where the engine does not answer, the states are unknown."""
    base, engine = session.base_home(), Engine(session.docker_host())
    names = names_of_worlds(base)
    if not names:
        return []
    try:
        containers = engine.get("/containers/json?all=1")
        sizes = read_sizes(engine.host, WORLDS_THERE)
    except EngineDown:
        containers, sizes = None, {}
    return [_row(name, base, engine, containers, sizes) for name in names]


def _row(
    name: str, base: str, engine: Engine, containers: list[dict[str, Any]] | None, sizes: dict[str, int]
) -> dict[str, Any]:
    home = home_of(base, name)
    try:
        world = read_world(home)
    except Failure:
        world = None
    namespace = engine.host.namespace.of_world(name)
    own = [entry for entry in containers or () if (entry.get("Labels") or {}).get(PROJECT_LABEL) == namespace.project]
    running = [entry["Id"] for entry in own if entry.get("State") in ("running", "restarting")]
    parts = (world.parts if world else None) or {}
    return {
        "name": name,
        "state": _state(world, containers is None, len(running), len(own)),
        "own": sorted(part for part, is_own in parts.items() if is_own),
        "shared": sorted(part for part, is_own in parts.items() if not is_own),
        "running": sorted((entry.get("Labels") or {}).get(NAME_LABEL, "") for entry in own if entry["Id"] in running),
        "urls": _urls(home),
        "address": world.address if world else "",
        "repos": dict(world.repos) if world else {},
        "lost": lost_sources(world) if world else [],
        "age_seconds": max(0, round(time.time() - world.created)) if world else None,
        "disk_bytes": sizes.get(name, 0),
        "memory_bytes": read_memory(engine, running),
    }


def _state(world: World | None, is_unknown: bool, running: int, existing: int) -> str:
    if world is None:
        return DAMAGED
    if lost_sources(world):
        return LOST
    if is_unknown:
        return UNKNOWN
    if not existing:
        return NEW if world.parts is None else STOPPED
    return RUNNING if running == existing else PARTLY if running else STOPPED


def _urls(home: str) -> list[str]:
    import json

    try:
        wanted = from_json(json.loads(read_bytes(Paths(home).wanted) or b""))
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [url for container in wanted.containers for url in container.http_urls]
