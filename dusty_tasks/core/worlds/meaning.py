"""Which world a command means: the one that is named, that of the environment, that of the folder, else the base. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dusty_tasks.core.worlds.model import BASE

VARIABLE = "DUSTY_WORLD"


class Meant(NamedTuple):
    name: str
    """BASE, or that of a world."""
    why: str
    is_asked_for: bool = True
    """False for the world of the folder, and for the base where nothing says otherwise."""


def meant(
    option: str | None, variable: str, folder: str, taken: Mapping[str, Sequence[str]], of_base: Iterable[str] = ()
) -> Meant:
    """`taken`: world -> the folders that it takes repos from; `of_base` those that the base takes. All are real paths, as `folder` is."""
    if option is not None:
        return Meant(option, "--world says so")
    if variable:
        return Meant(variable, f"{VARIABLE} says so")
    holders = {
        world: max(holding, key=len)
        for world, folders in taken.items()
        if (holding := [each for each in folders if is_in(folder, each)])
    }
    if not holders:
        return Meant(BASE, "no world takes a repo from this folder" if taken else "there is no other", False)
    innermost = max(holders.values(), key=len)
    names = sorted(world for world, each in holders.items() if each == innermost)
    if len(names) > 1:
        return Meant(BASE, f"{' and '.join(names)} both take {innermost}, so it is none of them", False)
    if innermost in of_base:
        return Meant(BASE, f"the base takes {innermost}, too", False)
    return Meant(names[0], f"it takes {innermost}", False)


def is_in(folder: str, tree: str) -> bool:
    """True for `tree` and what is below it."""
    return f"{folder}/".startswith(f"{tree.rstrip('/')}/")
