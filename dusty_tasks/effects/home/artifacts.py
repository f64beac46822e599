"""The files that Dusty generates: written only when their bytes differ, pruned, and never over a person's edit in silence.

What Dusty left in a folder is recorded in `<folder>/.written/<name>.json`, beside the files, so that losing state/ does
not make an edit look like Dusty's own work. A record may hold a note on each file, for whoever renders it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import time
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from dusty_tasks.effects.doors.failures import Failure
from dusty_tasks.effects.doors.file_states import State, is_settled, state_of, tree_states
from dusty_tasks.effects.doors.files import read_bytes, remove_leftovers, write_atomically

MAX_DIFF_LINES = 40
_KEPT = re.compile(r"\.orig[0-9]*$")
KEPT_PATTERNS = ["/*/**.orig", "/*/**.orig*[0-9]"]
"""The same names below build/commands, whose files end in .sh, as rsync patterns; an app itself may be called so."""


def is_kept(path: str) -> bool:
    """True for the name of what was kept of a person's: no artifact, and nothing to push."""
    return bool(_KEPT.search(path))


class Left(NamedTuple):
    """The record of one file."""

    digests: list[str]
    """Of what Dusty wrote last, and of what it wrote over, which is still there after a kill in between."""
    note: Any = None
    state: State = ()
    """A state in which it was found to be what Dusty wrote last; () if it was not looked at since."""


def record_path(folder: str, name: str) -> str:
    """Where the record of that name lies."""
    return os.path.join(folder, ".written", f"{name}.json")


class Record:
    """What Dusty left in a folder under one name. A lost or damaged record is an empty one."""

    def __init__(self, folder: str, name: str) -> None:
        self.folder, self.name, self.path = folder, name, record_path(folder, name)
        self._states: dict[str, State] = {}
        self._seen: dict[str, State] | None = None
        try:
            head, _, body = (read_bytes(self.path) or b"").partition(b"\n")
            data = json.loads(body) if head == _digest(body).encode() else {}
            self.files = {
                str(path): Left(list(digests), note, tuple(*state)) for path, (digests, note, *state) in data.items()
            }
        except (ValueError, TypeError, AttributeError):
            self.files = {}

    def look_below(self, below: str) -> None:
        """Look at all files below a folder at once, instead of at each when it is asked about."""
        start = len(os.path.join(self.folder, ""))
        self._seen = {path[start:]: state for path, state in tree_states(os.path.join(self.folder, below)) if state}

    def paths_below(self, below: str) -> list[str]:
        """The files below a folder, as they were seen when it was looked at; what was kept of a person's is left out."""
        if self._seen is None:
            self.look_below(below)
        return [path for path in self._seen or () if not is_kept(path)]

    def digests(self, path: str) -> list[str]:
        """What Dusty may have left at `path`."""
        return self.files[path].digests if path in self.files else []

    def note(self, path: str) -> Any:
        """The note on a file that is still as it was left; None for any other."""
        left = self.files.get(path)
        if left is None or left.note is None:
            return None
        return left.note if self._is_as_left(path, left) else None

    def _is_as_left(self, path: str, left: Left) -> bool:
        """By its state, if that is known: a file is read once after it was written, not in each run."""
        now = time.time_ns()
        state = self._state(path)
        if state and state == left.state:
            return True
        found = read_bytes(os.path.join(self.folder, path))
        if found is None or _digest(found) != left.digests[0]:
            return False
        if is_settled(state, now):
            self._states[path] = state
        return True

    def _state(self, path: str) -> State:
        if self._seen is not None:
            return self._seen.get(path, ())
        try:
            return state_of(os.stat(os.path.join(self.folder, path)))
        except OSError:
            return ()

    def kept(self, path: str) -> Left:
        """The record of a file that stays as it is, with what was found about it."""
        left = self.files[path]
        return left._replace(state=self._states.get(path, left.state))

    def write(self, files: dict[str, Left]) -> None:
        """Make this the record, if it is not."""
        if files != self.files:
            body = json.dumps(files, ensure_ascii=False).encode()
            write_atomically(self.path, _digest(body).encode() + b"\n" + body)
            self.files = files


