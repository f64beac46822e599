"""What a sync may do to a copy: what it deletes, and what it leaves alone (core/code/replaced: what it keeps aside). Pure.

Paths are bytes below the copy's root: `/a/b` for what is asked, `a/b` for what is answered; folders are `/` and `/a/`, as in
effects/code/fingerprint. Whoever sends single paths asks the same `Guard`.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.code.excludes import Matcher
from dusty_tasks.core.code.gitignore import Ignores

UNIGNORED, ALL, SENT = "unignored", "all", "sent"
"""The values of the setting sync.delete."""

Entry = tuple[Any, ...]
"""As in effects/code/fingerprint: (name, mode), (name, mode, size, mtime in ns), (name, mode, target)."""
Folders = Mapping[bytes, Sequence[Entry]]
"""Folder (`/`, `/a/`) -> its entries: what was found in a source."""


class State(NamedTuple):
    """What something in a copy is, as far as that tells whether somebody changed it; only the kind where no more was asked for."""

    kind: str
    """`d` a folder, `f` a file, `l` a link; anything else is neither kept nor compared."""
    size: int = 0
    mtime: int = 0
    """In ns; whole seconds from a Docker host whose programs know no better."""
    target: bytes = b""


Listing = Callable[[bytes], Iterable[tuple[bytes, State]]]
"""Folder -> the names and states of what a copy has in it; nothing for a folder that is not there."""


class Tree:
    """A source as it was found, asked for single paths `/a/b`."""

    def __init__(self, folders: Folders) -> None:
        self.folders = folders
        self._by_name: dict[bytes, dict[bytes, Entry]] = {}

    def at(self, path: bytes) -> Entry | None:
        folder, _, name = path.rpartition(b"/")
        folder += b"/"
        if folder not in self._by_name:
            self._by_name[folder] = {entry[0]: entry for entry in self.folders.get(folder, ())}
        return self._by_name[folder].get(name)

    def is_folder(self, path: bytes) -> bool:
        entry = self.at(path)
        return entry is not None and stat.S_ISDIR(entry[1])


class Guard:
    """What a sync must leave alone in one copy.

    `mount_points` are those of every container that sees the copy, `set_assets` the keys of the assets that are set; `ignores` is what
    git ignores in the source; `sent` tells whether a sync once sent a path. Which of them count depends on `mode` (sync.delete).
    """

    def __init__(
        self,
        excludes: Matcher,
        mount_points: Iterable[MountPoint],
        ignores: Ignores | None,
        mode: str = UNIGNORED,
        sent: Callable[[bytes], bool] = lambda _path: False,
        set_assets: Iterable[str] = (),
    ) -> None:
        self._excludes, self._ignores, self._mode, self._sent = excludes, ignores, mode, sent
        self._set_assets = frozenset(set_assets)
        self.points: dict[bytes, MountPoint] = {
            b"/" + point.path.encode("utf-8", "surrogateescape"): point for point in mount_points
        }

    def leaves_alone(self, path: bytes, is_folder: bool) -> bool:
        """True for what never goes, whatever the source has there: what a rule of the user's excludes, and mount points."""
        return self._excludes.is_excluded(path, is_folder) or self.mount_point(path) is not None

    def plain_names(self) -> set[bytes]:
        """Names without wildcards that rules are about: what may be at the top of a copy, and left alone with all in it."""
        return {
            *self._excludes.names,
            *(self._ignores.plain_names() if self._ignores else ()),
            *(path[1:].partition(b"/")[0] for path in self.points),
        }

    def mount_point(self, path: bytes) -> MountPoint | None:
        """The mount point that `path` is, or lies in."""
        while path:
            if path in self.points:
                return self.points[path]
            path = path.rpartition(b"/")[0]
        return None

    def keeps(self, path: bytes, is_folder: bool) -> str:
        """Why something that the source does not have stays in the copy, in words; '' if it goes."""
        if point := self.mount_point(path):
            return mounted_by(point)
        if self._mode == UNIGNORED and self._ignores and (pattern := self._ignores.deciding(path, is_folder)):
            return f"git ignores it: {pattern}"
        if self._mode == SENT and not is_folder and not self._sent(path):
            return "no sync sent it, and sync.delete is sent"
        return ""

    def stays(self, path: bytes) -> str:
        """Why a file of the copy that the source does not have stays, itself or with a folder on its way, in words; '' if it goes."""
        for here in _steps(path):
            is_folder = here != path
            rule = self._excludes.deciding_rule(here, is_folder)
            if why := f"it is excluded: rule {rule}" if rule and rule.is_exclude else self.keeps(here, is_folder):
                return why
        return ""

    def bars(self, path: bytes) -> MountPoint | None:
        """The mount point because of which a file or link of the source at `path` must not be put into its place as it is."""
        point = self.points.get(path)
        return point if point and (not point.asset or point.asset in self._set_assets) else None


