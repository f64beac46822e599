"""What a repo says of its submodules: `.gitmodules`, and the commits that its tree names. Pure."""

from __future__ import annotations

from typing import NamedTuple

from dusty_tasks.core.code.git_config import Pairs

GITLINK = "160000 commit "


class Submodule(NamedTuple):
    """An entry of .gitmodules."""

    name: str
    path: str
    is_wanted: bool
    """False where it says `update = none`: only who asks for such a one gets it."""


def submodules_of(pairs: Pairs) -> dict[str, Submodule]:
    """Path -> entry, from the pairs of `git config --blob <commit>:.gitmodules`."""
    values: dict[str, dict[str, str]] = {}
    for key, value in pairs:
        section, _, rest = key.partition(".")
        name, _, last = rest.rpartition(".")
        if section == "submodule" and name:
            values.setdefault(name, {})[last] = value
    return {
        entry["path"]: Submodule(name, entry["path"], entry.get("update") != "none")
        for name, entry in values.items()
        if entry.get("path")
    }


def links_of(listing: str) -> dict[str, str]:
    """Path -> commit of the submodules in what `git ls-tree -r -z` prints."""
    found = (entry.removeprefix(GITLINK).partition("\t") for entry in listing.split("\0") if entry.startswith(GITLINK))
    return {path: commit for commit, _, path in found}
