"""Importing in tests: a stack of texts, with what the pure import would ask of a machine."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dusty_tasks.core.importing.importing import Outcomes, import_project
from dusty_tasks.core.importing.reading import Project, read_project
from dusty_tasks.core.importing.report import Row
from dusty_tasks.core.importing.surroundings import Checkout, Owned, Surroundings
from dusty_tasks.core.specs.shape import DocumentReader
from dusty_tasks.effects.specs.schemas import read_schema

FOLDER, SPECS = "/project", "/project/specs"
STACKS = Path(__file__).parent / "stacks"
EVERYTHING = STACKS / "everything"


@cache
def reader(kind: str) -> DocumentReader:
    return DocumentReader(kind, read_schema(kind))


def files_of(stack: str) -> dict[str, str]:
    """The files of a stack by their paths."""
    folder = STACKS / stack
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def everything() -> dict[str, str]:
    """The files of the stack that has all of Compose in it."""
    return files_of("everything")


def project_of(files: Mapping[str, str], *names: str) -> Project:
    """How these Compose files (default compose.yml) are read."""
    by_path = {posixpath.join(FOLDER, name): text.encode() for name, text in files.items()}
    return read_project([posixpath.join(FOLDER, name) for name in names or ("compose.yml",)], FOLDER, by_path.get)


def imported(
    files: Mapping[str, str],
    *names: str,
    checkouts: Mapping[str, str] | None = None,
    own: Mapping[str, Owned] | None = None,
    own_from: Mapping[str, Checkout] | None = None,
    ignored: tuple[str, ...] = (),
) -> Outcomes:
    """The import of Compose files (default compose.yml) among `files`; `checkouts` are folders of the project with their repos."""
    by_path = {posixpath.join(FOLDER, name): text.encode() for name, text in files.items()}
    roots = {posixpath.normpath(posixpath.join(FOLDER, folder)): repo for folder, repo in (checkouts or {}).items()}

    def kind_of(path: str) -> str:
        return "file" if path in by_path else "folder" if any(name.startswith(f"{path}/") for name in by_path) else ""

    def files_in(path: str) -> list[str]:
        return sorted(posixpath.relpath(name, path) for name in by_path if name.startswith(f"{path}/"))

    def checkout_of(path: str) -> Checkout | None:
        found = [root for root in roots if f"{path}/".startswith(f"{root}/") and kind_of(path)]
        return Checkout(max(found, key=len), roots[max(found, key=len)]) if found else None

    around = Surroundings(
        SPECS, by_path.get, kind_of, files_in, checkout_of, lambda path: path in ignored, own or {}, own_from or {}
    )
    return import_project(project_of(files, *names), around, reader)


def of_services(text: str, **more: Any) -> Outcomes:
    """The import of one Compose file, given by its text."""
    return imported({"compose.yml": text, **more.pop("files", {})}, **more)


def row(made: Outcomes, name: str) -> Row:
    """The row of `service.key`."""
    (found,) = [row for row in made.rows if row.name == name]
    return found


def text(made: Outcomes, path: str) -> str:
    return made.files[path].decode()
