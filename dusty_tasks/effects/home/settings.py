"""config.yml as settings. The cache in state/ spares the no-op run the YAML library; it is never needed."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from typing import Any

from dusty_tasks.core.settings.model import Settings, from_json, to_json
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.key_path import CONFIG_FILE
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.effects.doors import files
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import is_settled, state_of
from dusty_tasks.effects.doors.memos import code_version


def read_settings(home: str) -> tuple[Settings, list[Problem]]:
    """The settings, with the secrets that lie beside config.yml, and the problems of that file. Raises Failure as _settings_of_file does."""
    from dusty_tasks.effects.home.secrets import read_secrets

    if not os.path.lexists(Paths(home).config) and (of_world := _settings_of_world(home)):
        return of_world
    settings, problems = _settings_of_file(home)
    secrets = read_secrets(home)
    return (replace(settings, secrets=secrets) if secrets else settings), problems


def _settings_of_world(home: str) -> tuple[Settings, list[Problem]] | None:
    """Those of a world, if `home` is the folder of one."""
    from dusty_tasks.effects.home.worlds import read_world

    world = read_world(home)
    if world is None:
        return None
    from dusty_tasks.core.worlds.model import settings_of

    base, problems = read_settings(os.path.dirname(os.path.dirname(home)))
    return settings_of(world, base, home), problems


def _settings_of_file(home: str) -> tuple[Settings, list[Problem]]:
    """The settings of `$DUSTY_HOME/config.yml`, and its problems. No file is no problem: is_configured is False then.

    Raises Failure if the file is there and cannot be read.
    """
    path = Paths(home).config
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return replace(_settings({}, {}, home)[0], is_configured=False), []
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    file_state, now = state_of(found), time.time_ns()
    state = [*_surroundings(home), *file_state]
    cache_path = Paths(home).kept("config.json")
    cached = _cached(cache_path, state)
    if cached is not None:
        return cached, []
    settings, problems = settings_from(_read(path), home)
    if not problems and is_settled(file_state, now):
        _keep(cache_path, state, settings)
    return settings, problems


def settings_from(data: bytes, home: str) -> tuple[Settings, list[Problem]]:
    """The settings that `data` would give as a config.yml, and its problems: what a writer checks before it writes."""
    from dusty_tasks.core.specs.documents import marks_by_path
    from dusty_tasks.core.specs.yaml_nodes import EMPTY
    from dusty_tasks.core.specs.yaml_reader import values_of_yaml
    from dusty_tasks.effects.specs.schemas import read_schema

    values = values_of_yaml(data, CONFIG_FILE, read_schema("config"))
    problems = [problem for problem in values.problems if problem.what != EMPTY]
    settings, more = _settings(values.value, marks_by_path(values.value, values.marks), home)
    return settings, sorted([*problems, *more])


def _settings(
    value: dict[str, Any], marks: dict[Any, tuple[int, int, int, int]], home: str
) -> tuple[Settings, list[Problem]]:
    from dusty_tasks.core.settings.check import settings_of

    return settings_of(value, marks, home, os.environ, os.cpu_count() or 1)


def _read(path: str) -> bytes:
    check_is_file(path)
    try:
        return files.read_bytes(path) or b""
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def check_is_file(path: str) -> None:
    """Raise Failure where something else than a file stands in its place, or a link leads to such: it is neither read nor replaced."""
    import stat

    try:
        mode = os.stat(path).st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        raise Failure(
            f"{path} cannot be read: it is {'a folder' if stat.S_ISDIR(mode) else 'not a regular file'}",
            f"move it away, then {DUSTY} config undo brings back the last one",
        )


def _cached(cache_path: str, state: list[Any]) -> Settings | None:
    try:
        data = json.loads(files.read_bytes(cache_path) or b"null")
        return from_json(data["settings"]) if data["state"] == state else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _keep(cache_path: str, state: list[Any], settings: Settings) -> None:
    try:
        files.write_atomically(cache_path, json.dumps({"state": state, "settings": to_json(settings)}).encode(), 0o600)
    except Failure:
        pass  # A cache that cannot be written costs time, not the run.


def _surroundings(home: str) -> list[Any]:
    """What else the settings depend on: the user's home, the CPUs, and the code that reads them."""
    return [home, os.environ.get("HOME", ""), os.cpu_count(), code_version()]


def read_places(home: str) -> dict[tuple[str | int, ...], tuple[int, int]]:
    """Key path -> line and column of that key in config.yml; {} for a file that cannot be read."""
    from dusty_tasks.core.specs.documents import marks_by_path
    from dusty_tasks.core.specs.yaml_reader import values_of_yaml
    from dusty_tasks.effects.specs.schemas import read_schema

    try:
        data = _read(Paths(home).config)
    except Failure:
        return {}
    values = values_of_yaml(data, CONFIG_FILE, read_schema("config"))
    return {path: (marks[2], marks[3]) for path, marks in marks_by_path(values.value, values.marks).items() if path}
