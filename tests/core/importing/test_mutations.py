"""Whatever is changed in a Compose file: the model is equal, or a loss is listed, or the file is refused as Compose would."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from of_stacks import everything, imported

from dusty_tasks.core.importing.compose_yaml import Refused, documents, plain

Path = tuple[Any, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def deleted(holder: Any, key: Any, value: Any) -> None:
    del holder[key]


def another(holder: Any, key: Any, value: Any) -> None:
    holder[key] = type(value)() if isinstance(value, (dict, list)) else f"{value}x"


def empty(holder: Any, key: Any, value: Any) -> None:
    holder[key] = None


def of_another_type(holder: Any, key: Any, value: Any) -> None:
    holder[key] = "text" if isinstance(value, (dict, list)) else [value]


def renamed(holder: Any, key: Any, value: Any) -> None:
    if isinstance(holder, dict):
        del holder[key]
        holder[f"{key}x"] = value


CHANGES: tuple[Callable[[Any, Any, Any], None], ...] = (deleted, another, empty, of_another_type, renamed)


def mutations() -> list[tuple[str, Path, Callable[[Any, Any, Any], None]]]:
    """Of each file of the stack: each key with each change."""
    return [
        (file, path, change)
        for file in ("compose.yml", "sub/base.yml")
        for path in paths(model_of(file))
        for change in CHANGES
    ]


def model_of(file: str) -> Any:
    return plain(documents(everything()[file].encode(), file)[0])


def check(file: str, path: Path, change: Callable[[Any, Any, Any], None]) -> None:
    model = copy.deepcopy(model_of(file))
    change(at(model, path[:-1]), path[-1], at(model, path))
    try:
        made = imported({**everything(), file: json.dumps(model)})
    except Refused:
        return
    assert made.unproven == [], (file, path, change.__name__)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sample_of_mutations_is_equal_told_or_refused(seed: int) -> None:
    for file, path, change in random.Random(seed).sample(mutations(), 12):
        check(file, path, change)


@pytest.mark.long
def test_all_mutations_are_equal_told_or_refused() -> None:
    for file, path, change in mutations():
        check(file, path, change)
