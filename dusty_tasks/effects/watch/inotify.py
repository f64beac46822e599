"""Events of Linux's inotify: which watched folders may have changed. Nothing is kept but what the kernel watches.

Through inotify_simple, which is the kernel's interface and no more. watchfiles, which serves elsewhere (effects/watch/native_events), can
neither leave folders out, so that excluded ones use up the user's watches, nor refrain from following links, nor say what it failed to
watch; and it cannot carry names that are no UTF-8.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable, Iterable
from typing import Any

from dusty_tasks.core.code.watching import Mount, limit_text, lower_limit, mounts_about, remote_file_system

Place = tuple[str, bytes]
"""The key of a watched tree, and a folder in it: `/`, `/a/`."""
Ignored = Callable[[str, bytes, bool], bool]
"""(key, path below the tree as `/a/b`, whether it is a folder) -> nothing that happens to it matters."""

VANISHED = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ESTALE)
"""A folder that is not there any more, or may not be read: who looks at it finds out, and watching it is tried again then."""


class CannotWatch(Exception):
    """The kernel does not watch; the text says why."""


class Inotify:
    """Watches folders, each by itself. The caller says which: it looks at the trees anyway.

    Raises CannotWatch when there is no inotify to be had.
    """

    def __init__(self) -> None:
        import inotify_simple
        from inotify_simple import flags

        try:
            self._inotify: Any = inotify_simple.INotify()
        except OSError as error:
            raise CannotWatch(_reason(error, "instances")) from error
        self._flags = flags
        self._mask = int(
            flags.MODIFY
            | flags.ATTRIB
            | flags.CLOSE_WRITE
            | flags.MOVED_FROM
            | flags.MOVED_TO
            | flags.CREATE
            | flags.DELETE
            | flags.DELETE_SELF
            | flags.MOVE_SELF
            | flags.ONLYDIR
            | flags.DONT_FOLLOW
            | flags.EXCL_UNLINK
        )
        self._numbers: dict[str, dict[bytes, int]] = {}
        """Key -> folder -> the kernel's number of its watch."""
        self._places: dict[int, tuple[Place, ...]] = {}
        """Number -> what it watches: two places where trees overlap, or one folder is mounted twice."""
        self._dirty: dict[str, set[bytes] | None] = {}
        """Key -> the folders in which something happened since it was asked for; None: it may have been anywhere."""
        self._mounts_about: dict[str, tuple[str, list[Mount]]] = {}
        """Key -> the tree's path without links, and the mounts on the way to it and in it."""
        self._poll = select.poll()
        self._poll.register(self._inotify, select.POLLIN)
        self._mounts = _open_mounts()
        if self._mounts is not None:
            self._poll.register(self._mounts, select.POLLPRI)

    def cover(self, key: str, path: str, folders: Iterable[bytes], anew: bool) -> bool:
        """Watch exactly these folders of the tree at `path`; True if some were not watched until now.

        `anew`: a folder may be another one now than that of the same name before. Raises CannotWatch when the kernel takes no
        more; nothing of the tree is watched then.
        """
        if anew:
            real = os.path.realpath(path)
            self._mounts_about[key] = real, mounts_about(_read_mounts(self._mounts), real)
        before = self._numbers.get(key, {})
        now: dict[bytes, int] = {}
        root = os.fsencode(path)
        is_more = False
        try:
            for folder in folders:
                number = None if anew else before.get(folder)
                if number is None:
                    number = self._added(root + (folder.rstrip(b"/") or b"/"))
                    if number is None:
                        continue
                    is_more = is_more or before.get(folder) != number
                    self._use(number, (key, folder))
                now[folder] = number
        except OSError as error:
            self.uncover(key)
            for folder, number in now.items():
                self._leave(number, (key, folder))
            raise CannotWatch(_reason(error, "watches")) from error
        self._numbers[key] = now
        for folder, number in before.items():
            if now.get(folder) != number:
                self._leave(number, (key, folder))
        return is_more

    def blind_for(self, path: str) -> str:
        """Why events do not tell of every change below `path`, '' if they do."""
        real = os.path.realpath(path)
        kind = remote_file_system(mounts_about(_read_mounts(self._mounts), real), real)
        return f"it is on {kind}, where other machines change files without an event here" if kind else ""

    def uncover(self, key: str) -> None:
        """Watch nothing of a tree any more."""
        self._mounts_about.pop(key, None)
        for folder, number in self._numbers.pop(key, {}).items():
            self._leave(number, (key, folder))

    def wait(self, seconds: float, is_ignored: Ignored) -> tuple[set[str], set[str]]:
        """(trees in which something happened, those of them to `cover` anew): at the first event, else after `seconds`."""
        woken: set[str] = set()
        anew: set[str] = set()
        for descriptor, _event in self._poll.poll(max(0, seconds) * 1000):
            if descriptor == self._mounts:
                # Something was mounted or unmounted: a folder may be another one behind its name, and no watch tells.
                mounts = _read_mounts(self._mounts)
                anew |= {
                    key for key, (real, before) in self._mounts_about.items() if mounts_about(mounts, real) != before
                }
            else:
                self._read(woken, anew, is_ignored)
        for key in anew:
            self._dirty[key] = None
        return woken | anew, anew

    def take_dirty(self, key: str) -> set[bytes] | None:
        """The folders of a tree in which something happened since this was asked last; None: it may have been anywhere."""
        return self._dirty.pop(key, set())

    def _soil(self, key: str, folder: bytes) -> None:
        known = self._dirty.setdefault(key, set())
        if known is not None:
            known.add(folder)

    def close(self) -> None:
        self._inotify.close()
        if self._mounts is not None:
            os.close(self._mounts)

    def _added(self, path: bytes) -> int | None:
        """The number of the watch of a folder; the one it has, if it is watched already. None if it has vanished."""
        try:
            return int(self._inotify.add_watch(path, self._mask))
        except OSError as error:
            if error.errno in VANISHED:
                return None
            raise

    def _use(self, number: int, place: Place) -> None:
        places = self._places.get(number, ())
        if place not in places:
            self._places[number] = (*places, place)

    def _leave(self, number: int, place: Place) -> None:
        places = tuple(other for other in self._places.get(number, ()) if other != place)
        if places:
            self._places[number] = places
        elif self._places.pop(number, None):
            try:
                self._inotify.rm_watch(number)
            except OSError:
                pass  # The folder is gone, and its watch with it.

    def _read(self, woken: set[str], anew: set[str], is_ignored: Ignored) -> None:
        flags = self._flags
        for number, mask, _cookie, name in self._inotify.read(timeout=0):
            if mask & flags.Q_OVERFLOW:
                # What was lost may have been a move.
                woken |= set(self._numbers)
                anew |= set(self._numbers)
                continue
            places = self._places.get(number, ())
            if mask & flags.IGNORED:
                for key, folder in self._places.pop(number, ()):
                    self._numbers[key].pop(folder, None)
                    woken.add(key)
                    self._dirty[key] = None
                continue
            for key, folder in places:
                if mask & flags.MOVE_SELF:
                    anew.add(key)
                dirty = self._dirty.get(key, ())
                if key in woken and (dirty is None or folder in dirty):
                    continue
                if not (name and is_ignored(key, folder + os.fsencode(name), bool(mask & flags.ISDIR))):
                    woken.add(key)
                    self._soil(key, folder)
                    if not name and folder != b"/":
                        # What happened to the folder itself is seen in the one above it.
                        self._soil(key, folder[: folder.rindex(b"/", 0, -1) + 1])


