"""Which spec files there are, and their states: all that a run with nothing to do needs to know of a specs repo.

Opens nothing and imports next to nothing, since every run comes through here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import State, state_of

KIND_BY_FOLDER = {"apps": "app", "bundles": "bundle", "libs": "lib", "services": "service"}
"""In file order."""


OVERRIDDEN_FOLDERS = ("apps", "services")


VARIABLES = "vars.yml"
"""At the top of the specs repo."""


class SpecFile(NamedTuple):
    """A file that may be a spec."""

    kind: str
    file: str
    """Relative to the specs repo, as places show it."""
    path: str
    state: State
    trouble: str = ""
    """Why it cannot be read, for example a link that points outside the specs repo."""
    is_override: bool = False
    """True for one of the user's, which is merged over the spec of its name; `file` is its path then."""


def spec_files(root: str | os.PathLike[str]) -> Iterator[SpecFile]:
    """The spec files of the specs repo at `root` in file order, with their states. Opens nothing. Raises Failure for a folder that may not be listed."""
    root = os.fspath(root)
    real_root = os.path.realpath(root).rstrip("/") + "/"
    for folder, kind in KIND_BY_FOLDER.items():
        parent = os.path.join(root, folder)
        is_inside = (os.path.realpath(parent) + "/").startswith(real_root)
        for name in names_in(parent):
            if name.endswith(".yml") and name[0] != ".":
                yield from _spec_file(kind, f"{folder}/{name}", os.path.join(parent, name), real_root, is_inside)
    if os.path.lexists(os.path.join(root, VARIABLES)):
        yield from _spec_file("vars", VARIABLES, os.path.join(root, VARIABLES), real_root, is_inside=True)


def override_files(folder: str) -> Iterator[SpecFile]:
    """The user's own overrides below `folder`, apps before services before variables, with their states. Opens nothing."""
    for below in OVERRIDDEN_FOLDERS:
        parent = os.path.join(folder, below)
        for name in names_in(parent):
            if name.endswith(".yml") and name[0] != ".":
                path = os.path.join(parent, name)
                for found in _spec_file(KIND_BY_FOLDER[below], path, path, "/", is_inside=True):
                    yield found._replace(is_override=True)
    path = os.path.join(folder, VARIABLES)
    if os.path.lexists(path):
        for found in _spec_file("vars_overrides", path, path, "/", is_inside=True):
            yield found._replace(is_override=True)


def names_in(folder: str) -> list[str]:
    """The names in `folder`, sorted; none if it is missing."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Failure(f"{folder} cannot be read: {error.strerror}") from error


def folders_in(folder: str) -> list[str]:
    """The folders in `folder` that are no links, sorted; none if it is missing."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Failure(f"{folder} cannot be read: {error.strerror}") from error


def _spec_file(kind: str, file: str, path: str, real_root: str, is_inside: bool) -> Iterator[SpecFile]:
    file = printable(file)
    try:
        found = os.lstat(path)
        if stat.S_ISLNK(found.st_mode):
            is_inside = os.path.realpath(path).startswith(real_root)
            found = os.stat(path) if is_inside else found
    except OSError as error:
        yield SpecFile(kind, file, path, (), f"cannot be read: {error.strerror}")
        return
    if not is_inside:
        yield SpecFile(kind, file, path, (), "link points outside the specs repo")
    elif stat.S_ISREG(found.st_mode):
        yield SpecFile(kind, file, path, state_of(found))
    elif not stat.S_ISDIR(found.st_mode):
        yield SpecFile(kind, file, path, (), "cannot be read: not a file")
