"""Mounts: two at one path in one container, and volumes at a path that Dusty needs (docs/specs.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from posixpath import normpath
from typing import NamedTuple

from dusty_tasks.core.specs.compose_values import volumes
from dusty_tasks.core.specs.documents import Document
from dusty_tasks.core.specs.model import App, Lib, Specs, code_mounts
from dusty_tasks.core.stack.assemble import closure
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import shown, unsafe_part


class _Mount(NamedTuple):
    path: str
    repo_id: str
    owner: App | Lib


def check_mounts(specs: Specs, documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Clashes within the container of each app, and the test containers of each app and lib; `documents` is by file."""
    clashes: dict[tuple[str, str], tuple[_Mount, _Mount]] = {}
    owners: list[App | Lib] = [*specs.apps.values(), *specs.libs.values()]
    for owner in owners:
        document = documents[owner.file]
        by_path: dict[str, _Mount] = {}
        own = list(_own_mount(owner))
        for mount in [*(_lib_mount(lib) for lib in lib_closure(specs, owner)), *own]:
            first = by_path.setdefault(mount.path, mount)
            if first is not mount and first.repo_id != mount.repo_id:
                clashes.setdefault((first.owner.file, mount.owner.file), (first, mount))
        yield from _volume_problems(owner, document, by_path)
        yield from _folder_problems(document)
    yield from _taken(list(clashes.values()), documents)


def _taken(clashes: list[tuple[_Mount, _Mount]], documents: Mapping[str, Document]) -> Iterator[Problem]:
    """Clashes of two mounts: whoever is in several of them is told of once, of any other two the later."""
    while clashes:
        counts = Counter(mount.owner.file for clash in clashes for mount in clash)
        file, most = max(counts.items(), key=lambda item: (item[1], item[0]))
        if most < 2:
            break
        mine = [clash for clash in clashes if file in (clash[0].owner.file, clash[1].owner.file)]
        others = [(a if b.owner.file == file else b).owner for a, b in mine]
        what = f"{mine[0][0].path} is also the mount of {_listed(others)}"
        yield documents[file].problem(("mount",), Code.MOUNT_TAKEN, what, "another mount")
        clashes = [clash for clash in clashes if clash not in mine]
    for first, mount in clashes:
        yield documents[mount.owner.file].problem(
            ("mount",),
            Code.MOUNT_TAKEN,
            f"{mount.path} is already the mount of {_called(first.owner)}",
            "another mount",
        )


def lib_closure(specs: Specs, owner: App | Lib) -> list[Lib]:
    """The libs in the container of `owner`, itself left out, sorted by name."""
    names = closure(owner.libs, lambda name: specs.libs[name].libs, specs.libs)
    return [specs.libs[name] for name in sorted(names) if specs.libs[name] is not owner]


def _own_mount(owner: App | Lib) -> Iterator[_Mount]:
    for mount in code_mounts(owner):
        if owner.repo:
            yield _Mount(mount.path, owner.repo.id, owner)


def _folder_problems(document: Document) -> Iterator[Problem]:
    """Folders of the repo that `mount` names: inside it, and each at a place of its own."""
    written = document.value.get("mount")
    if not isinstance(written, dict):
        return
    if not written:
        yield document.problem(("mount",), Code.EMPTY_VALUE, "must not be empty", "mount: {.: /app}")
    places: dict[str, str] = {}
    for folder, path in written.items():
        if unsafe := unsafe_part(folder) or next((f"{sign!r}" for sign in "*?[:\\" if sign in folder), ""):
            yield document.problem(("mount", folder), Code.UNSAFE_TEXT, f"the folder {shown(folder)} contains {unsafe}")
        elif not folder or folder.startswith(("/", "~")) or normpath(folder).split("/")[0] == "..":
            yield document.problem(
                ("mount", folder),
                Code.BUILD,
                f"{shown(folder)} is not a folder of the repo",
                "a path from the top of the repo; . means all of it",
            )
        if isinstance(path, str) and places.setdefault(path.rstrip("/"), folder) != folder:
            what = f"{path} is also the place of {shown(places[path.rstrip('/')])}"
            yield document.problem(("mount", folder), Code.MOUNT_TAKEN, what, "another path in the container")


def _lib_mount(lib: Lib) -> _Mount:
    return _Mount(lib.mount, lib.repo.id, lib)


def _called(owner: App | Lib) -> str:
    return f"{'app' if isinstance(owner, App) else 'lib'} {shown(owner.name)}"


def _listed(owners: list[App | Lib]) -> str:
    """`lib "x", apps "a" and "b"`."""
    parts = []
    for kind, noun in ((Lib, "lib"), (App, "app")):
        names = [shown(owner.name) for owner in owners if isinstance(owner, kind)]
        if names:
            all_names = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
            parts.append(f"{noun if len(names) == 1 else f'{noun}s'} {all_names}")
    return " and ".join(parts)


def _volume_problems(owner: App | Lib, document: Document, by_path: Mapping[str, _Mount]) -> Iterator[Problem]:
    """Volumes of the spec itself that would lie over a mount."""
    containers: list[tuple[KeyPath, dict]] = [(("compose",), owner.compose)] if isinstance(owner, App) else []
    for index, suite in enumerate(owner.tests.suites if owner.tests else ()):
        containers.append((("test", "suites", index, "compose"), suite.compose))
    for base, compose in containers:
        for index, volume in volumes(compose):
            if volume.target in by_path:
                yield document.problem(
                    (*base, "volumes", index),
                    Code.MOUNT_TAKEN,
                    f"{volume.target} is already the mount of {_called(by_path[volume.target].owner)}",
                    "another path in the container",
                )
