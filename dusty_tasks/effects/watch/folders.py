"""Watching folders: paths go in, batches of what changed below them come out, and notices of what cannot be watched.

Events only say where to look; what changed is what differs between two looks at a folder. So nothing grows with the number of events,
a burst too long for the kernel's queue loses nothing, and a folder without events (a limit is reached, another machine writes there) is
looked at every so often with the same result, later. Two looks differ in what a sync would see: excluded paths are neither watched nor
reported, links are not followed, and a path is watched, not an inode: what is moved, replaced, unmounted, linked anew or gone for a
while is noticed within a second. One look a folder is kept, some 50 bytes a file.
"""

from __future__ import annotations

import errno
import marshal
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dusty_tasks.core.code.excludes import Matcher, filter_text
from dusty_tasks.core.code.watching import Back, Blind, Gone, Notice, pause_between_looks
from dusty_tasks.effects.code.fingerprint import Looked, Source, read_rules
from dusty_tasks.effects.watch.inotify import CannotWatch, Inotify, NoEvents

QUIET, LONGEST_QUIET, LONGEST_BURST = 0.008, 0.15, 1.0
"""Seconds: a burst of changes has ended when nothing came for QUIET, or for half of the time that it has lasted, of which LONGEST_QUIET are enough;
and it is not waited for any longer than LONGEST_BURST.
"""
GLANCE = 1.0
"""Seconds between two glances at whether a path still leads to the same folder."""
MOST_PATHS = 1000
"""Changed paths of one folder that a batch names."""
MOST_LOOKS = 5
"""Looks at a folder in which new folders appear while one looks, before it is left to the next event."""


class Watched(NamedTuple):
    """A folder to watch, with all that is below it."""

    key: str
    """What the caller calls it."""
    path: str
    exclude: tuple[str, ...] = ()
    """Rules after those of the folder's own .dustyignore: the setting sync.exclude."""


class Batch(NamedTuple):
    """What was noticed at once."""

    changed: Mapping[str, tuple[str, ...]]
    """Key -> the paths below the folder that changed, came or went, sorted, as os.fsdecode gives them; of many, some MOST_PATHS."""
    notices: tuple[Notice, ...]
    sources: Mapping[str, Source]
    """Key -> what the look at a changed folder found: whoever compares it with a copy need not look again."""
    began: float = 0.0
    """When the first of it was noticed, by time.monotonic."""


Dirty = set[bytes] | None
Seen = dict[bytes, bytes]
"""Folder -> its entries as fingerprint.read_source finds them, packed; the exclude rules; and what tells that a file was replaced or touched."""
RULES, TOUCHED = b"", b"."


