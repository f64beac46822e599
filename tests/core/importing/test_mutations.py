"""Whatever is changed in a Compose file: the model is equal, or a loss is listed, or the file is refused as Compose would."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from of_stacks import STACKS, Outcomes, files_of, imported, project_of

from dusty_tasks.core.importing.compose_yaml import Refused, documents, plain
from dusty_tasks.core.importing.forms.canonical import canonical
from dusty_tasks.core.importing.reading import evaluated_node, resolved

RULES = {"names", "network", "notes", "include"}
"""Rules that say that a value has no effect in a stack of Dusty."""
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


def mutations(stack: str) -> list[tuple[str, Path, Callable[[Any, Any, Any], None]]]:
    """Of each Compose file of a stack: each key with each change."""
    return [
        (file, path, change)
        for file, text in files_of(stack).items()
        if "services:" in text
        for path in paths(model_of(stack, file))
        for change in CHANGES
    ]


@cache
def model_of(stack: str, file: str) -> Any:
    return plain(documents(files_of(stack)[file].encode(), file)[0])


@cache
def base_of(stack: str, file: str) -> tuple[Outcomes, dict[str, Any]]:
    """The stack before a change of `file`, which is without tags in both."""
    files = {**files_of(stack), file: json.dumps(model_of(stack, file))}
    return imported(files), as_read(files)


def as_read(files: Mapping[str, str]) -> dict[str, Any]:
    """What Compose would make of the files: `service.key` or `kind.name` -> value."""
    project = project_of(files)
    return {
        **{
            f"{name}.{key}": canonical(key, value, "") if key in ("build", "depends_on") and value else value
            for name, node in project.services.items()
            for key, value in resolved(node, project.values).items()
        },
        **{
            f"{kind}.{name}": without_usual(evaluated_node(node, project.values))
            for kind, things in project.named.items()
            for name, node in things.items()
        },
    }


def without_usual(options: Any) -> Any:
    """What stands at the top, without what is so if nothing is said."""
    usual = ("local", "bridge", None)
    return {key: value for key, value in (options or {}).items() if key != "driver" or value not in usual}


def check(stack: str, file: str, path: Path, change: Callable[[Any, Any, Any], None]) -> None:
    """The changed stack is proved, and what changed for Compose changed in the specs, or is told."""
    model = copy.deepcopy(model_of(stack, file))
    change(at(model, path[:-1]), path[-1], at(model, path))
    files = {**files_of(stack), file: json.dumps(model)}
    try:
        made = imported(files)
    except Refused:
        return
    assert made.unproven == [], (file, path, change.__name__)
    base, before = base_of(stack, file)
    after = as_read(files)
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    told = {row.name for row in made.rows if row.outcome.value in ("bent", "lost") or RULES & {*row.rules}}
    if made.files == base.files and [row[:2] + row[3:] for row in made.rows] == [
        row[:2] + row[3:] for row in base.rows
    ]:
        assert changed <= told, (file, path, change.__name__, changed)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sample_of_mutations_is_equal_told_or_refused(seed: int) -> None:
    for file, path, change in random.Random(seed).sample(mutations("everything"), 12):
        check("everything", file, path, change)


@pytest.mark.long
@pytest.mark.parametrize("stack", [path.name for path in STACKS.iterdir()])
def test_many_mutations_are_equal_told_or_refused(stack: str) -> None:
    """All of the stack that has all of Compose in it, and 400 of each other one, which take minutes."""
    found = mutations(stack)
    for file, path, change in found if stack == "everything" else random.Random(stack).sample(found, 400):
        check(stack, file, path, change)
