"""From a container's key in the Compose file back to the spec line that put it there, for causes and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from dusty_tasks.core.plan.change import PlaceOf
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.paths import COMPOSE_FILE, ORIGINS_FILE
from dusty_tasks.effects.doors.files import read_bytes
from dusty_tasks.effects.doors.once import OnceFor

if TYPE_CHECKING:
    from dusty_tasks.core.specs.sources import Source


def place_finder(read: Callable[[], Mapping[str, Any]]) -> PlaceOf:
    """A function from (container, key path) to `file:line:col` or ''; the origins are read when a place is first asked for."""
    origins = cache(read)

    @cache
    def containers() -> dict[str, Any]:
        from dusty_tasks.core.artifacts.origins import spans_by_key

        return spans_by_key(origins(), COMPOSE_FILE)

    def place_of(name: str, path: tuple[str | int, ...]) -> str:
        from dusty_tasks.core.artifacts.origins import source_in
        from dusty_tasks.core.text.key_path import CONFIG_FILE, key_text

        if path[:1] == ("commands",):
            return _place_of_command(origins(), name, key_text(path))
        if path[:1] == ("settings",):
            return place_of_setting(str(path[1]))
        if path[:1] == ("libs",):
            return _place_of_command(origins(), name, "install", f"libs/{path[1]}.yml:")
        source = source_in(containers(), key_text(("services", name, *path)))
        if source and source.place == CONFIG_FILE:
            return place_of_setting(source.key) if path else ""
        return source.place if source else ""

    return place_of


@OnceFor
def place_of_setting(key: str) -> str:
    """`config.yml:3:8` for a setting that is written there, by its dotted key or the nearest parent of it; else `config.yml`."""
    from dusty_tasks import session
    from dusty_tasks.core.text.key_path import CONFIG_FILE, path_text
    from dusty_tasks.effects.home.settings import read_places

    places = {path_text(path): place for path, place in read_places(session.base_home()).items()}
    while key and key not in places:
        key = key.rpartition(".")[0]
    return f"{CONFIG_FILE}:{places[key][0]}:{places[key][1]}" if key else CONFIG_FILE


def origin_of(settings: Settings, artifact: str, where: int | str) -> Source | None:
    """What put a line (from 1) or key of an artifact below build/ there; None if Dusty itself did, or it is unknown."""
    from dusty_tasks.core.artifacts.origins import source_at

    return source_at(read_origins(settings), artifact, where)


def read_origins(settings: Settings) -> dict[str, Any]:
    """The content of build/origins.json, {} before the first compile."""
    return _read(settings.paths.artifact(ORIGINS_FILE))


@OnceFor
def _read(path: str) -> dict[str, Any]:
    try:
        return dict(json.loads(read_bytes(path) or b"{}"))
    except (OSError, ValueError, TypeError):
        return {}


def _place_of_command(origins: Mapping[str, Any], name: str, key: str, file: str = "") -> str:
    """Where the first command under `key` stands, in the app's own spec or in that of a lib (`file`)."""
    spans = origins.get(f"commands/{name}/start.sh", ())
    return next(
        (span["from"] for span in spans if span["spec_key"].startswith(key) and span["from"].startswith(file)), ""
    )
