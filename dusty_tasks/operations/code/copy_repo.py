"""One repo to the Docker host: what is in its copy and not in its source goes, what was made there is kept aside, the rest is sent.

core/code/copies and core/code/replaced decide; rsync does it. Killed anywhere, what a sync moved aside is still there, and the next one goes through it.

More than 300 lines: one sync, from the listing of the copy to what is kept of it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dusty_tasks.core.code.changed_paths import changed_paths
from dusty_tasks.core.code.copies import (
    UNIGNORED,
    Guard,
    Hindrances,
    State,
    Tree,
    deletions,
    hindrances,
    mounted_by,
)
from dusty_tasks.core.code.excludes import Rule, literal
from dusty_tasks.core.code.replaced import Kept, shown_path
from dusty_tasks.effects.code import kept as kept_sets
from dusty_tasks.effects.code import rsync
from dusty_tasks.effects.code.copy_states import entry_of, files_in, read_states_at
from dusty_tasks.effects.code.fingerprint import (
    Edited,
    Entry,
    begin_manifest,
    edited_since,
    keep_manifest,
    note_late,
)
from dusty_tasks.effects.code.line import Line, Session, can_carry
from dusty_tasks.effects.code.prepare import Asked, prepare
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo, keep_what_was_made, taking_over
from dusty_tasks.operations.code.disguised import unlike_any

MOST_UNLISTED = 50
"""So many ignored folders at the top of a copy are left out of what an ssh host lists."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a copy."""

    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    """What was created on the Docker host and lies aside now."""
    barred: tuple[str, ...] = ()
    """What the source has and the copy does not get, because of what is mounted there."""
    notes: tuple[str, ...] = ()
    copy_id: str = ""
    """Another one whenever the copy was made anew."""
    is_same_copy: bool = False
    """It is the copy that the last receipt was about."""
    sent_at: float = 0.0
    """When all of it lay there, by time.monotonic."""
    deleted_before: Any = None
    """The note on deleted files in the receipt until now."""
    has_other: bool = False
    """Something was sent as it was not when the source was looked at."""

    def after(self, before: Copied) -> Copied:
        """The sum of two passes of one sync: this one, and that before it."""
        return replace(
            self,
            changed=tuple(dict.fromkeys((*before.changed, *self.changed))),
            deleted=tuple(dict.fromkeys((*before.deleted, *self.deleted))),
            kept=(*before.kept, *self.kept),
            is_same_copy=before.is_same_copy,
            deleted_before=before.deleted_before,
        )


@dataclass(slots=True)
class Options:
    """How to copy."""

    receipt: str
    """Path below host.root."""
    is_empty: bool = False
    checksum: bool = False
    progress: Callable[[str], None] | None = None
    lock: int | None = None
    only: frozenset[bytes] | None = None
    """Where the source differs from what was sent last, if nothing else is to be sent."""
    last: str = ""
    """The fingerprint of what was sent last: if the copy is another one, all of it is sent."""
    line: Line | None = None
    """What small edits go by."""
    is_last: bool = False
    """No further pass follows if the source was edited during this one."""


