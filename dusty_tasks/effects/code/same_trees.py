"""Whether two working trees hold the same: names, types, modes, links, and bytes. Times do not count, so that a fresh worktree is no difference."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from dusty_tasks.core.code.excludes import Rule
from dusty_tasks.effects.code.fingerprint import Entry, read_source

CHUNK = 1 << 18
_NAME, _MODE, _SIZE = 0, 1, 2


def hold_the_same(one: str, other: str, rules: Sequence[Rule]) -> bool:
    """Of what `rules` do not leave out. A file is read only where one that is as long stands in its place. Raises OSError for a root."""
    first, second = read_source(one, rules).folders, read_source(other, rules).folders
    if first.keys() != second.keys():
        return False
    pairs = [(folder, entries, second[folder]) for folder, entries in first.items()]
    return all(list(map(_shape, left)) == list(map(_shape, right)) for _, left, right in pairs) and all(
        _same_files(os.fsencode(one) + folder, os.fsencode(other) + folder, left, right)
        for folder, left, right in pairs
    )


def _shape(entry: Entry) -> tuple[object, ...]:
    """All but the time."""
    return entry[:3]


def _same_files(one: bytes, other: bytes, left: Sequence[Entry], right: Sequence[Entry]) -> bool:
    return all(
        _same_bytes(one + mine[_NAME], other + theirs[_NAME])
        for mine, theirs in zip(left, right, strict=True)
        if stat.S_ISREG(mine[_MODE])
    )


def _same_bytes(one: bytes, other: bytes) -> bool:
    """False for a file that cannot be read, or that is gone by now."""
    try:
        with open(one, "rb") as first, open(other, "rb") as second:
            while True:
                chunk = first.read(CHUNK)
                if chunk != second.read(CHUNK):
                    return False
                if not chunk:
                    return True
    except OSError:
        return False
