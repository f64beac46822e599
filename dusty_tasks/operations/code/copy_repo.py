"""One repo to the Docker host: what is in its copy and not in its source goes, what was made there is kept aside, the rest is sent.

core/code/copies and core/code/replaced decide; rsync does it. Killed anywhere, what a sync moved aside is still there, and the next one goes through it.

More than 300 lines: one sync, from the listing of the copy to what is kept of it.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from dusty_tasks.core.artifacts.mount_points import merged, of_records, through_links
from dusty_tasks.core.code.changed_paths import changed_paths
from dusty_tasks.core.code.copies import (
    SENT,
    UNIGNORED,
    Guard,
    Hindrances,
    MountPoint,
    State,
    Tree,
    deletions,
    hindrances,
    mounted_by,
)
from dusty_tasks.core.code.excludes import Matcher, Rule, literal
from dusty_tasks.core.code.replaced import Kept, made_there, shown_path, superfluous
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.plan.started import StartedRecord
from dusty_tasks.core.settings.model import Settings
from dusty_tasks.core.text.paths import COPIES
from dusty_tasks.effects.code import kept as kept_sets
from dusty_tasks.effects.code import owners, rsync
from dusty_tasks.effects.code.copy_states import entry_of, files_in, read_states_at
from dusty_tasks.effects.code.fingerprint import (
    BEGUN,
    BROKEN,
    Edited,
    Entry,
    Manifest,
    Source,
    begin_manifest,
    edited_since,
    keep_manifest,
    kept_manifest,
    note_late,
)
from dusty_tasks.effects.code.ignore_files import read_ignores
from dusty_tasks.effects.code.line import Line, Session, can_carry
from dusty_tasks.effects.code.prepare import Asked, prepare
from dusty_tasks.effects.code.receipts import identity_of
from dusty_tasks.effects.docker_host.host import DockerHost
from dusty_tasks.effects.docker_host.started_records import read_started, with_spare
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.home.assets import set_keys
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


class CopyOfRepo:
    """The copy of one repo, and all that decides what a sync may do to it."""

    def __init__(
        self,
        host: DockerHost,
        settings: Settings,
        entry: RepoEntry,
        source_path: str,
        source: Source,
    ) -> None:
        self.host, self.settings, self.source_path, self.source = host, settings, source_path, source
        self.rules = source.rules
        self.repo_id: str = entry.id
        self.below = f"{COPIES}/{self.repo_id}"
        self.tree = Tree(source.folders)
        self.matcher = Matcher(source.rules)
        self.points = points_of(entry)

    @cached_property
    def identity(self) -> str:
        """Which Docker host it lies on."""
        return identity_of(self.host)

    @cached_property
    def last_manifest(self) -> Manifest | None:
        """What was sent to it last; None if that is not remembered."""
        manifest = kept_manifest(self.settings.home, self.repo_id)
        return manifest if manifest and manifest.host == self.identity else None

    @property
    def last_fingerprint(self) -> str:
        """Of the source as it was sent last; '' if that is not remembered."""
        return self.last_manifest.fingerprint if self.last_manifest else ""

    @cached_property
    def sent(self) -> list[Tree]:
        """What was sent to it, as far as that is remembered."""
        home = self.settings.home
        broken = [kept_manifest(home, self.repo_id, suffix) for suffix in (BROKEN, BEGUN)]
        return [
            Tree(folders)
            for manifest in (self.last_manifest, *broken)
            if manifest and manifest.host == self.identity
            for folders in (manifest.folders, manifest.late)
            if folders
        ]

    def guard(self, started: Mapping[str, StartedRecord]) -> Guard:
        """What a sync must leave alone; `started` are the records of containers, of which some may be of former specs."""
        recorded = of_records(started, self.host.path(COPIES), [self.repo_id], self.host.namespace).get(
            self.repo_id, ()
        )
        points = [point._replace(path=self._resolved(point.path)) for point in merged(self.points, recorded)]
        ignores = read_ignores(self.source_path) if self.settings.sync_delete == UNIGNORED else None
        keys = set_keys(self.settings.home) if any(point.asset for point in points) else ()

        def was_sent(path: bytes) -> bool:
            return any(tree.at(path) is not None for tree in self.sent)

        return Guard(
            self.matcher,
            points,
            ignores,
            self.settings.sync_delete,
            was_sent if self.settings.sync_delete == SENT else lambda _path: False,
            keys,
        )

    def _resolved(self, path: str) -> str:
        def link_at(below: bytes) -> bytes | None:
            entry = self.tree.at(b"/" + below)
            return entry[2] if entry and len(entry) == 3 and isinstance(entry[2], bytes) else None

        return os.fsdecode(through_links(os.fsencode(path), link_at))

    def records(self, read: object = None) -> dict[str, StartedRecord]:
        """The records of containers, of what was `read` of them already, if anything was."""
        return read_started(self.host) if read is None else with_spare(self.host, read)


def points_of(entry: RepoEntry) -> tuple[MountPoint, ...]:
    """The mount points that the stack is known to have in the copy of a repo."""
    return tuple(MountPoint(*point) for point in entry.mounts)


def with_mounts(entry: RepoEntry, points: Iterable[MountPoint]) -> RepoEntry:
    """A repo with further mount points in its copy."""
    return entry._replace(mounts=tuple(merged(points_of(entry), points)))


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


def keep_what_was_made(
    copy: CopyOfRepo,
    names: Iterable[str],
    sent: Sequence[Tree],
    told: Mapping[str, dict[bytes, State]] = MappingProxyType({}),
    drop: Callable[[], None] | None = None,
) -> list[Kept]:
    """Keep what was made there of all that was moved aside, also by syncs that were interrupted; drop the rest. Raises Failure.

    `names` are those of the sets, `sent` is all that syncs have sent, `told` what is known to be in some of the sets: those that
    `drop` takes away, where it is given.
    """
    kept = []
    is_after_a_break = kept_manifest(copy.settings.home, copy.repo_id, BROKEN) is not None
    for name in sorted(names):
        states = told[name] if name in told else kept_sets.read_set(copy.host, copy.repo_id, name)
        found = made_there(states, sent, copy.tree, is_after_a_break=is_after_a_break)
        overwritten = [file.path for file in found if not file.is_deleted]
        same = kept_sets.equal_files(copy.host, copy.repo_id, name, overwritten) if overwritten else set()
        files = tuple(file for file in found if file.path not in same)
        if drop and name in told and not files:
            drop()
        else:
            kept_sets.settle(copy.host, copy.repo_id, name, states.keys() - {file.path for file in files}, bool(files))
        if files:
            kept.append(Kept(name.removesuffix(kept_sets.PART), files))
    if kept:
        sizes = {one.time: one.size for one in kept_sets.read_sets(copy.host, copy.repo_id) if not one.is_part}
        kept_sets.remove_sets(copy.host, copy.repo_id, superfluous(sizes))
    return kept


def taking_over(host: DockerHost, folder: str, nginx_image: str, copy: Callable[[], Any]) -> Any:
    """What `copy` gives; where files are in its way that a container left as root in `folder`, they are given to the receiver, and it is tried again."""
    try:
        return copy()
    except owners.NotOurs as failure:
        if host.is_root or not owners.take_over(host, failure.folder or folder, images_with_chown(host, nginx_image)):
            raise
    return copy()


def images_with_chown(host: DockerHost, nginx_image: str) -> list[str]:
    """Images that surely have it, those most likely to be there first."""
    from dusty_tasks.effects.doors import process

    listed = process.run(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], env=host.engine_environment()
    )
    return list(dict.fromkeys([nginx_image, *(name for name in listed.out.split() if "<none>" not in name)]))[:5]
