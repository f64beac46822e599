"""Sync: the code of repos to the Docker host, each beside a receipt of what it was made from (docs/specs.md, "What a sync does to a copy").

A repo here is an entry of `wanted.repos` (core/code/repo_entry).

More than 300 lines: judging a copy and sending to it rest on the same receipt.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dusty_tasks.core.code.changed_paths import changed_paths, difference_text, paths_in, sent_alone
from dusty_tasks.core.code.excludes import filter_text
from dusty_tasks.core.code.guards import refused_destination
from dusty_tasks.core.code.repo_entry import RepoEntry
from dusty_tasks.core.specs.repo_ids import shown_names
from dusty_tasks.core.text.alike import Report, sentences
from dusty_tasks.core.text.paths import COPIES, RECEIPTS
from dusty_tasks.core.text.safe import printable
from dusty_tasks.effects.code.fingerprint import Manifest, Source, kept_manifest
from dusty_tasks.effects.code.receipts import Receipt, identity_of, read_receipts
from dusty_tasks.effects.code.working_tree import read_commit
from dusty_tasks.effects.doors.failures import Failure, ToolFailed
from dusty_tasks.effects.doors.lock import last_taken
from dusty_tasks.operations.code.disguised import PARTED, disguised, is_of, looked_at, marked
from dusty_tasks.operations.code.sources import Looked, Looks, check_source, lock_of, read_state, source_of

if TYPE_CHECKING:
    from dusty_tasks.core.code.replaced import Kept
    from dusty_tasks.core.settings.model import Settings
    from dusty_tasks.effects.code.line import Line
    from dusty_tasks.effects.docker_host.host import DockerHost
    from dusty_tasks.operations.code.copy_repo import Copied, Copying, CopyOfRepo, Options

Say = Callable[[str], None]
SYNCED, UP_TO_DATE, FAILED = "synced", "up to date", "failed"
MOST_PASSES = 3
"""Of one sync, where its source is edited meanwhile."""
LONGEST_WAIT = 600.0
"""Seconds that a sync waits for another one of the same repo."""


@dataclass(frozen=True, slots=True)
class SyncOutcome:
    """What became of one repo."""

    repo_id: str
    name: str
    """What people call the repo: the short name where only one has it, else the id."""
    status: str
    """`synced`, `up to date`, `failed`."""
    source: str = ""
    kind: str = ""
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    """What was created on the Docker host, and lies aside now."""
    kept_in: str = ""
    notes: tuple[str, ...] = ()
    receipt: Receipt = field(default_factory=dict)
    before: str = ""
    """The fingerprint in the receipt until now."""
    paths: frozenset[bytes] | None = None
    """Where the source differs from what was sent before, as `a/b`; None where nobody knows."""
    sent_at: float = 0.0
    """When it lay in the copy, by time.monotonic."""
    taken: int = 0
    """What `last_taken` said of the repo's lock while this sync held it; 0 if it did not take it."""
    failure: Failure | None = None

    def __str__(self) -> str:
        if self.failure:
            return f"{self.name}: {self.failure}"
        first = f"{self.status} {self.name}: {len(self.changed)} changed, {len(self.deleted)} deleted, from {self.source} ({self.kind})"
        return "\n".join([first, *self.details()])

    def details(self) -> list[str]:
        """What a person must hear of it, however short the rest is: notes, and each file that had to go and is kept."""
        from dusty_tasks.core.code.replaced import kept_lines

        return [*(f"    {note}" for note in self.notes), *kept_lines(self.kept, self.kept_in, self.name)]


class Stale(NamedTuple):
    """How a copy differs from its source."""

    reason: str
    paths: frozenset[bytes] | None = None
    """Where, as `a/b`; None where nobody knows, or more than files differs."""


def stale_repos(
    repo_entries: Iterable[RepoEntry],
    receipts: Mapping[str, Receipt],
    settings: Settings,
    host: DockerHost,
    looks: Looks | None = None,
) -> list[tuple[RepoEntry, Stale]]:
    """The repos whose copy on the Docker host is not what their source is, each with the reason. Never raises.

    `looks` has the sources that were looked at already; those that have to be for this are there then, too.
    """
    if settings.sync_mode == "bind":
        return []
    looks = looks or Looks(settings)
    found = ((entry, _stale(entry, receipts.get(entry.id), looks, host)) for entry in repo_entries)
    return [(entry, stale) for entry, stale in found if stale]