class _Tree:
    """A watched folder, and what is known of it."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        self.identity: tuple[int, int] | None = None
        """Device and inode of the folder at the path; None while there is none."""
        self.gone_because = ""
        self.seen: Seen | None = None
        self.looked: Looked | None = None
        """The last look, of which single folders can be looked at again."""
        self.matcher = Matcher(())
        self.is_covered = False
        """Events are asked for."""
        self.blind_because = ""
        """Why they do not tell of every change."""
        self.is_woken = self.is_anew = False
        """Something happened in it; a folder may be another one behind the same name."""
        self.next_look = 0.0


class Watch:
    """Watches folders until it is closed. Nothing runs in the background: what happens between two waits, the next one tells."""

    def __init__(self, folders: Iterable[Watched] = (), events: Any = None) -> None:
        self._events = events or _events_of_this_system()
        self._trees: dict[str, _Tree] = {}
        self._notices: list[Notice] = []
        self._next_glance = 0.0
        self.on_woken: Callable[[], None] = _nothing
        """Called during a wait as soon as something happened, before it is known what."""
        self.set(folders)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        self._events.close()

    @property
    def gone(self) -> frozenset[str]:
        """The keys of folders that are not there."""
        return frozenset(key for key, tree in self._trees.items() if tree.identity is None)

    def set(self, folders: Iterable[Watched]) -> None:
        """Watch these folders from now on, and no other. Of one that is not there, the next wait tells."""
        wanted = {watched.key: watched for watched in folders}
        for key in [key for key, tree in self._trees.items() if wanted.get(key) != tree.watched]:
            self._events.uncover(key)
            del self._trees[key]
        for key, watched in wanted.items():
            if key not in self._trees:
                tree = self._trees[key] = _Tree(watched)
                self._glance(tree)
                if tree.identity:
                    self._look(tree)

    def wait(self, seconds: float) -> Batch:
        """The next batch: as soon as a burst of changes has ended, and an empty one after `seconds` at the latest."""
        end = time.monotonic() + seconds
        while True:
            self._glance_at_all()
            there = [tree for tree in self._trees.values() if tree.identity]
            began = time.monotonic()
            if not any(tree.is_woken for tree in there):
                self._take(min([end, self._next_glance, *(tree.next_look for tree in there)]) - time.monotonic())
                began = time.monotonic()
            if any(tree.is_woken for tree in there):
                self.on_woken()
                self._let_burst_end()
            now = time.monotonic()
            looks = {tree.watched.key: self._look(tree) for tree in there if tree.is_woken or now >= tree.next_look}
            changed = {key: paths for key, (paths, _source) in looks.items() if paths}
            if changed or self._notices or time.monotonic() >= end:
                notices, self._notices = tuple(self._notices), []
                return Batch(
                    changed,
                    notices,
                    {key: source for key, (_paths, source) in looks.items() if key in changed and source},
                    began,
                )

    def _take(self, seconds: float) -> bool:
        """Wait for events; True if any came that matters."""
        woken, anew = self._events.wait(seconds, lambda key, path, is_folder: self._is_ignored(key, path, is_folder))
        for key in woken:
            tree = self._trees[key]
            tree.is_woken, tree.is_anew = True, tree.is_anew or key in anew
        return bool(woken)

    def _let_burst_end(self) -> None:
        begin = time.monotonic()
        while (lasted := time.monotonic() - begin) < LONGEST_BURST and self._take(quiet_after(lasted)):
            pass

    def _is_ignored(self, key: str, path: bytes, is_folder: bool) -> bool:
        return path != b"/.dustyignore" and self._trees[key].matcher.is_excluded(path, is_folder)

    def _glance_at_all(self) -> None:
        now = time.monotonic()
        if now >= self._next_glance:
            self._next_glance = now + GLANCE
            for tree in self._trees.values():
                self._glance(tree)

    def _glance(self, tree: _Tree) -> None:
        """See whether the path leads to the same folder as before."""
        try:
            found = os.stat(tree.watched.path)
        except OSError as error:
            self._lose(tree, error)
            return
        if not stat.S_ISDIR(found.st_mode):
            self._lose(tree, NotADirectoryError(errno.ENOTDIR, "it is not a folder"))
        elif tree.identity != (found.st_dev, found.st_ino):
            tree.identity = found.st_dev, found.st_ino
            tree.is_woken = tree.is_anew = True

    def _lose(self, tree: _Tree, error: OSError) -> None:
        reason = "it is gone" if isinstance(error, FileNotFoundError) else str(error.strerror)
        if reason != tree.gone_because:
            self._notices.append(Gone(tree.watched.key, tree.watched.path, reason))
        if tree.identity is not None:
            self._events.uncover(tree.watched.key)
        tree.identity, tree.gone_because, tree.is_covered, tree.blind_because = None, reason, False, ""

    def _look(self, tree: _Tree) -> tuple[tuple[str, ...], Source | None]:
        """(what changed since the last look, nothing at the first one; what was found). A folder that cannot be read is lost."""
        started = time.monotonic()
        try:
            seen, source = self._seen(tree)
        except OSError as error:
            self._lose(tree, error)
            return (), None
        before, tree.seen = tree.seen, seen
        if tree.gone_because:
            self._notices.append(Back(tree.watched.key, tree.watched.path))
            tree.gone_because, before = "", before or {}
        now = time.monotonic()
        tree.next_look = now + pause_between_looks(bool(tree.blind_because), now - started)
        return () if before is None else _changed_paths(before, seen), source

    def _seen(self, tree: _Tree) -> tuple[Seen, Source]:
        """Look, and see to it that events tell of what happens to what was seen. Raises OSError."""
        watched = tree.watched
        is_whole = not tree.is_woken  # A look that no event called for is for what events do not tell.
        for _look in range(MOST_LOOKS):
            is_anew, tree.is_woken, tree.is_anew = tree.is_anew, False, False
            rules = read_rules(watched.path, watched.exclude)
            dirty = self._dirty(tree)
            if rules != tree.matcher.rules:
                tree.matcher = Matcher(rules)
            looked = tree.looked
            if looked is None or looked.rules != rules or dirty is None or is_anew or is_whole or not tree.is_covered:
                looked = tree.looked = Looked(watched.path, rules)
            else:
                looked.look_again(dirty)
            # Folders that were not watched while they were read are read once more.
            if not self._cover(tree, looked.folders, is_anew):
                break
            is_whole = True
        else:
            tree.is_woken = True
        assert looked
        source = looked.source()
        touched = marshal.dumps((source.newest_ns, source.inodes))
        return {RULES: filter_text(rules), TOUCHED: touched, **looked.packed}, source

    def _dirty(self, tree: _Tree) -> Dirty:
        """The folders in which events tell of something; None where they do not tell which."""
        take = getattr(self._events, "take_dirty", None)
        found: Dirty = take(tree.watched.key) if take else None
        return found

    def _cover(self, tree: _Tree, folders: Iterable[bytes], is_anew: bool) -> bool:
        """Ask for events in these folders; True if there are some that had none until now."""
        if not (is_anew or tree.is_covered):
            return False
        watched = tree.watched
        reason, is_more = self._events.blind_for(watched.path) if is_anew else tree.blind_because, False
        try:
            is_more = self._events.cover(watched.key, watched.path, folders, is_anew)
            tree.is_covered = True
        except CannotWatch as error:
            reason, tree.is_covered = str(error), False
        if reason and reason != tree.blind_because:
            self._notices.append(Blind(watched.key, reason))
        tree.blind_because = reason
        return is_more


def _nothing() -> None:
    """What nobody asked to hear of."""


def quiet_after(lasted: float) -> float:
    """Seconds without a change that end a burst which has lasted so long."""
    return min(LONGEST_QUIET, max(QUIET, lasted / 2))


def _changed_paths(before: Seen, now: Seen) -> tuple[str, ...]:
    """The paths that differ between two looks."""
    paths = {".dustyignore"} if before and before[RULES] != now[RULES] else set()
    for folder in sorted((before.keys() | now.keys()) - {RULES, TOUCHED}):
        packed = before.get(folder), now.get(folder)
        if packed[0] == packed[1]:
            continue
        old, new = ({entry[0]: entry for entry in marshal.loads(entries)} if entries else {} for entries in packed)
        paths |= {os.fsdecode(folder[1:] + name) for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if len(paths) >= MOST_PATHS:
            break
    if before and not paths and before[TOUCHED] != now[TOUCHED]:
        # A file may have become another of equal size and time: whoever syncs compares contents.
        return (".",)
    return tuple(sorted(paths)[:MOST_PATHS])


def _events_of_this_system() -> Any:
    from dusty_tasks.effects.watch.native_events import NativeEvents

    try:
        return Inotify() if sys.platform.startswith("linux") else NativeEvents()
    except CannotWatch as error:
        return NoEvents(str(error))
