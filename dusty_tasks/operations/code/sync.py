"""Sync: the code of repos to the Docker host, each beside a receipt of what it was made from (docs/specs.md, "What a sync does to a copy").

A repo here is an entry of `wanted.repos` (core/code/repo_entry).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.code.changed_paths import changed_paths, paths_in, sent_alone
from dusty_tasks.core.code.guards import refused_destination
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.paths import COPIES, RECEIPTS
from dusty_tasks.effects.code.fingerprint import Source
from dusty_tasks.effects.code.receipts import Receipt, read_receipts
from dusty_tasks.effects.code.working_tree import read_commit
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.lock import last_taken
from dusty_tasks.operations.code.disguised import PARTED, disguised, is_of, looked_at, marked
from dusty_tasks.operations.code.sources import Looked, Looks, check_source, lock_of, read_state, source_of
from dusty_tasks.operations.code.stale import how_stale, other_rule, rules_digest
from dusty_tasks.operations.code.sync_outcome import FAILED, SYNCED, UP_TO_DATE, Synced, SyncOutcome

if TYPE_CHECKING:
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.code.line import Line
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo
    from dusty_tasks.operations.code.copy_repo import Copied, Copying, Options

Say = Callable[[str], None]
MOST_PASSES = 3
"""Of one sync, where its source is edited meanwhile."""
LONGEST_WAIT = 600.0
"""Seconds that a sync waits for another one of the same repo."""


class How(NamedTuple):
    """How to sync, and for whom."""

    say: Say
    """Hears one line a repo as it ends."""
    verb: str = "sync"
    allow_empty: bool = False
    checksum: bool = False
    """Compare contents, and leave no repo alone for its receipt."""
    shows_progress: bool = False
    """`say` also hears how far a copy is, so they are made one by one."""
    is_locked: bool = False
    """The caller holds the lock for changes."""
    synced_one: Callable[[SyncOutcome], None] | None = None
    """Hears of each in place of `say`."""
    notes_owed: bool = True
    """Note what the new code calls for in containers; False where the caller does."""
    is_live: bool = False
    """Each edit is followed: send what changed, and leave alone whatever else the copy has."""
    line: Line | None = None
    """What small edits go by, if each is followed on a far host."""


class Known(NamedTuple):
    """What was read a moment ago, and is not read again. What another sync did since makes it worth nothing."""

    receipts: Mapping[str, Receipt] | None = None
    """All of the stack's; None if they were not read. By them all that is to be synced was found stale."""
    looked: Mapping[str, Looked] = MappingProxyType({})
    """Repo id -> what was seen of its source."""


def sync_repos(
    repo_entries: Sequence[RepoEntry],
    host: DockerHost,
    settings: Settings,
    how: How,
    stack_repos: Sequence[RepoEntry] = (),
    known: Known = Known(),  # noqa: B008 - immutable
) -> Synced:
    """Sync repos in parallel, those that are up to date left alone; one outcome each, in order.

    One failure does not stop the others: it is in the outcome. `stack_repos` are all repos of the stack, for the digests of libs
    (default: `repo_entries`). Raises Failure only for what concerns all: no rsync, no connection.
    """
    from dusty_tasks.effects.doors.parallel import each_in_parallel
    from dusty_tasks.operations.code.owed import note_owed
    from dusty_tasks.operations.launch.install_marks import push_install_marks

    if settings.sync_mode == "bind":
        from dusty_tasks.operations.code.bound import give_back

        how.say("sync.mode is bind: containers see the working trees themselves, nothing is copied")
        give_back(repo_entries, settings, host, how.say)
        return Synced()
    if not repo_entries:
        return Synced()
    everything = list(stack_repos or repo_entries)
    receipts = (
        read_receipts(host, sorted({entry.id for entry in (*everything, *repo_entries)}))
        if known.receipts is None
        else dict(known.receipts)
    )
    looks = Looks(settings)
    looks.seen.update(known.looked)
    run = _Run(host, how, receipts, looks, shown_names(entry.id for entry in (*everything, *repo_entries)))
    # Judged here, in one thread: what is up to date needs neither a lock nor a turn in the pool.
    stale = [
        entry
        for entry in repo_entries
        if how.checksum
        or known.receipts is not None
        or (how.is_live and run.has_other_source(entry))
        or how_stale(entry, receipts.get(entry.id), looks, host)
    ]
    synced = each_in_parallel(
        run.sync,
        stale,
        1 if how.shows_progress else settings.sync_jobs,
        how.synced_one or (lambda outcome: how.say(str(outcome)) if outcome.status == SYNCED else None),
    )
    by_id = {outcome.repo_id: outcome for outcome in synced}
    outcomes = Synced(by_id.get(entry.id) or run.up_to_date(entry) for entry in repo_entries)
    receipts.update({outcome.repo_id: outcome.receipt for outcome in outcomes if outcome.receipt})
    for outcome in outcomes:
        if outcome.failure:
            receipts.pop(outcome.repo_id, None)
    is_news = any(outcome.status == SYNCED for outcome in outcomes)
    push_install_marks(everything, receipts, host, is_news=is_news, marked=known.receipts if how.is_live else None)
    if how.notes_owed:
        note_owed(outcomes, host, settings.home, is_locked=how.is_locked)
    outcomes.receipts = receipts
    return outcomes


