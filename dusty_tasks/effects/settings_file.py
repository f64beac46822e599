"""config.yml as settings. The cache in state/ spares the no-op run the YAML library; it is never needed."""
from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from dusty_tasks.core.problems import Problem
from dusty_tasks.core.settings import CONFIG_FILE, Settings, settings_of
from dusty_tasks.effects import files
from dusty_tasks.effects.failures import Failure
from dusty_tasks.effects.schema_files import read_schema

RACY_NS = 2_000_000_000


def read_settings(home: str) -> tuple[Settings, list[Problem]]:
    """The settings of `$DUSTY_HOME/config.yml`, and its problems. No file is no problem: is_configured is False then."""
    path = f"{home}/{CONFIG_FILE}"
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        settings, _ = _settings({}, {}, home)
        return Settings(**{**_fields(settings), "is_configured": False}), []
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    state = [_version(), found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns]
    cache_path = f"{home}/state/config.json"
    cached = _cached(cache_path, state)
    if cached is not None:
        return _settings(cached, {}, home)
    data = _read(path)
    value, places, problems = _value(data)
    settings, more = _settings(value, places, home)
    if not problems and not more and max(found.st_mtime_ns, found.st_ctime_ns) < time.time_ns() - RACY_NS:
        _keep(cache_path, state, value)
    return settings, sorted([*problems, *more])


def settings_from(data: bytes, home: str) -> tuple[Settings, list[Problem]]:
    """The settings that `data` would give as a config.yml, and its problems: what a writer checks before it writes."""
    value, places, problems = _value(data)
    settings, more = _settings(value, places, home)
    return settings, sorted([*problems, *more])


def _settings(value: dict[str, Any], places: dict[Any, tuple[int, int]], home: str) -> tuple[Settings, list[Problem]]:
    return settings_of(value, places, home, os.environ, os.cpu_count() or 1)


def _fields(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in Settings.__slots__}


def _value(data: bytes) -> tuple[dict[str, Any], dict[Any, tuple[int, int]], list[Problem]]:
    from dusty_tasks.core.documents import places_of
    from dusty_tasks.core.yaml_values import values_of_yaml

    values = values_of_yaml(data, CONFIG_FILE, read_schema("config"))
    if not values.is_readable and values.problems[0].what == "empty file":
        return {}, {}, []
    return values.value, places_of(values.value, values.marks), values.problems


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def _cached(cache_path: str, state: list[Any]) -> dict[str, Any] | None:
    try:
        data = json.loads(files.read_bytes(cache_path) or b"null")
        return data["value"] if data["state"] == state and isinstance(data["value"], dict) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(cache_path: str, state: list[Any], value: dict[str, Any]) -> None:
    try:
        files.write_atomically(cache_path, json.dumps({"state": state, "value": value}).encode(), 0o600)
    except Failure:
        pass  # A cache that cannot be written costs time, not the run.


def _version() -> str:
    """Changes with the reading code and the schema that guides it."""
    from dusty_tasks import resources

    parts = [resources.folder("schemas") / "config.json", resources.PACKAGE / "core" / "yaml_values.py"]
    return json.dumps([(part.stat().st_mtime_ns, part.stat().st_size) for part in parts])