MOUNTS = "/proc/self/mountinfo"
LIMITS = (
    "fs/inotify/max_user_watches",
    "fs/inotify/max_user_instances",
    "user/max_inotify_watches",
    "user/max_inotify_instances",
)


def _open_mounts() -> int | None:
    """The list of mounts, of which the kernel tells by POLLPRI when it changes."""
    try:
        return os.open(MOUNTS, os.O_RDONLY)
    except OSError:
        return None


def _read_mounts(descriptor: int | None) -> str:
    if descriptor is None:
        return ""
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts = []
    while part := os.read(descriptor, 65536):
        parts.append(part)
    return os.fsdecode(b"".join(parts))


def _reason(error: OSError, kind: str) -> str:
    if error.errno not in (errno.ENOSPC, errno.EMFILE, errno.ENOMEM):
        return f"inotify does not work here ({error.strerror})"
    limits = {}
    for name in LIMITS:
        try:
            with open(f"/proc/sys/{name}", encoding="ascii") as file:
                limits[name.replace("/", ".")] = file.read().strip()
        except OSError:
            continue
    return limit_text(*lower_limit(kind, limits))


class NoEvents:
    """Stands in where there are no events at all: every tree is blind."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def cover(self, key: str, path: str, folders: Iterable[bytes], anew: bool) -> bool:
        raise CannotWatch(self.reason)

    def blind_for(self, path: str) -> str:
        return self.reason

    def uncover(self, key: str) -> None:
        pass

    def wait(self, seconds: float, is_ignored: Ignored) -> tuple[set[str], set[str]]:
        time.sleep(max(0, seconds))
        return set(), set()

    def close(self) -> None:
        pass
