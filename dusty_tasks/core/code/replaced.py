"""What a sync replaced on the Docker host: what of it was made there, and so is kept and named, and how much is kept. Pure."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dusty_tasks.core.code.copies import Entry, Guard, Listing, State, Tree
from dusty_tasks.core.text.called import DUSTY
from dusty_tasks.core.text.safe import printable

KEPT_SETS, KEPT_BYTES = 10, 1 << 30
"""How much is kept of one repo: so many times, and so many bytes; the oldest go first, and the newest never goes."""
MOST_NAMES = 100
"""So many names are said; a folder full of them is named by its first ones."""


NEW, CHANGED = "new", "changed"


class Replaced(NamedTuple):
    """Something that a sync deleted or overwrote, and that no sync had sent like that."""

    path: bytes
    is_deleted: bool


class Kept(NamedTuple):
    """What was kept of one repo at one time, and is said."""

    time: str
    files: tuple[Replaced, ...]


def made_there(
    replaced: Mapping[bytes, State], sent: Sequence[Tree], source: Tree, *, is_after_a_break: bool = False
) -> list[Replaced]:
    """What of the files that a sync replaced the copy had gained or changed on the Docker host: it is kept, and named.

    `replaced` is by path `a/b`; `sent` is what the last syncs sent, more than one where a sync did not end. A killed rsync leaves half a file
    under a name of its own, which nobody made.
    """
    return [
        Replaced(path, source.at(b"/" + path) is None)
        for path, state in sorted(replaced.items())
        if state.kind in ("f", "l")
        and not any(is_as_sent(state, tree.at(b"/" + path)) for tree in sent)
        and not (is_after_a_break and _is_half_sent(path, [source, *sent]))
    ]


def _is_half_sent(path: bytes, sent: Sequence[Tree]) -> bool:
    folder, slash, name = path.rpartition(b"/")
    match = re.fullmatch(rb"\.(.+)\.[A-Za-z0-9]{6}", name, re.DOTALL)
    return match is not None and any(tree.at(b"/" + folder + slash + match[1]) is not None for tree in sent)


def is_as_sent(state: State, entry: Entry | None) -> bool:
    """True if a file of the copy is what was sent. A changed mode alone is no change of what is in it."""
    if entry is None or stat.S_ISDIR(entry[1]):
        return False
    if stat.S_ISLNK(entry[1]):
        return state.kind == "l" and state.target == entry[2]
    if not stat.S_ISREG(entry[1]):
        return state.kind not in ("f", "l")
    times = (entry[3], entry[3] // 10**9 * 10**9) if state.mtime % 10**9 == 0 else (entry[3],)
    return state.kind == "f" and state.size == entry[2] and state.mtime in times


def edits(copy: Listing, sent: Sequence[Tree], guard: Guard) -> list[tuple[bytes, str]]:
    """(path, NEW or CHANGED) of what a copy gained or changed since its last sync, as far as a sync would delete or overwrite it."""
    found = []
    pending = [b"/"]
    while pending:
        folder = pending.pop()
        for name, state in copy(folder):
            path, is_folder = folder + name, state.kind == "d"
            entries = [
                entry for tree in sent if (entry := tree.at(folder + name)) and stat.S_ISDIR(entry[1]) == is_folder
            ]
            if guard.leaves_alone(path, is_folder) or (not entries and guard.keeps(path, is_folder)):
                continue
            if is_folder:
                pending.append(path + b"/")
            elif state.kind in ("f", "l") and not any(is_as_sent(state, entry) for entry in entries):
                found.append((path[1:], CHANGED if entries else NEW))
    return sorted(found)


def superfluous(sizes: Mapping[str, int]) -> list[str]:
    """Which of the kept sets go, by name (a time) -> bytes: the oldest, until the bounds hold. The newest stays whatever it takes."""
    names, total = sorted(sizes), sum(sizes.values())
    gone = []
    while len(names) > 1 and (len(names) > KEPT_SETS or total > KEPT_BYTES):
        total -= sizes[names[0]]
        gone.append(names.pop(0))
    return gone


def kept_lines(kept: Sequence[Kept], folder: str, name: str) -> Iterator[str]:
    """What is said of it: every name, where it lies, and how it comes back. `folder` is that of the repo's sets, `name` the repo's."""
    for one in kept:
        for words, files in (
            ("deleted, made on the Docker host", [file for file in one.files if file.is_deleted]),
            ("overwritten, changed on the Docker host", [file for file in one.files if not file.is_deleted]),
        ):
            yield from (f"    {words}: {shown_path(file.path)}" for file in files[:MOST_NAMES])
            if len(files) > MOST_NAMES:
                yield f"    {words}: {len(files) - MOST_NAMES} more"
        yield f"    kept in {folder}/{one.time}"
    if kept:
        yield f"    hint: {DUSTY} sync {name} --restore brings the newest back; {DUSTY} sync {name} --pull PATH fetches one into the source"


def shown_path(path: bytes) -> str:
    """A name of the Docker host as it may be printed."""
    return printable(path.decode("utf-8", "surrogateescape"))


def deleted_note(kept: Sequence[Kept], before: Any, time_text: str) -> dict[str, Any]:
    """For a receipt: what the last sync that deleted something made on the Docker host took away, {} if none did.

    `before` is the note of the receipt until now.
    """
    names = [shown_path(file.path) for one in kept for file in one.files if file.is_deleted]
    if names:
        return {"time": time_text, "count": len(names), "names": names[:20]}
    return before if isinstance(before, dict) else {}


def blamed_deletions(
    was_started: bool, good: str, receipts: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]
) -> str:
    """For an app that failed at its start: which files, made on the Docker host, syncs deleted since it was ready; '' for none.

    `was_started`: there is a record of it until now; `good` when its last good start was, `receipts` are those of its repos by id, `names` what people call them.
    """
    said = []
    for repo_id, receipt in receipts.items():
        note = receipt.get("deleted")
        if was_started and isinstance(note, dict) and note.get("names") and str(note.get("time", "")) >= good:
            more = int(note["count"]) - len(note["names"])
            said.append(
                f"the sync of {note['time'][11:19]} deleted what was created on the Docker host in {names[repo_id]}: {', '.join(note['names'])}"
                f"{f' and {more} more' if more > 0 else ''} ({DUSTY} sync {names[repo_id]} --restore brings it back)"
            )
    return "; ".join(said)
