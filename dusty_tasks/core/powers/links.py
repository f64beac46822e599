"""Files and folders of the specs repo that Compose reads for a container: none of them may be a link that leads out of it.

A path that is written as leading out is a power (core/powers/rules). One that stays inside by its name, and leaves by a link, is
an error: nobody who reads the spec would see it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, NamedTuple

from dusty_tasks.core.code.build_parts import dockerfile_names
from dusty_tasks.core.powers.folders import is_within
from dusty_tasks.core.specs.compose_values import joined, local_folder, pairs_of, volumes
from dusty_tasks.core.specs.model import Origin, Specs
from dusty_tasks.core.specs.sources import problem_at
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.codes import Code
from dusty_tasks.core.text.key_path import KeyPath
from dusty_tasks.core.text.problems import Problem
from dusty_tasks.core.text.safe import printable, shown


class Read(NamedTuple):
    """One path inside the specs repo that is read for a container."""

    origin: Origin
    written: str
    path: str
    """Absolute."""
    is_file: bool = True
    """False for a folder that an image is built from."""
    is_required: bool = False
    """True for a file without which Compose refuses the container."""

    @property
    def is_dockerfile(self) -> bool:
        """True for one, which leads out wherever its folder does."""
        return self.is_file and self.origin.path[-1] == "build"


def paths_read(specs: Specs, specs_root: str) -> list[Read]:
    """All of them, and what is written as lying outside, of apps and services, active or not."""
    found: list[Read] = []
    for app in specs.apps.values():
        found += _of_container(app.file, ("compose",), app.compose, specs_root, is_service=False)
    for service in specs.services.values():
        found += _of_container(service.file, (), service.compose, specs_root, is_service=True)
    return found


def link_problems(paths: Iterable[Read], target_of: Mapping[str, str], specs: Specs, specs_root: str) -> list[Problem]:
    """An error for each of `paths` that points outside the specs repo; `target_of` says where a path really is, `specs_root` is real."""
    return [
        problem_at(
            read.origin,
            specs.places,
            Code.LINK_OUT,
            f"{shown(read.written)} is a link that points outside the specs repo, to {printable(target_of[read.path])}",
            f"copy the file into the specs repo, or write the path it points to, which needs consent ({DUSTY} trust)",
        )
        for read in paths
        if not is_within(target_of[read.path], [specs_root])
        and not (
            read.is_dockerfile and not is_within(target_of.get(posixpath.dirname(read.path), specs_root), [specs_root])
        )
    ]


def missing_problems(paths: Iterable[Read], existing: Collection[str], specs: Specs, specs_root: str) -> list[Problem]:
    """An error for each file that Compose needs and that is not there; `existing` are the paths that are."""
    return [
        problem_at(
            read.origin,
            specs.places,
            Code.MISSING_FILE,
            f"{shown(read.written)} is missing"
            if not read.written.startswith("/")
            else f"{shown(read.written)} is not on this machine",
            "the path starts at the root of the specs repo; {path: …, required: false} for a file that not everyone has"
            if read.origin.path[-2:-1] == ("env_file",) and is_within(read.path, [specs_root])
            else "",
        )
        for read in paths
        if read.is_required and read.path not in existing
    ]


def trouble_problems(paths: Iterable[Read], trouble_of: Mapping[str, str], specs: Specs) -> list[Problem]:
    """An error for each file that Compose or the builder would read without an end, or not at all; `trouble_of` says why, by path."""
    return [
        problem_at(
            read.origin,
            specs.places,
            Code.FILE_OF_CONTAINER,
            f"{shown(read.written)} cannot be read: {trouble_of[read.path]}",
            "it must be a small text file",
        )
        for read in paths
        if trouble_of.get(read.path)
    ]


def _of_container(
    file: str, base: KeyPath, compose: Mapping[str, Any], root: str, *, is_service: bool
) -> Iterator[Read]:
    for path, written, is_file in chain(_mounted(compose if is_service else {}), _written(compose, is_service)):
        whole = joined(root, written)
        if written and whole.startswith("/"):
            yield Read(Origin(file, (*base, *path)), written, whole, is_file, _is_required(compose, path))


def _is_required(compose: Mapping[str, Any], path: KeyPath) -> bool:
    """True for files of variables and labels, unless the spec says that one may be missing."""
    if path[0] == "volumes":
        return True
    if path[0] not in ("env_file", "label_file"):
        return False
    assert isinstance(path[1], int)
    item = listed(compose[path[0]])[path[1]]
    return not (isinstance(item, Mapping) and str(item.get("required", True)).lower() in ("false", "no", "off"))


def _mounted(compose: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str, bool]]:
    """What a service mounts of the specs repo, in the same form."""
    for index, volume in volumes(dict(compose)):
        if volume.spec_path:
            yield ("volumes", index), volume.spec_path, False


def _written(
    compose: Mapping[str, Any], is_service: bool, plain: Callable[[str], str] = str
) -> Iterator[tuple[KeyPath, str, bool]]:
    """Key path and path of what is read, as the spec has it, and whether that is a file.

    `plain` makes of a text in `compose` what it means: in a compiled entry each `$` is doubled.
    """
    for key in ("env_file", "label_file"):
        for index, item in enumerate(listed(compose.get(key))):
            yield (key, index), plain(str(item.get("path", "")) if isinstance(item, Mapping) else str(item)), True
    build = compose.get("build")
    if build and is_service:
        build = build if isinstance(build, Mapping) else {"context": build}
        context = local_folder(plain(str(build.get("context", "."))))
        yield ("build",), context, False
        dockerfile = plain(str(build.get("dockerfile") or "")).replace("$", "$$")
        for name in dockerfile_names({"dockerfile": dockerfile}) if context else ():
            yield ("build",), posixpath.join(context, name), True
        for _, text in pairs_of(build.get("additional_contexts")):
            yield ("build",), local_folder(plain(text)), False


def paths_of_mapping(mapping: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """(absolute path, whether it is a file) of what is read for a container, by its compiled entry."""
    context = ""
    for path, text, is_file in _written(mapping, is_service=True, plain=lambda text: text.replace("$$", "$")):
        if path != ("build",):
            yield text, is_file
        elif not context and not text.startswith("/"):
            return  # The first of a build is its context, where its other paths begin: one that is elsewhere is all elsewhere.
        elif text:
            context = context or text
            yield posixpath.normpath(posixpath.join(context, text)), is_file


def listed(value: Any) -> list[Any]:
    """What a key that takes one value or a list holds, as a list."""
    return [] if value is None else [value] if isinstance(value, (str, Mapping)) else list(value)
