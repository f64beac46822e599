"""`dusty init`: what the pure detection (core/importing) has to know of a folder, and what is there already."""

from __future__ import annotations

import os
from functools import cache, partial

from dusty_tasks.core.importing.first_specs import Code
from dusty_tasks.core.importing.found_code import Folder
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bounded
from dusty_tasks.operations.importing import checkout_of, repo_string

KINDS = ("bundles", "apps", "libs", "services")
DEEPEST, MOST_NAMES, LARGEST = 3, 20_000, 1 << 20
_NOT_WRITTEN_HERE = ("node_modules", "vendor", "venv", "target", "__pycache__")


def read_folder(path: str) -> Folder:
    """The code of a folder: the names of its files, as deep as detection looks. Raises Failure."""
    names: set[str] = set()

    def stop(error: OSError) -> None:
        if error.filename == path:
            raise Failure(f"{path} cannot be read: {error.strerror}") from error

    for there, folders, files in os.walk(path, onerror=stop):
        below = os.path.relpath(there, path)
        depth = 0 if below == "." else below.count(os.sep) + 1
        folders[:] = [
            name
            for name in sorted(folders)
            if depth + 1 < DEEPEST and name not in _NOT_WRITTEN_HERE and _is_shown(name)
        ]
        names.update(os.path.normpath(os.path.join(below, name)) for name in files)
        if len(names) > MOST_NAMES:
            break
    deeper = [f"src/main/resources/application.{ending}" for ending in ("properties", "yml", "yaml")]
    names.update(name for name in deeper if os.path.isfile(os.path.join(path, name)))
    return Folder(os.path.basename(path), frozenset(names), cache(partial(_text, path)))


def _is_shown(name: str) -> bool:
    return not name.startswith(".") or name == ".docker"


def _text(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    try:
        data = read_bounded(path, LARGEST) if name and os.path.isfile(path) else b""
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    return (data or b"").decode("utf-8", "replace")


def code_of(path: str) -> Code:
    """The folder as an app names its code: by the checkout that it is in, else by its path."""
    checkout = checkout_of(repo_string, path)
    if checkout is None:
        return Code(path, ".")
    return Code(checkout.repo, os.path.relpath(path, checkout.folder))


def specs_there(folder: str) -> list[str]:
    """The specs that a folder holds, by their paths."""
    found = []
    for kind in KINDS:
        try:
            names = sorted(os.listdir(os.path.join(folder, kind)))
        except OSError:
            continue
        found += [os.path.join(folder, kind, name) for name in names if name.endswith(".yml") and name[0] != "."]
    return found
