"""`dusty cp`: copy files between here and containers, or between two containers."""

from __future__ import annotations

import posixpath
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from dusty_tasks import session
from dusty_tasks.console import is_terminal, say, warn
from dusty_tasks.core.of_verbs.copying import End, copy_path, end_of
from dusty_tasks.core.text.safe import printable
from dusty_tasks.core.text.wording import counted, size_text
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.engine import copies as archives
from dusty_tasks.effects.engine.http import Engine
from dusty_tasks.verbs.shared.counting import counter
from dusty_tasks.verbs.shared.running import containers, pick
from dusty_tasks.verbs.shared.words import local_path, misuse

if TYPE_CHECKING:
    from dusty_tasks.core.plan.found import FoundContainer
    from dusty_tasks.operations.container_files import ContainerFiles


STREAM = "-"
"""As a word: stdin or stdout. A file of that name is written ./-"""
MOST_LINKS = 40


def run(words: list[str]) -> int | None:
    """The destination is the path of the copy itself; folders merge, nothing is ever deleted."""
    if len(words) != 2:
        raise misuse("cp", "cp needs a source and a destination")
    try:
        source, destination = end_of(words[0]), end_of(words[1])
    except ValueError as error:
        raise Failure(str(error)) from None
    if not source.container and not destination.container:
        raise Failure(
            "both paths are on this machine: cp copies to or from a container",
            "a path in a container is written name:/path, for example web:/tmp/file",
        )
    found = containers()
    if words[1] == STREAM:
        write_out(source, found)
        return None
    source_files, destination_files = (files_at(end, found) if end.container else None for end in (source, destination))
    try:
        with (
            from_stdin(destination) if words[0] == STREAM else opened(source, source_files) as entries,
            counter(words[0]) as count,
        ):
            copied = copy(entries, source, destination, destination_files, count)
    except ValueError as error:
        raise Failure(str(error)) from None
    for name in copied.skipped:
        warn(f"{printable(name)} is a device or a socket: not copied")
    say(f"copied {words[0]} to {words[1]}: {counted(copied.files, 'file')}, {size_text(copied.size)}")
    return None


def write_out(source: End, found: dict[str, FoundContainer]) -> None:
    """The bytes of a file to stdout, or a folder as a tar archive; a link leads to what it names. Raises Failure."""
    for _link in range(MOST_LINKS):
        with opened(source, files_at(source, found)) as entries:
            first, file = next(entries)
            if not first.issym():
                if not first.isreg() and not first.isdir():
                    raise Failure(f"{source.container}:{source.path} is a device or a socket: not copied")
                if first.isdir() and is_terminal():
                    raise Failure(
                        f"{source.container}:{source.path} is a folder: a tar archive is not written to a terminal",
                        "redirect it, or name a folder to copy it to",
                    )
                archives.write_to_stream(chain([(first, file)], entries), sys.stdout.buffer)
                return
            source = source._replace(
                path=posixpath.normpath(posixpath.join(posixpath.dirname(source.path), first.linkname))
            )
    raise Failure(f"{source.container}:{source.path}: too many links")


@contextmanager
def from_stdin(destination: End) -> Iterator[Iterator[archives.Entry]]:
    """What comes on stdin as a file of the destination's name. Raises Failure for a destination that names none."""
    if destination.ends_in_slash:
        raise Failure("what comes on stdin has no name: the destination must be the path of the file itself")
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        entry = tarfile.TarInfo(posixpath.basename(destination.path))
        entry.size, entry.mtime = file.tell(), int(time.time())
        file.seek(0)
        yield iter([(entry, file)])


def files_at(end: End, found: dict[str, FoundContainer]) -> ContainerFiles:
    """The way to the files at a path of a container. Raises Failure for an unknown name."""
    from dusty_tasks.operations.container_files import ContainerFiles

    container = pick(found, end.container)
    return ContainerFiles(Engine(session.docker_host()), container, end.path)


@contextmanager
def opened(end: End, files: ContainerFiles | None) -> Iterator[Iterator[archives.Entry]]:
    """The entries of the source. Raises Failure if there is nothing."""
    try:
        if files:
            with files.entries() as entries:
                yield entries
        else:
            yield archives.local_entries(local_path(end.path))
    except archives.SourceMissing:
        raise Failure(f"{end.container + ':' if end.container else ''}{end.path}: no such file or folder") from None


def copy(
    entries: Iterator[archives.Entry],
    source: End,
    destination: End,
    files: ContainerFiles | None,
    count: Callable[[int], None],
) -> archives.Copied:
    """Put the entries where the rules of core/of_verbs/copying say; `files` are those of a container that they go to."""
    first = next(entries)
    is_stream = not source.container and source.path == STREAM
    name = "" if is_stream else posixpath.basename(source.path if source.container else local_path(source.path))
    name = name or first[0].name.strip("/.")
    all_entries = chain([first], entries)
    if files:
        reach = files.to_write(is_folder=first[0].isdir())
        base, found = nearest_folder(reach, destination.path)
        if is_stream and found == "folder":
            raise Failure(
                f"{destination.path} is a folder, and what comes on stdin has no name",
                f"name the file: {destination.path}/<name>",
            )
        path = copy_path(name, first[0].isdir(), destination.path, destination.ends_in_slash, found)
        relative = posixpath.relpath(path, base)
        copy_name = "" if relative == "." else relative
        placed = chain(
            parents(relative), files.arriving(archives.placed_at(all_entries, name, copy_name), copy_name, reach)
        )
        return archives.write_to_container(placed, reach, base, count)
    path = local_path(destination.path)
    path = copy_path(name, first[0].isdir(), path, destination.ends_in_slash, archives.local_kind(path))
    return archives.write_to_folder(archives.placed_at(all_entries, name, "", keep_top=True), path, count)


def nearest_folder(reach: archives.Reach, path: str) -> tuple[str, str]:
    """The deepest folder that exists on the way to `path`, `path` included, and what stands at `path`. Raises Failure."""
    found = kind = archives.container_kind(reach, path)
    while kind != "folder":
        if (kind == "file" and found != "file") or path == "/":
            raise Failure(f"{path} is a file, not a folder" if kind else f"{path}: the container has no such folder")
        path = posixpath.dirname(path)
        kind = archives.container_kind(reach, path)
    return path, found


def parents(relative: str) -> Iterator[archives.Entry]:
    """Entries for the missing folders above the copy."""
    parts = relative.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        entry = tarfile.TarInfo("/".join(parts[:depth]))
        entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, int(time.time())
        yield entry, None