class _Run:
    """One call of sync_repos: what its parallel syncs have in common."""

    def __init__(
        self, host: DockerHost, how: How, receipts: dict[str, Receipt], looks: Looks, names: Mapping[str, str]
    ) -> None:
        self.host, self.settings, self.how, self.receipts, self.names = host, looks.settings, how, receipts, names
        self.looks = looks

    def has_other_source(self, entry: RepoEntry) -> bool:
        """True if what was seen of its source just now is not what its receipt tells of."""
        seen = self.looks.seen.get(entry.id)
        is_read = seen is not None and isinstance(seen.source, Source)
        return is_read and not is_of(self.receipts.get(entry.id, {}), self.looks.at(entry).fingerprint)  # type: ignore[union-attr]

    def up_to_date(self, entry: RepoEntry) -> SyncOutcome:
        """The outcome for a repo whose copy is what its source is."""
        return self._outcome(entry.id, UP_TO_DATE, *source_of(entry, self.settings), receipt=self.receipts[entry.id])

    def sync(self, entry: RepoEntry) -> SyncOutcome:
        """Sync one repo under its lock."""
        from dusty_tasks.effects.doors.lock import held

        path, kind = source_of(entry, self.settings)
        name, home = lock_of(entry.id), self.settings.home
        seen = self.looks.seen.pop(entry.id, None)
        if seen and last_taken(name, home) != seen.taken:
            seen = None
        try:
            with held(name, verb=self.how.verb, home=home, wait=LONGEST_WAIT) as lock:
                outcome = self._sync(entry, path, kind, lock.fileno(), seen)
                return replace(outcome, taken=last_taken(name, home))
        except Failure as failure:
            return self._outcome(entry.id, FAILED, path, kind, failure=failure)

    def _outcome(self, repo_id: str, status: str, *rest: Any, **named: Any) -> SyncOutcome:
        return SyncOutcome(repo_id, self.names[repo_id], status, *rest, **named)

    def _copied(self, entry: RepoEntry, copy: CopyOfRepo, options: Options) -> tuple[Copying, Copied]:
        """Copy; and again, by a look of now, what was edited since the look: the receipt is to tell what was sent."""
        from dusty_tasks.effects.code.rsync import PARTLY
        from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo
        from dusty_tasks.operations.code.copy_repo import Copying

        before = None
        for left in reversed(range(MOST_PASSES)):
            options.is_last = left == 0 or before is not None
            copying = Copying(copy, options)
            try:
                copied = copying.run()
                copied = copied.after(before) if before else copied
                if not copied.has_other or options.is_last:
                    break
                before = copied
                copying.close()
                source = read_state(copy.source_path, self.settings)
                if options.only is not None:
                    options.only = sent_alone(options.only | changed_paths(copy.source.folders, source.folders))
            except ToolFailed as failure:
                # A file where a folder was a moment ago is in rsync's way, as long as the look has the folder.
                source = read_state(copy.source_path, self.settings)
                is_edited = source.fingerprint != copy.source.fingerprint.partition(PARTED)[0]
                if left == 0 or failure.exit_code != PARTLY or not is_edited:
                    raise
                options.only = None
            options.is_empty = source.files == 0 and not self.how.allow_empty
            former = copy.sent
            copy = CopyOfRepo(self.host, self.settings, entry, copy.source_path, source)
            # What the pass before did not come to send is still there as it was sent before that.
            copy.sent = [*copy.sent, *former]
        return copying, copied

    def _sync(self, entry: RepoEntry, path: str, kind: str, lock: int, seen: Looked | None) -> SyncOutcome:
        from dusty_tasks.core.code.replaced import deleted_note
        from dusty_tasks.effects.code import rsync
        from dusty_tasks.effects.code.kept import kept_path
        from dusty_tasks.effects.code.prepare import EmptySource
        from dusty_tasks.operations.code.copy_of_repo import CopyOfRepo
        from dusty_tasks.operations.code.copy_repo import Options

        check_source(path, self.settings.paths.base)
        repo_id = entry.id
        if refused := refused_destination(self.host.path(COPIES, repo_id), self.host.path(COPIES)):
            raise Failure(f"refused to sync: {refused}")
        source = seen.source if seen and isinstance(seen.source, Source) else read_state(path, self.settings)
        receipt = self.receipts.get(repo_id, {})
        is_same = receipt.get("source") == path and is_of(receipt, source.fingerprint)
        is_disguised = is_same and bool(disguised(self.host, self.settings, repo_id, path, source, receipt))
        if is_same and not self.how.checksum and not is_disguised and not other_rule(entry, receipt, self.settings):
            return self._outcome(repo_id, UP_TO_DATE, path, kind, receipt=receipt)
        if is_disguised:
            source = marked(source)
        elif is_same:
            source = source._replace(fingerprint=receipt["fingerprint"])
        options = Options(
            f"{RECEIPTS}/{repo_id}.json",
            source.files == 0 and not self.how.allow_empty,
            self.how.checksum or is_disguised,
            self.how.say if self.how.shows_progress else None,
            lock,
        )
        rsync.check_version(self.host)
        copy = CopyOfRepo(self.host, self.settings, entry, path, source)
        before = copy.last_manifest
        if not (before and receipt.get("source") == path and before.fingerprint == receipt.get("fingerprint")):
            before = None
        if self.how.is_live and before and not is_same and receipt.get("rules") == rules_digest(source):
            options.only = sent_alone(changed_paths(before.folders, source.folders) | paths_in(before.late))
            options.last, options.line = before.fingerprint, self.how.line
        try:
            copying, copied = self._copied(entry, copy, options)
        except EmptySource:
            raise Failure(
                f"refused to sync {path}: no file is left in it after excludes, and the copy on {self.host.name} has some",
                "--allow-empty empties the copy as well",
            ) from None
        source = copying.source
        paths = None
        # After a sync that failed only the receipt that it set aside tells what the copy was.
        was = receipt or copying.was
        if not receipt and copy.last_fingerprint == was.get("fingerprint") and was.get("source") == path:
            before = copy.last_manifest
        if before and copied.is_same_copy:
            paths = frozenset(changed_paths(before.folders, source.folders) | set(map(rsync.path_of, copied.changed)))
        fingerprint_before = str(was.get("fingerprint", ""))
        now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        note = deleted_note(copied.kept, copied.deleted_before, now)
        receipt = {
            "id": repo_id,
            "source": path,
            "kind": kind,
            "fingerprint": source.fingerprint,
            "files": source.files,
            "looked": looked_at(source),
            "commit": read_commit(path),
            "time": now,
            "copy": copied.copy_id,
            "delete": self.settings.sync_delete,
            "rules": rules_digest(source),
            **({"barred": copied.barred} if copied.barred else {}),
            **({"deleted": note} if note else {}),
        }
        with copying:
            copying.write_receipt(json.dumps(receipt, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n")
        return self._outcome(
            repo_id,
            SYNCED,
            path,
            kind,
            copied.changed,
            copied.deleted,
            copied.kept,
            self.host.path(kept_path(repo_id)),
            copied.notes,
            receipt,
            fingerprint_before,
            paths,
            copied.sent_at,
        )