class Copying:
    """One sync of one repo."""

    def __init__(self, copy: CopyOfRepo, options: Options) -> None:
        self.copy, self.options = copy, options
        self.part = kept_sets.new_time() + kept_sets.PART
        self.kept = kept_sets.kept_path(copy.repo_id, self.part)
        self.is_first = True
        self.is_new = False
        self.was: dict[str, Any] = {}
        self.leftovers: set[str] = set()
        self.has_replaced = self.has_vanished = False
        self.hindrances = Hindrances((), (), ())
        self.changed: dict[str, None] = {}
        self.deleted: dict[str, None] = {}
        self.sent_at = 0.0
        self.replaced: dict[str, dict[bytes, State]] = {}
        """What is in kept sets, where that was told already."""
        self.source = copy.source
        """What the receipt is to tell of."""
        self.session: Session | None = None
        """What all of it went by, if it is still open."""
        self.as_sent: dict[bytes, Entry] = {}
        """Path `a/b` -> a file as the session sent it."""

    def __enter__(self) -> Copying:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """What was opened for it."""
        if self.session:
            self.session.close()

    def run(self) -> Copied:
        """All of it but the receipt; whoever writes that closes this. Raises Failure, EmptySource, ToolFailed."""
        try:
            return self._run()
        except BaseException:
            self.close()
            raise

    def _run(self) -> Copied:
        copy, home = self.copy, self.copy.settings.home
        before = copy.sent  # read before what is about to be sent takes their place
        try:
            taking_over(copy.host, copy.host.path(copy.below), copy.settings.nginx_image, self._copy)
        except ToolFailed as failure:
            self._note_unfinished(failure)
            raise
        self.sent_at = self.sent_at or time.monotonic()
        if self.options.only is not None:
            # To write it before would cost more than what is sent. Killed in between, what is sent next is compared with what lies there.
            begin_manifest(home, copy.repo_id, copy.source, copy.identity)
        edited = edited_since(copy.source_path, copy.source, [rsync.path_of(name) for name in self.changed])
        if self.has_vanished:
            edited = edited._replace(has_passed=True)
        names = [*self.leftovers, *([self.part] if self.has_replaced else [])]
        late = self._as_sent(edited)
        # Another pass begins with a look at what is there, which what still goes by the line would cross.
        drop = self.session.drop if self.session and not edited.is_any else None
        kept = keep_what_was_made(copy, names, [*before, copy.tree, Tree(late)], self.replaced, drop)
        if edited.is_any and self.options.is_last:
            self.source = unlike_any(copy.source)
        # What came and went may lie in the copy still: only a look at all of it tells, so nobody is to go on from this.
        is_known = late and not edited.has_passed
        keep_manifest(home, copy.repo_id, self.source if is_known else copy.source, copy.identity, late)
        barred = [(shown_path(path), point) for path, point in self.hindrances.barred]
        return Copied(
            tuple(self.changed),
            tuple(self.deleted),
            tuple(kept),
            tuple(name for name, _ in barred),
            tuple(f"{name} is not sent: {mounted_by(point)}" for name, point in barred),
            self._copy_id(),
            not self.is_new and self.was.get("fingerprint") is not None,
            self.sent_at,
            self.was.get("deleted"),
            edited.is_any,
        )

    def _as_sent(self, edited: Edited) -> dict[bytes, list[Entry]]:
        """The files that were edited between the look and the sending, as they lie in the copy now, if half-written."""
        copy = self.copy
        if self.session:
            sent = {path: entry for path, entry in self.as_sent.items() if entry != copy.tree.at(b"/" + path)}
        else:
            unsure = [*map(rsync.path_of, self.changed)] if self.has_vanished else edited.unsure
            lie = read_states_at(copy.host, copy.host.path(copy.below), unsure)
            sent = {path: entry_of(path, state) for path, state in lie.items()}
        sent = {**self._as_before(), **sent}
        late = {folder: list(entries) for folder, entries in edited.late.items()}
        for path, entry in sent.items():
            # Of two entries of one name the last one counts.
            late.setdefault(b"/" + path[: path.rfind(b"/") + 1], []).append(entry)
        return late

    def _as_before(self) -> dict[bytes, Entry]:
        """Files that were to be sent and had vanished by then: of these the copy has what was sent last."""
        copy, last = self.copy, self.copy.last_manifest
        if not last:
            return {}
        sent, found = set(map(rsync.path_of, self.changed)), dict[bytes, Entry]()
        trees = [Tree(last.late), Tree(last.folders)]
        for path in changed_paths(last.folders, copy.source.folders) - sent:
            entry = next((entry for tree in trees if (entry := tree.at(b"/" + path))), None)
            if entry and not stat.S_ISDIR(entry[1]) and copy.tree.at(b"/" + path):
                found[path] = entry
        return found

    def _note_unfinished(self, failure: ToolFailed) -> None:
        """What was sent of a source that is edited at the same time is nobody's change in the next pass."""
        copy, names = self.copy, [rsync.path_of(name) for name in (*self.changed, *failure.done)]
        with suppress(Failure):
            late: dict[bytes, list[Entry]] = {}
            for path, state in read_states_at(copy.host, copy.host.path(copy.below), names).items():
                late.setdefault(b"/" + path[: path.rfind(b"/") + 1], []).append(entry_of(path, state))
            note_late(copy.settings.home, copy.repo_id, copy.source, copy.identity, late)

    def write_receipt(self, text: bytes) -> None:
        """The receipt, in place of the one that was set aside. Raises Failure."""
        receipt = self.options.receipt
        before = f"{os.path.basename(self.copy.repo_id)}.before"
        if self.session and self.session.write_receipt(receipt, before, text):
            return
        if self.session and self.has_replaced:
            # What went by a line that is cut may not have arrived.
            kept_sets.settle(self.copy.host, self.copy.repo_id, self.part, (), False)
        self.copy.host.files.write(receipt, text, in_place_of=before)

    def _copy(self) -> None:
        """May be run again, after files that were not ours became so."""
        copy, options = self.copy, self.options
        if options.only is not None:
            if self._copy_changes(sorted(options.only)):
                return
            options.only = None
        asked = Asked(options.receipt, options.is_empty, copy.repo_id, self._unlisted())
        prepared = prepare(copy.host, copy.below, asked)
        if self.is_first:
            self.is_new = prepared.is_new
            self.was = {} if self.is_new else prepared.was
            begin_manifest(copy.settings.home, copy.repo_id, copy.source, copy.identity)
            self.is_first = False
        self.leftovers |= {*prepared.parts} - {self.part}
        guard = copy.guard(copy.records(prepared.started))
        if not prepared.is_new:
            self.hindrances = hindrances(prepared.listing, copy.tree, guard)
            self._refuse_conflicts()
            gone = deletions(prepared.listing, copy.source.folders, guard)
            self.deleted.update(dict.fromkeys(map(shown_path, gone.files)))
            if gone.paths:
                self.has_replaced = True
                rsync.delete_paths(copy.host, copy.below, gone.paths, self.kept, options.lock)
        self._send()

    def _copy_changes(self, paths: list[bytes]) -> bool:
        """Send what changed and nothing else; False, before anything is sent, if that would not make the copy what the source is."""
        line, entries = self.options.line, [self.copy.tree.at(b"/" + path) for path in paths]
        session = line.take() if line and can_carry(paths, entries) else None
        try:
            return self._copy_by(session, paths)
        finally:
            if session and session is not self.session:
                session.close()
            if line:
                line.open()

    def _copy_by(self, session: Session | None, paths: list[bytes]) -> bool:
        copy, options = self.copy, self.options
        asked = Asked(options.receipt, repo_id=copy.repo_id, only=paths)
        prepared = prepare(copy.host, copy.below, asked, session)
        if prepared.is_new or prepared.is_odd or prepared.was.get("fingerprint") != options.last:
            return False
        guard = copy.guard(copy.records(prepared.started))
        if touches_mounts(paths, guard):
            return False
        self.was = prepared.was
        self.leftovers |= {*prepared.parts} - {self.part}
        gone = deletions(prepared.listing, copy.source.folders, guard, paths)
        self.deleted.update(dict.fromkeys(map(shown_path, gone.files)))
        if session and not gone.paths and (sent := session.send(self.kept, copy.source_path, paths)):
            self.session, self.sent_at, self.as_sent = session, sent.at, sent.entries
            self.changed.update(dict.fromkeys(map(os.fsdecode, paths)))
            self.has_replaced = bool(sent.replaced)
            self.replaced = {self.part: files_in(sent.replaced)}
            return True
        # A line that was cut may have sent some of it: what that replaced is in the set, too.
        self.has_replaced = session is not None and not gone.paths
        if gone.paths:
            self.has_replaced = True
            rsync.delete_paths(copy.host, copy.below, gone.paths, self.kept, options.lock)
        there = [path for path in paths if copy.tree.at(b"/" + path) is not None]
        if there:
            self._note(rsync.send_paths(copy.host, copy.source_path, copy.below, there, self.kept, lock=options.lock))
        return True

    def _send(self) -> None:
        copy, options, apart = (
            self.copy,
            self.options,
            [*(path for path, _ in self.hindrances.barred), *self.hindrances.in_place],
        )
        rules = [*(Rule(literal(b"/" + path), True, "mount point") for path in apart), *copy.rules]
        self._note(
            rsync.send_folder(
                copy.host,
                copy.source_path,
                copy.below,
                rules,
                self.kept,
                rsync.How(options.checksum, options.progress, options.lock),
            )
        )
        edited = [
            path
            for path in self.hindrances.in_place
            if not any(tree.at(b"/" + path) == copy.tree.at(b"/" + path) for tree in copy.sent)
        ]
        if edited or (options.checksum and self.hindrances.in_place):
            self._note(
                rsync.send_in_place(
                    copy.host,
                    copy.source_path,
                    copy.below,
                    self.hindrances.in_place,
                    self.kept,
                    checksum=options.checksum,
                )
            )

    def _note(self, copied: rsync.Copied) -> None:
        self.changed.update(dict.fromkeys(copied.changed))
        self.deleted.update(dict.fromkeys(shown_path(rsync.path_of(name)) for name in copied.deleted))
        self.has_replaced = self.has_replaced or copied.has_replaced
        self.has_vanished = self.has_vanished or copied.has_vanished

    def _unlisted(self) -> list[str]:
        """Folders at the top of the copy that a far host need not list: all in them stays."""
        if not self.copy.host.is_far:
            return []
        guard = self.copy.guard({})
        names = {name for name, *_ in self.copy.source.folders.get(b"/", ())} | guard.plain_names()
        found = [
            name.decode()
            for name in sorted(names)
            if name.isascii()
            and not set(name) & set(b"*?[\\/\n")
            and not any(point.startswith(b"/" + name + b"/") for point in guard.points)
            and (
                guard.leaves_alone(b"/" + name, True)
                or (self.copy.settings.sync_delete == UNIGNORED and guard.keeps(b"/" + name, True))
            )
        ]
        return found[:MOST_UNLISTED]

    def _refuse_conflicts(self) -> None:
        if self.hindrances.conflicts:
            path, point = self.hindrances.conflicts[0]
            raise Failure(
                f"{shown_path(path)} is a file in {self.copy.source_path}, and in the copy on {self.copy.host.name} a folder in which "
                f"{mounted_by(point)} ({point.path})",
                "another path in the container, or another name in the repo",
            )

    def _copy_id(self) -> str:
        """That of before, unless the copy is another one now: made anew, or of another source."""
        is_same = not self.is_new and self.was.get("source") == self.copy.source_path
        return str((self.was.get("copy") if is_same else "") or os.urandom(8).hex())


def touches_mounts(paths: Iterable[bytes], guard: Guard) -> bool:
    """True if one of these paths is, holds, or lies in a mount point."""
    points = [point[1:] + b"/" for point in guard.points]
    return any(point.startswith(path + b"/") or (path + b"/").startswith(point) for path in paths for point in points)
