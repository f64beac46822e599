"""`dusty cp`: copy files between here and containers, or between two containers."""
from __future__ import annotations

import posixpath
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

from dusty_tasks import session
from dusty_tasks.console import say, warn
from dusty_tasks.core.copying import End, copy_path, end_of
from dusty_tasks.core.sizes import counted, size_text
from dusty_tasks.effects import archives
from dusty_tasks.effects.failures import Failure
from dusty_tasks.verbs.counting import counter
from dusty_tasks.verbs.running import containers, pick
from dusty_tasks.verbs.words import local_path, misuse


def run(words: list[str]) -> int | None:
    """The destination is the path of the copy itself; folders merge, nothing is ever deleted."""
    if len(words) != 2:
        raise misuse("cp", "cp needs a source and a destination")
    try:
        source, destination = end_of(words[0]), end_of(words[1])
    except ValueError as error:
        raise Failure(str(error)) from None
    if not source.container and not destination.container:
        raise Failure("both paths are on this machine: cp copies to or from a container",
                      "a path in a container is written name:/path, for example web:/tmp/file")
    found = containers()
    ids = {end.container: pick(found, end.container).id for end in (source, destination) if end.container}
    env = session.docker_host().engine_environment()
    try:
        with opened(source, ids, env) as entries, counter(words[0]) as count:
            copied = copy(entries, source, destination, ids, env, count)
    except ValueError as error:
        raise Failure(str(error)) from None
    for name in copied.skipped:
        warn(f"{name} is a device or a socket: not copied")
    say(f"copied {words[0]} to {words[1]}: {counted(copied.files, 'file')}, {size_text(copied.size)}")
    return None


@contextmanager
def opened(end: End, ids: Mapping[str, str], env: Mapping[str, str]) -> Iterator[Iterator[archives.Entry]]:
    """The entries of the source. Raises Failure if there is nothing."""
    try:
        if end.container:
            with archives.container_entries(ids[end.container], end.path, env) as entries:
                yield entries
        else:
            yield archives.local_entries(local_path(end.path))
    except archives.SourceMissing:
        raise Failure(f"{end.container + ':' if end.container else ''}{end.path}: no such file or folder") from None


def copy(entries: Iterator[archives.Entry], source: End, destination: End, ids: Mapping[str, str], env: Mapping[str, str],
         count: Callable[[int], None]) -> archives.Copied:
    """Put the entries where the rules of core/copying say."""
    first = next(entries)
    name = posixpath.basename(source.path if source.container else local_path(source.path)) or first[0].name.strip("/.")
    all_entries = chain([first], entries)
    if destination.container:
        container_id = ids[destination.container]
        base, found = nearest_folder(container_id, destination.path, env)
        path = copy_path(name, first[0].isdir(), destination.path, destination.ends_in_slash, found)
        relative = posixpath.relpath(path, base)
        placed = chain(parents(relative), archives.placed_at(all_entries, name, "" if relative == "." else relative))
        return archives.write_to_container(placed, container_id, base, env, count)
    path = local_path(destination.path)
    path = copy_path(name, first[0].isdir(), path, destination.ends_in_slash, archives.local_kind(path))
    return archives.write_to_folder(archives.placed_at(all_entries, name, "", keep_top=True), path, count)


def nearest_folder(container_id: str, path: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The deepest folder that exists on the way to `path`, `path` included, and what stands at `path`. Raises Failure."""
    found = kind = archives.container_kind(container_id, path, env)
    while kind != "folder":
        if (kind == "file" and found != "file") or path == "/":
            raise Failure(f"{path} is a file, not a folder" if kind else f"{path}: the container has no such folder")
        path = posixpath.dirname(path)
        kind = archives.container_kind(container_id, path, env)
    return path, found


def parents(relative: str) -> Iterator[archives.Entry]:
    """Entries for the missing folders above the copy."""
    parts = relative.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        entry = tarfile.TarInfo("/".join(parts[:depth]))
        entry.type, entry.mode, entry.mtime = tarfile.DIRTYPE, 0o755, int(time.time())
        yield entry, None