def _stale(entry: RepoEntry, receipt: Receipt | None, looks: Looks, host: DockerHost) -> Stale | None:
    """How the copy differs from its source, None if it does not."""
    settings = looks.settings
    path, kind = source_of(entry, settings)
    if receipt is None:
        return Stale("not on the Docker host yet")
    if receipt.get("source") != path:
        return Stale(f"its source is {path} ({kind}) now, and was {receipt.get('source')}")
    source = looks.at(entry)
    if isinstance(source, OSError):
        return Stale(f"its source cannot be read: {printable(os.fsdecode(source.filename or path))}: {source.strerror}")
    if is_of(receipt, source.fingerprint):
        found = disguised(host, settings, entry.id, path, source, receipt)
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        if found:
            return Stale(
                f"{printable(found[0])} changed{more}, though not in size and time", frozenset(map(os.fsencode, found))
            )
        other_rule = _other_rule(entry, receipt, settings)
        return Stale(other_rule) if other_rule else None
    before = _sent_before(entry.id, receipt, settings, host)
    if before is None:
        return Stale("its source or its excludes changed")
    paths = frozenset(changed_paths(before.folders, source.folders))
    return Stale(
        difference_text(paths, before.folders, source.folders) or "its source or its excludes changed", paths or None
    )


def _sent_before(repo_id: str, receipt: Receipt, settings: Settings, host: DockerHost) -> Manifest | None:
    """What was sent for this receipt; None if that is not remembered."""
    before = kept_manifest(settings.home, repo_id)
    is_that = before and before.fingerprint == receipt.get("fingerprint") and before.host == identity_of(host)
    return before if is_that else None


def _other_rule(entry: RepoEntry, receipt: Receipt, settings: Settings) -> str:
    """Why a copy of an unchanged source is to be looked at all the same: another rule holds for what is in it."""
    if receipt.get("delete", settings.sync_delete) != settings.sync_delete:
        return f"sync.delete is {settings.sync_delete} now, and was {receipt['delete']}"
    barred = receipt.get("barred")
    if barred and isinstance(barred, list):
        from dusty_tasks.effects.home.assets import set_keys
        from dusty_tasks.operations.code.copy_repo import points_of

        keys = set_keys(settings.home)
        still = {point.path for point in points_of(entry) if not point.asset or point.asset in keys}
        return next((f"nothing is mounted at {name} any more" for name in barred if name not in still), "")
    return ""


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


class Synced(list[SyncOutcome]):
    """One outcome a repo, in order."""

    receipts: Mapping[str, Receipt] = MappingProxyType({})
    """What lies on the Docker host now, as far as it was read."""


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
        or _stale(entry, receipts.get(entry.id), looks, host)
    ]
    synced = each_in_parallel(
        run.sync,
        stale,
        1 if how.shows_progress else settings.sync_jobs,
        how.synced_one or (lambda outcome: _say_synced(outcome, how.say)),
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


def failure_of(outcomes: Iterable[SyncOutcome]) -> Failure | None:
    """All failures as one, or None: exit 1 if each is for the user to mend, else 2."""
    failed = [outcome for outcome in outcomes if outcome.failure]
    if not failed:
        return None
    said = sentences(
        Report(outcome.name, str(outcome.failure), (outcome.source, outcome.repo_id), outcome.failure.code)
        for outcome in failed
        if outcome.failure
    )
    return Failure("\n".join(sentence for sentence, _code in said), code=max(code for _sentence, code in said))


def _say_synced(outcome: SyncOutcome, say: Say) -> None:
    if outcome.status == SYNCED:
        say(str(outcome))


def _rules_digest(source: Source) -> str:
    return blake2b(filter_text(source.rules), digest_size=8).hexdigest()


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
        from dusty_tasks.operations.code.copy_repo import Copying, CopyOfRepo

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
        from dusty_tasks.operations.code.copy_repo import CopyOfRepo, Options

        check_source(path, self.settings.home)
        repo_id = entry.id
        if refused := refused_destination(self.host.path(COPIES, repo_id), self.host.path(COPIES)):
            raise Failure(f"refused to sync: {refused}")
        source = seen.source if seen and isinstance(seen.source, Source) else read_state(path, self.settings)
        receipt = self.receipts.get(repo_id, {})
        is_same = receipt.get("source") == path and is_of(receipt, source.fingerprint)
        is_disguised = is_same and bool(disguised(self.host, self.settings, repo_id, path, source, receipt))
        if is_same and not self.how.checksum and not is_disguised and not _other_rule(entry, receipt, self.settings):
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
        if self.how.is_live and before and not is_same and receipt.get("rules") == _rules_digest(source):
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
            "rules": _rules_digest(source),
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
