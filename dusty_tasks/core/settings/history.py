"""The history of what the user chose, as a list of changes: which one undo means, and which state it restores (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

AS_FOUND, BY_HAND, REMOVED_BY_HAND = "config.yml as it was found", "edited by hand", "removed by hand"
NOTHING = "nothing"
"""Stands for the state before the first change: no config.yml."""
NOTE = "note"
"""Marks a change that does not concern config.yml: the store of assets changed."""


class Entry(NamedTuple):
    """One change of config.yml."""

    id: str
    time: str
    """ISO 8601 with offset."""
    who: str
    what: str
    restores: str = ""
    """For an undo: the full id of the change whose state came back, or NOTHING; NOTE for a change of assets."""
    full_id: str = ""


def newest_standing(entries: Sequence[Entry]) -> Entry | None:
    """The change that made the present state (`entries` are newest first): an undo stands for the state that it restored."""
    by_id = {entry.full_id: entry for entry in entries}
    standing = entries[0] if entries else None
    while standing and standing.restores:
        standing = _older(entries, standing) if standing.restores == NOTE else by_id.get(standing.restores)
    return None if standing is None or is_beginning(entries, standing) else standing


def named(entries: Sequence[Entry], change_id: str) -> Entry | None:
    """The newest change whose id begins with `change_id`, of which at least four characters are needed."""
    return next(
        (entry for entry in entries if len(change_id) >= 4 and entry.full_id.startswith(change_id.lower())), None
    )


def state_before(entries: Sequence[Entry], entry: Entry) -> str:
    """The full id of the change whose state was there before `entry`, or NOTHING."""
    older = _older(entries, entry)
    return older.full_id if older else NOTHING


def is_beginning(entries: Sequence[Entry], entry: Entry) -> bool:
    """True for a file that was there before its history began: what was before it is not known."""
    return entry.what == AS_FOUND and _older(entries, entry) is None


def _older(entries: Sequence[Entry], entry: Entry) -> Entry | None:
    return next(iter(entries[list(entries).index(entry) + 1 :]), None)
