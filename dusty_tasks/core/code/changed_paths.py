"""Which paths of a source differ between two looks at it. Pure; folders and entries are those of effects/code/fingerprint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dusty_tasks.core.text.safe import printable

Folders = Mapping[bytes, Sequence[tuple[Any, ...]]]


def changed_paths(before: Folders, now: Folders) -> set[bytes]:
    """The paths `a/b` that came, went, or are another file, folder or link now."""
    found: set[bytes] = set()
    for folder in before.keys() | now.keys():
        old, new = before.get(folder, ()), now.get(folder, ())
        if old is not new and old != new:
            found |= _changed_in(folder, old, new)
    return found


def paths_in(folders: Folders) -> set[bytes]:
    """The paths `a/b` of all entries."""
    return {(folder + entry[0])[1:] for folder, entries in folders.items() for entry in entries}


def _changed_in(folder: bytes, before: Sequence[tuple[Any, ...]], now: Sequence[tuple[Any, ...]]) -> set[bytes]:
    old, new = {entry[0]: entry for entry in before}, {entry[0]: entry for entry in now}
    return {(folder + name)[1:] for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def difference_text(paths: Collection[bytes], before: Folders, now: Folders) -> str:
    """The first of changed paths and what became of it, as `a/b.py changed and 2 more`; '' without any."""
    if not paths:
        return ""
    folder, name = min((path[: path.rfind(b"/") + 1], path[path.rfind(b"/") + 1 :]) for path in paths)
    was, there = (any(entry[0] == name for entry in folders.get(b"/" + folder, ())) for folders in (before, now))
    word = "is new" if not was else "is gone" if not there else "changed"
    shown = printable((folder + name).decode("utf-8", "surrogateescape"))
    return f"{shown} {word}" + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")


MOST, MOST_BYTES = 1000, 60_000
"""Of the paths that are sent alone: of more, all of a source is looked through; a command line over ssh has its bounds, too."""
_DECIDING = (b".dustyignore", b".gitignore")
"""Files that decide over others."""


def sent_alone(paths: Collection[bytes]) -> frozenset[bytes] | None:
    """Changed paths, if it is enough to send these; None if all of a copy is to be compared."""
    is_bounded = 0 < len(paths) <= MOST and sum(map(len, paths)) <= MOST_BYTES
    is_plain = not any(path.rpartition(b"/")[2] in _DECIDING for path in paths)
    return frozenset(paths) if is_bounded and is_plain else None
