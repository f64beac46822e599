"""`dusty import`: what the pure import (core/importing) has to know of this machine, and the files that it writes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import NamedTuple

from dusty_tasks.core.importing.compose_yaml import Refused
from dusty_tasks.core.importing.importing import Outcomes, import_project
from dusty_tasks.core.importing.reading import Project, read_project
from dusty_tasks.core.importing.surroundings import Checkout, Owned, Surroundings
from dusty_tasks.core.specs.repo_ids import login_of, repo_of
from dusty_tasks.core.specs.shape import DocumentReader
from dusty_tasks.core.text.excerpt import excerpt
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.code.git import git, remote_urls
from dusty_tasks.effects.code.working_tree import has_git
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import read_bounded, write_atomically
from dusty_tasks.effects.doors.source_lines import split_lines
from dusty_tasks.effects.specs.schemas import read_schema

USUAL = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""What Compose looks for, the first that is there."""
OVERRIDES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
LARGEST = 16 << 20
MOST_FILES, MOST_BYTES = 200, 2 << 20
"""What a specs repo may hold of a folder that containers mount."""


class Import(NamedTuple):
    """What a person asked for; all paths absolute."""

    files: tuple[str, ...]
    specs: str
    env_files: tuple[str, ...] | None = None
    own: Mapping[str, Owned] = {}
    own_from: str = ""


class Written(NamedTuple):
    """Files of the specs by what becomes of them."""

    new: list[str]
    same: list[str]
    other: list[str]
    """Those that are there and differ."""


def usual_files(folder: str) -> list[str]:
    """The Compose files of a folder that Compose itself would take, none where there is none."""
    found = [name for name in USUAL if os.path.isfile(os.path.join(folder, name))][:1]
    over = [name for name in OVERRIDES if os.path.isfile(os.path.join(folder, name))][:1] if found else []
    return [os.path.join(folder, name) for name in [*found, *over]]


def run_import(asked: Import) -> tuple[Project, Outcomes]:
    """Read, convert and prove; nothing is written. Raises Failure for files that Compose would refuse."""
    try:
        project = read_project(asked.files, os.path.dirname(asked.files[0]), _read, asked.env_files)
        unknown = [name for name in asked.own if name not in project.services]
        if unknown:
            raise Failure(
                f'--own names "{unknown[0]}", which is not a service of the project', ", ".join(project.services)
            )
        return project, import_project(project, surroundings(asked), cache(_reader))
    except Refused as refused:
        place = refused.place
        source = excerpt(split_lines(_read(place.file) or b""), place.line, place.column)
        said = printable(f"{place._replace(file=near(place.file))}: {refused.what}")
        raise Failure(f"{said}\n{source}" if source else said, refused.hint) from None


def near(path: str) -> str:
    """A path as messages show it: from the current folder on, where it is in there."""
    start = f"{os.getcwd().rstrip('/')}/"
    return path.removeprefix(start) if path.startswith(start) else path


def _reader(kind: str) -> DocumentReader:
    return DocumentReader(kind, read_schema(kind))


def surroundings(asked: Import) -> Surroundings:
    """What an import may ask of this machine."""
    named = cache(repo_string)
    return Surroundings(
        asked.specs,
        _read,
        _kind_of,
        _files_in,
        partial(checkout_of, named),
        cache(_is_ignored),
        asked.own,
        _checkouts_in(asked.own_from),
    )


def _read(path: str) -> bytes | None:
    try:
        return read_bounded(path, LARGEST) if os.path.isfile(path) else None
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error


def _kind_of(path: str) -> str:
    return "folder" if os.path.isdir(path) else "file" if os.path.isfile(path) else ""


def _files_in(folder: str) -> list[str] | None:
    found: list[str] = []
    size = 0
    for there, folders, names in os.walk(folder):
        if ".git" in folders or ".git" in names:
            return None
        folders.sort()
        for name in sorted(names):
            path = os.path.join(there, name)
            if not os.path.isfile(path) or os.path.islink(path) or not os.access(path, os.R_OK):
                return None
            size += os.path.getsize(path)
            found.append(os.path.relpath(path, folder))
            if len(found) > MOST_FILES or size > MOST_BYTES:
                return None
    return found


def checkout_of(named: Callable[[str], str], path: str) -> Checkout | None:
    """The checkout that a path of this machine lies in; None for what is not there."""
    if not os.path.lexists(path):
        return None
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    while folder != os.path.dirname(folder):
        if has_git(folder):
            return Checkout(folder, named(folder))
        folder = os.path.dirname(folder)
    return None


def _checkouts_in(folder: str) -> dict[str, Checkout]:
    if not folder:
        return {}
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise Failure(f"{folder} cannot be read: {error.strerror}") from error
    paths = {name: os.path.join(folder, name) for name in names}
    return {name: Checkout(path, repo_string(path)) for name, path in paths.items() if has_git(path)}


def repo_string(folder: str) -> str:
    """A checkout as a spec names it: by its first remote, without a password; by its path where it has none."""
    for url in remote_urls(folder):
        try:
            repo = repo_of(login_of(url).url)
        except ValueError:
            continue
        is_usual_ssh = url.startswith("git@") or url.startswith("ssh://git@")
        plain = repo.id if is_usual_ssh and not repo.local_path else repo.written
        try:
            return plain if repo_of(plain).id == repo.id else repo.written
        except ValueError:
            return repo.written
    return folder


def _is_ignored(path: str) -> bool:
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    if not os.path.isdir(folder):
        return False
    return git(["check-ignore", "--quiet", "--", path], cwd=folder).code == 0


def compare(specs: str, files: Mapping[str, bytes]) -> Written:
    """What is there of the files to write. Raises Failure for a place that no file can have."""
    new: list[str] = []
    same: list[str] = []
    other: list[str] = []
    for path, data in sorted(files.items()):
        whole = os.path.join(specs, path)
        if not os.path.lexists(whole):
            new.append(path)
        elif not os.path.isfile(whole):
            raise Failure(f"{whole} is not a file", "another folder: --into FOLDER")
        else:
            (same if read_bounded(whole, LARGEST) == data else other).append(path)
    return Written(new, same, other)


def write(specs: str, files: Mapping[str, bytes], paths: Sequence[str], copies: Mapping[str, str] = {}) -> None:
    """Write these of the files; a copy can be executed if what it is copied from can be. Raises Failure."""
    for path in paths:
        whole = os.path.join(specs, path)
        try:
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            is_program = path in copies and os.stat(copies[path]).st_mode & stat.S_IXUSR
            write_atomically(whole, files[path], 0o755 if is_program else 0o644)
        except OSError as error:
            raise Failure(f"{whole} cannot be written: {error.strerror}") from error