def mounted_by(point: MountPoint) -> str:
    """What is there, in words."""
    return f"asset {point.asset} of {point.by} is there" if point.asset else f"{point.by} mounts something there"


class Deletions(NamedTuple):
    """What goes from a copy."""

    paths: tuple[bytes, ...]
    """What to remove: files, and folders with all that is in them."""
    files: tuple[bytes, ...]
    """Every file among it."""


def deletions(copy: Listing, source: Folders, guard: Guard, only: Iterable[bytes] | None = None) -> Deletions:
    """What of a copy is to go, so that it is what its source is, but for what `guard` keeps; with `only`, at these paths `a/b` alone.

    A folder of the copy where the source has a file is emptied, of what git ignores, too: the file has to go there.
    """
    files: list[bytes] = []

    def visit(folder: bytes, makes_room: bool, names: Collection[bytes] | None = None) -> tuple[bool, list[bytes]]:
        """Whether all in the folder goes, and what goes; with `names`, of these and what is in them."""
        in_source = {entry[0]: stat.S_ISDIR(entry[1]) for entry in source.get(folder, ())}
        is_whole, gone = True, []
        for name, state in copy(folder):
            if names is not None and (name not in names or in_source.get(name)):
                continue
            path, is_folder, known = folder + name, state.kind == "d", in_source.get(name)
            if guard.leaves_alone(path, is_folder):
                is_whole = False
            elif known is not None and (known or not is_folder):
                # rsync itself puts a folder into a file's place.
                is_whole = False
                gone += visit(path + b"/", False)[1] if is_folder else []
            elif known is None and not makes_room and guard.keeps(path, is_folder):
                is_whole = False
            elif is_folder:
                whole, below = visit(path + b"/", makes_room or known is not None)
                gone += [path[1:]] if whole else below
                is_whole = is_whole and whole
            else:
                files.append(path[1:])
                gone.append(path[1:])
        return is_whole, gone

    if only is None:
        gone = visit(b"/", False)[1]
    else:
        gone = []
        for folder, names in _tops(only, source).items():
            gone += visit(folder, False, names)[1]
    return Deletions(tuple(gone), tuple(files))


def _tops(paths: Iterable[bytes], source: Folders) -> dict[bytes, set[bytes]]:
    """Folder of the source -> names in it, of these paths: what lies in a folder that is gone goes with that."""
    found: dict[bytes, set[bytes]] = {}
    for path in paths:
        folder, _, name = (b"/" + path).rpartition(b"/")
        if folder + b"/" in source:
            found.setdefault(folder + b"/", set()).add(name)
    return found


class Hindrances(NamedTuple):
    """Mount points where the source has something else."""

    barred: tuple[tuple[bytes, MountPoint], ...]
    """Paths of the source that are not sent: what is mounted there is another kind of thing, or an asset."""
    in_place: tuple[bytes, ...]
    """Files that a container mounts another file over: written without being replaced, which would end the mount."""
    conflicts: tuple[tuple[bytes, MountPoint], ...]
    """Files of the source where the copy has a folder with a mount point in it: nothing can be done about them."""


def hindrances(copy: Listing, source: Tree, guard: Guard) -> Hindrances:
    """What of the source cannot be sent like everything else, because something is mounted in the copy."""
    barred: list[tuple[bytes, MountPoint]] = []
    conflicts: list[tuple[bytes, MountPoint]] = []
    in_place: list[bytes] = []
    for path, point in guard.points.items():
        file = next((here for here in _steps(path) if not source.is_folder(here)), None)
        if file is None or source.at(file) is None:
            continue
        folder, _, name = file.rpartition(b"/")
        found = next((state.kind for found_name, state in copy(folder + b"/") if found_name == name), "")
        if file != path:
            conflicts += [(file[1:], point)] if found == "d" else []
        elif point.asset or found == "d":
            barred += [(file[1:], point)] if guard.bars(path) else []
        else:
            in_place.append(file[1:])
    return Hindrances(tuple(barred), tuple(in_place), tuple(conflicts))


def _steps(path: bytes) -> Iterator[bytes]:
    """`/a`, `/a/b`, … up to `path`."""
    yield from (path[: at.start()] for at in re.finditer(b"/", path) if at.start())
    yield path


class MountPoint(NamedTuple):
    """A path below a copy, without a slash at either end."""

    path: str
    by: str
    """The container, or test target, that mounts something there."""
    asset: str = ""
    """The key of the asset that its start script puts there, where it is no mount."""
