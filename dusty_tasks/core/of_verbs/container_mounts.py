"""Which paths of a container the engine's own copy (`docker cp`) does not reach: what is mounted only while the container runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

ALWAYS_MOUNTED = (("/proc", "proc"), ("/sys", "sysfs"), ("/dev", "tmpfs"))
"""What the engine mounts in each container that it starts."""
REACHED = frozenset({"bind", "volume"})
"""Types of mounts that the engine makes for its own copy, too."""
ENGINES_FILES = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
SIZELESS = frozenset({"proc", "sysfs", "cgroup", "cgroup2", "securityfs", "debugfs", "tracefs"})
"""File systems whose files are made when they are read: tar takes them for empty."""


class Mount(NamedTuple):
    """Where something is mounted in a container, and the kind of file system."""

    point: str
    kind: str
    is_reached: bool
    """By the engine's copy."""


def mounts_of(inspected: Mapping[str, Any], mountinfo: str = "") -> list[Mount]:
    """The mounts of a container: as its own processes see them, by its /proc/self/mountinfo; without that, as the engine would make them.

    `inspected` is the engine's `GET /containers/<id>/json`.
    """
    declared = {mount.get("Destination", ""): mount.get("Type", "") for mount in inspected.get("Mounts") or ()}
    reached = {"/", *ENGINES_FILES, *(point for point, kind in declared.items() if kind in REACHED)}
    if mountinfo:
        return [Mount(point, kind, point in reached) for point, kind in _seen(mountinfo)]
    tmpfs = ((inspected.get("HostConfig") or {}).get("Tmpfs") or {}).keys()
    points = {"/": "overlay", **dict(ALWAYS_MOUNTED), **dict.fromkeys(tmpfs, "tmpfs"), **declared}
    return [Mount(point.rstrip("/") or "/", kind, point in reached) for point, kind in points.items()]


def _seen(mountinfo: str) -> Iterable[tuple[str, str]]:
    """(mount point, kind) of each line: `36 35 98:0 /root /point rw - ext4 /dev/x rw`."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        words = before.split()
        if len(words) > 4 and after:
            yield re.sub(r"\\(\d{3})", lambda found: chr(int(found.group(1), 8)), words[4]), after.split()[0]


def unreached(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that holds an absolute path, links resolved, if the engine's copy does not reach it."""
    # Of several mounts on one point the last one is seen.
    holder = max(
        (mount for mount in [*mounts][::-1] if _holds(mount.point, path)),
        key=lambda mount: len(mount.point),
        default=None,
    )
    return holder if holder and not holder.is_reached else None


def unreached_below(path: str, mounts: Iterable[Mount]) -> list[Mount]:
    """The mounts below a folder that the engine's copy does not reach."""
    return [mount for mount in mounts if not mount.is_reached and mount.point != path and _holds(path, mount.point)]


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