class Outcome(NamedTuple):
    """What became of a set of artifacts; paths are relative to their folder."""

    written: list[str]
    removed: list[str]
    edited: dict[str, str]
    """Files that a person had edited: path -> what was said about them."""


def changes_of(
    record: Record, artifacts: Mapping[str, bytes], pruned: str = "", kept: Collection[str] = ()
) -> tuple[list[str], list[str]]:
    """What write_artifacts would write and remove."""
    differing = [path for path, data in artifacts.items() if read_bytes(os.path.join(record.folder, path)) != data]
    stale = (
        [path for path in record.paths_below(pruned) if path not in artifacts and path not in kept] if pruned else []
    )
    return differing, stale


def write_artifacts(
    record: Record,
    artifacts: Mapping[str, bytes],
    pruned: str = "",
    notes: Mapping[str, Any] | None = None,
    kept: Collection[str] = (),
) -> Outcome:
    """Make the files of the record's folder hold `artifacts`, and remove what else lies below its folder `pruned`.

    `notes` go into the record; files in `kept` stay as they are, with their record. A file that is
    neither as Dusty left it nor as it should be is kept as `.orig`. Raises Failure if something cannot be written.
    """
    folder = record.folder
    differing, stale = changes_of(record, artifacts, pruned, kept)
    found = {path: read_bytes(os.path.join(folder, path)) for path in (*differing, *stale)}
    edited = {path: _keep_edited(folder, path, record, artifacts.get(path), data) for path, data in found.items()}
    left = {
        **{path: record.kept(path) for path in kept},
        **{
            path: _left(record, path, data, (notes or {}).get(path), found.get(path))
            for path, data in artifacts.items()
        },
    }
    # Before the files, so that a kill in between makes neither the new ones look edited, nor those that are to go.
    record.write({**left, **{path: record.files[path] for path in stale if path in record.files}})
    for path in differing:
        if not (pruned and path.startswith(f"{pruned}/")):  # There they are stale files like others.
            remove_leftovers(os.path.join(folder, path))
        write_atomically(os.path.join(folder, path), artifacts[path])
    for path in stale:
        _remove(folder, path, pruned)
    record.write(left)
    return Outcome(differing, stale, {path: text for path, text in edited.items() if text})


def _left(record: Record, path: str, data: bytes, note: Any, found: bytes | None) -> Left:
    """The record of a file that will hold `data`, and holds `found` until then (None: the same, or nothing)."""
    over = [] if found is None else [_digest(found)]
    return Left([_digest(data), *(digest for digest in over if digest in record.digests(path))], note)


def _keep_edited(folder: str, path: str, record: Record, data: bytes | None, found: bytes | None) -> str:
    """Keep a file that a person edited as `.orig`; what there is to say about it, '' if it was not edited."""
    full_path = os.path.join(folder, path)
    is_leftover = data is None and os.path.basename(path).startswith(".")  # of a write that was killed
    if found is None or is_leftover or _digest(found) in record.digests(path):
        return ""
    kept_path, number = f"{full_path}.orig", 1
    while read_bytes(kept_path) not in (None, found):
        number += 1
        kept_path = f"{full_path}.orig{number}"
    write_atomically(kept_path, found)
    return f"{path} was edited by hand: kept as {os.path.basename(kept_path)}" + _diff(data, found)


def _diff(data: bytes | None, found: bytes) -> str:
    if data is None:
        return ""
    compiled, edited = (text.decode(errors="replace").splitlines() for text in (data, found))
    lines = list(difflib.unified_diff(compiled, edited, "compiled", "edited", lineterm="", n=1))
    more = [f"… and {len(lines) - MAX_DIFF_LINES} more lines"] if len(lines) > MAX_DIFF_LINES else []
    return "".join(f"\n    {line}" for line in lines[:MAX_DIFF_LINES] + more)


def _remove(folder: str, path: str, pruned: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    try:
        os.unlink(os.path.join(folder, path))
        parent = os.path.dirname(path)
        while parent and parent != pruned and not os.listdir(os.path.join(folder, parent)):
            os.rmdir(os.path.join(folder, parent))
            parent = os.path.dirname(parent)
    except FileNotFoundError:
        return
    except OSError as error:
        raise Failure(f"{os.path.join(folder, path)} cannot be removed: {error.strerror}", code=2) from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
