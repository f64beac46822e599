"""The files at a path of a container: by the engine's copy, or, where that does not reach, through the running container."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from dusty_tasks.console import warn
from dusty_tasks.core.of_verbs.container_mounts import SIZELESS, Mount, mounts_of, unreached, unreached_below
from dusty_tasks.core.plan.found import FoundContainer
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.process import run
from dusty_tasks.effects.engine import copies as archives
from dusty_tasks.effects.engine.http import Engine

LOOK = """
command -v tar >/dev/null && echo tar || echo none
p=$1
until [ -d "$p" ]; do p=${p%/*}; [ -n "$p" ] || p=/; done
echo "$p"
cd "$p" && pwd -P && cat /proc/self/mountinfo
"""
"""Word: a path. Prints whether there is a tar, the nearest folder that exists, what it really is, and the mounts."""


class ContainerFiles:
    """What a copy from or to `path` needs to know of its container, read at first need."""

    def __init__(self, engine: Engine, container: FoundContainer, path: str) -> None:
        self.engine, self.container, self.path = engine, container, path
        self.outside = archives.Reach(container.id, engine.host.engine_environment())
        self.inside = self.outside._replace(is_inside=True)
        self.has_tar = False

    @functools.cached_property
    def _place(self) -> tuple[str, list[Mount]]:
        """(the path with its links resolved, the mounts of the container)."""
        inspected = self.engine.get(f"/containers/{self.container.id}/json")
        if self.container.state == "running":
            looked = run(self.inside.inside("sh", "-c", LOOK, "sh", self.path), env=self.inside.env)
            tar, nearest, real, *mountinfo = [*looked.out.split("\n", 3), "", "", ""][:4]
            if not looked.code and mountinfo[0]:
                self.has_tar = tar == "tar"
                return posixpath.join(real, posixpath.relpath(self.path, nearest)).removesuffix("/."), mounts_of(
                    inspected, mountinfo[0]
                )
        return self._resolved(self.path), mounts_of(inspected)

    def _resolved(self, path: str, links: int = 0) -> str:
        """`path` without links, as far as it exists, by what the engine's copy shows of each of its parts."""
        walked, rest = "/", [part for part in path.split("/") if part]
        while rest:
            walked = posixpath.join(walked, rest.pop(0))
            try:
                with archives.container_entries(self.outside, walked) as entries:
                    first = next(entries)[0]
            except archives.SourceMissing:
                return posixpath.join(walked, *rest)
            if first.issym() and links < 40:
                return self._resolved(
                    posixpath.normpath(posixpath.join(posixpath.dirname(walked), first.linkname, *rest)), links + 1
                )
        return walked

    def to_write(self, *, is_folder: bool) -> archives.Reach:
        """How to write there. Raises Failure where nothing that is written would arrive."""
        path, mounts = self._place
        if mount := unreached(path, mounts):
            return self._through(mount)
        if is_folder and self.has_tar and unreached_below(path, mounts):
            return self.inside
        return self.outside

    def arriving(self, entries: Iterable[archives.Entry], name: str, reach: archives.Reach) -> Iterator[archives.Entry]:
        """The entries of a folder that is written to the path, `name` being that of its copy. Raises Failure at one that would not arrive."""
        path, mounts = self._place
        for entry, file in entries:
            if not reach.is_inside and (
                mount := unreached(
                    posixpath.normpath(posixpath.join(path, posixpath.relpath(entry.name or ".", name or "."))), mounts
                )
            ):
                raise Failure(
                    f"the engine's copy does not reach {self._named(mount)}, and {entry.name} would be there",
                    "leave it out" if self.container.state == "running" else f"{DUSTY} up, then copy; or leave it out",
                )
            yield entry, file

    @contextmanager
    def entries(self) -> Iterator[Iterator[archives.Entry]]:
        """The entries at the path. Raises SourceMissing, Failure."""
        path, mounts = self._place
        mount = unreached(path, mounts)
        if mount is None:
            with archives.container_entries(self.outside, self.path) as entries:
                yield entries
            for hidden in unreached_below(path, mounts):
                if not hidden.point.startswith(("/proc", "/sys", "/dev")):
                    warn(f"{self._named(hidden)} is not in the copy: copy it separately")
            return
        reach = self._through(mount)
        if mount.kind not in SIZELESS:
            with archives.container_entries(reach, self.path) as entries:
                yield entries
        elif archives.container_kind(reach, self.path) == "folder":
            raise Failure(f"{self._named(mount)} has files without a size, which can only be copied one by one")
        else:
            with archives.printed_entry(reach, self.path) as entries:
                yield entries

    def _named(self, mount: Mount) -> str:
        return f"{self.container.name}:{mount.point} ({mount.kind})"

    def _through(self, mount: Mount) -> archives.Reach:
        if self.container.state != "running":
            raise Failure(
                f"{self._named(mount)} is there only while {self.container.name} runs",
                f"{DUSTY} up, then copy; or take a path elsewhere",
            )
        if not self.has_tar:
            raise Failure(
                f"the engine's copy does not reach {self._named(mount)}, and {self.container.name} has no sh and tar to copy through",
                "copy to a path elsewhere in the container, or to a volume",
            )
        return self.inside
