"""The state of a repo's source, read in one walk: names, types, modes, sizes, times and excludes, as one digest.

10,000 files take about 25 ms: the walk keeps one tuple a file and no object beyond it. Excluded folders are not entered. The time of
a folder is left out: it changes with every excluded file that comes and goes in it, and its names are in the digest anyway.
"""

from __future__ import annotations

import marshal
import os
import stat
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any, NamedTuple

from dusty_tasks.core.code.excludes import IGNORE_FILE, LARGEST_FILE, Matcher, Rule, filter_text, rules_of
from dusty_tasks.core.code.linear import SHORT
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.files import put_in_place, read_bounded, read_bytes, write_atomically

Entry = tuple[Any, ...]
"""(name, mode) of a folder, (name, mode, size, mtime in ns) of a file, (name, mode, target) of a link."""


class Source(NamedTuple):
    """What a walk found."""

    fingerprint: str
    files: int
    """Everything but folders."""
    folders: dict[bytes, list[Entry]]
    """Folder (`/`, `/a/`) -> its entries, sorted."""
    looked_ns: int = 0
    """When the walk began."""
    newest_ns: int = 0
    """The last ctime of its files."""
    inodes: int = 0
    """The sum of their inodes: another one where a file was replaced."""
    rules: tuple[Rule, ...] = ()
    """Which were left out."""


def read_rules(source: str, extra: Sequence[str]) -> tuple[Rule, ...]:
    """The exclude rules of the repo at `source`; `extra` is the setting sync.exclude. Raises OSError for an ignore file without an end."""
    return rules_of(read_bounded(os.path.join(source, IGNORE_FILE), LARGEST_FILE) or b"", extra)


def read_source(source: str, rules: Sequence[Rule]) -> Source:
    """Walk `source`. What vanishes or may not be read meanwhile is left to rsync's judgement; raises OSError for the root."""
    matcher = Matcher(rules)
    names, any_file, any_folder, is_excluded = matcher.names, matcher.any_file, matcher.any_folder, matcher.is_excluded
    root = os.fsencode(source).rstrip(b"/")
    digest = blake2b(filter_text(rules), digest_size=20)
    folders: dict[bytes, list[Entry]] = {}
    files = newest_ns = inodes = 0
    looked_ns = time.time_ns()
    pending = [b"/"]
    while pending:
        folder = pending.pop()
        entries: list[Entry] = []
        below = []
        # A name has 255 bytes at most: up to there the quick expressions may be asked.
        is_slow = matcher.is_hard or len(folder) > SHORT - 256
        try:
            scan = os.scandir(root + folder)
        except OSError:
            if folder == b"/":
                raise
            continue
        with scan:
            for found in scan:
                name = found.name
                is_folder = found.is_dir(follow_symlinks=False)
                expression = any_folder if is_folder else any_file
                if (is_slow or name in names or (expression and expression.fullmatch(folder + name))) and is_excluded(
                    folder + name, is_folder
                ):
                    continue
                try:
                    state = found.stat(follow_symlinks=False)
                    mode = state.st_mode
                    if is_folder:
                        below.append(folder + name + b"/")
                        entries.append((name, mode))
                        continue
                    if stat.S_ISLNK(mode):
                        entries.append((name, mode, os.readlink(found.path)))
                    elif stat.S_ISREG(mode):
                        entries.append((name, mode, state.st_size, state.st_mtime_ns))
                        inodes += state.st_ino
                        if state.st_ctime_ns > newest_ns:
                            newest_ns = state.st_ctime_ns
                    else:
                        entries.append((name, mode, state.st_rdev))
                    files += 1
                except FileNotFoundError:
                    continue
        entries.sort()
        folders[folder] = entries
        # Version 2 of marshal has no references in it: equal values are equal bytes, in every Python.
        digest.update(folder)
        digest.update(marshal.dumps(entries, 2))
        below.sort(reverse=True)
        pending += below
    return Source(digest.hexdigest(), files, folders, looked_ns, newest_ns, inodes, tuple(rules))


