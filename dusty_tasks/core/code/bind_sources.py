"""Which files and folders of the Docker host a container mounts, and whether it still sees those that lie there now. Pure.

A container keeps what was mounted when it started, even after another file took its name: an editor that saves by a rename, a
folder that was moved away and copied back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

REWRITTEN = ("/proc", "/sys", "/dev", "/run", "/var/run", "/etc/hosts", "/etc/resolv.conf")
"""What the system (and Dusty: the hosts file) puts in place anew all the time: that another file is there says nothing."""


def bind_sources(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The paths that these entries of the Compose file mount, each once, in order."""
    found: dict[str, None] = {}
    for mapping in mappings:
        for entry in mapping.get("volumes") or ():
            if isinstance(entry, Mapping):
                source = str(entry.get("source") or "") if entry.get("type", "bind") == "bind" else ""
            else:
                source, colon, _target = str(entry).partition(":")
                source = source if colon else ""
            if source.startswith("/") and not any(_holds(place, source) for place in REWRITTEN):
                found[source.replace("$$", "$")] = None
    return list(found)


def replaced_sources(mapping: Mapping[str, Any], before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """The paths of a container at which something else lies `now` (path -> inode) than `before`, when it was started.

    What is gone does not count: a restart would mount an empty folder in its place.
    """
    # A mount holds its inode: while the container runs no other file can get that number.
    return [path for path in bind_sources([mapping]) if path in before and path in now and before[path] != now[path]]


def lost_sources(mapping: Mapping[str, Any], record: Mapping[str, Any], now: Mapping[str, int]) -> list[str]:
    """The paths of a container at which nothing lies `now`: for the proxy, whose config is pushed before it is restarted.

    None where nothing could be read at all.
    """
    before = record.get("inodes")
    return (
        [path for path in bind_sources([mapping]) if path in before and path not in now]
        if now and isinstance(before, Mapping)
        else []
    )


def mounts_part_of(mappings: Iterable[Mapping[str, Any]], folders: Iterable[str]) -> bool:
    """True if one of these entries mounts something that lies in one of the folders: what fills them may replace it."""
    tops = list(folders)
    return any(path != top and _holds(top, path) for path in bind_sources(mappings) for top in tops)


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
