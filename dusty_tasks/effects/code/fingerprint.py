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

from dusty_tasks.core.code.changed_paths import paths_in
from dusty_tasks.core.code.excludes import IGNORE_FILE, LARGEST_FILE, Matcher, Rule, filter_text, rules_of
from dusty_tasks.core.code.linear import SHORT
from dusty_tasks.core.text.paths import Paths
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import state_of
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
    return Looked(source, rules).source()


class Looked:
    """A source as it was found by a walk, of which single folders can be looked at again. Raises OSError for the root."""

    def __init__(self, source: str, rules: Sequence[Rule]) -> None:
        self.root, self.rules = os.fsencode(source).rstrip(b"/"), tuple(rules)
        self.folders: dict[bytes, list[Entry]] = {}
        """As in Source."""
        self.packed: dict[bytes, bytes] = {}
        """Folder -> its entries as bytes: equal if they are."""
        self._matcher = Matcher(rules)
        self._sums: dict[bytes, tuple[int, int, int]] = {}
        """Folder -> how many of its entries are no folders, their last ctime, the sum of the inodes of files."""
        self._looked_ns = time.time_ns()
        self._walk([b"/"])

    def look_again(self, folders: Iterable[bytes]) -> None:
        """Look at these folders, and at what came into them. Raises OSError for the root."""
        self._looked_ns = time.time_ns()
        for folder in sorted(set(folders)):
            if folder in self.folders:
                before = {entry[0] for entry in self.folders[folder] if stat.S_ISDIR(entry[1])}
                below = self._read(folder)
                now = {path[len(folder) : -1] for path in below}
                for name in before - now:
                    self._forget(folder + name + b"/")
                self._walk([path for path in below if path not in self.folders])

    def source(self) -> Source:
        """What is there, by the last looks."""
        digest = blake2b(filter_text(self.rules), digest_size=20)
        folders: dict[bytes, list[Entry]] = {}
        # A folder comes before what is in it, and after its siblings with lesser names: that is the order of the paths, for all end in a slash.
        for folder in sorted(self.folders):
            folders[folder] = self.folders[folder]
            digest.update(folder)
            digest.update(self.packed[folder])
        sums = self._sums.values()
        files, inodes = sum(each[0] for each in sums), sum(each[2] for each in sums)
        newest_ns = max((each[1] for each in sums), default=0)
        return Source(digest.hexdigest(), files, folders, self._looked_ns, newest_ns, inodes, self.rules)

    def _walk(self, pending: list[bytes]) -> None:
        while pending:
            pending += self._read(pending.pop())

    def _forget(self, folder: bytes) -> None:
        """It is gone, with all in it."""
        for path in [path for path in self.folders if path.startswith(folder)]:
            del self.folders[path], self.packed[path], self._sums[path]

    def _read(self, folder: bytes) -> list[bytes]:
        """Look at one folder; those in it."""
        matcher, root = self._matcher, self.root
        names, any_file, any_folder, is_excluded = (
            matcher.names,
            matcher.any_file,
            matcher.any_folder,
            matcher.is_excluded,
        )
        newest_ns = inodes = 0
        entries: list[Entry] = []
        below: list[bytes] = []
        # A name has 255 bytes at most: up to there the quick expressions may be asked.
        is_slow = matcher.is_hard or len(folder) > SHORT - 256
        try:
            scan = os.scandir(root + folder)
        except OSError:
            if folder == b"/":
                raise
            self._forget(folder)
            return below
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
                    elif stat.S_ISLNK(mode):
                        entries.append((name, mode, os.readlink(found.path)))
                    elif stat.S_ISREG(mode):
                        entries.append((name, mode, state.st_size, state.st_mtime_ns))
                        inodes += state.st_ino
                        if state.st_ctime_ns > newest_ns:
                            newest_ns = state.st_ctime_ns
                    else:
                        entries.append((name, mode, state.st_rdev))
                except FileNotFoundError:
                    continue
        entries.sort()
        self.folders[folder] = entries
        # Version 2 of marshal has no references in it: equal values are equal bytes, in every Python.
        self.packed[folder] = marshal.dumps(entries, 2)
        self._sums[folder] = len(entries) - len(below), newest_ns, inodes
        return below


def manifest_path(home: str, repo_id: str, suffix: str = "") -> str:
    return Paths(home).kept(f"sources{suffix}", f"{repo_id}.z")


class Manifest(NamedTuple):
    """What a sync sent, or began to send."""

    fingerprint: str
    host: str
    """Of which Docker host: its name and root."""
    folders: dict[bytes, list[Entry]]
    late: dict[bytes, list[Entry]] = {}  # never changed
    """Files that were edited between the look at the source and the copying, as they lie in the copy."""


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


def note_late(home: str, repo_id: str, source: Source, host: str, late: dict[bytes, list[Entry]]) -> None:
    """What was about to be sent was not sent to its end: so much of it lies in the copy otherwise than `source` has it."""
    _write_manifest(manifest_path(home, repo_id, BEGUN), Manifest(source.fingerprint, host, source.folders, late))


def keep_manifest(home: str, repo_id: str, source: Source, host: str, late: dict[bytes, list[Entry]]) -> None:
    """What was about to be sent has been sent, with what was edited meanwhile."""
    path, begun = manifest_path(home, repo_id), manifest_path(home, repo_id, BEGUN)
    if late:
        _write_manifest(begun, Manifest(source.fingerprint, host, source.folders, late))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    try:
        put_in_place(begun, path)
        _kept[path] = state_of(os.stat(path)), Manifest(source.fingerprint, host, source.folders, late)
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
    gone: tuple[bytes, ...] = ()
    """Paths that are no more, whether or not `source` has them."""

    @property
    def is_any(self) -> bool:
        return bool(self.late) or self.has_passed

    @property
    def unsure(self) -> list[bytes]:
        """Paths of which nobody knows how they were when they were read."""
        return [*paths_in(self.late), *self.gone]


def edited_since(root: str, source: Source, names: Iterable[bytes]) -> Edited:
    """Those of `names` below `root` that are not what `source` says any more. One that is gone now is, if `source` has it."""
    late: dict[bytes, list[Entry]] = {}
    has_passed, gone = False, list[bytes]()
    known = {
        folder: {entry[0]: entry for entry in source.folders.get(folder, ())}
        for folder in {b"/" + name.rpartition(b"/")[0] + b"/" * (b"/" in name) for name in names}
    }
    for name in names:
        folder, _, last = (b"/" + name).rpartition(b"/")
        before, now = known[folder + b"/"].get(last), _entry_at(os.path.join(os.fsencode(root), name), last)
        if now is None:
            has_passed = has_passed or before is None
            gone.append(name)
        elif before != now:
            late.setdefault(folder + b"/", []).append(now)
    return Edited(late, has_passed, tuple(gone))


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
    """What was sent last (or, by the suffix, was only begun); None if that is not remembered. A file that is as it was is not read again."""
    path = manifest_path(home, repo_id, suffix)
    try:
        state = state_of(os.stat(path))
    except OSError:
        return None
    if path in _kept and _kept[path][0] == state:
        return _kept[path][1]
    try:
        manifest = Manifest(*marshal.loads(zlib.decompress(read_bytes(path) or b"")))
    except (ValueError, TypeError, EOFError, zlib.error):
        return None
    _kept[path] = state, manifest
    return manifest


_kept: dict[str, tuple[Any, Manifest]] = {}
"""Path -> the state of the file and what is in it: whoever follows each edit asks for it again and again."""
