"""What an image is built from, as a digest: Dockerfile, context after .dockerignore, additional contexts, arguments of the caller's.

Names, types, modes, contents and links count, times and owners do not: that is what the builder looks at.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.code.build_parts import contexts_of, dockerfile_names, outside_args
from dusty_tasks.core.code.dockerignore import IGNORE_FILE, LARGEST_FILE, BadPattern, Ignored, read_patterns
from dusty_tasks.core.plan.found import UNREADABLE
from dusty_tasks.core.plan.wanted import WantedContainer
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.doors.files import read_bounded, read_bytes, write_if_changed

CHUNK = 1 << 20
SETTLED = 2_000_000_000
"""Nanoseconds after which a file that is changed again surely has another time."""


class Entry(NamedTuple):
    """What the builder sees at a path of a context."""

    path: str
    """Below the context: `a/b`."""
    mode: int
    times: tuple[int, ...] = ()
    """ctime, mtime (both in ns), size and inode; none of a folder, where they change with what is ignored in it."""


def context_digests(
    containers: Iterable[WantedContainer], cache_path: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """Container -> digest of what its image is built from, or UNREADABLE and why there is none. A file is opened only where some state differs
    from that of the last time."""
    built = {
        container.name: container
        for container in containers
        if container.build_context and os.path.isdir(container.build_context)
    }
    if not built:
        return {}
    known, now = _read_cache(cache_path), time.time_ns()
    seen: dict[str, Any] = {}
    parts: dict[str, str] = {}
    for name, container in built.items():
        build = container.mapping.get("build")
        try:
            parts[name] = _digest_of(container.build_context, build, environ, known, seen, now)
        except (OSError, BadPattern) as error:
            parts[name] = f"{UNREADABLE}{_reason(error)}"
    if seen != known:
        write_if_changed(cache_path, json.dumps(seen).encode("utf-8", "surrogateescape"))
    return {name: _with_services(name, built, parts) for name in built}


def _reason(error: OSError | BadPattern) -> str:
    if isinstance(error, OSError):
        return f"{printable(os.fsdecode(error.filename or ''))} cannot be read: {error.strerror}"
    return str(error)


def _with_services(name: str, built: Mapping[str, WantedContainer], parts: Mapping[str, str]) -> str:
    """The digest of a container whose image is made from those of others (`additional_contexts: {base: service:other}`), too."""
    own = parts[name]
    pending, reached = [name], {name}
    while pending:
        for context in contexts_of(built[pending.pop()].mapping.get("build")):
            if context.service in built and context.service not in reached:
                reached.add(context.service)
                pending.append(context.service)
    if len(reached) == 1 or own.startswith(UNREADABLE):
        return own
    return hashlib.sha256("\n".join(f"{other} {parts[other]}" for other in sorted(reached)).encode()).hexdigest()


def _digest_of(
    context: str, build: Any, environ: Mapping[str, str], known: Mapping[str, Any], seen: dict[str, Any], now: int
) -> str:
    """The digest of one build; what is remembered goes into `seen`. Raises OSError, BadPattern."""
    digest = hashlib.sha256(json.dumps([build, outside_args(build, environ)], sort_keys=True).encode())
    for name in dockerfile_names(build):
        path = os.path.join(context, name)
        if os.path.isfile(path):
            digest.update(_file_digest(path, known, seen, now))
            break
    else:
        name = dockerfile_names(build)[0]
    ignore_files = (f"{os.path.join(context, name)}.dockerignore", f"{context}/{IGNORE_FILE}")
    digest.update(_tree_digest(context, ignore_files, known, seen, now))
    for other in contexts_of(build):
        if other.folder and os.path.isdir(folder := os.path.join(context, other.folder)):
            digest.update(
                f"{other.name}\0".encode()
                + _tree_digest(folder, (f"{folder}/{IGNORE_FILE}",) if other.is_ignoring else (), known, seen, now)
            )
    return digest.hexdigest()


def _file_digest(path: str, known: Mapping[str, Any], seen: dict[str, Any], now: int) -> bytes:
    state = os.stat(path)
    entries = [Entry(os.path.basename(path), state.st_mode, _times(state))]
    return _remembered(f"file {path}", entries, known, seen, now, lambda digest: _add_content(digest, path))


def _tree_digest(
    folder: str, ignore_files: Iterable[str], known: Mapping[str, Any], seen: dict[str, Any], now: int
) -> bytes:
    """The digest of what the builder sees of a folder. Raises OSError, BadPattern."""
    ignored = Ignored(_patterns(ignore_files))
    entries = list(entries_of(folder, ignored))
    key = f"tree {folder} {hashlib.sha256(json.dumps([pattern[:2] for pattern in ignored.patterns]).encode()).hexdigest()[:16]}"

    def read(digest: hashlib._Hash) -> None:
        for entry in entries:
            digest.update(f"{entry.path}\0{entry.mode:o}\0".encode("utf-8", "surrogateescape"))
            if stat.S_ISREG(entry.mode):
                _add_content(digest, os.path.join(folder, entry.path))
            elif stat.S_ISLNK(entry.mode):
                digest.update(os.fsencode(os.readlink(os.path.join(folder, entry.path))))
            digest.update(b"\0")

    return _remembered(key, entries, known, seen, now, read)


def _patterns(ignore_files: Iterable[str]) -> list[str]:
    """The patterns of the first of the files that is there. Raises OSError, BadPattern."""
    for path in ignore_files:
        text = read_bounded(path, LARGEST_FILE)
        if text is not None:
            try:
                return read_patterns(text)
            except BadPattern as error:
                raise BadPattern(f"{path}: {error}") from None
    return []


def _remembered(
    key: str, entries: Iterable[Entry], known: Mapping[str, Any], seen: dict[str, Any], now: int, read: Any
) -> bytes:
    """What `read` adds to a digest, taken from `known` where the states of all entries are as they were. Raises OSError."""
    states, newest = hashlib.sha256(), 0
    for path, mode, times in entries:
        states.update(f"{path}\0{mode} {times}\n".encode("utf-8", "surrogateescape"))
        newest = max(newest, *(times[:1] or (0,)))
    before = known.get(key)
    if isinstance(before, dict) and before.get("state") == states.hexdigest() and isinstance(before.get("digest"), str):
        seen[key] = before
    else:
        digest = hashlib.sha256()
        read(digest)
        # A file that changes twice within a tick of its clock shows no other state: such a young one is looked into again.
        seen[key] = {"state": states.hexdigest() if newest < now - SETTLED else "", "digest": digest.hexdigest()}
    return str(seen[key]["digest"]).encode()


def _add_content(digest: hashlib._Hash, path: str) -> None:
    """The bytes of a regular file, some at a time. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return
        while chunk := file.read(CHUNK):
            digest.update(chunk)


def entries_of(folder: str, ignored: Ignored) -> Iterator[Entry]:
    """What the builder sees of a context, sorted by folder and name; an ignored folder counts where something in it is not."""
    yield from _below(folder, "", ignored, ignored.top)


def _below(root: str, below: str, ignored: Ignored, above: tuple[bool, tuple[bool, ...]]) -> Iterator[Entry]:
    try:
        with os.scandir(os.path.join(root, below)) as scan:
            found = sorted(scan, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in found:
        path = f"{below}/{entry.name}" if below else entry.name
        decided = ignored.decide(path, above)
        is_out = decided[0]
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_out and not is_folder:
            continue
        try:
            state = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if not is_folder:
            yield Entry(path, state.st_mode, _times(state))
        elif ignored.is_entered(path, is_out):
            inside = _below(root, path, ignored, decided)
            first = next(inside, None)
            if not is_out or first is not None:
                yield Entry(path, state.st_mode)
            if first is not None:
                yield first
                yield from inside


def _times(state: os.stat_result) -> tuple[int, ...]:
    return state.st_ctime_ns, state.st_mtime_ns, state.st_size, state.st_ino


def _read_cache(path: str) -> dict[str, Any]:
    try:
        known = json.loads(read_bytes(path) or b"{}")
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}
