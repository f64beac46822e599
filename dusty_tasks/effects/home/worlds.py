"""The worlds of a DUSTY_HOME, as they lie in `worlds/<name>/world.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.paths import WORLD_FILE, Paths
from dusty_tasks.core.worlds.model import World, from_json, to_json
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bytes, write_atomically
from dusty_tasks.effects.doors.lock import held

LONGEST_WAIT = 30.0
"""Seconds that a change of worlds waits for another one."""


def home_of(base: str, name: str) -> str:
    """The folder of a world."""
    return f"{Paths(base).worlds}/{name}"


def read_world(home: str) -> World | None:
    """The world whose folder this is; None for a folder that is no world's. Raises Failure if its file cannot be used."""
    path = f"{home}/{WORLD_FILE}"
    try:
        data = read_bytes(path)
        return None if data is None else from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(
            f"{path} is damaged", f"{DUSTY} world remove {os.path.basename(home)}, and make it again"
        ) from error
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def write_world(home: str, world: World) -> None:
    write_atomically(f"{home}/{WORLD_FILE}", json.dumps(to_json(world), indent=1).encode(), 0o600)


def change_world(home: str, **fields: Any) -> World:
    """Change what is noted of a world, and nothing that somebody else notes meanwhile. Raises Failure if it was removed."""
    with held("worlds", verb="world", home=os.path.dirname(os.path.dirname(home)), wait=LONGEST_WAIT):
        world = read_world(home)
        if world is None:
            raise Failure(f"there is no world {os.path.basename(home)} any more", f"{DUSTY} world list")
        if (now := world._replace(**fields)) != world:
            write_world(home, now)
    return now


def names_of_worlds(base: str) -> list[str]:
    """The folders of worlds, sorted; also of one whose file is damaged."""
    folder = Paths(base).worlds
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if os.path.lexists(f"{folder}/{name}/{WORLD_FILE}"))


def worlds_of(base: str) -> Iterator[World]:
    """Those that can be read, by name."""
    for name in names_of_worlds(base):
        try:
            world = read_world(home_of(base, name))
        except Failure:
            continue
        if world:
            yield world