def manifest_path(home: str, repo_id: str, suffix: str = "") -> str:
    return Paths(home).kept(f"sources{suffix}", f"{repo_id}.z")


class Manifest(NamedTuple):
    """What a sync sent, or began to send."""

    fingerprint: str
    host: str
    """Of which Docker host: its name and root."""
    folders: dict[bytes, list[Entry]]
    late: dict[bytes, list[Entry]] = {}  # never changed
    """Files that were edited between the look at the source and the copying, as they were after it."""


BEGUN, BROKEN = ".begun", ".broken"
"""What a sync is about to send, and what one before it began to send and did not end: suffixes of the folder that they lie in."""


def begin_manifest(home: str, repo_id: str, source: Source, host: str) -> None:
    """Remember what is about to be sent, beside what was sent last. A cache: without it, what a sync replaces is taken for somebody's edit."""
    begun = manifest_path(home, repo_id, BEGUN)
    if os.path.exists(begun):
        broken = manifest_path(home, repo_id, BROKEN)
        os.makedirs(os.path.dirname(broken), exist_ok=True)
        put_in_place(begun, broken)
    _write_manifest(begun, Manifest(source.fingerprint, host, source.folders))


def keep_manifest(home: str, repo_id: str, source: Source, host: str, late: dict[bytes, list[Entry]]) -> None:
    """What was about to be sent has been sent, with what was edited meanwhile."""
    path, begun = manifest_path(home, repo_id), manifest_path(home, repo_id, BEGUN)
    if late:
        _write_manifest(begun, Manifest(source.fingerprint, host, source.folders, late))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        put_in_place(begun, path)
        os.unlink(manifest_path(home, repo_id, BROKEN))
    except FileNotFoundError:
        pass


def _write_manifest(path: str, manifest: Manifest) -> None:
    # Version 2 of marshal is the same in every Python; zlib's checksum tells a damaged file.
    with suppress(Failure):
        write_atomically(path, zlib.compress(marshal.dumps(tuple(manifest), 2), 1))


class Edited(NamedTuple):
    """What is not as a look at a source saw it."""

    late: dict[bytes, list[Entry]]
    """Folder -> the files and links that are others now, as they are now."""
    has_passed: bool = False
    """Something came and went."""

    @property
    def is_any(self) -> bool:
        return bool(self.late) or self.has_passed


def edited_since(root: str, source: Source, names: Iterable[bytes]) -> Edited:
    """Those of `names` below `root` that are not what `source` says any more. One that is gone now is, if `source` has it."""
    late: dict[bytes, list[Entry]] = {}
    has_passed = False
    known = {
        folder: {entry[0]: entry for entry in source.folders.get(folder, ())}
        for folder in {b"/" + name.rpartition(b"/")[0] + b"/" * (b"/" in name) for name in names}
    }
    for name in names:
        folder, _, last = (b"/" + name).rpartition(b"/")
        before, now = known[folder + b"/"].get(last), _entry_at(os.path.join(os.fsencode(root), name), last)
        if now is None:
            has_passed = has_passed or before is None
        elif before != now:
            late.setdefault(folder + b"/", []).append(now)
    return Edited(late, has_passed)


def _entry_at(path: bytes, name: bytes) -> Entry | None:
    """The entry of a file or a link; None for what is neither."""
    try:
        state = os.lstat(path)
        if stat.S_ISLNK(state.st_mode):
            return (name, state.st_mode, os.readlink(path))
    except OSError:
        return None
    return (name, state.st_mode, state.st_size, state.st_mtime_ns) if stat.S_ISREG(state.st_mode) else None


def kept_manifest(home: str, repo_id: str, suffix: str = "") -> Manifest | None:
    """What was sent last (or, by the suffix, was only begun); None if that is not remembered."""
    data = read_bytes(manifest_path(home, repo_id, suffix))
    try:
        return Manifest(*marshal.loads(zlib.decompress(data or b"")))
    except (ValueError, TypeError, EOFError, zlib.error):
        return None
