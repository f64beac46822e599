"""The line of a spec, or the setting, that an origin leads to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from dusty_tasks.core.specs.documents import Spot, place_of
from dusty_tasks.core.specs.model import Origin
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import CONFIG_FILE, KeyPath, path_text
from dusty_tasks.core.text.problems import Place, Problem

_OLD_KEYS: dict[str | int, tuple[str, ...]] = {
    "network_mode": ("net",),
    "depends_on": ("links", "volumes_from", "net", "network_mode"),
    "logging": ("log_driver", "log_opt"),
    "build": ("dockerfile",),
}
"""Compose keys and what a spec may have written for them (docs/specs.md, "Services")."""

_OLD_PARTS: dict[tuple[str | int, ...], str] = {
    ("logging", "driver"): "log_driver",
    ("logging", "options"): "log_opt",
    ("build", "dockerfile"): "dockerfile",
}
"""The same, one level deeper."""

Places = Mapping[str, Mapping[KeyPath, Spot]]


class Source(NamedTuple):
    """What put something into an artifact: a place of a spec, or a setting ('config.yml', key)."""

    place: str
    """`apps/web.yml:12:5`, or `config.yml` for a setting."""
    key: str
    """The dotted key there, '' for a whole file."""

    def __str__(self) -> str:
        return f"{self.place}{': ' if self.key else ''}{self.key}"


def source_of(origin: Origin, places: Places) -> Source:
    """Where an origin stands now: its key, else what an older Compose called it, else its nearest parent."""
    return Source(*_source(origin, places.get(origin.file, {})))


def source_place(origin: Origin, places: Places) -> Place:
    """The place that `origin` leads to, that of its nearest parent where it has none."""
    file, line, column = _source(origin, places.get(origin.file, {}))[0].rsplit(":", 2)
    return Place(file, int(line), int(column))


def problem_at(
    origin: Origin, places: Places, code: Code, what: str, hint: str = "", *, is_warning: bool = False
) -> Problem:
    """A problem of the spec key that `origin` names."""
    return Problem(source_place(origin, places), path_text(origin.path), code, what, hint, is_warning)


def _source(origin: Origin, known: Mapping[KeyPath, Spot]) -> tuple[str, str]:
    file, path = origin
    if not file:
        return CONFIG_FILE, _path_text(path)
    while path:
        place = known.get(path)
        if place:
            return str(place_of(file, place)), _path_text(path)
        for spelling in _old_spellings(path):
            place = known.get(spelling)
            if place:
                return str(place_of(file, place)), _path_text(spelling)
        path = path[:-1]
    return f"{file}:1:1", ""


_path_text = lru_cache(maxsize=4096)(path_text)


def _old_spellings(path: KeyPath) -> list[KeyPath]:
    part = _OLD_PARTS.get(path[-2:])
    return [*([(*path[:-2], part)] if part else []), *((*path[:-1], old) for old in _OLD_KEYS.get(path[-1], ()))]
